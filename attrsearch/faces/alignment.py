"""Alignment: the similarity transform that takes a face's five landmarks to a template.

Coordinates are pixels, x right and y down, the centre of the top-left pixel at (0, 0) (OpenCV's
convention). A transform is a matrix (2, 3): ``target = matrix @ (x, y, 1)``.  Landmarks are left
eye, right eye, nose, left and right mouth corner, as seen in the picture.
"""

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

CROP_SIZE = 128
CROP_TEMPLATE = np.array(
    [[49.3, 65.9], [78.5, 65.9], [63.9, 84.3], [51.5, 96.5], [76.3, 96.4]], np.float32
)
"""CelebA's usual AttGAN crop: where the landmarks lie in a picture of 128 x 128."""

TIGHT_TEMPLATE = ((CROP_TEMPLATE - np.array([64, 76.5])) * 1.37 + 64).astype(np.float32)
"""The restoring editor's crop: eyes 40 pixels apart in 128 x 128, the face fills it."""

SFACE_SIZE = 112
SFACE_TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    np.float32,
)
"""The usual template of ArcFace and SFace, 112 x 112."""

WINDOW_SIZE = 192
WINDOW_SCALE = 1.25
"""A window shows a face as it stands in the picture: upright pixels, 1.25 times the size it has in
the crop.
"""


def similarity(landmarks: Floats, template: Floats) -> Floats:
    """Least-squares similarity transforms (rotation, scale, shift) from landmarks to a template.

    Args:
        landmarks: (n, 5, 2), pixels.
        template: (5, 2), pixels.

    Returns:
        Matrices (n, 2, 3); landmarks that all fall on one point give a matrix of scale 0.

    >>> half = similarity(CROP_TEMPLATE[None] * 2, CROP_TEMPLATE)[0]
    >>> bool(np.allclose(half, [[0.5, 0, 0], [0, 0.5, 0]], atol=1e-5))
    True
    """
    # as complex numbers, a rotation with a scale is one factor, and least squares a quotient
    points = landmarks.astype(np.float64)
    source = points[..., 0] + 1j * points[..., 1]
    target = template[:, 0].astype(np.float64) + 1j * template[:, 1]
    source_mean = source.mean(-1, keepdims=True)
    target_mean = target.mean()
    centred = source - source_mean
    spread = (np.abs(centred) ** 2).sum(-1)
    turn = (centred.conj() * (target - target_mean)).sum(-1) / np.where(spread > 0, spread, np.inf)
    shift = target_mean - turn * source_mean[..., 0]
    rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]

    return np.asarray(np.moveaxis(np.array(rows), (0, 1), (-2, -1)), np.float32)


def invert(matrix: Floats) -> Floats:
    """The inverse of one transform (2, 3)."""
    return np.asarray(cv2.invertAffineTransform(matrix), np.float32)


def compose(second: Floats, first: Floats) -> Floats:
    """The transform that applies ``first``, then ``second``.

    >>> double, shift = np.float32([[2, 0, 0], [0, 2, 0]]), np.float32([[1, 0, 3], [0, 1, 4]])
    >>> compose(shift, double).tolist()
    [[2.0, 0.0, 3.0], [0.0, 2.0, 4.0]]
    """
    square = np.vstack([first, np.array([[0, 0, 1]], np.float32)])
    return np.asarray(second @ square, np.float32)


def zoom(size: int) -> Floats:
    """The transform from a crop of 128 pixels to the same crop drawn with ``size`` pixels.

    >>> zoom(256).tolist()
    [[2.0, 0.0, 0.5], [0.0, 2.0, 0.5]]
    """
    ratio = size / CROP_SIZE
    shift = (ratio - 1) / 2
    return np.array([[ratio, 0, shift], [0, ratio, shift]], np.float32)


def transform(matrix: Floats, points: Floats) -> Floats:
    """Apply a transform (2, 3) to points (…, 2)."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def scale_of(matrix: Floats) -> float:
    """How many target pixels one source pixel becomes.

    >>> scale_of(np.float32([[0, 2, 0], [-2, 0, 0]]))
    2.0
    """
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def warp(picture: Picture, matrix: Floats, size: int) -> Picture:
    """Resample a picture (h, w, 3) through a transform into a square (size, size, 3).

    Strong reductions are averaged, not skipped, and what lies outside the picture repeats its
    border.
    """
    scale = scale_of(matrix)

    # bilinear sampling sees four pixels: below a half it would skip some
    if scale < 0.5:
        inside = invert(matrix)
        corners = transform(
            inside, np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float32)
        )
        low = np.floor(np.maximum(corners.min(0) - 2 / scale, 0)).astype(int)
        high = np.ceil(np.minimum(corners.max(0) + 2 / scale, picture.shape[1::-1])).astype(int)

        if (high > low).all():
            part = picture[low[1] : high[1], low[0] : high[0]]
            sides = np.maximum(1, np.round((high - low) * scale)).astype(int)
            ratio = (high - low) / sides
            picture = np.asarray(
                cv2.resize(part, (int(sides[0]), int(sides[1])), interpolation=cv2.INTER_AREA)
            )
            # reduced pixel u is centred on low + (u + 0.5) * ratio - 0.5
            up = np.array(
                [
                    [ratio[0], 0, low[0] + ratio[0] / 2 - 0.5],
                    [0, ratio[1], low[1] + ratio[1] / 2 - 0.5],
                ]
            )
            matrix = compose(matrix, up.astype(np.float32))

    # the border is repeated: black corners would be edges to a network
    warped = cv2.warpAffine(
        picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8)


def window_transform(crop_matrix: Floats) -> Floats:
    """The transform from picture to window for a face aligned by ``crop_matrix`` (picture to crop).

    The window is the same square around the face without the rotation: uniform scale and shift
    only.
    """
    scale = scale_of(crop_matrix) * WINDOW_SCALE
    # pixels are counted at their middles
    middle = (CROP_SIZE - 1) / 2
    centre = transform(invert(crop_matrix), np.array([[middle, middle]], np.float32))[0]
    shift = (WINDOW_SIZE - 1) / 2 - scale * centre

    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
