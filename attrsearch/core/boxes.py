"""Boxes: float arrays (…, 4) of left, top, right, bottom in pixels, right and bottom exclusive."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def area(boxes: Floats) -> Floats:
    """Areas in square pixels, shape (…,); 0 for a box that is inside out.

    >>> area(np.array([[0, 0, 2, 3], [5, 5, 4, 4]], np.float32)).tolist()
    [6.0, 0.0]
    """
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union (thesis equation 2.4), broadcast over the leading axes.

    0 where both are empty.

    >>> others = np.float32([[0, 0, 2, 2], [0, 0, 4, 2], [9, 9, 10, 10]])
    >>> iou(np.float32([0, 0, 2, 2]), others).tolist()
    [1.0, 0.5, 0.0]
    """
    corners = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    sides = np.maximum(corners, 0)
    intersection = sides[..., 0] * sides[..., 1]
    union = area(first) + area(second) - intersection

    return np.asarray(
        np.divide(intersection, union, out=np.zeros_like(union), where=union > 0), np.float32
    )


def covered_share(boxes: Floats, others: Floats) -> Floats:
    """Share of each box's area that another box covers, broadcast over the leading axes.

    0 for an empty box.

    >>> others = np.float32([[-9, -9, 9, 9], [1, 0, 9, 9], [5, 5, 9, 9]])
    >>> covered_share(np.float32([0, 0, 2, 2]), others).tolist()
    [1.0, 0.5, 0.0]
    """
    corners = np.minimum(boxes[..., 2:], others[..., 2:]) - np.maximum(
        boxes[..., :2], others[..., :2]
    )
    sides = np.maximum(corners, 0)
    shared = sides[..., 0] * sides[..., 1]
    whole = np.broadcast_to(area(boxes), sides.shape[:-1])

    return np.asarray(
        np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0), np.float32
    )


def centres(boxes: Floats) -> Floats:
    """Centre points, shape (…, 2) as x, y."""
    return np.asarray((boxes[..., :2] + boxes[..., 2:]) / 2, np.float32)
