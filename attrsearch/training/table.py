"""The attribute table of a folder of pictures: a CSV file such as CelebA's, one row a picture."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.core.picking import take

Floats = npt.NDArray[np.float32]

NAME_COLUMNS = ("image_id", "image", "file", "name", "picture")


def read_table(path: Path) -> dict[str, Floats]:
    """The 13 attributes of every picture of a table, 0 or 1, by file name.

    The file has a header with the 13 names of AttGAN (others are ignored) and a column of file
    names (``image_id``); values are 0 and 1, or -1 and 1 as CelebA publishes them.

    Raises:
        InputError: Not such a table.
    """
    hint = "give a CSV file such as CelebA's: image_id,Bald,Bangs,…"
    required = "a table with a column of file names and the 13 attributes"

    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, required=required, found=str(error), hint=hint) from error

    columns = list(rows[0]) if rows else []
    key = next((name for name in NAME_COLUMNS if name in columns), None)
    missing = [name for name in ATTRIBUTES if name not in columns]

    if key is None or missing:
        found = (
            "no rows"
            if not rows
            else f"no column {missing[0]}"
            if missing
            else "no column image_id"
        )
        raise InputError(path, required=required, found=found, hint=hint)

    table: dict[str, Floats] = {}
    for line, row in enumerate(rows, 2):
        try:
            values = np.array([float(row[name]) for name in ATTRIBUTES], np.float32)
        except (TypeError, ValueError):
            values = np.full(len(ATTRIBUTES), np.nan, np.float32)

        if not np.isin(values, (-1, 0, 1)).all() or not row[key]:
            found = str(take(row, ATTRIBUTES))[:90]
            where = f"{path}, line {line}"
            raise InputError(
                where,
                required="a file name and values 0, 1 or -1",
                found=found,
                hint="mend that line",
            )

        table[row[key]] = (values > 0).astype(np.float32)

    return table


def match_table(table: Mapping[str, Floats], names: Sequence[str], path: Path) -> Floats:
    """The attributes (n, 13) of pictures, found by path or by file name.

    Raises:
        InputError: A picture has no row.
    """
    rows = [table.get(name, table.get(Path(name).name)) for name in names]
    without = [name for name, row in zip(names, rows, strict=True) if row is None]

    if without:
        raise InputError(
            path,
            required=f"a row for each of the {len(names)} pictures",
            found=f"none for {len(without)} of them, {without[0]} the first",
            hint=(
                "give the table of these pictures, or leave it out and let the classifier fill "
                "the attributes in"
            ),
        )

    return np.stack([row for row in rows if row is not None]).astype(np.float32)
