"""Who a tightly aligned face is, differentiably, to two recognisers: SFace and FaceNet."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from attrsearch.core.device import CPU
from attrsearch.core.precision import Precision
from attrsearch.faces.alignment import SFACE_SIZE, SFACE_TEMPLATE, similarity
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.faces.recognition.facenet import FaceNet
from attrsearch.faces.recognition.inception import SIDE as FACENET_SIDE
from attrsearch.faces.recognition.sface import SFace
from attrsearch.faces.sampling import sampling_grid
from attrsearch.training.frozen import quick_backward

FACENET_BOX = (-0.82, -1.0, 0.82, 1.0)
"""What FaceNet sees of a tight crop, from -1 to 1: left, top, right and bottom of MTCNN's box with
its margin."""
GRAIN = 0.02
COARSE = (2, 3, 4)
"""How much coarser recognisers see what is pushed away: without it, the push draws moustaches."""


class TightIdentity(Protocol):
    """A recogniser of tight crops.

    Attributes:
        scale: What its distances are multiplied by to lie on the FaceNet scale.
    """

    scale: float

    def embed(
        self, faces: Tensor, landmarks: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Unit vectors (n, d) of crops (n, 3, s, s), -1 to 1, with landmarks (n, 68, 2), pixels.

        With a generator, cut a little off, blurred at times and with grain, so that only what lasts
        counts.
        """
        ...


class TightSFace:
    """SFace on crops aligned anew by their 68 landmarks.

    Args:
        precision: What it computes in, as :class:`SFace` takes it.
        device: Where it computes; its random draws are the processor's.
    """

    def __init__(self, precision: Precision = "fp32", device: torch.device = CPU) -> None:
        self._network = SFace(precision)
        self._network.replace(lambda network: quick_backward(network).to(device))
        self.scale = load_calibration("sface").scale

    def embed(
        self, faces: Tensor, landmarks: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """As :meth:`TightIdentity.embed`; d is 128."""
        points = five_points(landmarks.cpu())
        if generator is not None:
            # detectors disagree by as much: an embedding must not hang on the last pixel
            points = points + torch.randn(points.shape, generator=generator) * 0.7

        matrices = similarity(points.numpy(), SFACE_TEMPLATE).astype(np.float64)
        square = np.concatenate([matrices, np.tile([[[0.0, 0.0, 1.0]]], (len(matrices), 1, 1))], 1)
        inverse = torch.from_numpy(np.linalg.inv(square)[:, :2].astype(np.float32))
        side = faces.shape[-1]
        grid = sampling_grid(inverse, SFACE_SIZE, (side, side)).to(faces.device)
        aligned = grid_sample(faces, grid, padding_mode="border", align_corners=False)

        return self._network.embed_aligned((worn(aligned, generator) + 1) * 127.5)


class TightFaceNet:
    """FaceNet on the part of a crop that lies in a detector's box.

    Args:
        precision: What it computes in, as :class:`FaceNet` takes it.
        device: Where it computes; its random draws are the processor's.
    """

    def __init__(self, precision: Precision = "fp32", device: torch.device = CPU) -> None:
        self._network = FaceNet(precision=precision)
        self._network.replace(lambda network: network.to(device))
        self.scale = load_calibration("facenet").scale

    def embed(
        self, faces: Tensor, landmarks: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """As :meth:`TightIdentity.embed`; d is 512, and the landmarks are not used."""
        del landmarks
        count = len(faces)
        box = torch.tensor(FACENET_BOX).repeat(count, 1)

        if generator is not None:
            box = box + torch.randn(box.shape, generator=generator) * 0.04

        left, top, right, bottom = box.T
        matrices = torch.zeros(count, 2, 3)
        matrices[:, 0, 0] = (right - left) / 2
        matrices[:, 0, 2] = (right + left) / 2
        matrices[:, 1, 1] = (bottom - top) / 2
        matrices[:, 1, 2] = (bottom + top) / 2
        shape = [count, 3, FACENET_SIDE, FACENET_SIDE]
        grid = affine_grid(matrices, shape, align_corners=False).to(faces.device)
        seen = grid_sample(faces, grid, padding_mode="border", align_corners=False)

        return self._network.embed_cut((worn(seen, generator) + 1) * 127.5)


def worn(faces: Tensor, generator: torch.Generator | None) -> Tensor:
    """Faces (n, 3, h, w) from -1 to 1 as another camera shows them, where a generator is given.

    At a half, a third or a quarter of their resolution, each in a third of the batches: what is
    pushed away must be the shape of somebody's features, not strokes on the skin.
    """
    if generator is None:
        return faces

    draw = int(torch.randint(0, len(COARSE), (), generator=generator))
    side = faces.shape[-1]
    small = interpolate(faces, size=side // COARSE[draw], mode="area")
    faces = interpolate(small, size=side, mode="bilinear", align_corners=False)

    return faces + GRAIN * torch.randn(faces.shape, generator=generator).to(faces.device)


def five_points(landmarks: Tensor) -> Tensor:
    """Eyes, nose and corners of the mouth (n, 5, 2) of 68 landmarks (n, 68, 2)."""
    left = landmarks[:, 36:42].mean(1)
    right = landmarks[:, 42:48].mean(1)
    return torch.stack([left, right, landmarks[:, 30], landmarks[:, 48], landmarks[:, 54]], 1)
