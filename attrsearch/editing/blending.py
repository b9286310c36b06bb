"""Put an edited crop back into its picture so that no border shows.

An AttGAN editor's mask is fixed in the aligned crop: full over brows, eyes, nose, mouth and chin,
falling smoothly to nothing before the crop ends; a restoring editor's is the visible skin. The edit
is laid over the picture through the inverse of the alignment, rotation included.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from torch import Tensor

from attrsearch.editing.finish import finish, measure_finish
from attrsearch.faces.alignment import (
    CROP_SIZE,
    Floats,
    Picture,
    compose,
    invert,
    scale_of,
    transform,
    warp,
    zoom,
)

if TYPE_CHECKING:
    from attrsearch.editing.editor import Editor

CENTRE = (64.0, 76.5)
RADII = (41.0, 46.5)
LEAST_SHARE = 0.3
"""An edit that is laid on less of the face than this leaves too much of it as it was: the face is
filtered instead."""
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


@dataclass(frozen=True)
class Layer:
    """An edited crop and how it is laid on.

    Attributes:
        crop: (size, size, 3), uint8.
        mask: (size, size), 0 to 1, where it is laid on.
        from_crop: Transform (2, 3) from the usual crop of 128 pixels to this one.
        matched: Whether it is given the picture's grain and sharpness.
    """

    crop: Picture
    mask: Floats
    from_crop: Floats
    matched: bool = False

    @property
    def share(self) -> float:
        """How much of the place where a face is expected is laid on, 0 to 1."""
        size = len(self.mask)
        place = (
            cv2.warpAffine(face_mask(), self.from_crop, (size, size), flags=cv2.INTER_LINEAR) > 0.5
        )
        return float(self.mask[place].mean())

    def is_cut_as(self, other: "Layer") -> bool:
        """Whether another crop shows the same part of a face in the same size."""
        return self.crop.shape == other.crop.shape and np.array_equal(
            self.from_crop, other.from_crop
        )


def cut_crop(picture: Picture, editor: "Editor", to_crop: Floats) -> Picture:
    """An editor's crop (size, size, 3) of a face in a picture.

    Args:
        picture: (h, w, 3), uint8.
        editor: Whose crop.
        to_crop: Transform (2, 3) from picture pixels to pixels of the usual crop of 128.
    """
    return warp(picture, compose(editor.from_crop, to_crop), editor.size)


def edit_crops(editor: "Editor", crops: Tensor, attributes: Floats) -> list[Layer]:
    """Edit crops of an editor, ready to be laid on.

    Args:
        editor: Edits.
        crops: Its crops (n, 3, size, size), RGB from -1 to 1.
        attributes: A set for each, (n, passes, 13).
    """
    encoded = editor.encode(crops)
    edited = uncrop(editor.edit(encoded, attributes).cpu().numpy())
    masks = editor.masks(encoded)[:, 0].float().cpu().numpy()

    layers = []
    for crop, mask in zip(edited, masks, strict=True):
        layers.append(Layer(crop, np.ascontiguousarray(mask), editor.from_crop, editor.matched))

    return layers


def plain_layer(crop: Picture) -> Layer:
    """A usual crop, drawn with any number of pixels, to be laid on with the usual mask."""
    return Layer(crop, face_mask(len(crop)), zoom(len(crop)))


def paste(
    picture: Picture,
    layer: Layer,
    to_crop: Floats,
    strength: float = 1.0,
    untouched: Picture | None = None,
) -> None:
    """Blend an edited crop into its picture, in place.

    Args:
        picture: (h, w, 3), uint8; changed.
        layer: The edit.
        to_crop: Transform (2, 3) from picture pixels to pixels of a usual crop of 128.
        strength: Of the edit over what is there, 0 to 1.
        untouched: The picture as it was, whose grain and sharpness count, where ``picture`` was
            changed before.
    """
    size = layer.crop.shape[0]
    back = invert(compose(layer.from_crop, to_crop))
    corners = transform(back, np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float32))
    height, width = picture.shape[:2]
    left, top = np.floor(np.maximum(corners.min(0), 0)).astype(int)
    right, bottom = np.ceil(np.minimum(corners.max(0) + 1, (width, height))).astype(int)
    if left >= right or top >= bottom:
        return

    shift = np.array([[1, 0, -left], [0, 1, -top]], np.float32)
    matrix = compose(shift, back)
    sides = (int(right - left), int(bottom - top))
    smooth = cv2.INTER_CUBIC if scale_of(matrix) > 1 else cv2.INTER_LINEAR
    crop = _band_limited(layer.crop, scale_of(matrix)) if layer.matched else layer.crop
    drawn = cv2.warpAffine(
        crop, matrix, sides, flags=smooth, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    mask = cv2.warpAffine(layer.mask, matrix, sides, flags=cv2.INTER_LINEAR)
    region = picture[top:bottom, left:right]

    if layer.matched:
        before = (picture if untouched is None else untouched)[top:bottom, left:right]
        drawn = finish(drawn, measure_finish(before, mask))

    weight = mask[..., None] * np.float32(strength)
    region[:] = np.round(region + (drawn - region) * weight).clip(0, 255).astype(np.uint8)


def _band_limited(crop: Picture, scale: float) -> Picture:
    """A crop without the detail that a reduction to ``scale`` would turn into patterns."""
    if scale >= 1:
        return crop
    return np.asarray(
        cv2.GaussianBlur(crop, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1) + 1e-3), np.uint8
    )


def uncrop(picture: npt.NDArray[np.float32]) -> Picture:
    """An editor's output (n, 3, s, s) from -1 to 1 as pictures (n, s, s, 3), uint8."""
    return np.asarray(np.round((picture.transpose(0, 2, 3, 1) + 1) * 127.5).clip(0, 255), np.uint8)
