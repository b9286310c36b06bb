"""``coverage.parquet``.

A row for every face of every frame, how it was found and how it was covered.
"""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attrsearch.core.encryption import encrypting, locked, private_path
from attrsearch.core.files import written
from attrsearch.video.render import RenderedFace
from attrsearch.video.summary import CoverageSummary

SCHEMA = pa.schema(
    [
        ("frame", pa.int32()),
        ("time", pa.float64()),
        ("track", pa.int32()),
        ("person", pa.string()),
        ("left", pa.float32()),
        ("top", pa.float32()),
        ("right", pa.float32()),
        ("bottom", pa.float32()),
        ("probability", pa.float32()),
        ("found", pa.string()),
        ("cover", pa.string()),
        ("reason", pa.string()),
        ("distance", pa.float32()),
        ("class", pa.string()),
    ]
)
ROWS_A_GROUP = 20_000


class Ledger:
    """Collects rows and writes them group by group, so that memory does not grow with the video.

    An encrypted one is collected in memory, compressed: nothing plain touches the disk.

    Args:
        path: The file; ``.fernet`` is added where private files are encrypted.
        about: What is said of the footage, in the file's metadata under ``attrsearch``.
    """

    def __init__(self, path: Path, about: Mapping[str, int] | None = None) -> None:
        self._opened = written(private_path(path))
        # entered by hand: the file stays open as long as the ledger does
        self._part = self._opened.__enter__()
        self._memory = io.BytesIO() if encrypting() else None
        schema = SCHEMA.with_metadata({"attrsearch": json.dumps(dict(about or {}))})
        self._writer = pq.ParquetWriter(self._memory or self._part, schema)
        self._rows: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
        self.counts: dict[str, int] = {}

    def close(self, summary: CoverageSummary) -> None:
        """Note what the rows do not say, in the metadata under ``attrsearch.coverage``.

        How many frames there are, how faces were covered and why not edited, how often edit and
        filter took turns, and what was not looked at.
        """
        told = {
            "frames": summary.frames,
            "counts": summary.counts,
            "reasons": summary.reasons,
            "switches": summary.switches,
            "smallest_face": summary.smallest,
            "unread_frames": summary.unread,
        }
        self._writer.add_key_value_metadata({"attrsearch.coverage": json.dumps(told)})

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *error: Any) -> None:
        self._flush()
        self._writer.close()
        if self._memory is not None:
            self._part.write_bytes(locked(self._memory.getvalue()))

        self._opened.__exit__(*error)

    def add(self, frame: int, seconds: float, covered: Sequence[RenderedFace]) -> None:
        """Add the faces of a frame."""
        for item in covered:
            left, top, right, bottom = map(float, item.face.box)
            values = (
                frame, seconds, item.face.track, item.person, left, top, right, bottom,
                item.face.probability, item.face.source, item.how,
                item.reason, item.distance, item.label,
            )  # fmt: skip
            for name, value in zip(SCHEMA.names, values, strict=True):
                self._rows[name].append(value)

            self.counts[item.how] = self.counts.get(item.how, 0) + 1

        if len(self._rows["frame"]) >= ROWS_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows["frame"]:
            self._writer.write_table(pa.table(self._rows, schema=SCHEMA))
            self._rows = {name: [] for name in SCHEMA.names}
