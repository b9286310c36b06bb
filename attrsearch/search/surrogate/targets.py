"""What a surrogate predicts, each term by itself, and what is composed of it afterwards.

Utility and constraints are never predicted whole: the terms are, and the objective's arithmetic
follows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from attrsearch.core.recipes.objective import Objective
from attrsearch.search.objective import CandidateResults

Floats64 = npt.NDArray[np.float64]

TARGETS = ("detection", "iou", "distance", "margin")
"""Columns of a table of targets; ``margin`` is how far the tightest constraint is met, below 0
where it is not.
"""
FLOOR = -0.4
"""Margins below it count as it: a face that was lost says nothing about those that were not."""
PENALTY = 2.0
"""What a unit of violation costs in :func:`penalised_value`."""


def predictable(objective: Objective) -> bool:
    """Whether an objective is made of means of predicted terms only."""
    # a minimum over faces does not follow from means, which are what is predicted
    means = all(how.aggregate == "mean" for how in objective.terms.values())
    return means and set(objective.maximised) <= set(TARGETS) and not objective.uses("naturalness")


def targets_of(results: CandidateResults) -> Floats64:
    """Measured targets, (n, 4), in the order of ``TARGETS``."""
    violations = results.violations
    count = len(results.detection)
    # the tightest constraint decides; without any, all are met with room
    margin = -violations.max(1) if violations.shape[1] else np.ones(count)
    distance = results.distance

    return np.stack([results.detection, results.iou, distance, np.maximum(margin, FLOOR)], 1)


def objective_value_of(objective: Objective, targets: Floats64) -> Floats64:
    """The objective's value (several goals: their product) of targets (n, 4)."""
    value = np.ones(len(targets))

    for goal in objective.maximise:
        for name in goal.product:
            term = targets[:, TARGETS.index(name)]
            how = objective.terms.get(name)
            value = value * (term if how is None or how.cap is None else np.minimum(term, how.cap))

    return value


def penalised_value(objective: Objective, targets: Floats64) -> Floats64:
    """One number to rank by: the objective's value, less a penalty for a violated constraint.

    >>> from attrsearch.core.recipes.objective import load_objective
    >>> targets = np.array([[1.0, 0.9, 1.5, 0.1], [1.0, 0.9, 1.3, -0.1]])
    >>> penalised_value(load_objective("utility_product"), targets).round(2)
    array([1.35, 0.97])
    """
    return objective_value_of(objective, targets) + PENALTY * np.minimum(
        targets[:, TARGETS.index("margin")], 0
    )


@dataclass(frozen=True)
class PredictionError:
    """How wrong predictions are: standard deviations of merit and margin."""

    objective_value: float
    margin: float


def expected_improvement(
    objective: Objective,
    predicted: Floats64,
    spread: PredictionError,
    best: float,
    relative_std: Floats64,
) -> Floats64:
    """Expected improvement over the best feasible merit, times the probability of being feasible.

    Args:
        objective: The recipe.
        predicted: Targets (n, 4).
        spread: How wrong they are.
        best: Merit of the best feasible candidate so far; 0 where there is none.
        relative_std: Factors of the spread, (n,): how little is known of each candidate.

    Returns:
        (n,), in units of merit (Gardner et al., "Bayesian Optimization with Inequality
        Constraints", 2014).
    """
    objective_value = objective_value_of(objective, predicted)
    objective_std = spread.objective_value * relative_std
    margin_std = spread.margin * relative_std
    scaled = (objective_value - best) / objective_std
    density = np.exp(-0.5 * scaled**2) / np.sqrt(2 * np.pi)
    improvement = objective_std * (scaled * ndtr(scaled) + density)

    return np.asarray(improvement * ndtr(predicted[:, TARGETS.index("margin")] / margin_std))
