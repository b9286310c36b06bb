"""dlib's ResNet: a judge the search never sees, an extra (``pip install 'attrsearch[judges]'``).

Source: King, "High Quality Face Recognition with Deep Metric Learning", 2017; weights of the
``face_recognition_models`` package, found without importing it.  dlib finds the landmarks and cuts
the face; its network runs in torch (:mod:`attrsearch.faces.recognition.dlib_network`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import normalize

from attrsearch.core.device import device
from attrsearch.core.engine import on_engine
from attrsearch.core.errors import UnavailableError
from attrsearch.core.parallel import network
from attrsearch.core.weights import file_sha256
from attrsearch.core.wheels import wheel_file
from attrsearch.faces.recognition.dlib_network import OUTPUTS, SIDE, read_network

CHUNK = 32
MIN_BATCH = 16
"""Smaller batches are filled up: a face's last bits depend on how many there are, below five on
AMD's processors and below twelve on Intel's with AMX.
"""


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
        self._device = device()
        self._shape = dlib.shape_predictor(str(shape))
        module = read_network(weights).to(self._device)
        module = module.to(memory_format=torch.channels_last)
        example = torch.zeros(2, 3, SIDE, SIDE)
        self._network = on_engine(module, self.name, self.sha256, [example])

    @network
    def embed(
        self, pictures: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float32], landmarks: object
    ) -> npt.NDArray[np.float32]:
        """Embed one face of each picture (n, h, w, 3); only the boxes are used.

        Returns (n, 128).
        """
        del landmarks
        chips = np.zeros((len(pictures), SIDE, SIDE, 3), np.uint8)

        for chip, picture, box in zip(chips, pictures, boxes, strict=True):
            image = np.ascontiguousarray(picture)
            rectangle = self._dlib.rectangle(*(round(float(value)) for value in squared(box)))
            chip[:] = self._dlib.get_face_chip(
                image, self._shape(image, rectangle), size=SIDE, padding=0.25
            )

        rows = np.zeros((len(pictures), OUTPUTS), np.float32)
        for start in range(0, len(pictures), CHUNK):
            part = torch.from_numpy(chips[start : start + CHUNK])
            # with copies of the last face, whose rows are cut off again
            filled = torch.cat([part, part[-1:].expand(max(0, MIN_BATCH - len(part)), -1, -1, -1)])
            faces = filled.to(self._device).permute(0, 3, 1, 2).float()  # channels-last in memory
            embedded = normalize(self._network(faces), dim=1)[: len(part)]
            rows[start : start + CHUNK] = embedded.cpu().numpy()

        return rows


def squared(box: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The square of the box's mean side about its centre.

    The kind of box dlib's landmarks were trained on.
    """
    centre = (box[:2] + box[2:]) / 2
    side = float((box[2:] - box[:2]).mean())
    return np.concatenate([centre - side / 2, centre + side / 2])
