"""What a person's ten batches give, and what all people's batches come to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.experiments.context import EditedPerson
from attrsearch.experiments.edits import Edits

Flags = npt.NDArray[np.bool_]
Floats64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Batches:
    """One person's ten batches; a batch is one attribute set on all of the pictures.

    Attributes:
        probe: The person.
        edits: (batches, pictures).
        hits: Judge, or ``either``, to (batches, pictures): identified.
        sure: The same by either, where only matches that would verify count.
        chance: How often a picture is taken for a given other person.
    """

    probe: EditedPerson
    edits: Edits
    hits: dict[str, Flags]
    sure: Flags
    chance: float

    @property
    def anonymised(self) -> Floats64:
        """Share of each batch (n,) that neither judge identifies."""
        return self.hidden_from("either")

    def hidden_from(self, judge: str) -> Floats64:
        """Share of each batch (n,) that a judge does not identify."""
        return np.asarray(1 - self.hits[judge].mean(1), np.float64)

    @property
    def distance(self) -> Floats64:
        """Mean distance of each batch (n,)."""
        return self.edits.mean_distance.astype(np.float64)


@dataclass(frozen=True)
class Totals:
    """What all people's batches come to.

    Attributes:
        pictures: Edited.
        hits: How many of them each judge, and either, identified.
        recall: Share in which the face is found.
        distance: Mean of the batches' mean distances.
        highest: The greatest of them.
        sure: How many of them either judge identified and would verify.
        chance: How often a picture is taken for a given other person.
        repeats: In how many batches the picture identified most often was identified.
    """

    pictures: int
    hits: dict[str, int]
    recall: float
    distance: float
    highest: float
    sure: int
    chance: float
    repeats: int

    @classmethod
    def of(cls, runs: Sequence[Batches]) -> "Totals":
        """Of the batches of several people."""
        hits: dict[str, int] = dict.fromkeys(runs[0].hits, 0)
        pictures = 0
        sure = 0
        repeats = 0

        for one in runs:
            for name, flags in one.hits.items():
                hits[name] += int(flags.sum())

            either = one.hits["either"]
            pictures += either.size
            sure += int(one.sure.sum())
            repeats = max(repeats, int(either.sum(0).max()))

        found = np.concatenate([one.edits.found.ravel() for one in runs])
        distance = np.concatenate([one.edits.mean_distance for one in runs])
        return cls(
            pictures=pictures,
            hits=hits,
            recall=float(found.mean()),
            distance=float(np.nanmean(distance)),
            highest=float(np.nanmax(distance)),
            sure=sure,
            chance=float(np.mean([one.chance for one in runs])),
            repeats=repeats,
        )
