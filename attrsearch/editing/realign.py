"""The thesis's second alignment: find the face again after pass one and align it before pass two (section 4.2)."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from attrsearch.editing.blending import uncrop
from attrsearch.faces.align import CROP_SIZE, CROP_TEMPLATE, invert, similarity
from attrsearch.faces.detect import Detector
from attrsearch.faces.sampling import sampling_grid

WHERE = np.array([34, 30, 94, 118], np.float32)
"""About where a face lies in an aligned crop of 128 pixels."""


class SecondAlignment:
    """A realigner on a detector.  A face that is not found after pass one keeps its first alignment."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def __call__(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Align faces (n, 3, s, s) from -1 to 1 anew; see :class:`attrsearch.editing.editor.Realigner`."""
        size = faces.shape[2]
        template = CROP_TEMPLATE * (size / CROP_SIZE)
        forward = np.tile(np.array([[1, 0, 0], [0, 1, 0]], np.float32), (len(faces), 1, 1))
        for i, found in enumerate(self._detector.detect(uncrop(faces.numpy()))):
            best, overlap = found.nearest(WHERE * (size / CROP_SIZE))
            if overlap > 0.3:
                forward[i] = similarity(found.landmarks[[best]], template)[0]
        inverse = np.stack([invert(matrix) for matrix in forward])
        there = sampling_grid(torch.from_numpy(inverse), size, (size, size))
        back = sampling_grid(torch.from_numpy(forward), size, (size, size))
        return grid_sample(faces, there, padding_mode="border", align_corners=False), back
