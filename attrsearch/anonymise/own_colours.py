"""Protected pictures in the depth and the colours that the input came in."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from attrsearch.faces.deep_colours import white_of
from attrsearch.faces.images import Layers, Picture

GREY = np.array([0.299, 0.587, 0.114], np.float64)
"""Shares of red, green and blue in grey (ITU-R BT.601)."""


def in_own_colours(picture: Picture, layers: Layers) -> Picture:
    """The picture in the colours of the input's profile, 8 bits deep.

    Args:
        picture: (h, w, 3), RGB, uint8, in sRGB.
        layers: What was read.
    """
    if not layers.converted:
        return picture

    own = ImageCms.ImageCmsProfile(io.BytesIO(layers.profile))
    grey = layers.own is not None and layers.own.ndim == 2
    mode = "L" if grey else "RGB"
    changed = ImageCms.profileToProfile(
        Image.fromarray(picture), ImageCms.createProfile("sRGB"), own, outputMode=mode
    )
    if changed is None:
        raise ImageCms.PyCMSError("a profile that was read cannot be written")

    return np.array(changed.convert("RGB"), np.uint8)


def in_own_depth(picture: Picture, layers: Layers) -> npt.NDArray[Any]:
    """The input's own values, with those of the picture where it was edited.

    Args:
        picture: (h, w, 3), RGB, uint8, in sRGB.
        layers: What was read; its alpha layer stays with its own values.

    Returns:
        (h, w) or (h, w, 3 or 4), uint8, uint16 or float32.  A value that was not edited is the
        input's, to the bit.
    """
    if layers.own is None:
        return picture

    # compared in sRGB, where what was not edited is the same to the bit
    edited = (picture != layers.pixels).any(2)
    values: npt.NDArray[Any] = in_own_colours(picture, layers)
    result = layers.own.copy()

    if result.ndim == 2:
        values = values @ GREY

    scaled = values * (_top(layers.own) / 255)
    # a cast to whole numbers cuts off; floats keep their fractions
    if result.dtype != np.float32:
        scaled = np.round(scaled)

    colours = result[..., :3] if result.ndim == 3 else result
    colours[edited] = scaled[edited].astype(result.dtype)
    return result


def _top(own: npt.NDArray[Any]) -> float:
    """White, of values as :mod:`attrsearch.faces.image_decoder` takes them."""
    if own.dtype == np.uint8:
        return 255.0
    if own.ndim == 3:
        return 65535.0

    return white_of(own, shares=own.dtype == np.float32)
