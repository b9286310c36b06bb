"""The models of one person, each watched by how well it predicted trials before they were made."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from attrsearch.core.recipes.objective import Objective
from attrsearch.core.recipes.study import Surrogate
from attrsearch.search.space import PersonSpace
from attrsearch.search.surrogate.correction import LinearCorrection
from attrsearch.search.surrogate.pooled import PooledModel
from attrsearch.search.surrogate.regressors import REGRESSORS, Regressor
from attrsearch.search.surrogate.targets import (
    TARGETS,
    PredictionError,
    objective_value_of,
    penalised_value,
)

Floats64 = npt.NDArray[np.float64]

PRIOR_TRIALS = 12
"""How many trials a model's standing before any trial weighs as much as."""
WINDOW = 48
"""Trials that a model is judged by: the latest."""
MIN_PREDICTION_STD = 0.01
MIN_RELATIVE_STD = 0.2
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
        self._pooled_predictions = np.zeros((0, len(TARGETS)))
        self._measured = np.zeros((0, len(TARGETS)))
        self._calibrated = self._start = LinearCorrection.fit(
            self._pooled_predictions, self._measured
        )
        self._local: dict[str, Regressor] = {}
        self._learnt = 0
        self._fixed: Floats64 | None = None
        self._scored: list[tuple[Floats64, Floats64]] = []

    def observe(self, points: Floats64, measured: Floats64) -> None:
        """Note what the models said of candidates that are now measured, then learn from them."""
        pooled_prediction = self._again(points)
        for name in self._names():
            predicted = self._predict(name, points, pooled_prediction)
            before = self._log.get(name, np.full((len(self._points), len(TARGETS)), np.nan))
            self._log[name] = np.concatenate([before, predicted])

        self._points = np.concatenate([self._points, points])
        self._pooled_predictions = np.concatenate([self._pooled_predictions, pooled_prediction])
        self._measured = np.concatenate([self._measured, measured])

        for name, log in self._log.items():
            missing = len(self._points) - len(log)
            # a model that did not predict these trials is not judged by them
            self._log[name] = np.concatenate([log, np.full((missing, len(TARGETS)), np.nan)])

        if self.pooled is not None:
            self._calibrated = LinearCorrection.fit(self._pooled_predictions, self._measured)

        self._learn()

    def choose(self) -> tuple[str, float, PredictionError] | None:
        """The model that ranks this person's trials best, its standing and its error.

        None below the gate.
        """
        rank_correlations = {name: self._rank_correlation(name) for name in self._names()}
        if not rank_correlations:
            return None

        best = max(rank_correlations, key=lambda name: rank_correlations[name])
        if rank_correlations[best] < self.recipe.gate:
            return None

        return best, rank_correlations[best], self._spread(best)

    def predict(self, name: str, points: Floats64, fixed: int = 0) -> Floats64:
        """Targets (n, 4) of points; the first ``fixed`` never change and are predicted once."""
        pooled_prediction = self._predict_pooled(points[fixed:])
        if fixed:
            if self._fixed is None or len(self._fixed) != fixed:
                self._fixed = self._predict_pooled(points[:fixed])

            pooled_prediction = np.concatenate([self._fixed, pooled_prediction])

        self._scored.append((points, pooled_prediction))
        return self._predict(name, points, pooled_prediction)

    def relative_std(self, name: str, points: Floats64) -> Floats64:
        """How little a model knows of points, (n,), beside how little it knew before."""
        if name == "pooled":
            return np.ones(len(points))
        return np.maximum(self._local[name].relative_std(self._scaled(points)), MIN_RELATIVE_STD)

    def _names(self) -> list[str]:
        return list(self._local) + (["pooled"] if self.pooled is not None else [])

    def _predict_pooled(self, points: Floats64) -> Floats64:
        if self.pooled is None or self.person is None or not len(points):
            return np.zeros((len(points), len(TARGETS)))
        return self.pooled.predict(self.space.attributes(points), self.person)

    def _again(self, points: Floats64) -> Floats64:
        """As :meth:`_predict_pooled`, but what was scored a moment ago is not scored again."""
        pooled_prediction = np.zeros((len(points), len(TARGETS)))
        new = np.ones(len(points), bool)

        for pool, scores in self._scored:
            same = (points[:, None] == pool[None]).all(2)
            known = same.any(1)
            pooled_prediction[known] = scores[same[known].argmax(1)]
            new &= ~known

        pooled_prediction[new] = self._predict_pooled(points[new])
        self._scored.clear()
        return pooled_prediction

    def _predict(self, name: str, points: Floats64, pooled_prediction: Floats64) -> Floats64:
        if name == "pooled":
            return self._calibrated.apply(pooled_prediction)

        start = self._start.apply(pooled_prediction) if name == "both" else None
        return self._local[name].predict(self._scaled(points), start)

    def _learn(self) -> None:
        """Fit the local models again when there is enough that is new."""
        count = len(self._points)
        if (
            not self.recipe.local
            or count < self.recipe.start
            or count < self._learnt + self.recipe.refit
        ):
            return

        self._learnt = count
        make = REGRESSORS[self.recipe.model]
        inputs = self._scaled(self._points)

        if self.pooled is None:
            self._local["local"] = make(self.seed).fit(inputs, self._measured)
            return

        self._start = self._calibrated
        self._local["both"] = make(self.seed).fit(
            inputs, self._measured, self._start.apply(self._pooled_predictions)
        )

    def _scaled(self, points: Floats64) -> Floats64:
        return (points - self.space.low) / (self.space.high - self.space.low)

    def _rank_correlation(self, name: str) -> float:
        """Rank correlation of predicted with measured, drawn towards what was known before."""
        log = self._log.get(name)
        prior = self.pooled.correlation if self.pooled is not None else 0.0
        if log is None:
            return prior if name != "local" else self.recipe.gate

        predicted = np.flatnonzero(np.isfinite(log[:, 0]))[-WINDOW:]
        if len(predicted) < 3:
            return prior if name != "local" else self.recipe.gate

        found = rank_correlation(
            penalised_value(self.objective, log[predicted]),
            penalised_value(self.objective, self._measured[predicted]),
        )
        prior_trials = PRIOR_TRIALS if name != "local" else 0
        return (prior_trials * prior + len(predicted) * found) / (prior_trials + len(predicted))

    def _spread(self, name: str) -> PredictionError:
        """How wrong the model was, drawn towards what was known before."""
        before = self.pooled.spread if self.pooled is not None else UNKNOWN
        log = self._log.get(name, np.zeros((0, len(TARGETS))))
        predicted = np.flatnonzero(np.isfinite(log[:, 0]))[-WINDOW:]
        margin = TARGETS.index("margin")
        wrong = objective_value_of(self.objective, log[predicted]) - objective_value_of(
            self.objective, self._measured[predicted]
        )
        missed = log[predicted, margin] - self._measured[predicted, margin]

        return PredictionError(_drawn(wrong, before.objective_value), _drawn(missed, before.margin))


def rank_correlation(first: Floats64, second: Floats64) -> float:
    """Spearman's, 0 where one of them is constant.

    >>> rank_correlation(np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.2, 0.3]))
    1.0
    """
    from scipy.stats import rankdata  # noqa: PLC0415 - slow to load, and seldom wanted

    a = rankdata(first)
    b = rankdata(second)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0

    # the last bits may differ from machine to machine, and a gate is compared with it
    return round(float(np.corrcoef(a, b)[0, 1]), 12)


def _drawn(errors: Floats64, before: float) -> float:
    """Standard deviation of errors from their quartiles, drawn towards an earlier one."""
    if not len(errors):
        return before

    # from the median, which a face that was lost does not move; 1.4826 makes it a normal's standard
    # deviation
    middle = float(np.median(np.abs(errors))) * 1.4826
    return max(
        MIN_PREDICTION_STD,
        float(
            np.sqrt(
                (PRIOR_TRIALS * before**2 + len(errors) * middle**2) / (PRIOR_TRIALS + len(errors))
            )
        ),
    )
