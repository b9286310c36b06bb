"""dlib's 68 landmarks of a face (an extra: ``attrsearch[judges]``)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import UnavailableError
from attrsearch.core.wheels import wheel_file
from attrsearch.faces.recognition.dlib import squared

Floats = npt.NDArray[np.float32]
Pictures = npt.NDArray[np.uint8]


class DlibLandmarks:
    """The predictor of ``face_recognition_models``, trained on iBUG 300-W.

    Raises:
        UnavailableError: The extra is not installed.
    """

    def __init__(self) -> None:
        try:
            import dlib  # noqa: PLC0415 - an extra
        except ImportError as error:
            hint = "pip install 'attrsearch[judges]'"
            raise UnavailableError(
                "dlib", required="the extra 'judges'", found=str(error), hint=hint
            ) from error

        self._dlib: Any = dlib
        path = wheel_file("face_recognition_models", "models/shape_predictor_68_face_landmarks.dat")
        self._predict = dlib.shape_predictor(str(path))

    def read(self, windows: Pictures, boxes: Floats) -> Floats:
        """Landmarks (n, 68, 2), pixels, of the face in a box (n, 4) of each window (n, h, w, 3)."""
        points = np.zeros((len(windows), 68, 2), np.float32)
        for i, (window, box) in enumerate(zip(windows, boxes, strict=True)):
            rectangle = self._dlib.rectangle(*(round(float(value)) for value in squared(box)))
            found = self._predict(np.ascontiguousarray(window), rectangle)
            points[i] = [(point.x, point.y) for point in found.parts()]

        return points
