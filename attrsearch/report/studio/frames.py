"""Single frames of a video, exactly: the frame that the ledger counts, wherever it stands."""

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import InputError
from attrsearch.core.images import to_jpeg
from attrsearch.video.io.containers import SAFE, find_film
from attrsearch.video.io.reader import VideoReader

Picture = npt.NDArray[np.uint8]

QUALITY = 88
MOST_OPEN = 6
MARGIN = 0.45
"""Of a face's width, what is shown around it."""


class FrameReader:
    """Reads frames of a video by their number.

    Args:
        path: The video.

    Raises:
        InputError: Not a video.

    Attributes:
        count: How many frames it has.
        rate: Frames a second.
        size: Width and height, upright.
        decoded: How many frames were decoded so far: what showing others costs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

        with VideoReader(path) as reader:
            info = reader.info

        self._orientation = info.orientation
        self.rate = float(info.rate)
        self.size = (info.width, info.height)
        self._open()
        self._times, self._keys = self._index()
        self.count = len(self._times)
        # frames that share a time can only be told apart by counting
        self._is_untimed = len(set(self._times)) < self.count
        self._taken = 0
        self.decoded = 0
        self._open()

    def _open(self) -> None:
        self._container: Any = av.open(f"file:{self._path}", options=dict(SAFE))
        stream: Any = find_film(self._container)
        self._stream = stream
        self._stream.thread_type = "AUTO"
        self._frames: Iterator[Any] = iter(())
        self._at: int | None = None
        """Time of the frame decoded last; None after opening."""

    def _index(self) -> tuple[list[int], list[int]]:
        """Times of all frames, and of those that stand by themselves; nothing is decoded."""
        times = []
        keys = []
        for packet in self._container.demux(self._stream):
            if packet.pts is None or packet.is_discard:
                continue

            # packets stand in the order of decoding, which is not that of showing
            times.append(int(packet.pts))
            if packet.is_keyframe:
                keys.append(int(packet.pts))

        self._container.close()
        return sorted(times), sorted(keys)

    def picture(self, number: int) -> Picture:
        """A frame (h, w, 3), RGB, uint8, upright.

        Raises:
            InputError: There is no such frame, or it cannot be decoded.
        """
        if not 0 <= number < self.count:
            required = f"a frame from 0 to {self.count - 1}"
            raise InputError("frame", required=required, found=str(number), hint="reload the page")

        # a container is at one place: two requests would draw it to and fro
        with self._lock:
            frame = self._counted(number) if self._is_untimed else self._decode(self._times[number])
            return np.asarray(self._orientation.upright(frame.to_ndarray(format="rgb24")), np.uint8)

    def start_of(self, number: int) -> int:
        """The frame that decoding starts from to come to a frame; 0 where only counting helps."""
        if self._is_untimed or not self._keys:
            return 0

        return bisect_left(self._times, self._key_before(self._times[number]))

    def _key_before(self, time: int) -> int:
        return self._keys[max(0, bisect_right(self._keys, time) - 1)] if self._keys else 0

    def _decode(self, time: int) -> Any:
        # decoding on is quicker than seeking, unless a frame to start from lies between
        if self._at is None or not self._key_before(time) <= self._at < time:
            self._seek(time)

        for frame in self._frames:
            self.decoded += 1
            if frame.pts is not None:
                self._at = int(frame.pts)
                if frame.pts >= time:
                    return frame

        raise self._ended()

    def _ended(self) -> InputError:
        hint = "the player can show the frames before"
        return InputError(self._path.name, required="a whole video", found="its end", hint=hint)

    def _counted(self, number: int) -> Any:
        if number < self._taken or self._taken == 0:
            self._container.close()
            self._open()
            self._frames = self._container.decode(self._stream)
            self._taken = 0

        for frame in self._frames:
            self._taken += 1
            self.decoded += 1
            if self._taken > number:
                return frame

        raise self._ended()

    def _seek(self, time: int) -> None:
        # a container that was just opened is at its beginning already
        if self._at is not None or time > self._times[0]:
            self._container.seek(time, stream=self._stream)

        self._frames = self._container.decode(self._stream)
        self._at = None

    def close(self) -> None:
        """Close the file."""
        self._container.close()


class FrameReaders:
    """Open readers, the last used ones; a file that was written anew is opened anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, tuple[int, FrameReader]] = OrderedDict()

    def reader(self, path: Path) -> FrameReader:
        """The reader of a video.

        Raises:
            InputError: It is not there.
        """
        with self._lock:
            try:
                stamp = path.stat().st_mtime_ns
            except OSError as error:
                raise InputError(
                    path.name, required="a video", found="none yet", hint="wait for the result"
                ) from error

            # taken out and put back: the one that was used last stands last
            kept = self._open.pop(path, None)
            if kept is None or kept[0] != stamp:
                kept = (stamp, FrameReader(path))

            self._open[path] = kept
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)

            return kept[1]


def as_jpeg(picture: Picture, width: int | None = None) -> bytes:
    """A frame as a JPEG, at most so many pixels wide."""
    if width is not None and width < picture.shape[1]:
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        picture = np.asarray(
            cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )

    return to_jpeg(picture, QUALITY)


def cut(picture: Picture, box: tuple[float, float, float, float]) -> Picture:
    """A face and what is around it, square, at most as far as the picture goes."""
    left, top, right, bottom = box
    half = max(right - left, bottom - top) * (0.5 + MARGIN)
    x = (left + right) / 2
    y = (top + bottom) / 2
    rows = slice(max(0, round(y - half)), max(1, round(y + half)))
    columns = slice(max(0, round(x - half)), max(1, round(x + half)))
    return np.ascontiguousarray(picture[rows, columns])
