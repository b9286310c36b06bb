"""What a study of searches shows: tables in Markdown.

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

    for arm in [name for name in ARMS if name in set(measured["arm"])]:
        groups = list(measured[measured["arm"] == arm].groupby(["identity", "seed"], sort=True))
        length = max(len(rows) for _, rows in groups)
        best = np.zeros((len(groups), length))
        spent = np.zeros((len(groups), length))

        for i, (_, rows) in enumerate(groups):
            merit = np.where(rows["feasible"], rows["merit"], 0.0)
            count = len(rows)
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


def to_markdown(trials: pd.DataFrame, rate: float) -> str:
    """All tables.

    Args:
        trials: Of :func:`~attrsearch.experiments.search_study.read_study`.
        rate: Evaluations a second of an undisturbed machine; what an evaluation costs in
            wall-clock.
    """
    curves = curves_of(trials)
    people = trials["identity"].nunique()
    parts = [
        f"{people} people; an evaluation costs {1000 / rate:.1f} ms.",
        _arms(curves, rate),
        _watch(trials),
    ]

    if REFERENCE in curves and len(curves) > 1:
        parts.append(_against_random(curves))

    if BASELINE in curves and len(curves) > 1:
        parts.append(_equal_time(curves, rate))

    return "\n\n".join(part for part in parts if part)


def _arms(curves: dict[str, Curves], rate: float) -> str:
    head = ["arm", "searches", "first feasible, median", "90th percentile", "feasible, all"]
    head += [f"utility at {mark}" for mark in MARKS] + ["optimiser's share"]
    lines = [head, ["---"] * len(head)]

    for arm, curve in curves.items():
        length = curve.best.shape[1]
        line = [arm, str(len(curve.best)), _count(float(np.median(curve.first)))]
        line += [
            _count(float(np.quantile(curve.first, 0.9, method="higher"))),
            f"{np.isfinite(curve.first).mean():.0%}",
        ]

        for mark in MARKS:
            if mark > length:
                line.append("–")
                continue

            mean, low, high = interval(curve.by_person(curve.best[:, mark - 1]).to_numpy())
            feasible = (curve.best[:, mark - 1] > 0).mean()
            line.append(f"{mean:.3f} [{low:.3f}, {high:.3f}], {feasible:.0%}")

        spent = curve.optimiser[:, -1].mean()
        line.append(f"{spent / (spent + length / rate):.0%}")
        lines.append(line)

    described = "\n".join(f"- {arm}: {ARMS[arm].describes}" for arm in curves)
    return f"{_table(lines)}\n\n{described}"


def _watch(trials: pd.DataFrame) -> str:
    """Rank correlation as the search goes on, and what was screened out wrongly."""
    lines = [
        [
            "arm",
            "rank correlation, evaluations 1–25",
            "26–50",
            "51–100",
            "predicted against measured",
        ],
    ]
    lines[0] += [
        "audited",
        "feasible among the audited",
        "feasible among the chosen",
        "utility, audited",
        "chosen",
    ]
    lines.append(["---"] * len(lines[0]))

    for arm in ARMS:
        rows = trials[(trials["arm"] == arm) & trials["evaluated"]].copy()
        if not rows["predicted_utility"].notna().any():
            continue

        rows["number"] = rows.groupby(["identity", "seed"]).cumcount() + 1
        line = [arm]
        for low, high in ((1, 25), (26, 50), (51, 100)):
            values = rows.loc[rows["number"].between(low, high), "rank_correlation"].dropna()
            line.append(f"{values.median():.2f}" if len(values) else "–")

        said = rows[rows["predicted_utility"].notna()]
        own = []
        for _, group in said.groupby(["identity", "seed"]):
            if len(group) > MIN_PREDICTED:
                predicted = group["predicted_utility"].to_numpy()
                own.append(rank_correlation(predicted, group["utility"].to_numpy()))

        audited = said[said["source"] == "audit"]
        chosen = said[said["source"] == "surrogate"]
        line.append(f"{np.mean(own):.2f}" if own else "–")
        line += [str(len(audited)), _percent(audited["feasible"]), _percent(chosen["feasible"])]
        line += [_mean(audited["utility"]), _mean(chosen["utility"])]
        lines.append(line)

    return _table(lines) if len(lines) > 2 else ""


def _against_random(curves: dict[str, Curves]) -> str:
    """Evaluations until a search reaches what random search ends with, person by person."""
    random = curves[REFERENCE]
    target = random.by_person(random.best[:, -1])
    lines = [
        ["arm", f"evaluations to random's utility at {random.best.shape[1]}, median over people"]
    ]
    lines[0] += ["people who get there", "first feasible, over random's median"]
    lines.append(["---"] * len(lines[0]))

    for arm, curve in curves.items():
        if arm == REFERENCE:
            continue

        wanted = target.reindex(curve.people).to_numpy()
        reached = curve.best >= np.maximum(wanted, 1e-9)[:, None]
        needed = np.where(reached.any(1), reached.argmax(1) + 1.0, np.inf)
        middle = pd.Series(needed).groupby(curve.people).median().to_numpy()
        lines.append([arm, _count(float(np.median(middle))), f"{np.isfinite(middle).mean():.0%}"])
        own = float(np.median(curve.first))
        other = float(np.median(random.first))
        lines[-1].append(
            f"{own / other:.2f}" if np.isfinite(other) else f"{_count(own)}; random: never for half"
        )

    return _table(lines)


def _equal_time(curves: dict[str, Curves], rate: float) -> str:
    """Best feasible utility of each arm in TPE's time for so many evaluations, less TPE's."""
    base = curves[BASELINE]
    lines = [["arm, less tpe"]]
    marks = [mark for mark in MARKS if mark <= base.best.shape[1]]
    lines[0] += [f"in the time of {mark} evaluations of tpe" for mark in marks]
    lines.append(["---"] * len(lines[0]))
    own = {mark: base.by_person(base.best[:, mark - 1]) for mark in marks}

    for arm, curve in curves.items():
        if arm == BASELINE:
            continue

        line = [arm]
        clock = curve.optimiser + (np.arange(curve.best.shape[1]) + 1) / rate

        for mark in marks:
            limit = base.by_person(base.optimiser[:, mark - 1]) + mark / rate
            allowed = limit.reindex(curve.people).to_numpy()
            done = (clock <= allowed[:, None]).sum(1)

            # the arm ran out of evaluations before the time was up
            if np.median(clock[:, -1] - allowed) < 0:
                line.append("–")
                continue

            values = np.where(
                done > 0, curve.best[np.arange(len(done)), np.maximum(done, 1) - 1], 0.0
            )
            both = pd.concat([curve.by_person(values), own[mark]], axis=1, join="inner")
            mean, low, high = interval((both[0] - both[1]).to_numpy())
            line.append(f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]")

        lines.append(line)

    return _table(lines)


def _table(lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _count(value: float) -> str:
    return f"{value:.0f}" if np.isfinite(value) else "never"


def _percent(flags: pd.Series) -> str:
    return f"{flags.astype(bool).mean():.1%}" if len(flags) else "–"


def _mean(values: pd.Series) -> str:
    return f"{values.mean():.3f}" if len(values) else "–"
