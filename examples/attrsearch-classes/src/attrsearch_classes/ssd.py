"""Whatever a network finds that OpenCV can read and that gives the rows of an SSD."""

from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import WeightsError
from attrsearch.faces.detection.base import Detections

SIDE = 300
"""Side of what the network sees, pixels."""
LEAST = 0.2
"""Confidence below which nothing is given."""


class Ssd:
    """A single-shot detector; its rows are picture, class, confidence, left, top, right, bottom.

    Args:
        min_width: Narrower things are left out, pixels.
        model: The network: ONNX, or what else ``cv2.dnn.readNet`` reads from one file.

    Raises:
        WeightsError: OpenCV cannot read it.
    """

    name = "ssd"

    def __init__(self, min_width: float, model: Path) -> None:
        self._min_width = min_width
        self._turn = Lock()
        try:
            self._network = cv2.dnn.readNet(str(model))
        except cv2.error as error:
            hint = "give an ONNX file of an SSD"
            required = "a network that OpenCV can read"
            raise WeightsError(model, required=required, found="another file", hint=hint) from error

    def detect(self, pictures: npt.NDArray[np.uint8]) -> list[Detections]:
        """Find the things of pictures (n, h, w, 3), RGB, uint8, the surest first."""
        with self._turn:  # a network keeps its last input
            return [self._one(picture) for picture in pictures]

    def _one(self, picture: npt.NDArray[np.uint8]) -> Detections:
        height, width = picture.shape[:2]
        self._network.setInput(cv2.dnn.blobFromImage(picture, 1.0, (SIDE, SIDE)))
        rows = np.asarray(self._network.forward(), np.float32).reshape(-1, 7)
        rows = rows[np.argsort(-rows[:, 2], kind="stable")]
        boxes = rows[:, 3:] * np.array([width, height, width, height], np.float32)
        kept = (rows[:, 2] >= LEAST) & (boxes[:, 2] - boxes[:, 0] >= self._min_width)
        kept &= boxes[:, 3] > boxes[:, 1]
        boxes = np.ascontiguousarray(boxes[kept])

        return Detections(
            boxes=boxes,
            probabilities=np.clip(rows[kept, 2], 0, 1),
            landmarks=np.full((len(boxes), 5, 2), np.nan, np.float32),
        )
