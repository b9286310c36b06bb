"""A folder of frames as a video.

Pictures in the order of their names, written back under the same names.
"""

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from attrsearch.core.errors import InputError
from attrsearch.core.files import write_bytes
from attrsearch.faces.dataset import Warn
from attrsearch.faces.images import list_pictures, read_picture
from attrsearch.video.io.reader import Frame, Picture

RATE = 25.0


class FrameFolder:
    """Reads and rewrites a folder of frames; see :class:`attrsearch.video.io.source.FrameSource`.

    Args:
        source: The folder.
        target: The folder to write.
        warn: Called with one line for every frame that cannot be read; it is not written.

    Raises:
        InputError: The folder has no pictures, none that can be read, two of one name, or it is the
            target.
    """

    def __init__(self, source: Path, target: Path, warn: Warn = print) -> None:
        self._files = list_pictures(source) if source.is_dir() else []
        self._target, self._warn, self._told = target, warn, set[Path]()
        if source.resolve() == target.resolve():
            hint = "name another folder: nothing is overwritten"
            raise InputError(
                source,
                required="an output that is not the input",
                found="the same folder",
                hint=hint,
            )
        names = [path.stem for path in self._files]
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
        first = next(self.frames(), None)
        if first is None:
            hint = "give a folder of pictures named in their order"
            raise InputError(source, required="a folder of frames", found="no pictures", hint=hint)
        self.size = (first.picture.shape[1], first.picture.shape[0])
        self.count = len(self._files)

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
                    self._warn(str(error))
                continue
            yield Frame(index, index / RATE, picture, path)

    def rewrite(self) -> "FrameFolder":
        """The folder itself: its frames can be read again and again."""
        return self

    def write(self, frame: Frame, picture: Picture) -> None:
        """Write a frame under its own name as PNG, without metadata."""
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG")
        write_bytes(self._target / Path(frame.source).with_suffix(".png").name, buffer.getvalue())

    def close(self) -> None:
        """Nothing is left to do."""
