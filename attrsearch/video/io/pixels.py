"""Put changed pixels into a decoded frame.

What was not changed keeps its bits, its depth and its transparency.
"""

import re
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace

Picture = npt.NDArray[np.uint8]

MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""A frame's colour matrix (H.273) to the one of PyAV that converts to it; others are converted by
the default."""
PLANAR = re.compile(r"(yuvj?a?4[0-4][0-4]p|gbra?p|gray)(9|10|12|14|16)?(le)?")
"""Formats with one component a plane."""


def changed_frame(source: Any, before: Picture, after: Picture, pix_fmt: str) -> Any:
    """A frame for the encoder.

    Args:
        source: The decoded frame; it is changed, and is given back where its format is the wanted
            one.
        before: Its pixels (h, w, 3), RGB, uint8, as stored.
        after: What they are to be.
        pix_fmt: Format of the encoder.
    """
    full = source.color_range == ColorRange.JPEG or source.format.name.startswith("yuvj")
    wide = ColorRange.JPEG if full else ColorRange.MPEG
    space = MATRICES.get(int(source.colorspace))
    rgb = av.VideoFrame.from_ndarray(after, format="rgb24")
    own = source.format.name.replace("yuvj", "yuv")

    if (
        own != pix_fmt
        and PLANAR.fullmatch(own)
        and PLANAR.fullmatch(pix_fmt)
        and before.shape == after.shape
    ):
        # another depth or layout: what was not changed is converted without a detour by 8 bits
        source = source.reformat(format=pix_fmt, src_color_range=wide, dst_color_range=wide)
        own = pix_fmt

    if own != pix_fmt or PLANAR.fullmatch(own) is None or before.shape != after.shape:
        converted = rgb.reformat(format=pix_fmt, dst_color_range=wide, dst_colorspace=space)
        converted.color_range = wide
        return converted

    changed = (before != after).any(2)
    if source.format.name == pix_fmt:
        target = source
        # the decoder may still predict other frames from this one
        target.make_writable()
    else:
        target = _copy(source, pix_fmt)

    if changed.any():
        new = rgb.reformat(format=_opaque(pix_fmt), dst_color_range=wide, dst_colorspace=space)
        _put(target, new, changed)

    target.color_range = wide
    target.pict_type = 0  # the encoder chooses
    return target


def _opaque(pix_fmt: str) -> str:
    """The format without transparency: that of the source is kept."""
    return pix_fmt.replace("yuva", "yuv").replace("gbrap", "gbrp")


def _copy(source: Any, pix_fmt: str) -> Any:
    """The same planes under another name: yuvj420p is yuv420p of full range."""
    target = av.VideoFrame(source.width, source.height, pix_fmt)
    for mine, its in zip(target.planes, source.planes, strict=True):
        _pixels(mine, pix_fmt)[:] = _pixels(its, pix_fmt)

    return target


def _put(target: Any, new: Any, changed: npt.NDArray[np.bool_]) -> None:
    """Copy the planes of ``new`` where pixels changed."""
    # a plane of transparency has no counterpart: it stays as it is
    for mine, its in zip(target.planes, new.planes, strict=False):
        there = _pixels(its, new.format.name)
        here = _pixels(mine, target.format.name)
        height, width = here.shape
        mask = changed

        if mask.shape != (height, width):
            share = cv2.resize(
                changed.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA
            )
            # a sample of colour stands for several pixels: it changes where any of them did
            mask = share > 0

        here[mask] = there[mask]


def _pixels(plane: Any, pix_fmt: str) -> npt.NDArray[Any]:
    """A plane as an array (h, w) over its memory."""
    depth = PLANAR.fullmatch(pix_fmt)
    kind = np.uint16 if depth is not None and depth.group(2) else np.uint8
    # rows are longer than the picture is wide: FFmpeg pads them
    rows = np.frombuffer(plane, kind).reshape(plane.height, -1)

    return rows[:, : plane.width]
