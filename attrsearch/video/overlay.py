"""Draw the memory's work: green found, yellow unsure, red restored (thesis 3.3.1)."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.video.render import RenderedFace

Picture = npt.NDArray[np.uint8]

GREEN = (40, 190, 90)
YELLOW = (245, 205, 40)
RED = (230, 50, 40)
LITTLE = 0.2
"""Confidence below which a box is yellow."""


def colour(item: RenderedFace) -> tuple[int, int, int]:
    """The colour of a face's box, RGB."""
    if item.face.source in ("remembered", "interpolated", "extended"):
        return RED
    return YELLOW if item.face.probability < LITTLE else GREEN


def draw(picture: Picture, covered: Sequence[RenderedFace]) -> Picture:
    """A copy of a covered frame with boxes, person, how it was found and how it was covered."""
    shown = picture.copy()
    thick = max(1, picture.shape[0] // 360)
    size = picture.shape[0] / 1440

    for item in covered:
        left, top, right, bottom = (round(float(value)) for value in item.face.box)
        cv2.rectangle(shown, (left, top), (right, bottom), colour(item), thick)
        text = f"{item.person} {item.face.source} {item.how}"
        cv2.putText(
            shown,
            text,
            (left, max(12, top - 4)),
            cv2.FONT_HERSHEY_SIMPLEX,
            size,
            colour(item),
            thick,
        )

    return shown
