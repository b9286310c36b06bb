"""What the trials of other people teach about a person's: the default editor's search, without measuring anything anew.

    python docs/results/search/others.py RUN STUDY

RUN is a finished or stopped `attrsearch run` of people to learn from, STUDY the folder of an
`attrsearch reproduce search-study` of other people, with the arm `random`. The candidates that
`random` measured on a person are put in the order in which a model of the run's people expects
them, and the best feasible of the first ten is compared with that of ten drawn at random. Other
arms of the study are compared with `random` person by person.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost
from scipy.stats import spearmanr

from attrsearch.experiments.search_report import curves_of, interval
from attrsearch.experiments.search_trials import read_study
from attrsearch.runs.trials_file import trial_attributes
from attrsearch.search.surrogate.fit_pooled import ROUNDS, SETTINGS, normal_scores

Floats = npt.NDArray[np.float64]

FIRST = 10
DRAWS = 400
MARKS = (10, 25, 50)


def inputs(rows: pd.DataFrame) -> Floats:
    """Attributes of trials, (n, 13)."""
    return trial_attributes(rows)[:, 0].astype(np.float64)


def fit(trials: pd.DataFrame) -> xgboost.Booster:
    """A model of distances, ranked within a person."""
    people = [rows for _, rows in trials.groupby("identity")]
    table = np.concatenate([inputs(rows) for rows in people])
    ranks = np.concatenate([normal_scores(rows["distance"].to_numpy()) for rows in people])
    return xgboost.train(SETTINGS, xgboost.DMatrix(table, label=ranks, nthread=1), ROUNDS)


def of_ten(rows: pd.DataFrame, expected: Floats) -> tuple[float, float]:
    """Best feasible utility of the ten that are expected to be best, and of ten at random."""
    worth = np.where(rows["feasible"], rows["merit"], 0.0)
    best = float(worth[np.argsort(-expected, kind="stable")[:FIRST]].max())
    generator = np.random.default_rng(0)
    drawn = [worth[generator.permutation(len(worth))[:FIRST]].max() for _ in range(DRAWS)]
    return best, float(np.mean(drawn))


def said(values: Floats) -> str:
    """Mean and interval over people."""
    mean, low, high = interval(values)
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("study", type=Path)
    given = parser.parse_args()

    learnt = pd.concat([pd.read_parquet(part) for part in (given.run / "people").glob("*.parquet")])
    study = read_study(given.study)
    study = study[study["evaluated"]]
    model = fit(learnt)
    drawn = study[study["arm"] == "random"].drop_duplicates(
        ["identity", *(name for name in study if name.startswith("first_"))]
    )
    correlations = []
    gains = []

    for _, rows in drawn.groupby("identity"):
        expected = model.predict(xgboost.DMatrix(inputs(rows), nthread=1))
        correlations.append(spearmanr(expected, rows["distance"]).statistic)
        best, chance = of_ten(rows, expected)
        gains.append(best - chance)

    print(f"{learnt['identity'].nunique()} people to learn from, {len(gains)} others")
    print(
        f"candidates feasible: {learnt['feasible'].mean():.1%} and {drawn['feasible'].mean():.1%}"
    )
    print(f"rank correlation with distance: {said(np.array(correlations))}")
    print(f"utility of ten expected to be best less of ten at random: {said(np.array(gains))}")

    curves = curves_of(study)
    random = curves["random"]

    for arm, curve in curves.items():
        for mark in [mark for mark in MARKS if mark <= curve.best.shape[1]]:
            own = curve.by_person(curve.best[:, mark - 1])
            other = random.by_person(random.best[:, mark - 1])
            median = np.median(curve.first)
            gain = said((own - other).to_numpy()) if arm != "random" else ""
            print(
                f"{arm} at {mark}: {own.mean():.3f}, first feasible {median:.0f}, less random {gain}"
            )


if __name__ == "__main__":
    main()
