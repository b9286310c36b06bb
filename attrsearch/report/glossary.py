"""The project's glossary, for the pages: the same words as in the documentation."""

import re
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "assets" / "glossary.md"
"""The same text as ``docs/glossary.md``, which is not part of the package; a test compares them."""

_ENTRY = re.compile(r"^\*\*(?P<term>.+?)\*\*(?P<rest>.*)\n:   (?P<text>(?:.+\n?)+)", re.MULTILINE)


@cache
def read_glossary() -> tuple[tuple[str, str], ...]:
    """Terms and what they mean, as plain text, in the order of the glossary.

    >>> dict(read_glossary())["Rank-1"]
    'How often the nearest face of a gallery is the right person.'
    """
    found = _ENTRY.finditer(FILE.read_text(encoding="utf-8"))
    return tuple((entry["term"], _plain(entry["rest"], entry["text"])) for entry in found)


def _plain(rest: str, text: str) -> str:
    """A definition in one line, without the marks of Markdown."""
    words = " ".join(f"{rest.strip()} {text}".split())
    return re.sub(r"[*`]", "", words)
