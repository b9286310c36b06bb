"""Frames of a video, upright, through PyAV."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import InputError

Picture = npt.NDArray[np.uint8]

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".ts", ".mpg", ".mpeg", ".flv", ".wmv"}
)


@dataclass(frozen=True)
class VideoInfo:
    """What a video says of itself.

    Attributes:
        width: Of the upright picture.
        height: Of the upright picture.
        rate: Average frames a second.
        frames: How many it declares; 0 where it does not say.
        seconds: How long it declares to be; 0 where it does not say.
        rotation: Degrees counterclockwise the stored picture is shown turned by.
    """

    width: int
    height: int
    rate: Fraction
    frames: int
    seconds: float
    rotation: int


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        index: From 0, of the frames read.
        seconds: Its time from the start of the video.
        picture: (h, w, 3), RGB, uint8, upright.
        source: What PyAV decoded.
    """

    index: int
    seconds: float
    picture: Picture
    source: Any = field(repr=False)


def is_video(path: Path) -> bool:
    """Whether a file's name is that of a video.

    >>> is_video(Path("street.MP4")), is_video(Path("face.jpg"))
    (True, False)
    """
    return path.suffix.lower() in VIDEO_SUFFIXES


MAX_PIXELS = 100_000_000
"""Frames with more pixels are refused before they are converted."""
SAFE = {
    "protocol_whitelist": "file",
    "format_whitelist": (
        "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,gif,h264,hevc,mjpeg,image2,rawvideo,yuv4mpegpipe"
    ),
}
"""What FFmpeg may open of a file: itself, and no playlist that names other files or addresses."""
TIMED = {"mov", "mp4", "matroska", "webm", "flv"}
"""Containers that declare how long they are, rather than being measured."""
MISSING = 0.1
"""Seconds by which a video may end before the time it declares."""
MARGIN = 2.0
"""Seconds read before ``start`` and after ``end``: sound is stored up to that far from the pictures
it belongs to.
"""
LIVE = ("/dev/video", "rtsp://", "rtmp://", "http://", "https://", "udp://", "tcp://")


def is_live(source: str) -> bool:
    """Whether a source is a camera, an address or standard input, which can be read once only.

    >>> is_live("-"), is_live("/dev/video0"), is_live("street.mp4")
    (True, True, False)
    """
    return source == "-" or source.startswith(LIVE)


class VideoReader:
    """Reads a video once, from its beginning.

    Args:
        path: The file; or for a live source its name, ``-`` for standard input.
        start: Seconds to begin at.
        end: Seconds to end before.

    Raises:
        InputError: Not a video, or one without pictures.

    Attributes:
        info: What the video says of itself.
        problem: Why reading ended early; empty where it did not.
        first: Time of the first frame as the file has it, seconds; ``start`` and ``end`` are
            counted from it.
    """

    def __init__(self, path: Path | str, start: float = 0.0, end: float | None = None) -> None:
        self.path, self._start, self._end = path, start, end
        self.problem = ""
        self._read = 0
        self._reached: dict[int, float] = {}
        self._open()
        live = is_live(str(path))
        rotation, sides = (
            (0, (self._stream.width, self._stream.height)) if live else _probe(Path(path))
        )
        base: Any = self._stream.time_base
        self.first = float((self._stream.start_time or 0) * base)
        self.info = _describe(self._container, self._stream, rotation, sides)

    def _open(self) -> None:
        hint, path = "give a video such as street.mp4", str(self.path)
        try:
            live = is_live(path)
            name = "pipe:0" if path == "-" else path if live else f"file:{path}"
            camera = "v4l2" if name.startswith("/dev/video") else None
            self._container = av.open(name, format=camera, options={} if live else dict(SAFE))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            found = getattr(error, "strerror", None) or str(error)
            raise InputError(path, required="a readable video", found=found, hint=hint) from error
        if not self._container.streams.video:
            self._container.close()
            raise InputError(
                path, required="a video with pictures", found="no video stream", hint=hint
            )
        self._stream: Any = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *error: object) -> None:
        self._container.close()

    def frames(self) -> Iterator[Frame]:
        """Every frame from ``start`` to ``end``.

        A video that breaks off ends where it breaks (``problem``).
        """
        for packet in self.packets():
            yield from self.decode(packet)
        self.check()

    def packets(self) -> Iterator[Any]:
        """Packets of every stream about ``start`` to ``end``.

        Reading ends at the first that cannot be read.
        """
        try:
            self._seek()
            for packet in self._container.demux():
                if packet.pts is not None:
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    self._reached[packet.stream.index] = max(
                        end, self._reached.get(packet.stream.index, end)
                    )
                if self._is_past(packet):
                    rest = av.Packet()  # an empty one: the decoder gives what it still holds
                    rest.stream, rest.time_base = self._stream, self._stream.time_base
                    yield rest
                    return
                yield packet
        except (av.error.FFmpegError, OSError) as error:
            self._break(error)

    def _seek(self) -> None:
        """Go to a frame before ``start`` that decodes by itself, where the file allows it."""
        target = self._start - MARGIN
        if target <= 0:
            return
        time = round((self.first + target) / self._stream.time_base)
        try:
            self._container.seek(time, stream=self._stream)
            landed = next(
                (p.pts for p in self._container.demux(self._stream) if p.pts is not None), None
            )
            if landed is not None and landed * self._stream.time_base <= self.first + self._start:
                self._container.seek(time, stream=self._stream)
                return
        except (av.error.FFmpegError, OSError):
            pass
        self._container.close()
        self._open()

    def _is_past(self, packet: Any) -> bool:
        """Whether a packet, and so every later one, belongs to what comes after ``end``."""
        if self._end is None or packet.dts is None or packet.stream.index != self._stream.index:
            return False
        return float(packet.dts * packet.time_base) - self.first > self._end + MARGIN

    def decode(self, packet: Any) -> Iterator[Frame]:
        """Frames that a packet completes; none for packets of other streams."""
        if packet.stream.index != self._stream.index:
            return
        try:
            decoded = packet.decode()
        except (av.error.FFmpegError, OSError) as error:
            self._break(error)
            return
        for source in decoded:
            if source.width * source.height > MAX_PIXELS:
                self.problem = (
                    f"a frame of {source.width} x {source.height} pixels, more than {MAX_PIXELS}"
                )
                return
            seconds = self._seconds(source)
            if seconds < self._start - 1e-6 or (
                self._end is not None and seconds >= self._end - 1e-6
            ):
                continue
            picture = np.rot90(source.to_ndarray(format="rgb24"), turns(self.info.rotation))
            yield Frame(self._read, seconds, np.ascontiguousarray(picture), source)
            self._read += 1

    def check(self) -> None:
        """Note a video that ended before it said it would."""
        if not self.problem and self._ends_early():
            self.problem = "the file ends"
        if self.problem:
            place = f"after frame {self._read}" + (
                f" of {self.info.frames}" if self.info.frames else ""
            )
            self.problem = (
                f"{self.path}: breaks off {place} ({self.problem}); processed up to there"
            )

    def _ends_early(self) -> bool:
        """Whether packets end before the time or frame count that the container declares."""
        timed = bool(TIMED & set(self._container.format.name.split(",")))
        declared, first = self._stream.duration, self._stream.start_time or 0
        length = float(declared * self._stream.time_base) if declared else self.info.seconds
        # a count that the time has no room for is that of a longer video this one was cut from
        room = self.info.frames - 1 <= length * float(self.info.rate) + 0.5 or not timed
        whole = self._start == 0 and self._end is None
        if whole and room and self._read < self.info.frames - 1:
            return True
        if not timed:
            return False
        if declared:
            end = float(first * self._stream.time_base) + length
            reached = self._reached.get(self._stream.index, 0.0)
        else:
            end = length + (self._container.start_time or 0) / av.time_base
            reached = max(self._reached.values(), default=0.0)
        return reached < min(end, self._end or end) - MISSING

    def _break(self, error: Exception) -> None:
        self.problem = self.problem or str(getattr(error, "strerror", None) or error)

    def _seconds(self, source: Any) -> float:
        if source.pts is None or source.time_base is None:
            return float(self._read / self.info.rate)
        return float(source.pts * source.time_base) - self.first


def _probe(path: Path) -> tuple[int, tuple[int, int]]:
    """Rotation in degrees and stored width and height, of the first frame.

    The container does not tell the rotation.
    """
    hint = "give a video that plays"
    try:
        with av.open(f"file:{path}", options=dict(SAFE)) as probe:
            first = next(_decode_all(probe), None)
            if first is not None:
                return round(first.rotation / 90) * 90, (first.width, first.height)
    except (av.error.FFmpegError, OSError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise InputError(path, required="a video with pictures", found=found, hint=hint) from error
    raise InputError(path, required="a video with pictures", found="no frame", hint=hint)


def _decode_all(container: Any) -> Iterator[Any]:
    """Frames of the first video stream.

    After a packet that cannot be read, those that were decoded before it.
    """
    stream = container.streams.video[0]
    try:
        for packet in container.demux(stream):
            yield from packet.decode()
    except (av.error.FFmpegError, OSError):
        yield from stream.decode(None)


def _describe(container: Any, stream: Any, rotation: int, sides: tuple[int, int]) -> VideoInfo:
    width, height = sides if rotation % 180 == 0 else sides[::-1]
    seconds = float(container.duration / av.time_base) if container.duration else 0.0
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return VideoInfo(width, height, Fraction(rate), int(stream.frames or 0), seconds, rotation)


def turns(rotation: int) -> int:
    """Quarter turns of ``numpy.rot90`` that set a stored picture upright.

    >>> turns(90), turns(-90)
    (1, 3)
    """
    return round(rotation / 90) % 4
