"""Made-up people whose edits are worth something smooth.

For what the search decides, without pictures.
"""

from dataclasses import dataclass

import numpy as np

from attrsearch.core.attributes import ATTRIBUTES, Gender
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.search.objective import CandidateResults, aggregate
from attrsearch.search.space import PersonSpace, person_space
from attrsearch.search.surrogate.candidates import spread_points
from attrsearch.search.surrogate.features import PLAIN
from attrsearch.search.surrogate.fit_pooled import PersonTrials
from attrsearch.search.surrogate.targets import targets_of
from attrsearch.search.terms import FaceScores

OBJECTIVE = load_objective("utility_product")
BOUND = {
    "editor": "e",
    "space": "s",
    "recogniser": "r",
    "detector": "d",
    "constraints": "c",
    "edit": "x",
}
EMBEDDING = 16


@dataclass(frozen=True)
class Landscape:
    """One person: the distance rises towards a corner of their own that is near everyone else's."""

    gender: Gender
    corner: np.ndarray
    base: float
    person: np.ndarray

    @classmethod
    def draw(cls, number: int) -> "Landscape":
        generator = np.random.default_rng([number, 3])
        gender: Gender = "male" if number % 2 else "female"
        corner = np.full(len(ATTRIBUTES), 0.6) + generator.normal(0, 0.15, len(ATTRIBUTES))
        person = np.concatenate(
            [[gender == "male"], generator.normal(0, 1, len(PLAIN) - 1 + EMBEDDING)]
        )
        return cls(gender, corner, float(generator.normal(1.46, 0.01)), person)

    @property
    def space(self) -> PersonSpace:
        return person_space(load_space("thesis10"), self.gender)

    def judge(self, attributes: np.ndarray) -> CandidateResults:
        """What candidates (n, passes, 13) are worth."""
        off = np.square(np.abs(attributes[:, 0]) - self.corner).mean(1)[:, None]
        strength = np.abs(attributes[:, 0]).mean(1)[:, None]
        distance = (self.base - 0.55 * off).astype(np.float32)
        ones = np.ones_like(distance)
        iou = (0.97 - 0.1 * strength).astype(np.float32)
        return aggregate(
            OBJECTIVE, FaceScores(ones, iou, distance, distance / 1.05, distance - 1.17, ones)
        )

    def lesson(self, count: int = 64) -> PersonTrials:
        attributes = self.space.attributes(spread_points(self.space, count, int(self.base * 1e6)))
        return PersonTrials(
            self.gender, self.person, attributes, targets_of(self.judge(attributes))
        )
