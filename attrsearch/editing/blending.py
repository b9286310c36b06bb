"""Put an edited crop back into its picture so that no border shows.

The mask is fixed in the aligned crop: full over brows, eyes, nose, mouth and chin, falling smoothly
to nothing before the crop ends.  It is laid over the picture through the inverse of the alignment,
rotation included.
"""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.faces.alignment import (
    CROP_SIZE,
    Floats,
    Picture,
    compose,
    invert,
    scale_of,
    transform,
)

CENTRE = (64.0, 76.5)
RADII = (41.0, 46.5)
SOFTNESS = 0.2
"""Half the width of the mask's fall, as a share of the radii."""


@cache
def face_mask(size: int = CROP_SIZE) -> Floats:
    """The mask (size, size), 0 to 1.

    A superellipse with a smooth edge, 0 at every border of the crop.

    >>> mask = face_mask()
    >>> float(mask[72, 64]), float(mask[0].max()), float(mask[-1].max()), float(mask[:, 0].max())
    (1.0, 0.0, 0.0, 0.0)
    """
    scale = size / CROP_SIZE
    y, x = np.mgrid[0:size, 0:size].astype(np.float64)
    dx = np.abs((x + 0.5) / scale - 0.5 - CENTRE[0]) / RADII[0]
    dy = np.abs((y + 0.5) / scale - 0.5 - CENTRE[1]) / RADII[1]
    radius = (dx**2.4 + dy**2.4) ** (1 / 2.4)
    t = np.clip((1 + SOFTNESS - radius) / (2 * SOFTNESS), 0, 1)
    mask = (t * t * (3 - 2 * t)).astype(np.float32)
    border = np.minimum.reduce([x, y, size - 1 - x, size - 1 - y]) / (4 * scale)
    mask *= np.clip(border, 0, 1).astype(np.float32)
    mask.setflags(write=False)
    return np.asarray(mask)


def paste(picture: Picture, edited: Picture, to_crop: Floats, strength: float = 1.0) -> None:
    """Blend an edited crop into its picture, in place.

    Args:
        picture: (h, w, 3), uint8; changed.
        edited: (size, size, 3), uint8, the edited crop.
        to_crop: Transform (2, 3) from picture pixels to pixels of a 128-pixel crop.
        strength: Of the edit over what is there, 0 to 1.
    """
    size = edited.shape[0]
    zoom = size / CROP_SIZE
    to_edited = compose(
        np.array([[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2]], np.float32), to_crop
    )
    back = invert(to_edited)
    corners = transform(back, np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float32))
    height, width = picture.shape[:2]
    left, top = np.floor(np.maximum(corners.min(0), 0)).astype(int)
    right, bottom = np.ceil(np.minimum(corners.max(0) + 1, (width, height))).astype(int)
    if left >= right or top >= bottom:
        return
    shift = np.array([[1, 0, -left], [0, 1, -top]], np.float32)
    matrix, sides = compose(shift, back), (int(right - left), int(bottom - top))
    smooth = cv2.INTER_CUBIC if scale_of(matrix) > 1 else cv2.INTER_LINEAR
    layer = cv2.warpAffine(edited, matrix, sides, flags=smooth, borderMode=cv2.BORDER_REPLICATE)
    mask = (
        cv2.warpAffine(face_mask(size), matrix, sides, flags=cv2.INTER_LINEAR)[..., None] * strength
    )
    region = picture[top:bottom, left:right]
    region[:] = np.round(region + (layer.astype(np.float32) - region) * mask).astype(np.uint8)


def uncrop(picture: npt.NDArray[np.float32]) -> Picture:
    """An editor's output (n, 3, s, s) from -1 to 1 as pictures (n, s, s, 3), uint8."""
    return np.asarray(np.round((picture.transpose(0, 2, 3, 1) + 1) * 127.5).clip(0, 255), np.uint8)
