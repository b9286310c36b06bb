"""What is protected: something whose frames can be read twice, and written the second time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

from attrsearch.core.errors import InputError
from attrsearch.video.io.reader import Frame, Picture, VideoReader
from attrsearch.video.io.writer import Encoding, VideoRewriter


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
    """

    size: tuple[int, int]
    count: int

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
        self._source, self._target, self._range, self._encoding = (
            source,
            target,
            (start, end),
            encoding,
        )
        with VideoReader(source, start, end) as reader:
            self.size = (reader.info.width, reader.info.height)
            self.count = reader.info.frames

    def frames(self) -> Iterator[Frame]:
        """See :class:`FrameSource`."""
        with VideoReader(self._source, *self._range) as reader:
            yield from reader.frames()

    def rewrite(self) -> "VideoSecondPass":
        """See :class:`FrameSource`."""
        return VideoSecondPass(self._source, self._target, self._range, self._encoding)


class VideoSecondPass:
    """A reader and a rewriter of one video, opened and closed together; a :class:`FrameSink`."""

    def __init__(
        self,
        source: Path,
        target: Path,
        span: tuple[float, float | None],
        encoding: Encoding | None,
    ) -> None:
        self._stack = ExitStack()
        self._reader = self._stack.enter_context(VideoReader(source, *span))
        try:
            self._rewriter = self._stack.enter_context(
                VideoRewriter(self._reader, target, encoding)
            )
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> "VideoSecondPass":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

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
