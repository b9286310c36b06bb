"""OpenCV's Haar cascade as a detector of attrsearch."""

from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.faces.detection.base import Detections

CASCADE = "haarcascade_frontalface_alt2.xml"
PLACES = np.array(
    [[0.33, 0.38], [0.71, 0.38], [0.53, 0.62], [0.36, 0.79], [0.69, 0.79]], np.float32
)
"""Where left eye, right eye, nose and mouth corners are in most boxes, as shares of their sides."""
SURE = 20.0
"""Weight of the last stage that counts as a probability of 0.63; clear faces have about 57."""


class Haar:
    """Viola and Jones, "Rapid object detection using a boosted cascade of simple features", 2001.

    Args:
        min_face: Faces narrower than this many pixels are left out.
    """

    name = "haar"

    def __init__(self, min_face: float = 24) -> None:
        side = max(20, round(min_face))
        self._least = (side, side)
        self._cascade = cv2.CascadeClassifier(cv2.data.haarcascades + CASCADE)
        self._turn = Lock()

    def detect(self, pictures: npt.NDArray[np.uint8]) -> list[Detections]:
        """Find the faces of pictures (n, h, w, 3), RGB, uint8."""
        with self._turn:  # a cascade keeps buffers
            return [self._one(picture) for picture in pictures]

    def _one(self, picture: npt.NDArray[np.uint8]) -> Detections:
        if min(picture.shape[:2]) < self._least[0]:
            return Detections.none()
        grey = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        found, _, weights = self._cascade.detectMultiScale3(
            grey, 1.1, 3, 0, self._least, outputRejectLevels=True
        )
        if not len(found):
            return Detections.none()
        order = np.argsort(-np.ravel(weights), kind="stable")
        rows = np.asarray(found, np.float32)[order]
        probabilities = 1 - np.exp(-np.maximum(np.ravel(weights)[order], 0) / SURE)
        corners = rows[:, :2]
        sides = rows[:, 2:]
        return Detections(
            boxes=np.concatenate([corners, corners + sides], 1),
            probabilities=probabilities.astype(np.float32),
            landmarks=corners[:, None] + sides[:, None] * PLACES,
        )
