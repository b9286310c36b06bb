"""attrsearch: search the facial attribute edits that anonymise a person.

One Optuna study per person searches AttGAN's 13 attributes for the edit that a face detector still
finds and a face recogniser no longer knows.  The public names below are loaded on first use, so
that ``import attrsearch`` costs nothing.

>>> import attrsearch
>>> attrsearch.__version__
'0.1.0'
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_PUBLIC = {
    "ATTRIBUTES": "attrsearch.core.attributes",
    "AttributeSet": "attrsearch.core.attributes",
    "AttrsearchError": "attrsearch.core.errors",
    "Evaluator": "attrsearch.search.evaluator",
    "Execution": "attrsearch.search.config",
    "Identity": "attrsearch.faces.dataset",
    "RunConfig": "attrsearch.search.config",
    "anonymise": "attrsearch.anonymise",
    "edit": "attrsearch.anonymise.single",
    "load_editor": "attrsearch.editing.editor",
    "load_people": "attrsearch.faces.identities",
    "load_study": "attrsearch.core.recipes.study",
    "open_study": "attrsearch.search.open_study",
    "register": "attrsearch.core.plugins",
    "read_attributes": "attrsearch.runs.attributes_file",
    "run": "attrsearch.search.run",
}

_MODULES = {"testing": "attrsearch.search.testing"}
"""Modules that are public under a shorter name."""

if TYPE_CHECKING:
    from attrsearch.anonymise.single import anonymise, edit
    from attrsearch.core.attributes import ATTRIBUTES, AttributeSet
    from attrsearch.core.errors import AttrsearchError
    from attrsearch.core.plugins import register
    from attrsearch.core.recipes.study import load_study
    from attrsearch.editing.editor import load_editor
    from attrsearch.faces.dataset import Identity
    from attrsearch.faces.identities import load_people
    from attrsearch.runs.attributes_file import read_attributes
    from attrsearch.search import testing
    from attrsearch.search.config import Execution, RunConfig
    from attrsearch.search.evaluator import Evaluator
    from attrsearch.search.open_study import open_study
    from attrsearch.search.run import run

__all__ = [
    "ATTRIBUTES",
    "AttributeSet",
    "AttrsearchError",
    "Evaluator",
    "Execution",
    "Identity",
    "RunConfig",
    "__version__",
    "anonymise",
    "edit",
    "load_editor",
    "load_people",
    "load_study",
    "open_study",
    "read_attributes",
    "register",
    "run",
    "testing",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _PUBLIC:
        raise AttributeError(
            f"module 'attrsearch' has no attribute {name!r}; it has {', '.join(__all__)}"
        )

    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
