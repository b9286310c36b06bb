"""What is protected: something whose frames can be read twice, and written the second time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

from attrsearch.core.errors import InputError
from attrsearch.video.io.encoders import Encoding
from attrsearch.video.io.reader import Frame, Picture, VideoReader
from attrsearch.video.io.writer import VideoRewriter


class FrameSink(Protocol):
    """The second pass: read and write in step."""

    @property
    def problem(self) -> str:
        """Why reading ended early; empty where it did not."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Frames to render, in order."""
        ...

    def write(self, frame: Frame, picture: Picture) -> None:
        """Write the picture of a frame, in order."""
        ...

    def close(self) -> None:
        """Finish the output and give it its name."""
        ...


class FrameSource(Protocol):
    """A video file or a folder of frames, and where it goes.

    Attributes:
        size: Width and height of the frames.
        count: How many frames it declares; 0 where it does not say.
        lost: What of it the output cannot keep, in words.
        turn: Quarters counterclockwise by which its upright pictures are turned further.
    """

    lost: list[str]
    size: tuple[int, int]
    count: int
    turn: int

    def sample(self, count: int) -> Iterator[Picture]:
        """Up to so many pictures from all over it."""
        ...

    def turned(self, quarters: int) -> None:
        """Take the upright pictures to be turned by so many quarters counterclockwise."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Frames of the first pass, in order."""
        ...

    def rewrite(self) -> AbstractContextManager[FrameSink]:
        """Open the second pass."""
        ...


class VideoFile:
    """A video file; a :class:`FrameSource`.

    Args:
        source: The video.
        target: The video to write.
        start: Seconds to begin at.
        end: Seconds to end before.
        encoding: How the output is written.

    Raises:
        InputError: Not a video, no pictures in it, or the output is the input.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        start: float = 0.0,
        end: float | None = None,
        encoding: Encoding | None = None,
    ) -> None:
        if source.resolve() == target.resolve():
            hint = "name another file: nothing is overwritten"
            raise InputError(
                source, required="an output that is not the input", found="the same file", hint=hint
            )

        self._source = source
        self._target = target
        self._range = (start, end)
        self._encoding = encoding
        self.turn = 0

        with VideoReader(source, start, end) as reader:
            self.size = (reader.info.width, reader.info.height)
            self.count = reader.info.frames
            self.seconds = reader.info.seconds
            if start or end is not None:
                # of what is read; the container counts all of it
                last = self.seconds if end is None else min(end, self.seconds or end)
                self.count = round(max(0.0, last - start) * float(reader.info.rate))

        self.lost: list[str] = []
        # what goes into a pipe cannot be thrown away
        if str(target) != "-":
            with VideoSecondPass(source, target, self._range, encoding) as out:
                self.lost = out.try_out()

    def turned(self, quarters: int) -> None:
        """Take the upright pictures to be turned by so many quarters counterclockwise."""
        if quarters % 2:
            self.size = self.size[::-1]

        self.turn = (self.turn + quarters) % 4

    def sample(self, count: int) -> Iterator[Picture]:
        """Up to so many pictures from all over it."""
        start, end = self._range
        last = self.seconds if end is None else min(end, self.seconds or end)

        for place in range(count):
            time = start + (last - start) * place / count
            with VideoReader(self._source, time, end, turn=self.turn) as reader:
                frame = next(reader.frames(), None)

            if frame is not None:
                yield frame.picture

    def frames(self) -> Iterator[Frame]:
        """See :class:`FrameSource`."""
        with VideoReader(self._source, *self._range, turn=self.turn) as reader:
            yield from reader.frames()

    def rewrite(self) -> "VideoSecondPass":
        """See :class:`FrameSource`."""
        return VideoSecondPass(self._source, self._target, self._range, self._encoding, self.turn)


class VideoSecondPass:
    """A reader and a rewriter of one video, opened and closed together; a :class:`FrameSink`."""

    def __init__(
        self,
        source: Path,
        target: Path,
        span: tuple[float, float | None],
        encoding: Encoding | None,
        turn: int = 0,
    ) -> None:
        self._stack = ExitStack()
        self._reader = self._stack.enter_context(VideoReader(source, *span, turn=turn))

        try:
            self._rewriter = self._stack.enter_context(
                VideoRewriter(self._reader, target, encoding)
            )
        except BaseException:
            # nobody gets this object, and the reader is open
            self._stack.close()
            raise

    def __enter__(self) -> "VideoSecondPass":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def try_out(self) -> list[str]:
        """Write one frame and throw it away; what of the input the output will not keep."""
        return self._rewriter.try_out()

    @property
    def problem(self) -> str:
        """Why reading ended early; empty where it did not."""
        return self._reader.problem

    def frames(self) -> Iterator[Frame]:
        """See :class:`FrameSink`."""
        return self._rewriter.frames()

    def write(self, frame: Frame, picture: Picture) -> None:
        """See :class:`FrameSink`."""
        self._rewriter.write(frame, picture)

    def close(self) -> None:
        """See :class:`FrameSink`."""
        self._rewriter.close()
