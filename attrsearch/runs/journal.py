"""``journal.jsonl``: what happened to a run, a line an event, only ever added to.

Every line has its checksum.

A killed process leaves at most half a last line: it is noticed, and nothing before it is lost.
"""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrsearch.core.errors import OutputError
from attrsearch.runs.checksums import is_whole, seal

FILE = "journal.jsonl"


def now() -> str:
    """The time, as journals and records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Journal:
    """The journal of a run.

    Args:
        run: The run's folder.
    """

    def __init__(self, run: Path) -> None:
        self.path = run / FILE
        self.damaged = 0
        """Lines of the last :meth:`read` that are not what was written."""

    def add(self, event: str, **details: Any) -> None:
        """Add a line; it is on the disk when this returns.

        Raises:
            OutputError: It cannot be written.
        """
        line = json.dumps(
            seal({"when": now(), "event": event, **details}, self.path.parent), ensure_ascii=False
        )

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                # half a line of a process that was killed stays a line of its own
                if file.tell() and not _ends_a_line(file):
                    file.write(b"\n")

                file.write(line.encode() + b"\n")
                file.flush()
                # of what the journal says was done, nothing may be lost with the power
                os.fsync(file.fileno())
        except OSError as error:
            hint = "free some space, then continue with --resume"
            found = error.strerror or str(error)
            raise OutputError(
                self.path, required="a journal that can be written", found=found, hint=hint
            ) from error

    def read(self) -> Iterator[Mapping[str, Any]]:
        """Every whole line; none where there is no journal."""
        self.damaged = 0
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError:
            return

        for line in lines:
            try:
                record = json.loads(line)
                whole = isinstance(record, dict) and is_whole(record)
            except (ValueError, RecursionError):
                whole = False

            if whole:
                yield record
            else:
                self.damaged += 1


def _ends_a_line(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")
