"""attrsearch: search the facial attribute edits that anonymise a person.

One Optuna study per person searches AttGAN's 13 attributes for the edit that a face detector still
finds and a face recogniser no longer knows.  The public names below are loaded on first use, so that
``import attrsearch`` costs nothing.

>>> import attrsearch
>>> attrsearch.__version__
'0.1.0'
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_PUBLIC = {
    "ATTRIBUTES": "attrsearch.attributes",
    "AttributeSet": "attrsearch.attributes",
    "AttrsearchError": "attrsearch.errors",
    "Evaluator": "attrsearch.search.evaluator",
    "Identity": "attrsearch.faces.people",
    "load_editor": "attrsearch.editing.editor",
    "load_people": "attrsearch.faces.gather",
    "load_study": "attrsearch.recipes",
    "read_attributes": "attrsearch.export",
    "run": "attrsearch.search.run",
}

if TYPE_CHECKING:
    from attrsearch.attributes import ATTRIBUTES, AttributeSet
    from attrsearch.editing.editor import load_editor
    from attrsearch.errors import AttrsearchError
    from attrsearch.export import read_attributes
    from attrsearch.faces.gather import load_people
    from attrsearch.faces.people import Identity
    from attrsearch.recipes import load_study
    from attrsearch.search.evaluator import Evaluator
    from attrsearch.search.run import run

__all__ = [
    "ATTRIBUTES",
    "AttributeSet",
    "AttrsearchError",
    "Evaluator",
    "Identity",
    "__version__",
    "load_editor",
    "load_people",
    "load_study",
    "read_attributes",
    "run",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'attrsearch' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
