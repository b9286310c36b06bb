"""Faces of large pictures.

The whole picture reduced for near faces, and tiles at full resolution for far ones.

So the smallest face that is found does not depend on how long the picture's sides are.
"""

import itertools
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.boxes import iou
from attrsearch.faces.detection.base import Detections, Detector

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

SIDE = 1920
"""Longest side in pixels of what a detector is shown."""
LARGEST_IN_TILES = 48
"""Width in pixels of the reduced picture from which a face need not be whole in a tile: it is found
there."""
BORDER = 3.0
"""A box that ends this many pixels from a tile's inner border is cut off; another tile has it
whole."""
SAME_FACE = 0.4
"""Overlap from which two detections are of one face."""


def detect_reduced(picture: Picture, detector: Detector, side: int = SIDE) -> Detections:
    """Detect in a picture (h, w, 3) reduced to a longest side; results in its own pixels."""
    height, width = picture.shape[:2]
    if max(height, width) <= side:
        return detector.detect(picture[None])[0]

    scale = side / max(height, width)
    # a panorama's short side stays at least one pixel
    sides = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, sides, interpolation=cv2.INTER_AREA)
    found = detector.detect(np.asarray(small, np.uint8)[None])[0]
    ratio = np.array([width / sides[0], height / sides[1]], np.float32)

    return Detections(found.boxes * np.tile(ratio, 2), found.probabilities, found.landmarks * ratio)


def detect_in_tiles(picture: Picture, detector: Detector, side: int = SIDE) -> Detections:
    """Detect in a picture (h, w, 3) of any size, faces of every size; results in its own pixels."""
    height, width = picture.shape[:2]
    found = detect_reduced(picture, detector, side)
    if max(height, width) <= side:
        return found

    # whatever is smaller than this must be whole in a tile
    overlap = min(side // 2, round(LARGEST_IN_TILES * max(height, width) / side))
    for left, top, right, bottom in tiles(width, height, side, overlap):
        part = detector.detect(np.ascontiguousarray(picture[top:bottom, left:right])[None])[0]
        inner = np.array([left > 0, top > 0, right < width, bottom < height])
        edges = np.array([0, 0, right - left, bottom - top], np.float32)
        beyond = np.array([-1, -1, 1, 1], np.float32) * (part.boxes - edges)
        whole = ~((beyond > -BORDER) & inner).any(1)
        corner = np.array([left, top], np.float32)
        moved = Detections(
            part.boxes[whole] + np.tile(corner, 2),
            part.probabilities[whole],
            part.landmarks[whole] + corner,
        )
        found = join_detections(found, moved)

    return found


def tiles(width: int, height: int, side: int, overlap: int) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right, bottom of tiles that cover a picture and overlap.

    They are of at most ``side`` pixels.

    >>> list(tiles(100, 40, 60, 10))
    [(0, 0, 60, 40), (40, 0, 100, 40)]
    """
    for (top, bottom), (left, right) in itertools.product(
        _parts(height, side, overlap), _parts(width, side, overlap)
    ):
        yield left, top, right, bottom


def _parts(length: int, side: int, overlap: int) -> list[tuple[int, int]]:
    if length <= side:
        return [(0, length)]

    count = -(-(length - overlap) // (side - overlap))
    starts = np.linspace(0, length - side, count).round().astype(int)
    return [(int(start), int(start) + side) for start in starts]


def join_detections(first: Detections, second: Detections) -> Detections:
    """Detections of two looks at one picture; of a face that both found, the surer one."""
    if not len(first) or not len(second):
        return second if not len(first) else first

    boxes = np.concatenate([first.boxes, second.boxes])
    probabilities = np.concatenate([first.probabilities, second.probabilities])
    landmarks = np.concatenate([first.landmarks, second.landmarks])
    kept: list[int] = []

    # stable: of two that are as sure, the first look's is kept
    for index in np.argsort(-probabilities, kind="stable"):
        if not kept or float(iou(boxes[index], boxes[kept]).max()) < SAME_FACE:
            kept.append(int(index))

    return Detections(boxes[kept], probabilities[kept], landmarks[kept])
