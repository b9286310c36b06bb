"""Pictures as bytes of a kind of file, with their colour profile and a word about who made them."""

import io
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo, putchunk
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from attrsearch.core.images import MADE_BY
from attrsearch.faces.image_decoder import open_heif

BMP_END = b"attrsearch"
"""The same of BMP, which has no place for words: programs stop reading where its pixels end."""
SOFTWARE = 0x0131
"""EXIF's tag Software."""
DEEP = ("PNG", "TIFF")
"""Kinds that hold more than eight bits."""
HEADER = 33
"""Bytes of a PNG file before its second chunk."""
DEFLATE = 8
ICC = 34675
"""TIFF's tag of a colour profile."""


def with_alpha(values: npt.NDArray[Any], alpha: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """Values with an alpha layer; what it hides is black, so that no other program can show it.

    Args:
        values: (h, w, 3), or (h, w, 4) with a layer of its own depth.
        alpha: (h, w), for values that have none.
    """
    if values.ndim == 2:
        values = np.repeat(values[..., None], 3, 2)

    if values.shape[2] == 3:
        # 255 * 257 is 65535: white stays white
        depth = 257 if values.dtype == np.uint16 else 1
        values = np.dstack([values, alpha.astype(values.dtype) * depth])

    shown = values.copy()
    # after the alpha layer is on: what it hides may be a face
    shown[values[..., 3] == 0, :3] = 0
    return shown


def encode(values: npt.NDArray[Any], kind: str, profile: bytes = b"") -> bytes:
    """A picture as a file of a kind.

    JPEG is written at quality 95 without reducing the colours' resolution.

    Args:
        values: (h, w) or (h, w, 3 or 4), uint8; of PNG and TIFF also uint16, of TIFF float32.
        kind: As Pillow calls it.
        profile: Colour profile; none where it is empty.
    """
    if values.dtype == np.uint16 and values.ndim == 3:
        return _deep_png(values, profile) if kind == "PNG" else _deep_tiff(values, profile)

    # PNG holds no floats; sixteen bits lose nothing that could be seen
    if values.dtype == np.float32 and kind == "PNG":
        values = np.round(np.clip(values, 0, 1) * 65535).astype(np.uint16)

    image = Image.fromarray(values)
    buffer = io.BytesIO()
    icc = profile if _fits(profile, values) else None

    if kind == "PNG":
        text = PngInfo()
        text.add_text("Software", MADE_BY)
        image.save(buffer, kind, pnginfo=text, icc_profile=icc)
    elif kind == "JPEG":
        image.save(buffer, kind, quality=95, subsampling=0, comment=MADE_BY, icc_profile=icc)
    elif kind == "BMP":
        image.save(buffer, kind)
        # readers stop where the header says that the pixels end
        buffer.write(BMP_END)
    else:
        open_heif()
        exif = Image.Exif()
        exif[SOFTWARE] = MADE_BY
        options: dict[str, Any] = {"compression": "tiff_deflate"} if kind == "TIFF" else {}
        options |= {} if kind == "TIFF" else {"quality": 95}
        image.save(buffer, kind, exif=exif, icc_profile=icc, **options)

    return buffer.getvalue()


def _fits(profile: bytes, values: npt.NDArray[Any]) -> bool:
    """Whether a profile is one of such values: its header names grey or RGB."""
    return profile[16:20] == (b"GRAY" if values.ndim == 2 else b"RGB ")


def _deep_png(values: npt.NDArray[np.uint16], profile: bytes) -> bytes:
    """RGB or RGBA of 16 bits by OpenCV, since Pillow writes none; with profile and text put in."""
    import cv2  # noqa: PLC0415 - slow to load, and rarely needed

    # OpenCV has blue first
    order = [2, 1, 0, 3][: values.shape[2]]
    data = cv2.imencode(".png", np.ascontiguousarray(values[..., order]))[1].tobytes()
    buffer = io.BytesIO()
    buffer.write(data[:HEADER])

    # PNG wants the profile before the pixels: right after the header
    if _fits(profile, values):
        putchunk(buffer, b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile))

    putchunk(buffer, b"tEXt", b"Software\0" + MADE_BY.encode())
    buffer.write(data[HEADER:])
    return buffer.getvalue()


def _deep_tiff(values: npt.NDArray[np.uint16], profile: bytes) -> bytes:
    """RGB or RGBA of 16 bits as TIFF: one strip, compressed, with profile and software."""
    height, width, count = values.shape
    pixels = zlib.compress(np.ascontiguousarray(values.astype("<u2")).tobytes())
    tags = ImageFileDirectory_v2()
    tags[256] = width
    tags[257] = height
    tags[258] = (16,) * count
    tags[259] = DEFLATE
    tags[262] = 2  # RGB
    tags[273] = (0,)  # where the strip begins; the directory's own length is added on saving
    tags[277] = count
    tags[278] = height
    tags[279] = (len(pixels),)
    tags[284] = 1  # the colours of a pixel stand together
    tags[SOFTWARE] = MADE_BY

    if count == 4:
        tags[338] = 2  # alpha that is not multiplied in

    if _fits(profile, values):
        # 7 is "undefined": bytes that are not text, as a profile is
        tags.tagtype[ICC] = 7
        tags[ICC] = profile

    buffer = io.BytesIO()
    tags.save(buffer)
    buffer.write(pixels)
    return buffer.getvalue()
