"""Names of files and people, as people read them."""

import os
import re
import unicodedata

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters that a spreadsheet takes for the start of a formula."""


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which numbers stand in their order, whatever their leading zeros.

    >>> sorted(["f10", "f2", "f1"], key=natural_key)
    ['f1', 'f2', 'f10']
    """
    parts = re.split(r"([0-9]+)", name)
    # numbers and texts cannot be compared: each part says which of them it is
    keys = []
    for part in parts:
        keys.append((1, int(part), part) if part.isdecimal() else (0, 0, part))

    return tuple(keys)


def readable(name: str) -> str:
    """A name that can be written as UTF-8.

    Bytes of another encoding are shown as hexadecimal numbers.

    >>> readable("Ann"), readable(os.fsdecode(bytes([77, 252]))) == "M" + chr(92) + "xfc"
    ('Ann', True)
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "backslashreplace")

    return name


def as_read(name: str) -> str:
    """A name without the differences nobody sees.

    Composed or decomposed letters, upper or lower case.

    >>> as_read("Zoe" + chr(0x308)) == as_read("ZO" + chr(0xCB))
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", readable(name)).casefold())


def csv_cell(value: object) -> object:
    """A cell of a CSV file that no spreadsheet runs.

    Text that begins like a formula gets an apostrophe before it.

    >>> csv_cell("=1+2"), csv_cell("Ann"), csv_cell(-2.5)
    ("'=1+2", 'Ann', -2.5)
    """
    if isinstance(value, str) and value.startswith((*FORMULA, "'")):
        return f"'{value}"
    return value


def from_csv_cell(value: object) -> object:
    """What :func:`csv_cell` was given.

    >>> from_csv_cell("'=1+2"), from_csv_cell(csv_cell("'quoted'")), from_csv_cell("Ann")
    ('=1+2', "'quoted'", 'Ann')
    """
    if isinstance(value, str) and value.startswith("'") and value[1:].startswith((*FORMULA, "'")):
        return value[1:]
    return value
