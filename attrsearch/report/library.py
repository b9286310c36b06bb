"""The chart library that pages share where people explore; the report of a run never carries it.

One copy lies in ``assets/vega``; a server of pages adds :func:`read_library` to its routes, and
lets its own pages load scripts from itself.
"""

from attrsearch.report.page import ASSETS

LIBRARY = ("vega.min.js", "vega-interpreter.min.js")
"""Files that may be asked for, in the order they are loaded."""


def read_library(name: str) -> bytes | None:
    """A file of the library; None where it is none of :data:`LIBRARY`."""
    return (ASSETS / "vega" / name).read_bytes() if name in LIBRARY else None
