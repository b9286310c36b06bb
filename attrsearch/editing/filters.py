"""Classic privacy filters: pixelation, Gaussian blur and a mask.

Used before the edit (thesis 3.1.5) and as the fallback that covers a face which cannot be edited.
"""

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.plugins import broken, loaded, name_of, unknown

Picture = npt.NDArray[np.uint8]
FALLBACKS = ("blur", "pixelate", "mask")
if TYPE_CHECKING:
    Fallback = str
else:
    Fallback = name_of("fallback", FALLBACKS)
HEAD = 1.5
"""A head's width in face widths: where nothing but a filter covers a face, hair and jaw still tell
who it is.
"""
BLURRED_AT = 40.0
"""Width in pixels to which a larger face is reduced before it is blurred."""
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


def cover(
    picture: Picture,
    box: npt.NDArray[np.float32],
    how: Fallback,
    margin: float = 0.25,
    reach: float = 1.0,
) -> None:
    """Cover one face of a picture (h, w, 3), in place.

    The whole box is covered; around it an ellipse fades out, so that no rectangle catches the eye.

    Args:
        picture: RGB, uint8; changed.
        box: Left, top, right, bottom in pixels.
        how: ``blur`` (kernel two thirds of the face width, thesis appendix C.3, applied three
            times), ``pixelate``, ``mask`` (the region's mean colour), or a plug-in's name.
        margin: How far the ellipse reaches beyond the box's corners, as a share of its sides.
        reach: The box is taken to be so many times as large; ``HEAD`` covers the head.
    """
    height, width = picture.shape[:2]
    centre = (box[:2] + box[2:]) / 2
    half = np.maximum((box[2:] - box[:2]) / 2, 0.5) * np.float32(reach)
    far = half * (np.sqrt(2) + margin) + 1
    left, top = np.floor(np.maximum(centre - far, 0)).astype(int)
    right, bottom = np.ceil(np.minimum(centre + far, (width, height))).astype(int)
    if left >= right or top >= bottom:
        return

    region = picture[top:bottom, left:right]
    changed = filtered(np.ascontiguousarray(region), how, float(half[0]) * 2)
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    distance = np.hypot((x + 0.5 - centre[0]) / half[0], (y + 0.5 - centre[1]) / half[1]) / np.sqrt(
        2
    )
    fade = np.clip((1 + margin / np.sqrt(2) - distance) / max(margin / np.sqrt(2), 1e-3), 0, 1)[
        ..., None
    ]
    region[:] = np.round(region + (changed.astype(np.float32) - region) * fade).astype(np.uint8)


def plugged_filter(kind: str, name: str, picture: Picture, size: float) -> Picture:
    """What a plug-in's filter makes of a picture (h, w, 3), RGB, uint8.

    Args:
        kind: ``prefilter`` or ``fallback``.
        name: The plug-in's.
        picture: Left as it is.
        size: What the filter is given besides.

    Raises:
        UnavailableError: No such plug-in, or one that gives something else.
    """
    function = loaded(kind, name)
    if function is None:
        raise unknown(kind, name, FALLBACKS if kind == "fallback" else ("pixelate", "blur"))

    changed = function(picture.copy(), size)
    if getattr(changed, "shape", None) != picture.shape or changed.dtype != np.uint8:
        found = f"{getattr(changed, 'shape', type(changed).__name__)}"
        raise broken(kind, name, f"a picture {picture.shape}, uint8, from its function", found)

    return np.asarray(changed, np.uint8)


def filtered(region: Picture, how: Fallback, face_width: float) -> Picture:
    """A filtered copy of a region around a face of that width in pixels."""
    if how == "mask":
        return np.broadcast_to(region.reshape(-1, 3).mean(0).astype(np.uint8), region.shape)
    if how == "pixelate":
        return pixelate(region, FALLBACK_BLOCKS * region.shape[1] / max(face_width, 1.0))
    if how != "blur":
        return plugged_filter("fallback", how, region, face_width)

    return _blur_thrice(region, face_width)


def _blur_thrice(region: Picture, face_width: float) -> Picture:
    """A region blurred three times by two thirds of a face's width, computed at ``BLURRED_AT``.

    What is finer than a reduced pixel would not be left by the blur either.
    """
    height, width = region.shape[:2]
    scale = min(1.0, BLURRED_AT / face_width)
    sides = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(region, sides, interpolation=cv2.INTER_AREA) if scale < 1 else region

    kernel = max(3, int(2 * face_width * scale / 3)) | 1
    for _ in range(3):
        small = cv2.GaussianBlur(small, (kernel, kernel), 0)

    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
