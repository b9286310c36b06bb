"""A PNG strip of a video's frames, to look at before the video is sent."""

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from attrsearch.core.files import write_bytes
from attrsearch.core.picking import take

Picture = npt.NDArray[np.uint8]

SHOWN = 8
COLUMNS = 4
WIDTH = 480


class Preview:
    """Collects evenly spaced frames.

    Args:
        path: The PNG.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._every = 1
        self._seen = 0
        self._kept: list[Picture] = []

    def add(self, picture: Picture) -> None:
        """Offer the next frame (h, w, 3).

        Of twice as many as are shown, every second is let go again.
        """
        if self._seen % self._every == 0:
            # that of the first frame: pictures side by side are of one height
            height = (
                self._kept[0].shape[0]
                if self._kept
                else round(picture.shape[0] * WIDTH / picture.shape[1])
            )
            small = cv2.resize(picture, (WIDTH, max(1, height)), interpolation=cv2.INTER_AREA)
            self._kept.append(np.asarray(small, np.uint8))

            if len(self._kept) == 2 * SHOWN:
                self._kept = self._kept[::2]
                self._every = 2 * self._every

        self._seen += 1

    def save(self) -> None:
        """Write the strip; nothing where there was no frame."""
        if not self._kept:
            return

        last = len(self._kept) - 1
        # a set, because in a short video several places fall on one frame
        chosen = sorted({round(i * last / (SHOWN - 1)) for i in range(SHOWN)})
        shown = take(self._kept, chosen)

        # rows are stacked, so the last one needs as many pictures as the others
        while len(shown) % COLUMNS and len(shown) > COLUMNS:
            shown.append(np.zeros_like(shown[0]))

        rows = [np.hstack(shown[i : i + COLUMNS]) for i in range(0, len(shown), COLUMNS)]
        buffer = io.BytesIO()
        Image.fromarray(np.vstack(rows)).save(buffer, "PNG")
        write_bytes(self._path, buffer.getvalue())
