"""The models of one person, each watched by how well it predicted the person's trials before they were measured."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from attrsearch.core.recipes.objective import Objective
from attrsearch.core.recipes.study import Surrogate
from attrsearch.search.space import PersonSpace
from attrsearch.search.surrogate.correction import LinearCorrection
from attrsearch.search.surrogate.pooled import PooledModel
from attrsearch.search.surrogate.regressors import REGRESSORS, Regressor
from attrsearch.search.surrogate.targets import TARGETS, PredictionError, merit_of, worth

Floats64 = npt.NDArray[np.float64]

BELIEF = 12
"""How many trials a model's standing before any trial weighs as much as."""
WINDOW = 48
"""Trials that a model is judged by: the latest."""
LEAST_SPREAD = 0.01
LEAST_DOUBT = 0.2
UNKNOWN = PredictionError(0.08, 0.08)
"""How wrong a local model is believed to be before it has predicted anything."""


@dataclass
class PersonModels:
    """Pooled, local, and local on top of pooled, for one person.

    Attributes:
        recipe: How much is learnt, and from when on.
        space: Whose points are predicted.
        objective: Composes what is ranked.
        seed: Of the local models.
        pooled: None where there is none for this setting.
        person: The person's features; needed with a pooled model.
    """

    recipe: Surrogate
    space: PersonSpace
    objective: Objective
    seed: int
    pooled: PooledModel | None
    person: Floats64 | None
    _log: dict[str, Floats64] = field(default_factory=dict)

    def __post_init__(self) -> None:
        width = len(self.space.names)
        self._points = np.zeros((0, width))
        self._typical = np.zeros((0, len(TARGETS)))
        self._measured = np.zeros((0, len(TARGETS)))
        self._calibrated = self._start = LinearCorrection.fit(self._typical, self._measured)
        self._local: dict[str, Regressor] = {}
        self._learnt = 0
        self._fixed: Floats64 | None = None
        self._scored: list[tuple[Floats64, Floats64]] = []

    def observe(self, points: Floats64, measured: Floats64) -> None:
        """Note what the models said of candidates that are now measured, then learn from them."""
        typical = self._again(points)
        for name in self._names():
            said = self._predict(name, points, typical)
            before = self._log.get(name, np.full((len(self._points), len(TARGETS)), np.nan))
            self._log[name] = np.concatenate([before, said])
        self._points = np.concatenate([self._points, points])
        self._typical = np.concatenate([self._typical, typical])
        self._measured = np.concatenate([self._measured, measured])
        for name, log in self._log.items():
            missing = len(self._points) - len(log)
            self._log[name] = np.concatenate([log, np.full((missing, len(TARGETS)), np.nan)])
        if self.pooled is not None:
            self._calibrated = LinearCorrection.fit(self._typical, self._measured)
        self._learn()

    def choose(self) -> tuple[str, float, PredictionError] | None:
        """The model that ranks this person's trials best, its standing and its error; None below the gate."""
        standings = {name: self._standing(name) for name in self._names()}
        if not standings:
            return None
        best = max(standings, key=lambda name: standings[name])
        if standings[best] < self.recipe.gate:
            return None
        return best, standings[best], self._spread(best)

    def predict(self, name: str, points: Floats64, fixed: int = 0) -> Floats64:
        """Targets (n, 4) of points; the first ``fixed`` are the same at every call and predicted once."""
        typical = self._typically(points[fixed:])
        if fixed:
            if self._fixed is None or len(self._fixed) != fixed:
                self._fixed = self._typically(points[:fixed])
            typical = np.concatenate([self._fixed, typical])
        self._scored.append((points, typical))
        return self._predict(name, points, typical)

    def doubt(self, name: str, points: Floats64) -> Floats64:
        """How little a model knows of points, (n,), beside how little it knew before."""
        if name == "pooled":
            return np.ones(len(points))
        return np.maximum(self._local[name].doubt(self._scaled(points)), LEAST_DOUBT)

    def _names(self) -> list[str]:
        return list(self._local) + (["pooled"] if self.pooled is not None else [])

    def _typically(self, points: Floats64) -> Floats64:
        if self.pooled is None or self.person is None or not len(points):
            return np.zeros((len(points), len(TARGETS)))
        return self.pooled.predict(self.space.attributes(points), self.person)

    def _again(self, points: Floats64) -> Floats64:
        """As :meth:`_typically`, but what was scored since the last candidates is not scored again."""
        typical = np.zeros((len(points), len(TARGETS)))
        new = np.ones(len(points), bool)
        for pool, scores in self._scored:
            same = (points[:, None] == pool[None]).all(2)
            known = same.any(1)
            typical[known] = scores[same[known].argmax(1)]
            new &= ~known
        typical[new] = self._typically(points[new])
        self._scored.clear()
        return typical

    def _predict(self, name: str, points: Floats64, typical: Floats64) -> Floats64:
        if name == "pooled":
            return self._calibrated.apply(typical)
        start = self._start.apply(typical) if name == "both" else None
        return self._local[name].predict(self._scaled(points), start)

    def _learn(self) -> None:
        """Fit the local models again when there is enough that is new."""
        count = len(self._points)
        if not self.recipe.local or count < self.recipe.start or count < self._learnt + self.recipe.refit:
            return
        self._learnt = count
        make = REGRESSORS[self.recipe.model]
        inputs = self._scaled(self._points)
        if self.pooled is None:
            self._local["local"] = make(self.seed).fit(inputs, self._measured)
            return
        self._start = self._calibrated
        self._local["both"] = make(self.seed).fit(inputs, self._measured, self._start.apply(self._typical))

    def _scaled(self, points: Floats64) -> Floats64:
        return (points - self.space.low) / (self.space.high - self.space.low)

    def _standing(self, name: str) -> float:
        """Rank correlation of what was said with what was measured, drawn towards what was known before."""
        log = self._log.get(name)
        prior = self.pooled.correlation if self.pooled is not None else 0.0
        if log is None:
            return prior if name != "local" else self.recipe.gate
        said = np.flatnonzero(np.isfinite(log[:, 0]))[-WINDOW:]
        if len(said) < 3:
            return prior if name != "local" else self.recipe.gate
        found = rank_correlation(worth(self.objective, log[said]), worth(self.objective, self._measured[said]))
        belief = BELIEF if name != "local" else 0
        return (belief * prior + len(said) * found) / (belief + len(said))

    def _spread(self, name: str) -> PredictionError:
        """How wrong the model was, drawn towards what was known before."""
        before = self.pooled.spread if self.pooled is not None else UNKNOWN
        log = self._log.get(name, np.zeros((0, len(TARGETS))))
        said = np.flatnonzero(np.isfinite(log[:, 0]))[-WINDOW:]
        margin = TARGETS.index("margin")
        wrong = merit_of(self.objective, log[said]) - merit_of(self.objective, self._measured[said])
        missed = log[said, margin] - self._measured[said, margin]
        return PredictionError(_drawn(wrong, before.merit), _drawn(missed, before.margin))


def rank_correlation(first: Floats64, second: Floats64) -> float:
    """Spearman's, 0 where one of them is constant.

    >>> rank_correlation(np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.2, 0.3]))
    1.0
    """
    a, b = rankdata(first), rankdata(second)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return round(float(np.corrcoef(a, b)[0, 1]), 12)


def _drawn(errors: Floats64, before: float) -> float:
    """Standard deviation of errors, robustly (from their quartiles), drawn towards an earlier one."""
    if not len(errors):
        return before
    middle = float(np.median(np.abs(errors))) * 1.4826
    return max(
        LEAST_SPREAD, float(np.sqrt((BELIEF * before**2 + len(errors) * middle**2) / (BELIEF + len(errors))))
    )
