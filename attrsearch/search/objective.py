"""Judge measured candidates as an objective recipe says: values to maximise, constraints to hold.

Source: thesis 4.3.3 (utility = detection probability x IoU x distance).
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from attrsearch.core.picking import take
from attrsearch.core.plugins import broken, loaded, unknown
from attrsearch.core.recipes.base import REDUCTIONS
from attrsearch.core.recipes.objective import Aggregation, Constraint, Objective
from attrsearch.search.terms import TERMS, FaceScores, term_values

Floats64 = npt.NDArray[np.float64]
STRICT = 1e-9
"""A limit must be passed, not met: Optuna counts a violation of 0 as feasible."""


@dataclass(frozen=True)
class CandidateResults:
    """What n candidates are worth; arrays (n,) unless said otherwise.

    Attributes:
        values: (n, goals), to be maximised.
        violations: (n, constraints), feasible at 0 or below.
        detection: Mean over the faces.
        iou: Mean over the faces.
        distance: Mean over the faces, FaceNet scale.
        distance_raw: Mean over the faces, the recogniser's own scale.
        worst_distance: The least over the faces, FaceNet scale.
    """

    values: Floats64
    violations: Floats64
    detection: Floats64
    iou: Floats64
    distance: Floats64
    distance_raw: Floats64
    worst_distance: Floats64

    @property
    def feasible(self) -> npt.NDArray[np.bool_]:
        """Whether every constraint holds: what *anonymised* means."""
        return np.asarray((self.violations <= 0).all(1))

    @property
    def utility(self) -> Floats64:
        """The thesis's product of the three means."""
        return np.asarray(self.detection * self.iou * self.distance)

    @property
    def objective_value(self) -> Floats64:
        """One number to rank candidates by: the value, or the product of several."""
        return np.asarray(self.values.prod(1))

    @classmethod
    def join(cls, parts: list[Self]) -> Self:
        """Candidates of several judgements, one after another."""
        columns = {}
        for field in fields(cls):
            columns[field.name] = np.concatenate([getattr(part, field.name) for part in parts])

        return cls(**columns)

    def last(self, count: int) -> Self:
        """The last ``count`` candidates."""
        parts = {f.name: getattr(self, f.name)[-count:] for f in fields(self)}
        return type(self)(**parts)

    def best(self) -> int:
        """Index of the winner: the best feasible candidate, else the least infeasible."""
        feasible = self.feasible
        if feasible.any():
            # the first of several that are as good: the same each time
            return int(np.where(feasible, self.objective_value, -np.inf).argmax())

        excess = np.maximum(self.violations, 0).sum(1)
        return int(excess.argmin())

    def tied(self, within: float) -> list[int]:
        """Indices of the feasible candidates about as good as the best of them, the best first.

        Args:
            within: As good is whoever misses the best value by at most this share of it.
        """
        if not self.feasible.any():
            return []

        best = self.objective_value[self.best()]
        near = self.feasible & (self.objective_value >= best - within * abs(best))
        return [int(i) for i in self.order() if near[i]]

    def order(self) -> npt.NDArray[np.int64]:
        """Indices from best to worst.

        Feasible ones by merit, then the others by how little they miss.
        """
        excess = np.maximum(self.violations, 0).sum(1)
        # lexsort takes the last key first
        return np.lexsort((-self.objective_value, np.where(self.feasible, 0.0, excess)))


def aggregate(objective: Objective, scores: FaceScores) -> CandidateResults:
    """Aggregate measurements over a person's faces and apply the recipe."""
    terms: dict[str, Floats64] = {}
    whole: dict[str, Floats64] = {}

    for name in dict.fromkeys((*TERMS, *objective.maximised)):
        terms[name] = term_values(name, scores)
        whole[name] = _aggregate(terms[name], objective.terms.get(name, Aggregation()))

    values = []
    for goal in objective.maximise:
        factors = take(whole, goal.product)
        values.append(np.prod(factors, axis=0))

    violations = [_violation(constraint, scores) for constraint in objective.constraints]
    count = len(scores.detection)
    return CandidateResults(
        values=np.stack(values, 1),
        violations=np.stack(violations, 1) if violations else np.zeros((count, 0)),
        detection=terms["detection"].mean(1),
        iou=terms["iou"].mean(1),
        distance=terms["distance"].mean(1),
        distance_raw=scores.distance_raw.astype(np.float64).mean(1),
        worst_distance=terms["distance"].min(1),
    )


def _aggregate(values: Floats64, how: Aggregation) -> Floats64:
    if how.aggregate == "quantile":
        whole = np.quantile(values, how.quantile or 0.0, axis=1)
    else:
        whole = reduce_faces(values, how.aggregate)

    return np.asarray(whole if how.cap is None else np.minimum(whole, how.cap))


def _violation(constraint: Constraint, scores: FaceScores) -> Floats64:
    if constraint.above == "verification":
        measured = scores.verification_margin.astype(np.float64)
        limit = 0.0
    else:
        measured = term_values(constraint.term, scores)
        limit = float(constraint.above)

    # Optuna's sign: above 0 is violated
    return np.asarray(limit - reduce_faces(measured, constraint.aggregate) + STRICT)


def reduce_faces(values: Floats64, how: str) -> Floats64:
    """One number of a term's values (n, f) for each candidate, (n,).

    Args:
        values: Of each face.
        how: ``mean``, ``min``, or a plug-in's name.

    Raises:
        UnavailableError: No such plug-in, or one that gives something else.
    """
    if how in REDUCTIONS:
        return np.asarray(values.mean(1) if how == "mean" else values.min(1))

    aggregation = loaded("aggregation", how)
    if aggregation is None:
        raise unknown("aggregation", how, REDUCTIONS)

    whole = np.asarray(aggregation(values), np.float64)
    if whole.shape != (len(values),) or not np.isfinite(whole).all():
        required = f"finite values ({len(values)},) from its function"
        found = str(whole.shape) if np.isfinite(whole).all() else "values that are not finite"
        raise broken("aggregation", how, required, found)

    return whole
