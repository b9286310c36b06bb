"""What a trial of a run is worth to Optuna: its values, and its constraints."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from attrsearch.report.about import Limits
from attrsearch.runs.trials_file import GOAL_COLUMNS

TERMS = ("detection", "iou", "distance", "worst_distance")


def goal_values(
    columns: Mapping[str, npt.NDArray[Any]], objective: Mapping[str, Any]
) -> dict[str, npt.NDArray[np.float64]]:
    """What trials are worth, (n,) for each goal; the utility where there is one goal.

    Args:
        columns: Of the trials, (n,) each; ``goal_0`` … are lacking in runs of earlier versions:
            there goals are made of the mean terms.
        objective: The run's recipe.
    """
    goals = objective.get("maximise", [])
    if len(goals) < 2:
        return {"utility": np.asarray(columns["utility"], np.float64)}

    found = {}
    for goal, column in zip(goals, GOAL_COLUMNS, strict=False):
        if column in columns:
            found[str(goal["name"])] = np.asarray(columns[column], np.float64)
        elif set(goal["product"]) <= set(TERMS):
            terms = [np.asarray(columns[term], np.float64) for term in goal["product"]]
            found[str(goal["name"])] = np.prod(terms, axis=0)

    # a goal that nothing is known of cannot be told from a bad one
    whole = len(found) == len(goals)
    return found if whole else {"utility": np.asarray(columns["utility"], np.float64)}


def constraints(
    columns: Mapping[str, npt.NDArray[Any]], limit: Limits
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Optuna's constraints of trials.

    Feasible at 0 or below, and feasible exactly where the run says so.

    Args:
        columns: ``distance``, ``worst_distance``, ``detection``, ``iou`` and ``feasible``, each
            (n,).
        limit: What the run asked for.

    Returns:
        Their names, and values (n, k).
    """
    names = []
    values = []

    if limit.distance:
        names.append("distance")
        values.append(limit.distance - np.asarray(columns["distance"], np.float64))

    if limit.verification is not None:
        names.append("no picture verifies")
        values.append(limit.verification - np.asarray(columns["worst_distance"], np.float64))

    for name, least in limit.others:
        names.append(name)
        values.append(least - np.asarray(columns[name], np.float64))

    feasible = np.asarray(columns["feasible"], bool)
    known = np.stack(values, 1) if values else np.zeros((len(feasible), 0))
    known = np.where(feasible[:, None], np.minimum(known, 0), known)
    rest = ~feasible & (known <= 0).all(1)

    if rest.any():
        names.append("other constraints")
        known = np.concatenate([known, rest[:, None].astype(np.float64)], 1)

    return names, known
