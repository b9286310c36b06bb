"""Tables written piece by piece, so that memory does not grow with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from attrsearch.core.files import written
from attrsearch.core.names import csv_cell

ROWS_A_GROUP = 50_000
"""A row group a person would make files of many people slow to read: a group has a header."""


def add_rows(path: Path, rows: list[dict[str, Any]], columns: Sequence[str]) -> None:
    """Append rows to a CSV file and forget them.

    Args:
        path: The file; where it is not there, the names of the columns are written first.
        rows: Rows of the same columns; emptied.
        columns: Names of the columns of a table without any row.
    """
    new = not path.exists()
    table = pd.DataFrame(rows, columns=None if rows or not new else list(columns))
    table.map(csv_cell).to_csv(path, mode="a", index=False, header=new)
    rows.clear()


def join_tables(parts: Sequence[Path], schema: pa.Schema, path: Path) -> None:
    """Write Parquet files of one schema as one, in their order.

    Raises:
        OutputError: It cannot be written.
    """
    with written(path) as file, pq.ParquetWriter(file, schema) as writer:
        waiting: list[pa.Table] = []
        rows = 0

        for part in parts:
            waiting.append(pq.read_table(part, schema=schema))
            rows += waiting[-1].num_rows
            if rows >= ROWS_A_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
                rows = 0

        if waiting:
            writer.write_table(pa.concat_tables(waiting))
