"""A temporary file for what a long video would fill memory with.

It has no name, so that nobody finds it, and is gone with the process.  Where private files are
encrypted, what lies in it is encrypted, too.
"""

import tempfile
import weakref
from functools import lru_cache
from typing import IO, NamedTuple

from attrsearch.core.encryption import encrypting, locked, unlocked
from attrsearch.core.errors import OutputError

AT_HAND = 64
"""How many things that were read last are kept at hand."""


class Place(NamedTuple):
    """Where something lies: its first byte, and how many there are."""

    offset: int
    length: int


class SpillFile:
    """Bytes that are put away and read again; the file is made when the first are."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._end = 0
        # asked once: what was written one way is read that way
        self._locked = encrypting()
        # a cache an object: that of a decorated method would keep every object alive
        self.get = lru_cache(AT_HAND)(self._read)

    def put(self, data: bytes) -> Place:
        """Put bytes away; where they are.

        Raises:
            OutputError: There is no room for temporary files.
        """
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the shelf
                # a file without a name takes space until it is closed
                weakref.finalize(self, self._file.close)

            kept = locked(data) if self._locked else data
            # reading has moved it
            self._file.seek(self._end)
            self._file.write(kept)
        except OSError as error:
            hint = "free some space, or name another folder in the environment variable TMPDIR"
            found = error.strerror or str(error)
            raise OutputError(
                "temporary files", required="a place to write to", found=found, hint=hint
            ) from error

        place = Place(self._end, len(kept))
        self._end += len(kept)
        return place

    def _read(self, place: Place) -> bytes:
        if self._file is None:
            raise ValueError(f"nothing was put away, and nothing lies at {place}")

        self._file.seek(place.offset)
        data = self._file.read(place.length)
        return unlocked(data, "temporary files") if self._locked else data
