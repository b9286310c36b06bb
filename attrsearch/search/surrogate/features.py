"""What is known of a person before any edit, as numbers a pooled model can learn from.

Nothing of it is kept in a run: it is computed from the pictures whenever it is wanted.
"""

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.faces.attribute_classifier import Traits
from attrsearch.faces.dataset import AlignedFace
from attrsearch.search.evaluator import Subject

Floats64 = npt.NDArray[np.float64]

PLAIN = (
    "male",
    *(f"has_{name}" for name in ATTRIBUTES),
    "yaw",
    "pitch",
    "roll",
    "sharpness",
    "size",
    "detection",
)
"""What comes before the embedding in :func:`describe`."""


def describe(traits: Traits, faces: tuple[AlignedFace, ...], subject: Subject) -> Floats64:
    """Features of a person, means over the searched faces.

    Args:
        traits: Gender and existing attributes.
        faces: The searched faces, as the subject holds them.
        subject: The same, measured.

    Returns:
        (20 + d,): ``PLAIN``, then the first recogniser's embedding.
    """
    turn = pose(subject.landmarks).mean(0)
    sharpness = np.mean([_sharpness(face) for face in faces])
    # twice the size is one step, whether of a small face or of a large one
    size = np.mean([np.log(face.size) for face in faces])
    embedding = next(iter(subject.embeddings.values())).mean(0)
    plain = [
        traits.gender == "male",
        *traits.probabilities,
        *turn,
        sharpness,
        size,
        subject.detection.mean(),
    ]

    return np.concatenate([np.asarray(plain, np.float64), embedding.astype(np.float64)])


def pose(landmarks: npt.NDArray[np.float32]) -> Floats64:
    """Turn of faces from five landmarks: yaw and pitch as ratios of distances, roll in radians.

    Args:
        landmarks: (n, 5, 2): eyes, nose, corners of the mouth, x to the right and y down.

    Returns:
        (n, 3): yaw is 0 where the nose is midway between the eyes, pitch the nose's place from eyes
        (0) to mouth (1).

    >>> pose(np.array([[[0, 0], [2, 0], [1, 1], [0, 2], [2, 2]]], np.float32)).round(2)
    array([[0. , 0.5, 0. ]])
    """
    points = landmarks.astype(np.float64)
    eyes = points[:, :2].mean(1)
    mouth = points[:, 3:].mean(1)
    across = points[:, 1] - points[:, 0]
    # eyes on one point, as of a full profile, divide by nothing
    width = np.maximum(np.linalg.norm(across, axis=1), 1e-3)
    down = mouth - eyes
    height = np.maximum((down**2).sum(1), 1e-3)
    nose = points[:, 2] - eyes
    yaw = (nose * across).sum(1) / width**2

    return np.stack([yaw, (nose * down).sum(1) / height, np.arctan2(across[:, 1], across[:, 0])], 1)


def _sharpness(face: AlignedFace) -> float:
    """Logarithm of the variance of the crop's Laplacian."""
    grey = cv2.cvtColor(face.crop, cv2.COLOR_RGB2GRAY)
    return float(np.log1p(cv2.Laplacian(grey, cv2.CV_64F).var()))
