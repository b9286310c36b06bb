"""Resample batches through similarity transforms, in torch; see also ``alignment.warp``."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from attrsearch.core.device import CPU
from attrsearch.faces.alignment import similarity
from attrsearch.faces.dataset import Picture

Floats = npt.NDArray[np.float32]


def sampling_grid(inverse: Tensor, size: int, source_size: tuple[int, int]) -> Tensor:
    """Where each target pixel is read, for ``grid_sample`` with ``align_corners=False``.

    Args:
        inverse: (n, 2, 3) transforms from target pixels to source pixels.
        size: Side of the square target.
        source_size: Height and width of the source.

    Returns:
        (n, size, size, 2), -1 to 1.
    """
    steps = torch.arange(size, dtype=torch.float32, device=inverse.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3)
    source = (points @ inverse.transpose(1, 2)).view(-1, size, size, 2)
    height, width = source_size

    scale = torch.tensor([2 / width, 2 / height], device=inverse.device)
    # -1 and 1 are the outer edges of the picture, half a pixel beyond the middles of the last ones
    return (source + 0.5) * scale - 1


def align_batch(
    pictures: npt.NDArray[np.uint8],
    landmarks: Floats,
    template: Floats,
    size: int,
    where: torch.device = CPU,
) -> Tensor:
    """Align one face of each picture to a template.

    Args:
        pictures: (n, h, w, 3), RGB, uint8.
        landmarks: (n, 5, 2), pixels.
        template: (5, 2), pixels of the target.
        size: Side of the target.
        where: Device that resamples.

    Returns:
        (n, 3, size, size), float32 from 0 to 255, channels last in memory.
    """
    inverse = torch.from_numpy(similarity_inverse(landmarks, template)).to(where)
    sent = torch.from_numpy(np.ascontiguousarray(pictures)).to(where)
    source = sent.permute(0, 3, 1, 2).float()
    grid = sampling_grid(inverse, size, (source.shape[2], source.shape[3]))

    return grid_sample(source, grid, padding_mode="border", align_corners=False)


def similarity_inverse(landmarks: Floats, template: Floats) -> Floats:
    """Transforms (n, 2, 3) from template pixels back to picture pixels."""
    # the inverse of a float32 matrix, rounded once, not twice
    forward = similarity(landmarks, template).astype(np.float64)
    turn = forward[:, :, :2]
    shift = forward[:, :, 2:]
    determinant = turn[:, 0, 0] ** 2 + turn[:, 1, 0] ** 2
    back = turn.transpose(0, 2, 1) / np.where(determinant > 0, determinant, 1)[:, None, None]

    return np.concatenate([back, -back @ shift], 2).astype(np.float32)


def to_editor(crops: list[Picture]) -> Tensor:
    """Crops (h, w, 3), uint8, as one tensor (n, 3, h, w) from -1 to 1."""
    stacked = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
    # convolutions are quicker on a processor when the channels of a pixel lie together
    return (stacked.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
