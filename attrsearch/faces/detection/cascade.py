"""OpenCV's cascade classifiers, of any thing that one was trained on, by their path."""

from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import WeightsError
from attrsearch.faces.detection.base import Detections

STEP = 1.1
"""By how much the picture is reduced from one size of the thing to the next."""
NEIGHBOURS = 3
"""Windows that have to agree on a thing."""


class Cascade:
    """Finds things by a cascade of Haar or LBP features; there are no landmarks.

    Viola and Jones, "Rapid object detection using a boosted cascade of simple features", 2001.

    Args:
        path: The cascade, XML as OpenCV writes it.
        min_width: Narrower things are left out, pixels.

    Raises:
        WeightsError: Not such a file.
    """

    def __init__(self, path: Path, min_width: float = 16.0) -> None:
        self.name = path.stem
        self._min_width = min_width
        self._turn = Lock()
        hint = "give a cascade such as those of cv2.data.haarcascades"
        required = "a cascade that OpenCV can read (XML)"

        if not path.is_file():
            raise WeightsError(path, required=required, found="no such file", hint=hint)

        try:
            self._cascade = cv2.CascadeClassifier(str(path))
            broken = self._cascade.empty()
        except (cv2.error, SystemError):
            broken = True

        if broken:
            raise WeightsError(path, required=required, found="another file", hint=hint)

    def detect(self, pictures: npt.NDArray[np.uint8]) -> list[Detections]:
        """Find the things of pictures (n, h, w, 3), RGB, uint8, the surest first.

        The more windows agree, the surer: three give 0.75.
        """
        with self._turn:  # a cascade keeps buffers
            return [self._one(picture) for picture in pictures]

    def _one(self, picture: npt.NDArray[np.uint8]) -> Detections:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        found, counts = self._cascade.detectMultiScale2(grey, STEP, NEIGHBOURS)
        if not len(found):
            return Detections.none()

        # stable: equal counts stay in OpenCV's order, and results are the same each time
        order = np.argsort(-np.ravel(counts), kind="stable")
        rows = np.asarray(found, np.float32)[order]
        probabilities = 1 - 1 / (1 + np.ravel(counts)[order].astype(np.float32))
        wide = rows[:, 2] >= self._min_width
        rows = rows[wide]

        return Detections(
            boxes=np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], 1),
            probabilities=probabilities[wide].astype(np.float32),
            landmarks=np.full((len(rows), 5, 2), np.nan, np.float32),
        )
