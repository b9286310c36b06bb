"""What a study of searches shows, as figures; ``templates/search-study.md.j2`` says them.

A candidate that is not feasible is worth 0, so that an arm gains by finding any feasible one.
Intervals are bootstrap intervals (95 %) over people; a person's value is the mean over the seeds.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from attrsearch.experiments.search_arms import ARMS
from attrsearch.search.surrogate.ensemble import rank_correlation

Floats64 = npt.NDArray[np.float64]

MARKS = (10, 25, 50, 100, 200)
MIN_PREDICTED = 8
"""A rank correlation of fewer values is mostly chance."""
RESAMPLES = 2000
REFERENCE = "random"
BASELINE = "tpe"
RANKED = ((1, 25), (26, 50), (51, 100))
"""Evaluations, first and last, over which a rank correlation is averaged: does a model learn?"""
NAN = float("nan")
Figures = dict[str, object]


@dataclass(frozen=True)
class Curves:
    """The course of an arm's searches.

    Attributes:
        best: Best feasible merit after each evaluation, (searches, n), 0 before there is one.
        optimiser: Processor time of asking, telling and predicting up to each evaluation, seconds.
        people: Whose search each row is.
    """

    best: Floats64
    optimiser: Floats64
    people: npt.NDArray[np.object_]

    @property
    def first(self) -> Floats64:
        """Evaluations to the first feasible candidate of each search.

        Infinite where there is none.
        """
        found = self.best > 0
        return np.where(found.any(1), found.argmax(1) + 1.0, np.inf)

    def by_person(self, values: Floats64) -> pd.Series:
        """Mean over the seeds of a value a search."""
        return pd.Series(values).groupby(self.people).mean()


def curves_of(trials: pd.DataFrame) -> dict[str, Curves]:
    """Curves of every arm, in the order of ``ARMS``.

    Searches that stopped early keep their last value.
    """
    found: dict[str, Curves] = {}
    measured = trials[trials["evaluated"]]

    for arm in ARMS:
        own = measured[measured["arm"] == arm]
        if own.empty:
            continue

        groups = list(own.groupby(["identity", "seed"], sort=True))
        length = max(len(rows) for _, rows in groups)
        best = np.zeros((len(groups), length))
        spent = np.zeros((len(groups), length))

        for i, (_, rows) in enumerate(groups):
            merit = np.where(rows["feasible"], rows["merit"], 0.0)
            count = len(rows)
            # a curve holds what was best so far, so a search that stopped early goes on level
            best[i, :count] = np.maximum.accumulate(merit)
            best[i, count:] = best[i, count - 1]
            spent[i, :count] = rows["optimiser_seconds"].cumsum()
            spent[i, count:] = spent[i, count - 1]

        people = np.array([key[0] for key, _ in groups], object)
        found[arm] = Curves(best, spent, people)

    return found


def interval(values: Floats64) -> tuple[float, float, float]:
    """Mean over people and its bootstrap interval.

    >>> interval(np.ones(5))
    (1.0, 1.0, 1.0)
    """
    draws = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(1), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def search_figures(trials: pd.DataFrame, rate: float) -> Figures:
    """All figures of a study, as plain data; NaN where there is nothing to say.

    Args:
        trials: Of :func:`~attrsearch.experiments.search_study.read_study`.
        rate: Evaluations a second of an undisturbed machine; what an evaluation costs in
            wall-clock.
    """
    curves = curves_of(trials)
    random = curves.get(REFERENCE)
    base = curves.get(BASELINE)
    # an arm by itself has nothing to be compared with
    several = len(curves) > 1

    return {
        "people": trials["identity"].nunique(),
        "milliseconds": 1000 / rate,
        "marks": list(MARKS),
        "arms": [_arm(arm, curve, rate) for arm, curve in curves.items()],
        "predictions": _predictions(trials),
        "against_random": _against_random(curves, random) if random and several else None,
        "equal_time": _equal_time(curves, base, rate) if base and several else None,
    }


def _arm(arm: str, curve: Curves, rate: float) -> Figures:
    """How an arm's searches went."""
    length = curve.best.shape[1]
    spent = float(curve.optimiser[:, -1].mean())
    at_marks: list[Figures | None] = []

    for mark in MARKS:
        if mark > length:
            at_marks.append(None)
            continue

        best = curve.best[:, mark - 1]
        values = curve.by_person(best).to_numpy()
        at_marks.append({**_interval(values), "feasible": float((best > 0).mean())})

    return {
        "name": arm,
        "describes": ARMS[arm].describes,
        "searches": len(curve.best),
        "first_median": float(np.median(curve.first)),
        # a value between the last search that found one and one that never did would be infinite
        "first_ninth": float(np.quantile(curve.first, 0.9, method="higher")),
        "feasible": float(np.isfinite(curve.first).mean()),
        "at_marks": at_marks,
        "optimiser_share": spent / (spent + length / rate),
    }


def _predictions(trials: pd.DataFrame) -> list[Figures]:
    """Rank correlation as the search goes on, and what was screened out wrongly."""
    found: list[Figures] = []

    for arm in ARMS:
        rows = trials[(trials["arm"] == arm) & trials["evaluated"]].copy()
        if not rows["predicted_utility"].notna().any():
            continue

        rows["number"] = rows.groupby(["identity", "seed"]).cumcount() + 1
        ranks = []
        for low, high in RANKED:
            values = rows.loc[rows["number"].between(low, high), "rank_correlation"].dropna()
            ranks.append(float(values.median()) if len(values) else NAN)

        predicted = rows[rows["predicted_utility"].notna()]
        audited = predicted[predicted["source"] == "audit"]
        chosen = predicted[predicted["source"] == "surrogate"]
        found.append(
            {
                "name": arm,
                "ranks": ranks,
                "correlation": _own_correlation(predicted),
                "audited": len(audited),
                "audited_feasible": _mean(audited["feasible"].astype(bool)),
                "chosen_feasible": _mean(chosen["feasible"].astype(bool)),
                "audited_utility": _mean(audited["utility"]),
                "chosen_utility": _mean(chosen["utility"]),
            }
        )

    return found


def _own_correlation(predicted: pd.DataFrame) -> float:
    """Mean over the searches of how predictions rank with what was measured."""
    # over all searches together, a model would be praised for telling easy people from hard ones
    own = []
    for _, group in predicted.groupby(["identity", "seed"]):
        if len(group) > MIN_PREDICTED:
            guess = group["predicted_utility"].to_numpy()
            own.append(rank_correlation(guess, group["utility"].to_numpy()))

    return float(np.mean(own)) if own else NAN


def _against_random(curves: dict[str, Curves], random: Curves) -> Figures:
    """Evaluations until a search reaches what random search ends with, person by person."""
    target = random.by_person(random.best[:, -1])
    random_first = float(np.median(random.first))
    arms: list[Figures] = []

    for arm, curve in curves.items():
        if arm == REFERENCE:
            continue

        wanted = target.reindex(curve.people).to_numpy()
        # where random search found nothing feasible, its 0 is not reached by finding nothing, too
        reached = curve.best >= np.maximum(wanted, 1e-9)[:, None]
        needed = np.where(reached.any(1), reached.argmax(1) + 1.0, np.inf)
        middle = pd.Series(needed).groupby(curve.people).median().to_numpy()
        arms.append(
            {
                "name": arm,
                "needed": float(np.median(middle)),
                "people": float(np.isfinite(middle).mean()),
                "first": float(np.median(curve.first)),
            }
        )

    return {"evaluations": random.best.shape[1], "random_first": random_first, "arms": arms}


def _equal_time(curves: dict[str, Curves], base: Curves, rate: float) -> Figures:
    """Best feasible utility of each arm in TPE's time for so many evaluations, less TPE's."""
    marks = [mark for mark in MARKS if mark <= base.best.shape[1]]
    arms: list[Figures] = []

    for arm, curve in curves.items():
        if arm != BASELINE:
            gains = [_gain(curve, base, mark, rate) for mark in marks]
            arms.append({"name": arm, "gains": gains})

    return {"marks": marks, "arms": arms}


def _gain(curve: Curves, base: Curves, mark: int, rate: float) -> Figures | None:
    """What an arm has more than the baseline in its time for so many evaluations."""
    clock = curve.optimiser + (np.arange(curve.best.shape[1]) + 1) / rate
    limit = base.by_person(base.optimiser[:, mark - 1]) + mark / rate
    allowed = limit.reindex(curve.people).to_numpy()
    done = (clock <= allowed[:, None]).sum(1)

    # the arm ran out of evaluations before the time was up
    if np.median(clock[:, -1] - allowed) < 0:
        return None

    last = curve.best[np.arange(len(done)), np.maximum(done, 1) - 1]
    values = np.where(done > 0, last, 0.0)
    own = base.by_person(base.best[:, mark - 1])
    # only people whom both arms searched are compared
    both = pd.concat([curve.by_person(values), own], axis=1, join="inner")
    return _interval((both[0] - both[1]).to_numpy())


def _interval(values: Floats64) -> Figures:
    mean, low, high = interval(values)
    return {"mean": mean, "low": low, "high": high}


def _mean(values: pd.Series) -> float:
    return float(values.mean()) if len(values) else NAN
