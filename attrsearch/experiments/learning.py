"""The thesis's network of section 4.3.1.

Grades of edits, and a perceptron that learns them from the attributes.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from attrsearch.report.grading.look import HIDDEN

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BAD = 212 / 2000
GOOD = 670 / 2000
"""Shares of the thesis's grades."""


@dataclass(frozen=True)
class Learnt:
    """The thesis's network and what it was worth on the 30 % of edits it had not seen.

    Attributes:
        accuracy: Share told rightly, good or not.
        majority: Share that always saying *not good* would tell rightly.
        precision: Share of those it calls good that are.
        base: Share of all that are.
    """

    network: Pipeline
    accuracy: float
    majority: float
    precision: float
    base: float


def thresholds(scores: Floats) -> tuple[float, float]:
    """Scores that bound bad and good edits, chosen so that the thesis's shares come out."""
    return float(np.quantile(scores, BAD)), float(np.quantile(scores, 1 - GOOD))


def grade(scores: Floats, cuts: tuple[float, float]) -> Ints:
    """Grades (n,): 0 bad, 1 OK, 2 good.

    >>> grade(np.float32([0.1, 0.5, 0.9]), (0.2, 0.8)).tolist()
    [0, 1, 2]
    """
    return np.asarray((scores >= cuts[0]).astype(int) + (scores >= cuts[1]), np.int64)


def learn_good(values: npt.NDArray[np.float64], good: npt.NDArray[np.bool_], seed: int) -> Learnt:
    """Train the thesis's perceptron (10-20-40-20-20) on 70 % of the edits to tell good ones.

    Args:
        values: Attributes (n, d).
        good: (n,).
        seed: Of the split and the network.
    """
    parts = train_test_split(values, good, test_size=0.3, random_state=seed, stratify=good)
    seen, unseen, known, asked = parts
    # attributes have bounds of different width, and a perceptron learns badly from such inputs
    network = make_pipeline(
        StandardScaler(), MLPClassifier(HIDDEN, max_iter=500, random_state=seed)
    )

    # a network that has not converged after so many rounds is judged as it is
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(seen, known)

    said = np.asarray(network.predict(unseen), bool)
    return Learnt(
        network=network,
        accuracy=float((said == asked).mean()),
        majority=float(max(asked.mean(), 1 - asked.mean())),
        precision=float(asked[said].mean()) if said.any() else float("nan"),
        base=float(good.mean()),
    )
