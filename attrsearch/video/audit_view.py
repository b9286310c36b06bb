"""How an audit looks at a frame: at other scales, in other tiles and turns than the protection."""

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.detection.tiles import detect_in_tiles, detect_reduced, join_detections
from attrsearch.video.tracking.lighting import lift

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

TILE = 1280
"""Side of a tile; the protection's are larger: what lies on its borders lies inside here."""
TURNED_SIDE = 960
"""Longest side in pixels of the turned copies: whoever lies or hangs is rarely far away."""
TURNED_SURE = 0.95
"""Least probability of what is found in a turned copy only: leaves and letters look like faces from
some side."""


def find_faces(picture: Picture, detector: Detector) -> Detections:
    """Faces of a frame (h, w, 3) of any size, in the dark, lying and upside down, too."""
    found = _upright(picture, detector)
    for quarters in (1, 2, 3):
        found = join_detections(found, _turned(picture, quarters, detector))

    return found


def turn_back(found: Detections, quarters: int, width: int, height: int) -> Detections:
    """Detections of a picture that was turned, in the pixels of the upright one.

    Args:
        found: In the turned picture.
        quarters: By how many quarters it was turned, counterclockwise.
        width: Of the upright picture.
        height: Of it.

    >>> box = np.array([[0, 0, 4, 2]], np.float32)
    >>> seen = Detections(box, np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))
    >>> turn_back(seen, 1, 30, 20).boxes.tolist()
    [[28.0, 0.0, 30.0, 4.0]]
    """
    corners = _points_back(found.boxes.reshape(-1, 2, 2), quarters, width, height)
    # in the turned picture the upper left corner is another one
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
    landmarks = _points_back(found.landmarks, quarters, width, height)
    return Detections(boxes.astype(np.float32), found.probabilities, landmarks)


def _points_back(points: Floats, quarters: int, width: int, height: int) -> Floats:
    """Points (k, n, 2) of a turned picture in the upright one."""
    x = points[..., 0]
    y = points[..., 1]
    upright = {
        1: (width - y, x),
        2: (width - x, height - y),
        3: (y, height - x),
    }
    return np.stack(upright[quarters], -1).astype(np.float32)


def _upright(picture: Picture, detector: Detector) -> Detections:
    found = detect_in_tiles(picture, detector, TILE)
    lifted = lift(picture)
    if lifted is None:
        return found

    return join_detections(found, detect_in_tiles(lifted, detector, TILE))


def _turned(picture: Picture, quarters: int, detector: Detector) -> Detections:
    """What is surely found in a turned and reduced copy, in the pixels of the upright picture."""
    height, width = picture.shape[:2]
    scale = min(1.0, TURNED_SIDE / max(width, height))
    small = picture
    if scale < 1:
        sides = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(picture, sides, interpolation=cv2.INTER_AREA), np.uint8)

    turned = np.ascontiguousarray(np.rot90(small, quarters))
    found = detect_reduced(turned, detector)
    sure = found.probabilities >= TURNED_SURE
    found = Detections(found.boxes[sure], found.probabilities[sure], found.landmarks[sure])
    back = turn_back(found, quarters, small.shape[1], small.shape[0])
    ratio = np.array([width / small.shape[1], height / small.shape[0]], np.float32)

    return Detections(back.boxes * np.tile(ratio, 2), back.probabilities, back.landmarks * ratio)
