"""Correlation of distance and anonymisation, over the batches of several people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import pearsonr

Floats64 = npt.NDArray[np.float64]

CRITICAL = 0.325
"""The correlation above which the thesis called it significant (alpha 0.05, from a table for 35
degrees of freedom).
"""
MIN_VALUES = 3
"""Two points always lie on a line."""


@dataclass(frozen=True)
class Correlation:
    """Pearson's r of distance and anonymisation over batches; NaN where one of them never varies.

    Attributes:
        r: Over all batches.
        p: Two-sided.
        batches: How many.
        within: The same with each person's means taken off: not moved by who is easy to hide.
    """

    r: float
    p: float
    batches: int
    within: float


def correlate(distance: Sequence[Floats64], anonymised: Sequence[Floats64]) -> Correlation:
    """Correlation over the batches of several people.

    Args:
        distance: Of each person, mean distance of the batches (n,).
        anonymised: Of each person, share of each batch (n,) not identified.

    >>> found = correlate([np.array([1.0, 1.1, 1.2, 1.3])], [np.array([0.2, 0.5, 0.6, 1.0])])
    >>> round(found.r, 2), found.batches
    (0.98, 4)
    """
    every_distance = np.concatenate(distance)
    every_share = np.concatenate(anonymised)
    # a batch in which no face is found has no distance
    known = np.isfinite(every_distance)
    r, p = _pearson(every_distance[known], every_share[known])

    # people differ in how easily they are hidden, which alone correlates both: taken off here
    own_distance = np.concatenate([_centred(values) for values in distance])
    own_share = np.concatenate([_centred(values) for values in anonymised])
    within, _ = _pearson(own_distance[known], own_share[known])

    return Correlation(r, p, int(known.sum()), within)


def _centred(values: Floats64) -> Floats64:
    return values - np.nanmean(values) if np.isfinite(values).any() else values


def _pearson(x: Floats64, y: Floats64) -> tuple[float, float]:
    if len(x) < MIN_VALUES or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan"), float("nan")

    found = pearsonr(x, y)
    return float(found.statistic), float(found.pvalue)
