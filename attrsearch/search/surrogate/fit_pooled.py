"""Learn a pooled model from the trials of many people.

Targets are rank-transformed within a person (normal scores), so that people who are hard and people
who are easy teach the same thing: which candidates are better than which.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import rankdata, spearmanr

from attrsearch.core.attributes import Gender
from attrsearch.core.recipes.objective import Objective
from attrsearch.search.surrogate.correction import LinearCorrection
from attrsearch.search.surrogate.features import PLAIN
from attrsearch.search.surrogate.pooled import PooledModel, pooled_inputs, reduce_person
from attrsearch.search.surrogate.targets import (
    TARGETS,
    PredictionError,
    objective_value_of,
    penalised_value,
)

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]

AXES = 8
"""Principal axes kept of the embeddings."""
QUANTILES = 65
FOLDS = 4
SEEN = 12
"""Own trials (half of them at most) that a left-out person's predictions are fitted to, when the
error is measured.
"""
ROUNDS = 80
SETTINGS = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "max_depth": 5,
    "eta": 0.12,
    "lambda": 5.0,
    "min_child_weight": 20,
    "subsample": 0.8,
    "colsample_bytree": 0.6,
    "base_score": 0.0,
    "seed": 0,
    "nthread": 1,
    "verbosity": 0,
}


@dataclass(frozen=True)
class PersonTrials:
    """One earlier person.

    Attributes:
        gender: Of the person.
        person: Features, see :func:`~attrsearch.search.surrogate.features.describe`.
        attributes: Candidates, (n, passes, 13).
        targets: What was measured, (n, 4).
    """

    gender: Gender
    person: Floats64
    attributes: Floats
    targets: Floats64


def learn(
    lessons: Sequence[PersonTrials],
    bound: Mapping[str, str],
    objective: Objective,
    sets: Mapping[Gender, Floats],
) -> PooledModel:
    """Fit the pooled model, and measure it on people left out of the fit.

    Args:
        lessons: The people; ``FOLDS`` of them at least.
        bound: What the model will be bound to.
        objective: Composes utility, for the measure.
        sets: Attribute sets that worked, by gender.
    """
    correlations: list[float] = []
    errors: list[Floats64] = []

    for fold in range(FOLDS):
        inside = _fit([one for i, one in enumerate(lessons) if i % FOLDS != fold], bound, sets)
        for lesson in lessons[fold::FOLDS]:
            correlation, error = _examine(inside, lesson, objective)
            correlations.append(correlation)
            errors.append(error)

    spread = (
        np.median(np.abs(np.concatenate(errors)), 0) * 1.4826
    )  # of a normal: a lost face is no measure of it
    whole = _fit(lessons, bound, sets)
    return PooledModel(
        bound=whole.bound,
        boosters=whole.boosters,
        centre=whole.centre,
        axes=whole.axes,
        quantiles=whole.quantiles,
        sets=sets,
        correlation=float(np.mean(correlations)),
        spread=PredictionError(float(spread[0]), float(spread[1])),
        people=len(lessons),
    )


def normal_scores(values: Floats64) -> Floats64:
    """Ranks of a column as a standard normal would have them.

    >>> normal_scores(np.array([3.0, 1.0, 2.0])).round(2)
    array([ 0.97, -0.97,  0.  ])
    """
    # half a rank off, so that neither end is infinite
    return np.asarray(ndtri((rankdata(values) - 0.5) / len(values)))


def cover(merits: Floats64, count: int) -> list[int]:
    """Order attribute sets so that the first few serve as many people as possible.

    Greedy, by the sum over people of the best feasible merit among the chosen (facility location).

    Args:
        merits: Merit of set j on person i, 0 where it is not feasible, (people, sets).
        count: How many to choose.

    >>> cover(np.array([[1.0, 0.9, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.8]]), 2)
    [0, 2]
    """
    chosen: list[int] = []
    best = np.zeros(len(merits))

    while len(chosen) < min(count, merits.shape[1]):
        # of sets that serve as many, the one that serves everybody better on average
        gains = np.maximum(merits, best[:, None]).sum(0) + 1e-6 * merits.mean(0)
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        best = np.maximum(best, merits[:, chosen[-1]])

    return chosen


def _fit(
    lessons: Sequence[PersonTrials], bound: Mapping[str, str], sets: Mapping[Gender, Floats]
) -> PooledModel:
    embeddings = np.stack([lesson.person[len(PLAIN) :] for lesson in lessons])
    centre = embeddings.mean(0)
    axes = np.linalg.svd(embeddings - centre, full_matrices=False)[2][:AXES]
    centre32 = centre.astype(np.float32)
    axes32 = axes.astype(np.float32)
    inputs = []
    for lesson in lessons:
        person = reduce_person(lesson.person, centre32, axes32)
        inputs.append(pooled_inputs(lesson.attributes, person))

    import xgboost  # noqa: PLC0415 - slow to load

    boosters = []
    for k in range(len(TARGETS)):
        labels = [normal_scores(lesson.targets[:, k]) for lesson in lessons]
        table = xgboost.DMatrix(np.concatenate(inputs), label=np.concatenate(labels), nthread=1)
        # XGBoost's own format, which needs no pickle
        boosters.append(bytes(xgboost.train(SETTINGS, table, ROUNDS).save_raw("ubj")))

    places = np.linspace(0, 1, QUANTILES)
    quantiles = np.mean([np.quantile(lesson.targets, places, axis=0).T for lesson in lessons], 0)
    return PooledModel(
        bound,
        tuple(boosters),
        centre32,
        axes32,
        quantiles,
        sets,
        0.0,
        PredictionError(1.0, 1.0),
        len(lessons),
    )


def _examine(
    model: PooledModel, lesson: PersonTrials, objective: Objective
) -> tuple[float, Floats64]:
    """Rank correlation on a person's trials, and errors (n, 2) of objective value and margin.

    Measured after a few of the trials.
    """
    pooled_prediction = model.predict(lesson.attributes, lesson.person)
    # a search gets better as it goes on: a draw takes of all of its trials
    order = np.random.default_rng(0).permutation(len(pooled_prediction))
    few = min(SEEN, len(order) // 2)
    seen = order[:few]
    rest = order[few:]
    fitted = LinearCorrection.fit(pooled_prediction[seen], lesson.targets[seen]).apply(
        pooled_prediction[rest]
    )
    correlation = spearmanr(
        penalised_value(objective, fitted), penalised_value(objective, lesson.targets[rest])
    ).statistic
    margin = TARGETS.index("margin")
    wrong = [
        objective_value_of(objective, fitted) - objective_value_of(objective, lesson.targets[rest]),
        fitted[:, margin] - lesson.targets[rest, margin],
    ]

    return float(np.nan_to_num(correlation)), np.stack(wrong, 1)
