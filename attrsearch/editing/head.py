"""The ellipse of a head, and a filter that covers it and no more.

A detector's box is of the face: brows or hairline to chin, cheek to cheek. Who somebody is shows in
hair and jaw as well, so a filter covers the head; what is beyond it belongs to other people.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.editing.filters import Fallback, filtered

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

ABOVE = 0.45
BELOW = 0.08
"""How far a head reaches above and below its face's box, as shares of the box's height."""
BESIDE = 0.25
"""The same to either side, as a share of its width."""
FADE = 0.18
"""How far the filter fades out beyond the ellipse, as a share of its half axes."""
LYING = 45.0
"""A head that leans by more degrees than this is along its box's width, not its height."""


@dataclass(frozen=True)
class Ellipse:
    """A head in a picture.

    Attributes:
        centre: (2,), pixels.
        half: Half axes (2,), pixels: across the face and along it.
        lean: Degrees by which the head leans clockwise, as seen in the picture.
    """

    centre: Floats
    half: Floats
    lean: float

    def distance(self, x: Floats, y: Floats) -> Floats:
        """How far pixels are from the centre, in half axes: 1 on the ellipse."""
        angle = np.deg2rad(self.lean)
        right = np.array([np.cos(angle), np.sin(angle)], np.float32)
        dx = x - self.centre[0]
        dy = y - self.centre[1]
        across = (dx * right[0] + dy * right[1]) / self.half[0]
        along = (dy * right[0] - dx * right[1]) / self.half[1]

        return np.asarray(np.hypot(across, along), np.float32)

    def grown(self, share: float) -> "Ellipse":
        """The same, larger by a share of its half axes."""
        return Ellipse(self.centre, self.half * np.float32(1 + share), self.lean)

    def bounds(self) -> Floats:
        """The box (4,) around it, pixels."""
        angle = np.deg2rad(self.lean)
        turned = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        reach = np.sqrt((turned**2) @ (self.half.astype(np.float64) ** 2)).astype(np.float32)

        return np.concatenate([self.centre - reach, self.centre + reach])


def head_of(box: Floats, landmarks: Floats | None = None) -> Ellipse:
    """The head around a face's box.

    Args:
        box: (4,), pixels.
        landmarks: (5, 2), pixels, by which the head leans; NaN or None where they are not known.

    >>> head = head_of(np.array([100, 100, 200, 220], np.float32))
    >>> head.bounds().round().tolist()
    [75.0, 46.0, 225.0, 230.0]
    """
    sides = np.maximum(box[2:] - box[:2], 1)
    lean = _lean(landmarks)
    if LYING < abs(lean) < 180 - LYING:
        sides = sides[::-1]

    half = sides * np.array([0.5 + BESIDE, 0.5 + (ABOVE + BELOW) / 2], np.float32)
    angle = np.deg2rad(lean)
    up = np.array([np.sin(angle), -np.cos(angle)], np.float32)
    centre = (box[:2] + box[2:]) / 2 + up * sides[1] * np.float32((ABOVE - BELOW) / 2)

    return Ellipse(centre.astype(np.float32), half.astype(np.float32), lean)


def cover_head(
    picture: Picture,
    box: Floats,
    how: Fallback,
    landmarks: Floats | None = None,
    share: float = 1.0,
) -> None:
    """Cover the head around a face's box, in place; nothing beyond its soft edge changes.

    Args:
        picture: (h, w, 3), RGB, uint8; changed.
        box: (4,), pixels.
        how: As for :func:`attrsearch.editing.filters.cover`.
        landmarks: As for :func:`head_of`.
        share: Size of the ellipse, 1 for the whole head.
    """
    head = head_of(box, landmarks).grown(share - 1)
    bounds = head.grown(FADE).bounds()
    height, width = picture.shape[:2]
    left, top = np.floor(np.maximum(bounds[:2], 0)).astype(int)
    right, bottom = np.ceil(np.minimum(bounds[2:] + 1, (width, height))).astype(int)
    if left >= right or top >= bottom:
        return

    region = picture[top:bottom, left:right]
    covered = filtered(np.ascontiguousarray(region), how, float(box[2] - box[0]))
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    weight = np.clip((1 + FADE - head.distance(x + 0.5, y + 0.5)) / FADE, 0, 1)[..., None]
    region[:] = np.round(region + (covered.astype(np.float32) - region) * weight).astype(np.uint8)


def _lean(landmarks: Floats | None) -> float:
    """Degrees by which landmarks (5, 2) lean; 0 where they are not known or say nothing."""
    if landmarks is None or not np.isfinite(landmarks).all():
        return 0.0

    # from the mouth to the eyes, not along the eyes: those of a profile lie in one line
    up = landmarks[:2].mean(0) - landmarks[3:].mean(0)
    if float(np.hypot(*up)) < 1e-3:
        return 0.0

    return float(np.degrees(np.arctan2(up[0], -up[1])))
