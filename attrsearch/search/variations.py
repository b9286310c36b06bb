"""The same face as it might be found another time: shifted, scaled, turned, lit, out of focus.

A detector's landmarks err by a few pixels from one picture to the next, and the editor then sees
another crop; light and focus change what the recogniser sees.  What a candidate does to such
variations says more of what it does to unseen pictures than the pictures themselves
(docs/results/search.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.faces.alignment import CROP_SIZE, WINDOW_SIZE, compose, invert, warp
from attrsearch.faces.dataset import AlignedFace

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Variation:
    """One way in which a face differs from itself.

    Attributes:
        shift: Of the alignment, pixels of the window (right, down); a face is about 75 wide there.
        scale: Of the alignment, about the middle of the window.
        turn: Of the alignment, degrees, anticlockwise.
        light: Factor of the pixels' values.
        blur: Standard deviation of a Gaussian, pixels of the window; 0 for none.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    turn: float = 0.0
    light: float = 1.0
    blur: float = 0.0


VARIATIONS = (
    Variation(shift=(3.0, -2.0), scale=0.94, turn=3.0, light=1.3),
    Variation(shift=(-2.0, 2.0), scale=1.06, turn=-4.0, light=0.75),
    Variation(shift=(0.0, 3.0), blur=1.2),
    Variation(shift=(-3.0, -1.0), scale=0.97, turn=-2.0, light=1.15, blur=0.8),
)
"""What is tried, the most telling first."""


def vary(faces: Sequence[AlignedFace], count: int) -> list[AlignedFace]:
    """Every face in each of the first ``count`` of ``VARIATIONS``, all of a face together."""
    found = []
    for face in faces:
        found += [_varied(face, variation) for variation in VARIATIONS[:count]]

    return found


def _varied(face: AlignedFace, variation: Variation) -> AlignedFace:
    window = face.window.astype(np.float32) * variation.light
    if variation.blur:
        window = cv2.GaussianBlur(window, (0, 0), variation.blur)

    # cut off as a camera does: what is lit too strongly is white
    shown = np.asarray(np.clip(np.round(window), 0, 255), np.uint8)

    # Only the alignment moves: the picture stays where it is, as when a detector errs.
    middle = (WINDOW_SIZE - 1) / 2
    moved = cv2.getRotationMatrix2D((middle, middle), variation.turn, variation.scale)
    moved[:, 2] += variation.shift
    crop_to_window = compose(moved.astype(np.float32), face.crop_to_window)

    crop = warp(shown, invert(crop_to_window), CROP_SIZE)
    return replace(face, window=shown, crop=crop, crop_to_window=crop_to_window)
