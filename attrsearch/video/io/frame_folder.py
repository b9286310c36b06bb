"""A folder of frames as a video.

Pictures in the order of their names, written back under the same names.
"""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.files import write_bytes
from attrsearch.core.images import MADE_BY
from attrsearch.faces.images import list_pictures, read_picture
from attrsearch.video.io.reader import Frame, Picture

log = logging.getLogger(__name__)

RATE = 25.0


class FrameFolder:
    """Reads and rewrites a folder of frames; see :class:`attrsearch.video.io.source.FrameSource`.

    A frame that cannot be read is named in the log and not written.

    Args:
        source: The folder.
        target: The folder to write.

    Raises:
        InputError: The folder has no pictures, none that can be read, two of one name, or it is the
            target.
        OutputError: A file that was not written here lies where a frame would be written.
    """

    def __init__(self, source: Path, target: Path) -> None:
        self._files = sorted(list_pictures(source), key=_in_order) if source.is_dir() else []
        self._target = target
        self._told = set[Path]()
        self.turn = 0

        if source.resolve() == target.resolve():
            hint = "name another folder: nothing is overwritten"
            raise InputError(
                source,
                required="an output that is not the input",
                found="the same folder",
                hint=hint,
            )

        names = [path.stem for path in self._files]
        # counted where two are of one name: to count every name takes the square of their number
        twice = (
            next((name for name in names if names.count(name) > 1), None)
            if len(set(names)) < len(names)
            else None
        )

        if twice is not None:
            hint = "rename one of them"
            raise InputError(
                source, required="frames of different names", found=f"two named {twice}", hint=hint
            )

        self._refuse_replacing()
        first = next(self.frames(), None)
        if first is None:
            hint = "give a folder of pictures named in their order"
            raise InputError(source, required="a folder of frames", found="no pictures", hint=hint)

        self.size = (first.picture.shape[1], first.picture.shape[0])
        self.count = len(self._files)
        self.lost: list[str] = []

    @property
    def problem(self) -> str:
        """Which frames could not be read; empty where all could."""
        if not self._told:
            return ""
        return f"{len(self._told)} of {self.count} frames could not be read and were not written"

    def __enter__(self) -> "FrameFolder":
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def frames(self) -> Iterator[Frame]:
        """Frames in order; numbers are those of the files, so that a bad file leaves a gap."""
        for index, path in enumerate(self._files):
            try:
                picture = read_picture(path)
            except InputError as error:
                if path not in self._told:
                    self._told.add(path)
                    log.warning(str(error))

                continue

            yield Frame(
                index, index / RATE, np.ascontiguousarray(np.rot90(picture, self.turn)), path
            )

    def sample(self, count: int) -> Iterator[Picture]:
        """See :class:`attrsearch.video.material.Material`."""
        every = max(1, -(-len(self._files) // max(1, count)))
        for path in self._files[::every]:
            with suppress(InputError):  # is named when its turn comes
                yield np.ascontiguousarray(np.rot90(read_picture(path), self.turn))

    def turned(self, quarters: int) -> None:
        """See :class:`attrsearch.video.material.Material`."""
        if quarters % 2:
            self.size = self.size[::-1]

        self.turn = (self.turn + quarters) % 4

    def rewrite(self) -> "FrameFolder":
        """The folder itself: its frames can be read again and again."""
        return self

    def write(self, frame: Frame, picture: Picture) -> None:
        """Write a frame under its own name as PNG, with a word about who made it."""
        buffer = io.BytesIO()
        made = PngInfo()
        # by this a later run knows what it may replace
        made.add_text("Software", MADE_BY)
        # written as it was stored: the turn was for the detector
        upright = np.ascontiguousarray(np.rot90(picture, -self.turn))
        Image.fromarray(upright).save(buffer, "PNG", pnginfo=made)
        write_bytes(self._place(Path(frame.source)), buffer.getvalue())

    def close(self) -> None:
        """Nothing is left to do."""

    def _place(self, source: Path) -> Path:
        return self._target / source.with_suffix(".png").name

    def _refuse_replacing(self) -> None:
        for source in self._files:
            place = self._place(source)
            if place.exists() and not _is_made_here(place):
                hint = "name another folder with --out: nothing is overwritten"
                found = "a file that attrsearch did not write"
                raise OutputError(place, required="a new file", found=found, hint=hint)


def _is_made_here(path: Path) -> bool:
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get("Software") == MADE_BY
    except OSError:
        return False


def _in_order(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Orders names as they are counted.

    F2 comes before f10, whether numbers have leading zeros or not.

    >>> [path.name for path in sorted(map(Path, ["f10.jpg", "f1.jpg", "f2.jpg"]), key=_in_order)]
    ['f1.jpg', 'f2.jpg', 'f10.jpg']
    """
    keys = []
    for part in re.split(r"(\d+)", path.stem):
        keys.append((int(part), "") if part.isdecimal() else (-1, part))

    return keys, path.name
