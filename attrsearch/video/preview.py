"""A PNG strip of a video's frames, to look at before the video is sent."""

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from attrsearch.files import write_bytes

Picture = npt.NDArray[np.uint8]

SHOWN = 8
COLUMNS = 4
WIDTH = 480


class Preview:
    """Collects evenly spaced frames.

    Args:
        path: The PNG.
        frames: Frames of the video; 0 where it does not say.
    """

    def __init__(self, path: Path, frames: int) -> None:
        self._path = path
        self._every = max(1, frames // SHOWN) if frames else 25
        self._kept: list[Picture] = []

    def add(self, number: int, picture: Picture) -> None:
        """Offer a frame (h, w, 3)."""
        if number % self._every == self._every // 2 and len(self._kept) < SHOWN:
            height = round(picture.shape[0] * WIDTH / picture.shape[1])
            self._kept.append(np.asarray(cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)))

    def save(self) -> None:
        """Write the strip; nothing where there was no frame."""
        if not self._kept:
            return
        blank = np.zeros_like(self._kept[0])
        while len(self._kept) % COLUMNS and len(self._kept) > COLUMNS:
            self._kept.append(blank)
        rows = [np.hstack(self._kept[i : i + COLUMNS]) for i in range(0, len(self._kept), COLUMNS)]
        buffer = io.BytesIO()
        Image.fromarray(np.vstack(rows)).save(buffer, "PNG")
        write_bytes(self._path, buffer.getvalue())
