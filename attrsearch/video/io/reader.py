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
from attrsearch.video.io.containers import SAFE, find_film, is_live
from attrsearch.video.io.orientation import Orientation, orientation_of, read_matrix
from attrsearch.video.io.timestamps import RisingTime

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class VideoInfo:
    """What a video says of itself.

    Attributes:
        width: Of the upright picture.
        height: Of the upright picture.
        rate: Average frames a second.
        frames: How many it declares; 0 where it does not say.
        seconds: How long it declares to be; 0 where it does not say.
        orientation: How the stored picture is set upright: by its display matrix, and by a turn
            that was found.
        matrix: The display matrix; None where there is none.
    """

    width: int
    height: int
    rate: Fraction
    frames: int
    seconds: float
    orientation: Orientation
    matrix: tuple[int, ...] | None


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        index: From 0, of the frames read.
        seconds: Its time from the start of the video.
        picture: (h, w, 3), RGB, uint8, upright.
        source: What PyAV decoded.
        pts: Its timestamp in units of ``time_base``, later than that of the frame before.
        time_base: Seconds of a unit.
    """

    index: int
    seconds: float
    picture: Picture
    source: Any = field(repr=False)
    pts: int = 0
    time_base: Fraction = Fraction(1, 25)


MAX_PIXELS = 100_000_000
"""Frames with more pixels are refused before they are converted."""
TIMED = {"mov", "mp4", "matroska", "webm", "flv"}
"""Containers that declare how long they are, rather than being measured."""
MISSING = 0.1
"""Seconds by which a video may end before the time it declares."""
MARGIN = 2.0
"""Seconds read before ``start`` and after ``end``: sound is stored up to that far from the pictures
it belongs to."""


class VideoReader:
    """Reads a video once, from its beginning.

    Args:
        path: The file; or for a live source its name, ``-`` for standard input.
        start: Seconds to begin at.
        end: Seconds to end before.
        turn: Quarters counterclockwise by which upright pictures are turned further: footage filmed
            sideways.

    Raises:
        InputError: Not a video, or one without pictures.

    Attributes:
        info: What the video says of itself.
        problem: Why reading ended early; empty where it did not.
        first: Time of the first frame as the file has it, seconds; ``start`` and ``end`` are
            counted from it.
        origin: Time of the file that is the output's beginning, seconds.
        first_frame: The first frame as it was decoded; None for a live source.
    """

    def __init__(
        self, path: Path | str, start: float = 0.0, end: float | None = None, *, turn: int = 0
    ) -> None:
        self.path = path
        self.start = start
        self.end = end
        self.problem = ""
        self._read = 0
        self._reached: dict[int, float] = {}
        self._open()
        live = is_live(str(path))
        self.first_frame: Any = None if live else _first_frame(Path(path))
        base: Any = self.stream.time_base
        self.first = float((self.stream.start_time or 0) * base)
        self.info = _describe(self.container, self.stream, self.first_frame, turn)
        late = Fraction(max(0, self.container.start_time or 0), av.time_base)
        self.origin = Fraction(self.first + start) if start else Fraction(0) if live else late
        self._time = RisingTime(Fraction(base))
        self._decoder = _alpha_decoder(self.stream)

    def _open(self) -> None:
        hint = "give a video such as street.mp4"
        path = str(self.path)

        try:
            live = is_live(path)
            name = "pipe:0" if path == "-" else path if live else f"file:{path}"
            camera = "v4l2" if name.startswith("/dev/video") else None
            self.container = av.open(name, format=camera, options={} if live else dict(SAFE))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            found = getattr(error, "strerror", None) or str(error)
            raise InputError(path, required="a readable video", found=found, hint=hint) from error

        film = find_film(self.container)
        if film is None:
            found = "cover art only" if self.container.streams.video else "no video stream"
            self.container.close()
            raise InputError(path, required="a video with pictures", found=found, hint=hint)

        self.stream: Any = film
        if live and "mov" in self.container.format.name and not film.codec_context.pix_fmt:
            self.container.close()
            raise _needs_seeking(path)

        # PyAV decodes slices in parallel only, and most films have one a frame
        self.stream.thread_type = "AUTO"

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *error: object) -> None:
        self.container.close()

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
            for packet in self.container.demux():
                if packet.pts is not None:
                    # how far the file reaches is compared with what it declares
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    self._reached[packet.stream.index] = max(
                        end, self._reached.get(packet.stream.index, end)
                    )

                if self._is_past(packet):
                    rest = av.Packet()  # an empty one: the decoder gives what it still holds
                    rest.stream = self.stream
                    rest.time_base = self.stream.time_base
                    yield rest
                    return

                yield packet
        except (av.error.FFmpegError, OSError) as error:
            self._break(error)

    def _seek(self) -> None:
        """Go to a frame before ``start`` that can be decoded by itself, if the file allows it."""
        target = self.start - MARGIN
        if target <= 0:
            return

        time = round((self.first + target) / self.stream.time_base)
        try:
            self.container.seek(time, stream=self.stream)
            # without an index a file may land behind the place: then it is read from its beginning
            landed = next(
                (p.pts for p in self.container.demux(self.stream) if p.pts is not None), None
            )
            if landed is not None and landed * self.stream.time_base <= self.first + self.start:
                self.container.seek(time, stream=self.stream)
                return
        except (av.error.FFmpegError, OSError):
            pass

        self.container.close()
        self._open()

    def _is_past(self, packet: Any) -> bool:
        """Whether a packet, and so every later one, belongs to what comes after ``end``."""
        if self.end is None or packet.dts is None or packet.stream.index != self.stream.index:
            return False
        # times of decoding rise from packet to packet; those of showing need not
        return float(packet.dts * packet.time_base) - self.first > self.end + MARGIN

    def decode(self, packet: Any) -> Iterator[Frame]:
        """Frames that a packet completes; none for packets of other streams."""
        if packet.stream.index != self.stream.index:
            return

        try:
            decoded = self._decode(packet)
        except (av.error.FFmpegError, OSError) as error:
            self._break(error)
            return

        for source in decoded:
            if source.width * source.height > MAX_PIXELS:
                self.problem = (
                    f"a frame of {source.width} x {source.height} pixels, more than {MAX_PIXELS}"
                )
                return

            pts, unit = self._stamp(source)
            seconds = float(pts * unit) - self.first
            # a frame at the very second that was asked for is in, whatever rounding makes of its
            # time
            if seconds < self.start - 1e-6 or (self.end is not None and seconds >= self.end - 1e-6):
                continue

            picture = self.info.orientation.upright(source.to_ndarray(format="rgb24"))
            yield Frame(self._read, seconds, picture, source, pts, unit)
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
        """Whether packets end before the time, or count of frames, that the container declares."""
        timed = bool(TIMED & set(self.container.format.name.split(",")))
        declared = self.stream.duration
        first = self.stream.start_time or 0
        length = float(declared * self.stream.time_base) if declared else self.info.seconds
        # a count that the time has no room for is that of a longer video this one was cut from
        room = self.info.frames - 1 <= length * float(self.info.rate) + 0.5 or not timed
        whole = self.start == 0 and self.end is None
        if whole and room and self._read < self.info.frames - 1:
            return True
        if not timed:
            return False

        if declared:
            end = float(first * self.stream.time_base) + length
            reached = self._reached.get(self.stream.index, 0.0)
        else:
            # Matroska counts its duration from 0, however late it begins
            late = 0 if "matroska" in self.container.format.name else self.container.start_time or 0
            end = length + late / av.time_base
            reached = max(self._reached.values(), default=0.0)

        return reached < min(end, self.end or end) - MISSING

    def _break(self, error: Exception) -> None:
        self.problem = self.problem or str(getattr(error, "strerror", None) or error)

    def _decode(self, packet: Any) -> list[Any]:
        """Frames that a packet completes, transparency included."""
        if self._decoder is None:
            return list(packet.decode())

        frames = list(self._decoder.decode(packet if packet.size else None))
        for frame in frames:
            # a decoder that was made by hand does not know the stream's unit
            frame.time_base = self.stream.time_base

        return frames

    def _stamp(self, source: Any) -> tuple[int, Fraction]:
        """The timestamp of a frame, later than the last one's, and its unit in seconds."""
        if source.pts is None or source.time_base is None:
            return self._read, 1 / self.info.rate  # an elementary stream has no timestamps
        return self._time.rise(source.pts, source.duration or 0), Fraction(source.time_base)


def _needs_seeking(path: str) -> InputError:
    """What is said of an MP4 that a pipe brings to its index only after its pictures are gone."""
    return InputError(
        path,
        required="a stream that can be read from beginning to end",
        found="an MP4 whose index stands at its end, so that it needs seeking",
        hint="give the file by its name, or write it with ffmpeg's -movflags +faststart first",
    )


def _first_frame(path: Path) -> Any:
    """The first frame.

    Only it tells the display matrix, and what is to be kept of colours and light.
    """
    hint = "give a video that plays"

    try:
        with av.open(f"file:{path}", options=dict(SAFE)) as probe:
            first = next(_decode_all(probe), None)
            if first is not None:
                return first
    except (av.error.FFmpegError, OSError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise InputError(path, required="a video with pictures", found=found, hint=hint) from error

    raise InputError(path, required="a video with pictures", found="no frame", hint=hint)


def _decode_all(container: Any) -> Iterator[Any]:
    """Frames of the film; after a packet that cannot be read, those that were decoded before it."""
    stream = find_film(container)
    if stream is None:
        return

    decoder = _alpha_decoder(stream)
    try:
        for packet in container.demux(stream):
            if decoder is None:
                yield from packet.decode()
            else:
                yield from decoder.decode(packet if packet.size else None)
    except (av.error.FFmpegError, OSError):
        yield from stream.decode(None)


def _alpha_decoder(stream: Any) -> Any | None:
    """A decoder for VP8 and VP9 with transparency, which FFmpeg's own leaves out.

    None for other streams.
    """
    library = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.codec.canonical_name)
    if (
        library is None
        or stream.metadata.get("alpha_mode", stream.metadata.get("ALPHA_MODE")) != "1"
    ):
        return None

    decoder = av.codec.CodecContext.create(library, "r")
    decoder.extradata = stream.codec_context.extradata
    return decoder


def _describe(container: Any, stream: Any, first: Any, turn: int) -> VideoInfo:
    matrix = None if first is None else _matrix_of(first)
    orientation = (Orientation() if matrix is None else orientation_of(matrix)).turned(turn)
    sides = (stream.width, stream.height) if first is None else (first.width, first.height)
    width, height = orientation.size(*sides)
    seconds = float(container.duration / av.time_base) if container.duration else 0.0
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)

    return VideoInfo(
        width, height, Fraction(rate), int(stream.frames or 0), seconds, orientation, matrix
    )


def _matrix_of(frame: Any) -> tuple[int, ...] | None:
    """The display matrix of a decoded frame."""
    for index in range(len(frame.side_data)):
        item = frame.side_data[index]
        if item.type.name == "DISPLAYMATRIX":
            return read_matrix(bytes(item))

    return None
