"""Screening: score a pool of candidates, propose the best, and audit the scores.

Three models are at hand: the pooled one fitted to the person, a local one learnt from the person's
own trials, and the local one as a correction of the pooled one.  The one whose earlier predictions
rank the person's trials best proposes; where none ranks them well enough nothing is screened and
the sampler goes on alone.
"""

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from attrsearch.core.recipes.objective import Objective
from attrsearch.core.recipes.study import Surrogate
from attrsearch.search.objective import CandidateResults
from attrsearch.search.space import PersonSpace
from attrsearch.search.surrogate.candidates import inside, moved_points, spread_points
from attrsearch.search.surrogate.ensemble import PersonModels
from attrsearch.search.surrogate.pooled import PooledModel
from attrsearch.search.surrogate.targets import (
    TARGETS,
    PredictionError,
    expected_improvement,
    objective_value_of,
    penalised_value,
    targets_of,
)

Floats64 = npt.NDArray[np.float64]
Source = Literal["sampler", "portfolio", "surrogate", "audit"]

INCUMBENTS = 6
ROUNDS = 1
NEAR = 256
APART = 0.25
"""Candidates of a round differ by at least this much (root mean square, as a share of the bounds'
width).
"""


@dataclass(frozen=True)
class Proposal:
    """A candidate, where it comes from, and what was predicted of it.

    Attributes:
        point: (d,); None where the sampler is to be asked.
        evaluated: Whether it is to be measured; what was screened out is not.
        utility: Predicted detection x IoU x distance; NaN where nothing was predicted, as are the
            next two.
        distance: Predicted distance.
        feasible: Predicted probability of meeting the constraints.
        correlation: Rank correlation of the model so far; NaN without one.
    """

    source: Source
    point: Floats64 | None = None
    evaluated: bool = True
    utility: float = np.nan
    distance: float = np.nan
    feasible: float = np.nan
    correlation: float = np.nan


@dataclass
class Screener:
    """Proposes for one person.

    Attributes:
        screened_out: How many candidates were scored and not proposed so far.
        expected_improvement: Expected gain of the best candidate of the last pool; infinite before
            the first.
        seconds: Time spent here so far.
    """

    recipe: Surrogate
    space: PersonSpace
    objective: Objective
    seed: int
    pooled: PooledModel | None = None
    portfolio: Floats64 | None = None
    person: Floats64 | None = None
    screened_out: int = 0
    expected_improvement: float = np.inf
    seconds: float = 0.0

    def __post_init__(self) -> None:
        # a stream of its own: the sampler draws from the same seed
        self._random = np.random.default_rng([self.seed, 17])
        self._points = np.zeros((0, len(self.space.names)))
        self._measured = np.zeros((0, len(TARGETS)))
        self._models = PersonModels(
            self.recipe, self.space, self.objective, self.seed, self.pooled, self.person
        )
        known = np.zeros((0, len(self.space.names))) if self.portfolio is None else self.portfolio
        self._waiting = list(known[: self.recipe.portfolio])
        # the same pool for the whole search, whose pooled predictions are made once
        self._pool = np.concatenate([known, spread_points(self.space, self.recipe.pool, self.seed)])

    def propose(self, count: int) -> list[Proposal]:
        """The next ``count`` evaluations, in order, with a sample of what was screened out.

        A proposal without a point is the sampler's to make.
        """
        start = time.perf_counter()
        proposals = [Proposal("portfolio", point) for point in self._waiting[:count]]
        self._waiting = self._waiting[count:]
        left = count - len(proposals)

        if left and self.recipe.share:
            proposals += self._screen(left)

        proposals += [Proposal("sampler")] * (count - sum(item.evaluated for item in proposals))
        self.seconds += time.perf_counter() - start
        return proposals

    def observe(self, points: Floats64, results: CandidateResults) -> None:
        """Learn from measured candidates, (n, d)."""
        start = time.perf_counter()
        measured = targets_of(results)
        self._models.observe(points, measured)
        self._points = np.concatenate([self._points, points])
        self._measured = np.concatenate([self._measured, measured])
        self.seconds += time.perf_counter() - start

    def _screen(self, count: int) -> list[Proposal]:
        chosen = self._models.choose()
        # no model ranks well enough: without a prediction there is no reason to stop early, either
        if chosen is None:
            self.expected_improvement = np.inf
            return []

        name, correlation, spread = chosen
        pool = np.concatenate([self._pool, self._moved()]) if len(self._points) else self._pool
        predicted, improvements = self._score(name, spread, pool, fixed=len(self._pool))

        # around the most promising ones there may be better ones
        for _ in range(ROUNDS):
            near = moved_points(
                self.space, pool[np.argsort(-improvements)[:INCUMBENTS]], NEAR, self._random
            )
            pool = np.concatenate([pool, near])
            more, gained = self._score(name, spread, near)
            predicted = np.concatenate([predicted, more])
            improvements = np.concatenate([improvements, gained])

        self.expected_improvement = float(improvements.max())
        kinds = [self._kind() for _ in range(count)]
        picked = self._pick(pool, improvements, kinds.count("surrogate"))
        left = np.setdiff1d(np.arange(len(pool)), picked)
        self.screened_out += len(left) - kinds.count("audit")
        shuffled = self._random.permutation(left)
        drawn = shuffled[: kinds.count("audit") + kinds.count("surrogate")].tolist()
        proposals = []

        for kind in kinds:
            if kind == "sampler":
                proposals.append(Proposal("sampler"))
                continue

            index = picked.pop(0) if kind == "surrogate" else drawn.pop(0)
            proposals.append(_proposal(kind, pool[index], predicted[index], spread, correlation))

        # as many again of those screened out are kept on record, drawn at random
        kept = []
        for i in drawn:
            kept.append(
                _proposal("surrogate", pool[i], predicted[i], spread, correlation, evaluated=False)
            )

        return proposals + kept

    def _score(
        self, name: str, spread: PredictionError, pool: Floats64, fixed: int = 0
    ) -> tuple[Floats64, Floats64]:
        """Predicted targets (n, 4) and expected gains (n,) of a pool."""
        predicted = self._models.predict(name, pool, fixed)
        relative_std = self._models.relative_std(name, pool)
        best = self._best()
        gains = expected_improvement(self.objective, predicted, spread, best, relative_std)
        return predicted, gains

    def _kind(self) -> Source:
        draw = self._random.random()
        if draw >= self.recipe.share:
            return "sampler"
        return "audit" if draw < self.recipe.audit else "surrogate"

    def _moved(self) -> Floats64:
        order = np.argsort(-penalised_value(self.objective, self._measured), kind="stable")[
            :INCUMBENTS
        ]
        return moved_points(self.space, self._points[order], self.recipe.pool // 2, self._random)

    def _best(self) -> float:
        """Merit of the best feasible trial, 0 where there is none."""
        feasible = self._measured[:, TARGETS.index("margin")] >= 0
        return float(objective_value_of(self.objective, self._measured[feasible]).max(initial=0.0))

    def _pick(self, pool: Floats64, improvements: Floats64, count: int) -> list[int]:
        """The best candidates that differ from one another and from what was measured."""
        # in shares of the bounds: an attribute with wide ones would decide alone
        width = self.space.high - self.space.low
        taken = self._points / width
        free = improvements.copy()
        near = _distance(pool / width, taken) if len(taken) else np.full(len(pool), np.inf)
        # what was measured already would teach nothing
        free[near < 1e-3] = -np.inf
        picked: list[int] = []

        while len(picked) < count:
            best = int(free.argmax())
            picked.append(best)
            near = _distance(pool / width, pool[best : best + 1] / width)
            # candidates of one round are measured together: two alike would be one for nothing
            free[near < APART * (len(picked) < count)] = -np.inf
            free[best] = -np.inf

        return picked


def _distance(pool: Floats64, others: Floats64) -> Floats64:
    """Root mean square distance to the nearest of the others."""
    # by a product of matrices: the differences themselves are many times as many numbers
    squares = (pool**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2 * pool @ others.T
    # rounding makes squares of nearly equal points negative
    return np.asarray(np.sqrt(np.maximum(squares.min(1), 0) / pool.shape[1]))


def _proposal(
    kind: Source,
    point: Floats64,
    predicted: Floats64,
    spread: PredictionError,
    correlation: float,
    evaluated: bool = True,
) -> Proposal:
    detection, iou, distance, margin = predicted
    return Proposal(
        kind,
        point,
        evaluated,
        utility=float(detection * iou * distance),
        distance=float(distance),
        feasible=float(ndtr(margin / spread.margin)),
        correlation=correlation,
    )


def portfolio_points(space: PersonSpace, pooled: PooledModel | None, gender: str) -> Floats64:
    """Sets that worked for other people as points of the person's space, (k, d).

    None without a pooled model.
    """
    if pooled is None:
        return np.zeros((0, len(space.names)))
    return inside(space, pooled.sets[gender])  # type: ignore[index]
