"""FaceNet, the recogniser of the thesis and of a search that names no other.

Source: Schroff et al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", 2015.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import normalize

from attrsearch.core.device import batch_size, device, dtype_on
from attrsearch.core.engine import on_engine
from attrsearch.core.parallel import network
from attrsearch.core.precision import Precision
from attrsearch.faces.recognition.facenet_weights import WHEEL, read_weights
from attrsearch.faces.recognition.inception import OUTPUTS, SIDE, Inception, build

Floats = npt.NDArray[np.float32]
Pictures = npt.NDArray[np.uint8]

CHUNK = 32
FACE_BYTES = 24_000_000
"""Memory that a face takes in the network, at most."""

MARGINS = {"facenet": 32, "facenet-casia": 32, "facenet-vggface2": 0}
"""Pixels of the 160 that are around the detected box, both sides together.

Sandberg trained with 32; on LFW it accepts 92 % of genuine pairs at a false-accept rate of 1e-3,
where no margin accepts 83 %. The thesis cut without one, as facenet-pytorch does where nothing is
said.
"""


class FaceNet:
    """FaceNet on the detected box with a margin, resized to 160 x 160.

    Args:
        name: ``facenet`` (the wheel's weights), ``facenet-vggface2`` or ``facenet-casia``.
        weights: A ``.pt`` file of facenet-pytorch for the two last instead of the one in torch's
            cache.
        precision: ``auto`` runs in bfloat16 where that is faster; it moves a distance by less than
            0.02.

    Raises:
        InputError: A file was given for ``facenet``.
        UnavailableError: The weights are in none of those places.
        WeightsError: The file holds something else.
    """

    def __init__(
        self, name: str = WHEEL, weights: Path | None = None, precision: Precision = "auto"
    ) -> None:
        folded, self.sha256 = read_weights(name, weights)
        self.name = name
        self._margin = MARGINS[name]
        self._device = device()
        self._dtype = dtype_on(self._device, precision)
        self._module = build(folded).to(self._device, self._dtype)
        example = torch.zeros(2, 3, SIDE, SIDE)
        self._network = on_engine(self._module, name, self.sha256, [example])

    def replace(self, change: Callable[[Inception], Inception]) -> None:
        """Exchange the network for another that gives the same embeddings."""
        self._module = change(self._module)
        self._network = self._module

    @network
    def embed(self, pictures: Pictures, boxes: Floats, landmarks: object) -> Floats:
        """Embed one face of each picture (n, h, w, 3); only the boxes are used.

        Returns (n, 512).
        """
        del landmarks
        embedded: list[torch.Tensor] = []

        size = batch_size(CHUNK, FACE_BYTES, self._device)

        for start in range(0, len(pictures), size):
            part = range(start, min(start + size, len(pictures)))
            faces = np.stack([cut_box(pictures[i], boxes[i], self._margin) for i in part])
            sent = torch.from_numpy(faces).to(self._device)
            embedded.append(self.embed_cut(sent.permute(0, 3, 1, 2)))

        return torch.cat(embedded).cpu().numpy() if embedded else np.zeros((0, OUTPUTS), np.float32)

    def embed_cut(self, faces: torch.Tensor) -> torch.Tensor:
        """Unit vectors (n, 512) of faces (n, 3, 160, 160), RGB from 0 to 255."""
        count = len(faces)
        if count == 1:  # a batch of one differs in the last bits from the same face among others
            faces = faces.repeat(2, 1, 1, 1)

        standardised = ((faces.float() - 127.5) / 128).to(
            self._dtype, memory_format=torch.channels_last
        )
        return normalize(self._network(standardised).float(), dim=1)[:count]


def cut_box(picture: Pictures, box: Floats, margin: int = 0) -> Pictures:
    """A box cut at whole pixels inside the picture and resized.

    facenet-pytorch's ``extract_face`` does the same.

    Args:
        picture: (h, w, 3).
        box: (4,), left, top, right and bottom in pixels.
        margin: Pixels of the result around the box, both sides together.

    Returns:
        (160, 160, 3).
    """
    height, width = picture.shape[:2]
    # the margin is given in pixels of the result: its share of the box follows from what is left
    around = (box[2:] - box[:2]) * (margin / (SIDE - margin) / 2)
    # at least one pixel wide, wherever the box lies
    left, top = np.clip((box[:2] - around).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip((box[2:] + around).astype(int), (left + 1, top + 1), (width, height))
    resized = cv2.resize(
        picture[top:bottom, left:right], (SIDE, SIDE), interpolation=cv2.INTER_AREA
    )

    return np.asarray(resized, np.uint8)
