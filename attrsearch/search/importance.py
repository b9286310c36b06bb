"""Which attributes decide a person's utility: PED-ANOVA over the trials.

Source: Watanabe et al., "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
Subspaces", 2023.
"""

import warnings

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import create_trial

optuna.logging.set_verbosity(optuna.logging.WARNING)

Floats = npt.NDArray[np.float64]

MIN_TRIALS = 20
"""Fewer trials than this say nothing about importance."""


def importance(names: tuple[str, ...], points: Floats, utility: Floats) -> dict[str, float]:
    """The share of each attribute in what makes the best tenth of the trials the best.

    Args:
        names: Names of the columns.
        points: (n, d), the candidates.
        utility: (n,), what each was worth; constraints are not looked at.

    Returns:
        Name to share, summing to 1, for the columns that vary; empty where there are too few
        trials, or where all are worth the same.
    """
    usable = np.isfinite(points).all(1) & np.isfinite(utility)
    points = points[usable]
    utility = utility[usable]
    if len(points) < MIN_TRIALS or utility.min() == utility.max():
        return {}

    # scikit-learn comes with it: slow to load, and short searches never get here
    from optuna.importance import (  # noqa: PLC0415
        PedAnovaImportanceEvaluator,
        get_param_importances,
    )

    low = points.min(0)
    high = points.max(0)
    # a column that never varied has no share, and no distribution that Optuna takes
    columns = [i for i in range(len(names)) if low[i] < high[i]]
    spaces: dict[str, BaseDistribution] = {}
    for i in columns:
        spaces[names[i]] = FloatDistribution(float(low[i]), float(high[i]))

    trials = []
    for row, value in zip(points, utility, strict=True):
        params = {names[i]: float(row[i]) for i in columns}
        trials.append(create_trial(params=params, distributions=spaces, value=float(value)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(direction="maximize")
        study.add_trials(trials)
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())

    return {name: round(float(share), 4) for name, share in found.items() if np.isfinite(share)}
