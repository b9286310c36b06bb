"""Classic privacy filters: pixelation, Gaussian blur and a mask.

Used before the edit (thesis 3.1.5) and as the fallback that covers a face which cannot be edited.
"""

from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Fallback = Literal["blur", "pixelate", "mask"]
FALLBACKS: tuple[Fallback, ...] = get_args(Fallback)
FALLBACK_BLOCKS = 6
"""Superpixels across a face of the ``pixelate`` fallback: where the thesis's figure 2.6 ends."""


def pixelate(picture: Picture, blocks: float) -> Picture:
    """Average a picture (h, w, 3) over square blocks, ``blocks`` of them across its width."""
    height, width = picture.shape[:2]
    columns = max(1, min(width, round(blocks)))
    rows = max(1, round(columns * height / width))
    small = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def blur(picture: Picture, radius: float) -> Picture:
    """Blur a picture (h, w, 3) with a Gaussian of that standard deviation in pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), radius), np.uint8)


def cover(picture: Picture, box: npt.NDArray[np.float32], how: Fallback, margin: float = 0.25) -> None:
    """Cover one face of a picture (h, w, 3), in place.

    Args:
        picture: RGB, uint8; changed.
        box: Left, top, right, bottom in pixels.
        how: ``blur`` (kernel two thirds of the face width, thesis appendix C.3, applied twice), ``pixelate``
            or ``mask`` (the region's mean colour).
        margin: Widening of the box on every side, as a share of its width and height.
    """
    height, width = picture.shape[:2]
    grow = (box[2:] - box[:2]) * margin
    left, top = np.floor(np.maximum(box[:2] - grow, 0)).astype(int)
    right, bottom = np.ceil(np.minimum(box[2:] + grow, (width, height))).astype(int)
    if left >= right or top >= bottom:
        return
    region = picture[top:bottom, left:right]
    if how == "mask":
        region[:] = region.reshape(-1, 3).mean(0).astype(np.uint8)
    elif how == "pixelate":
        region[:] = pixelate(np.ascontiguousarray(region), FALLBACK_BLOCKS)
    else:
        kernel = max(3, int(2 * (right - left) / 3)) | 1
        for _ in range(2):
            region[:] = cv2.GaussianBlur(region, (kernel, kernel), 0)
