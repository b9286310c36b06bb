"""Terms: what is measured on every face of a person for every candidate.

A new term is one function here, one entry in ``TERMS``, one name in ``recipes.base.TERM_NAMES`` and
one row of its test; or a plug-in, whose package names its function (:class:`Term`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from attrsearch.core.plugins import broken, loaded, unknown

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

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Candidates of several measurements of the same faces, one after another."""
        tables = []
        for item in fields(cls):
            tables.append(np.concatenate([getattr(part, item.name) for part in parts]))

        return cls(*tables)

    def beside(self, other: Self) -> Self:
        """The same candidates on these faces and on those of ``other``, in this order."""
        tables = []
        for item in fields(self):
            both = getattr(self, item.name), getattr(other, item.name)
            tables.append(np.concatenate(both, 1))

        return type(self)(*tables)


class Term(Protocol):
    """A term: what a recipe maximises or limits, of what was measured."""

    def __call__(self, scores: FaceScores) -> Floats:
        """Values (n, f), finite, greater where a candidate is better on a face."""
        ...


TERMS: dict[str, Callable[[FaceScores], Floats]] = {
    "detection": lambda scores: scores.detection,
    "iou": lambda scores: scores.iou,
    "distance": lambda scores: scores.distance,
    "naturalness": lambda scores: scores.naturalness,
}


def term_values(name: str, scores: FaceScores) -> npt.NDArray[np.float64]:
    """A term's values (n, f), by its name.

    Raises:
        UnavailableError: Neither built in nor a plug-in, or a plug-in that gives something else.
    """
    if name in TERMS:
        return TERMS[name](scores).astype(np.float64)

    term = loaded("term", name)
    if term is None:
        raise unknown("term", name, list(TERMS))

    values = np.asarray(term(scores), np.float64)
    if values.shape != scores.detection.shape or not np.isfinite(values).all():
        required = f"finite values {scores.detection.shape} from its function"
        found = f"{values.shape}" if np.isfinite(values).all() else "values that are not finite"
        raise broken("term", name, required, found)

    return values
