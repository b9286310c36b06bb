"""Who a tightly aligned face is, differentiably: SFace on faces aligned anew by their 68 landmarks."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from attrsearch.core.precision import Precision
from attrsearch.faces.alignment import SFACE_SIZE, SFACE_TEMPLATE, similarity
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.faces.recognition.sface import SFace
from attrsearch.faces.sampling import sampling_grid
from attrsearch.training.device import CPU
from attrsearch.training.frozen import quick_backward

BLURRED = 0.5
"""Share of the batches that are blurred a little: what is pushed away must not be a texture."""


class TightIdentity:
    """SFace on crops and their landmarks.

    Args:
        precision: What it computes in, as :class:`SFace` takes it.
        device: Where it computes; its random draws are the processor's.

    Attributes:
        scale: What its distances are multiplied by to lie on the FaceNet scale.
    """

    def __init__(self, precision: Precision = "fp32", device: torch.device = CPU) -> None:
        self._network = SFace(precision)
        self._network.replace(lambda network: quick_backward(network).to(device))
        self.scale = load_calibration("sface").scale

    def embed(
        self, faces: Tensor, landmarks: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Unit vectors (n, 128) of crops (n, 3, s, s) from -1 to 1 with landmarks (n, 68, 2) in their pixels.

        With a generator, aligned a little off, blurred at times and with grain, so that only what lasts counts.
        """
        points = five_points(landmarks.cpu())
        if generator is not None:
            points = points + torch.randn(points.shape, generator=generator) * 0.7
        matrices = similarity(points.numpy(), SFACE_TEMPLATE).astype(np.float64)
        square = np.concatenate([matrices, np.tile([[[0.0, 0.0, 1.0]]], (len(matrices), 1, 1))], 1)
        inverse = torch.from_numpy(np.linalg.inv(square)[:, :2].astype(np.float32))
        side = faces.shape[-1]
        grid = sampling_grid(inverse, SFACE_SIZE, (side, side)).to(faces.device)
        aligned = grid_sample(faces, grid, padding_mode="border", align_corners=False)
        if generator is not None:
            if float(torch.rand((), generator=generator)) < BLURRED:
                aligned = torch.nn.functional.avg_pool2d(aligned, 3, 1, 1, count_include_pad=False)
            aligned = aligned + 0.02 * torch.randn(aligned.shape, generator=generator).to(
                faces.device
            )
        return self._network.embed_aligned((aligned + 1) * 127.5)


def five_points(landmarks: Tensor) -> Tensor:
    """Eyes, nose and corners of the mouth (n, 5, 2) of 68 landmarks (n, 68, 2)."""
    left = landmarks[:, 36:42].mean(1)
    right = landmarks[:, 42:48].mean(1)
    return torch.stack([left, right, landmarks[:, 30], landmarks[:, 48], landmarks[:, 54]], 1)
