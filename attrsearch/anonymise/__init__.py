"""Attribute sets of an export onto pictures and videos.

The room has the name of a function: ``attrsearch.anonymise(picture)`` calls the module itself,
which is :func:`attrsearch.anonymise.single.anonymise`.
"""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """A module that can be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from attrsearch.anonymise.single import anonymise as call  # noqa: PLC0415 - heavy

        return call(*args, **kwargs)


# Python lets a module's class be exchanged; a function of this name would hide the folder's modules
sys.modules[__name__].__class__ = _Room
anonymise = sys.modules[__name__]
"""What ``attrsearch.anonymise`` gives, whether or not the room was imported before."""
