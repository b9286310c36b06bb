"""Is a remembered face still in its place?  Compare the place with how the face last looked."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

SIDE = (24, 30)
SEARCH = 0.35
"""How far around the expected place is looked, as a share of the face's sides."""
FOUND = 0.55
"""Correlation from which the face is where it was found."""
GONE = 0.3
"""Correlation below which something else stands there."""


@dataclass(frozen=True)
class Likeness:
    """How a face looked when it was last seen: a small grey patch, (30, 24), float32."""

    patch: Floats

    def find(self, picture: Picture, box: Floats) -> tuple[Floats, float]:
        """Look for the face around an expected box (4,).

        Returns:
            The box, moved to where the face is most alike where that is alike enough, and the
            correlation, -1 to 1.
        """
        sides = box[2:] - box[:2]
        grown = np.concatenate([box[:2] - SEARCH * sides, box[2:] + SEARCH * sides]).astype(
            np.float32
        )
        zoom = 1 + 2 * SEARCH
        area = _cut(picture, grown, (round(SIDE[0] * zoom), round(SIDE[1] * zoom)))
        # a flat patch has no correlation with anything: it cannot be found again
        if area is None or not self.patch.std() > 1:
            return box, 0.0

        scores = cv2.matchTemplate(area, self.patch, cv2.TM_CCOEFF_NORMED)
        x, y = cv2.minMaxLoc(scores)[3]
        alike = _least_alike(area[y : y + SIDE[1], x : x + SIDE[0]], self.patch)
        if alike < FOUND:
            return box, alike

        shift = (np.array((x, y)) - (np.array(scores.shape[::-1]) - 1) / 2) / SIDE * sides
        return (box + np.tile(shift, 2)).astype(np.float32), alike


def look_at(picture: Picture, box: Floats) -> Likeness | None:
    """How the face in a box (4,) looks; None where the box lies outside the picture."""
    patch = _cut(picture, box, SIDE)
    return None if patch is None else Likeness(patch)


def _least_alike(first: Floats, second: Floats) -> float:
    """The least correlation of the left, right, upper and lower halves of two patches.

    A face that was half behind something when it was last seen is not found again in what it was
    behind.
    """
    across = SIDE[0] // 2
    down = SIDE[1] // 2
    halves = (np.s_[:, :across], np.s_[:, across:], np.s_[:down], np.s_[down:])

    return min(_correlation(first[half], second[half]) for half in halves)


def _correlation(first: Floats, second: Floats) -> float:
    a = first - first.mean()
    b = second - second.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    # of flat halves the correlation is noise
    return float((a * b).sum()) / size if size > 1 else 0.0


def _cut(picture: Picture, box: Floats, size: tuple[int, int]) -> Floats | None:
    """A box as a small grey patch of (width, height).

    None where nothing of it is in the picture.
    """
    sides = np.maximum(box[2:] - box[:2], 1)
    centre = (box[:2] + box[2:]) / 2
    height, width = picture.shape[:2]
    # of a face that is mostly outside there would be little but its repeated border
    if not (0 <= centre[0] < width and 0 <= centre[1] < height):
        return None

    low = np.floor(np.maximum(box[:2], 0)).astype(int)
    high = np.ceil(np.minimum(box[2:], (width, height))).astype(int)
    if (high - low).min() < 2:
        return None

    # cut first: a frame has millions of pixels, a face a few thousand
    part = cv2.cvtColor(
        np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]]), cv2.COLOR_RGB2GRAY
    )
    scale = np.array(size) / sides
    matrix = np.array(
        [[scale[0], 0, (low[0] - box[0]) * scale[0]], [0, scale[1], (low[1] - box[1]) * scale[1]]]
    )
    patch = cv2.warpAffine(
        part, matrix.astype(np.float32), size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )

    # smoothed, so that a shift by half a pixel does not look like another face
    return np.asarray(cv2.GaussianBlur(patch.astype(np.float32), (3, 3), 0), np.float32)
