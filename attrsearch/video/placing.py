"""Where an edit goes in its frame, how it is kept still, and what else may stand there."""

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE, compose, scale_of, similarity

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

CROP_WIDTHS = (40.0, 150.0)
"""How wide a face's box may be in its crop, in pixels; about 75 is usual."""
QUIET = 6.0
MOVED = 20.0
"""Changes of an aligned face, 0 to 255: up to the first it is noise, and from the second on nothing
is kept."""
MOST_KEPT = 0.95
"""Share of the last edit that is kept in the next one where nothing changed: an edit makes more of
noise than it is."""
AROUND = 11
"""Over how many pixels of a crop of 128 the change is averaged: a mouth that opens is edited anew,
the rest is kept."""


def steady(
    source: Floats, edit: Floats, last_source: Floats, last_edit: Floats
) -> tuple[Floats, Floats]:
    """An edit of which as much is the last one's as the face stood still, place by place.

    Two edits of nearly the same picture differ by more than the pictures do, and drift. What was
    kept of earlier pictures is kept of their edits; a face that turns by and by moves away from
    both.

    Args:
        source: What the edit was made from (size, size, 3), 0 to 255.
        edit: The edit of this frame.
        last_source: What this gave for the frame before.
        last_edit: The same of its edit.

    Returns:
        The source and the edit to show.

    >>> new, old = np.full((1, 1, 3), 100, np.float32), np.zeros((1, 1, 3), np.float32)
    >>> [round(float(steady(old + moved, new, old, old)[1].max())) for moved in (0, 13, 20, 60)]
    [5, 52, 100, 100]
    """
    # crops of an editor may be larger than 128 pixels: the same share of the face is averaged
    side = max(1, round(AROUND * len(edit) / CROP_SIZE))
    change = cv2.blur(cv2.absdiff(source, last_source).mean(2), (side, side))
    kept = (MOST_KEPT * np.clip((MOVED - change) / (MOVED - QUIET), 0, 1)).astype(np.float32)[
        ..., None
    ]

    return source + kept * (last_source - source), edit + kept * (last_edit - edit)


def belong(landmarks: Floats, box: Floats) -> bool:
    """Whether landmarks (5, 2) are those of the face in a box (4,).

    In its middle, and of its size.
    """
    sides = box[2:] - box[:2]
    apart = np.abs(landmarks.mean(0) - (box[:2] + box[2:]) / 2) / np.maximum(sides, 1e-3)
    width = float(sides[0]) * scale_of(similarity(landmarks[None], CROP_TEMPLATE)[0])

    return bool((apart < 0.3).all()) and CROP_WIDTHS[0] < width < CROP_WIDTHS[1]


def has_landmarks(landmarks: Floats, box: Floats) -> bool:
    """Whether landmarks (5, 2) are known, and those of the face in a box (4,)."""
    return bool(np.isfinite(landmarks).all()) and belong(landmarks, box)


def replace_face(picture: Picture, box: Floats, replacement: Picture) -> None:
    """Put a picture over a face, in place (thesis 3.3.1)."""
    height, width = picture.shape[:2]
    # outwards to whole pixels, so that no rim of the face is left
    left, top = np.floor(np.maximum(box[:2], 0)).astype(int)
    right, bottom = np.ceil(np.minimum(box[2:], (width, height))).astype(int)

    if left < right and top < bottom:
        sides = (int(right - left), int(bottom - top))
        picture[top:bottom, left:right] = cv2.resize(
            replacement, sides, interpolation=cv2.INTER_AREA
        )


def to_crop(landmarks: Floats, size: int) -> Floats:
    """From picture pixels to pixels of a crop of that size."""
    zoom = size / CROP_SIZE
    matrix = similarity(landmarks[None], CROP_TEMPLATE)[0]
    if scale_of(matrix) == 0 or zoom == 1:
        return np.asarray(matrix, np.float32)

    # pixels are counted at their middles: scaled about a corner they would shift by half a pixel
    return compose(
        np.array([[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2]], np.float32), matrix
    )
