"""Head pose and the state of eyes and mouth, from dlib's 68 landmarks (extra ``judges``)."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.faces.dlib_landmarks import DlibLandmarks

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

SOLID = np.array(
    [
        [0, 0, 0],
        [0, -330, -65],
        [-225, 170, -135],
        [225, 170, -135],
        [-150, -150, -125],
        [150, -150, -125],
    ],
    np.float64,
)
"""A rough head: tip of the nose, chin, outer corners of the eyes, corners of the mouth (a common
generic model).
"""
SOLID_POINTS = (30, 8, 36, 45, 48, 54)
LEFT_EYE = slice(36, 42)
RIGHT_EYE = slice(42, 48)
INNER_LIPS = slice(60, 68)
CLOSED_EYE = 0.18
"""Eyes less open than this (height over width) count as closed."""
OPEN_MOUTH = 0.15
"""Inner lips further apart than this (height over width) count as an open mouth."""


@dataclass(frozen=True)
class Shape:
    """Of n faces.

    Attributes:
        points: (n, 68, 2), pixels of the window.
        pose: (n, 3), pitch, yaw and roll in degrees.
        eyes: (n,), height over width of the eyes, mean of both.
        mouth: (n,), height over width of the inner lips.
    """

    points: Floats
    pose: Floats
    eyes: Floats
    mouth: Floats

    def take(self, rows: npt.NDArray[np.int64]) -> "Shape":
        """The chosen faces."""
        return Shape(self.points[rows], self.pose[rows], self.eyes[rows], self.mouth[rows])


class ShapeReader:
    """Reads shapes of faces in windows.

    Raises:
        UnavailableError: The extra is not installed.
    """

    def __init__(self) -> None:
        self._landmarks = DlibLandmarks()

    def read(self, windows: Picture, boxes: Floats) -> Shape:
        """Shapes of one face of each window (n, h, w, 3) in its box (n, 4)."""
        return shape_of(self._landmarks.read(windows, boxes), windows.shape[1])


def shape_of(points: Floats, side: int) -> Shape:
    """Pose and openness of 68 landmarks (n, 68, 2) in windows of that side."""
    return Shape(
        points=points,
        pose=np.array([head_pose(one, side) for one in points], np.float32).reshape(-1, 3),
        eyes=np.mean(
            [openness(points[:, eye]) for eye in (LEFT_EYE, RIGHT_EYE)], 0, dtype=np.float32
        ),
        mouth=openness(points[:, INNER_LIPS]),
    )


def head_pose(points: Floats, side: int) -> tuple[float, float, float]:
    """Pitch, yaw and roll in degrees of one face (68, 2).

    The generic head that projects onto six landmarks.
    """
    middle = (side - 1) / 2
    focal = side * 2.0
    camera = np.array([[focal, 0, middle], [0, focal, middle], [0, 0, 1]], np.float64)
    solid = SOLID * np.array([1, -1, -1])  # x right, y down, z away from the camera
    seen = np.ascontiguousarray(points[list(SOLID_POINTS)], np.float64)
    _, turn, _ = cv2.solvePnP(solid, seen, camera, np.zeros(4), flags=cv2.SOLVEPNP_SQPNP)
    matrix = cv2.Rodrigues(turn)[0]
    angles = cv2.RQDecomp3x3(matrix)[0]

    return float(angles[0]), float(angles[1]), float(angles[2])


def openness(ring: Floats) -> Floats:
    """Height over width (n,) of rings of landmarks (n, k, 2), turned upright.

    The first and middle are the corners.

    >>> diamond = np.float32([[[0, 0], [1, -1], [2, 0], [1, 1]]])
    >>> openness(diamond).tolist()
    [1.0]
    """
    first = ring[:, 0]
    last = ring[:, ring.shape[1] // 2]
    along = last - first
    width = np.linalg.norm(along, axis=1)
    across = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(width, 1e-6)[:, None]
    heights = ((ring - first[:, None]) * across[:, None]).sum(-1)

    return np.asarray((heights.max(1) - heights.min(1)) / np.maximum(width, 1e-6), np.float32)
