"""Colours of sixteen bits, of which Pillow reads eight: read again by OpenCV, and compared."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]

ORIENTATION = 0x0112
"""EXIF's tag Orientation."""
UPRIGHT: dict[int, Callable[[Array], Array]] = {
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: np.swapaxes(stored, 0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(np.swapaxes(stored, 0, 1), 2),
    8: np.rot90,
}
"""What sets a picture upright, by its orientation."""


def deep_orientation(stored: Image.Image) -> int | None:
    """The orientation of a picture that has sixteen bits a colour; None where it has eight.

    Args:
        stored: As Pillow opened it, before anything of it is read.
    """
    tiles = getattr(stored, "tile", ())
    if stored.mode not in ("RGB", "RGBA") or not any(";16" in str(tile[3]) for tile in tiles):
        return None

    return int(stored.getexif().get(ORIENTATION, 1))


def deep_colours(path: Path, orientation: int, upright: Array) -> npt.NDArray[np.uint16] | None:
    """A picture's own 16 bits, (h, w, 3 or 4), RGB, upright; None where they cannot be had.

    Args:
        path: Its file.
        orientation: By EXIF.
        upright: (h, w, 3 or 4), uint8, upright: what Pillow makes of it. What OpenCV reads must
            begin with the same eight bits, or it is not used.
    """
    import cv2  # noqa: PLC0415 - slow to load, and rarely needed

    found = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16 or found.ndim != 3:
        return None

    # OpenCV has blue first
    order = [2, 1, 0, 3][: found.shape[2]]
    colours: npt.NDArray[np.uint16] = found[..., order]
    # of some formats OpenCV sets pictures upright, of others not
    turn = UPRIGHT.get(orientation)

    for candidate in (colours, colours if turn is None else turn(colours)):
        # Pillow keeps the upper byte: what begins with other bits is another picture, or turned
        if candidate.shape == upright.shape and bool((candidate >> 8 == upright).all()):
            return np.ascontiguousarray(candidate)

    return None


def white_of(values: Array, *, shares: bool) -> float:
    """The value that is white: the least usual one that no value passes, else the highest.

    Twelve bits are often kept in sixteen: what never passes 4095 is taken for that.

    Args:
        values: Grey ones.
        shares: Whether they may be shares of 1.
    """
    highest = float(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).max(initial=0))
    steps = (1.0, 255.0, 4095.0, 65535.0) if shares else (255.0, 4095.0, 65535.0)
    return next((step for step in steps if highest <= step), highest)
