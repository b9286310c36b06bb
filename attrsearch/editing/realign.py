"""The thesis's second alignment.

Find the face again after pass one and align it before pass two (section 4.2).
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from attrsearch.core.device import exact_device
from attrsearch.editing.blending import uncrop
from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE, invert, similarity
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.sampling import sampling_grid

WHERE = np.array([34, 30, 94, 118], np.float32)
"""About where a face lies in an aligned crop of 128 pixels."""
MIN_OVERLAP = 0.3
"""A detection overlaps that place by at least this much."""


class SecondAlignment:
    """A realigner on a detector.

    A face that is not found after pass one keeps its first alignment.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def __call__(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Align faces (n, 3, s, s) from -1 to 1 anew.

        See :class:`attrsearch.editing.editor.Realigner`.
        """
        size = faces.shape[2]
        template = CROP_TEMPLATE * (size / CROP_SIZE)
        forward = np.tile(np.array([[1, 0, 0], [0, 1, 0]], np.float32), (len(faces), 1, 1))

        for i, landmarks in enumerate(self.find(faces)):
            if landmarks is not None:
                forward[i] = similarity(landmarks[None], template)[0]

        inverse = np.stack([invert(matrix) for matrix in forward])
        where = exact_device()
        there = sampling_grid(torch.from_numpy(inverse).to(where), size, (size, size))
        back = sampling_grid(torch.from_numpy(forward).to(where), size, (size, size))
        return grid_sample(faces.to(where), there, padding_mode="border", align_corners=False), back

    def find(self, faces: Tensor) -> list[npt.NDArray[np.float32] | None]:
        """Landmarks (5, 2) of each face (n, 3, s, s) after pass one; None where it is not found."""
        expected = WHERE * (faces.shape[2] / CROP_SIZE)
        landmarks: list[npt.NDArray[np.float32] | None] = []

        for found in self._detector.detect(uncrop(faces.cpu().numpy())):
            best, overlap = found.nearest(expected)
            landmarks.append(found.landmarks[best] if overlap > MIN_OVERLAP else None)

        return landmarks
