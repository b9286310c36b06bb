"""Small pictures from all over a video as one, so that the player shows where it is dragged to."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from attrsearch.report.studio.frames import FrameReader, FrameReaders, as_jpeg

COUNT = 60
COLUMNS = 10
WIDTH = 160
FEWEST = 12
"""With fewer frames that stand by themselves, a short clip is decoded whole."""
SHORT = 1500
"""Frames of a clip that may be."""
MOST_KEPT = 8


def strip_layout(reader: FrameReader) -> dict[str, Any]:
    """Which frames a strip shows, row by row, and how large.

    Frames that decoding starts from are shown: any other would cost all frames before it.
    """
    spread = np.unique(np.linspace(0, reader.count - 1, COUNT).round().astype(int))
    numbers = sorted({reader.start_of(int(number)) for number in spread})
    if len(numbers) < FEWEST and reader.count <= SHORT:
        numbers = [int(number) for number in spread]

    width, height = reader.size
    tall = max(1, round(WIDTH * height / width))
    return {"frames": numbers, "columns": COLUMNS, "width": WIDTH, "height": tall}


class FilmStrips:
    """Strips of videos, the last used ones kept.

    Args:
        readers: Of the same videos.
    """

    def __init__(self, readers: FrameReaders) -> None:
        self._readers = readers
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Path, int], bytes] = OrderedDict()

    def strip(self, path: Path) -> bytes:
        """The strip of a video as a JPEG.

        Raises:
            InputError: There is no such video, or it cannot be decoded.
        """
        # made once, however many pages ask for it at the same time
        with self._lock:
            reader = self._readers.reader(path)
            key = (path, path.stat().st_mtime_ns)
            if key not in self._kept:
                self._kept[key] = _made(reader)

            self._kept.move_to_end(key)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

            return self._kept[key]


def _made(reader: FrameReader) -> bytes:
    layout = strip_layout(reader)
    width, height = layout["width"], layout["height"]
    rows = -(-len(layout["frames"]) // COLUMNS)
    sheet = np.zeros((rows * height, COLUMNS * width, 3), np.uint8)

    for place, number in enumerate(layout["frames"]):
        row, column = divmod(place, COLUMNS)
        small = cv2.resize(reader.picture(number), (width, height), interpolation=cv2.INTER_AREA)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = small

    return as_jpeg(sheet)
