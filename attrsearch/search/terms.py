"""Terms: what is measured on every face of a person for every candidate.

A new term is one function here, one entry in ``TERMS``, one name in ``recipes.TermName`` and one
row of its test.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FaceScores:
    """Measurements of n candidates on f faces; every array is (n, f), float32.

    Attributes:
        detection: The detector's probability on the edited face, 0 where it is not found.
        iou: Overlap of the face boxes before and after the edit, 0 where it is not found.
        distance: Distance of the embeddings on the FaceNet scale, the least over the recognisers; 0
            where the face is not found.
        distance_raw: The same in the first recogniser's own scale.
        verification_margin: Distance above the verification threshold, the least over the
            recognisers, FaceNet scale.
        naturalness: What the critic makes of the edited face, 0 to 1; 1 where no critic was asked.
    """

    detection: Floats
    iou: Floats
    distance: Floats
    distance_raw: Floats
    verification_margin: Floats
    naturalness: Floats


TERMS: dict[str, Callable[[FaceScores], Floats]] = {
    "detection": lambda scores: scores.detection,
    "iou": lambda scores: scores.iou,
    "distance": lambda scores: scores.distance,
    "naturalness": lambda scores: scores.naturalness,
}
