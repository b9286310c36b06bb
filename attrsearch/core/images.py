"""Pictures as files: JPEG and PNG."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

MADE_BY = "attrsearch"
"""What a written picture or video says of itself in its metadata: such a file may be replaced."""


def to_jpeg(picture: npt.NDArray[np.uint8], quality: int = 90) -> bytes:
    """A picture (h, w, 3), RGB, as a JPEG file without metadata."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def to_png(picture: npt.NDArray[np.uint8]) -> bytes:
    """A picture (h, w, 3), RGB, as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
