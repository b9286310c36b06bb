"""Pictures as a caller has them: a path, an array, or a Pillow image."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from attrsearch.core.errors import InputError
from attrsearch.faces.images import read_picture

Array = npt.NDArray[np.uint8]
Given = str | Path | Array | Image.Image


def picture_of(picture: Given, name: str = "this picture") -> Array:
    """A picture as (h, w, 3), RGB, uint8.

    Args:
        picture: A path, such an array, or a Pillow image.
        name: What an error about an array calls it.

    Raises:
        InputError: It cannot be read, or an array has another shape or type.
    """
    if isinstance(picture, str | Path):
        return read_picture(Path(picture))
    if isinstance(picture, Image.Image):
        return np.asarray(picture.convert("RGB"), np.uint8)

    found = f"a {type(picture).__name__}"
    if isinstance(picture, np.ndarray):
        found = f"an array {picture.shape} of {picture.dtype}"
        three = picture.ndim == 3 and picture.shape[2] == 3 and picture.size > 0
        if three and picture.dtype == np.uint8:
            return picture

    raise InputError(
        name,
        required="a path, a Pillow image, or an array (height, width, 3), RGB, uint8",
        found=found,
        hint="convert it, for example with numpy.asarray(image.convert('RGB'))",
    )
