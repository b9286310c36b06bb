"""Text files from elsewhere, read within bounds."""

import re
import tomllib
from typing import Any

MAX_PARTS = 100
"""Dots in a line, outside of quoted text: keys of thousands of parts keep a parser busy for
minutes.
"""
QUOTED = re.compile(r""" "(?:[^"\\]|\\.)*" | '[^']*' """, re.VERBOSE)


def parse_toml(text: str) -> dict[str, Any]:
    """TOML as a table.

    >>> parse_toml("a.b = 1")
    {'a': {'b': 1}}

    Raises:
        ValueError: Not TOML, or nested too deep.
    """
    if any(QUOTED.sub("", line).count(".") > MAX_PARTS for line in text.splitlines()):
        raise ValueError(f"more than {MAX_PARTS} dots in a line")

    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
