"""Verification: thresholds at a false-accept rate, and how often faces are accepted.

Distances are Euclidean between embeddings of unit length (0 to 2).  A pair is accepted *below* the
threshold.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FARS = (1e-2, 1e-3, 1e-4)
MIN_PAIRS_BELOW = 10
"""A threshold is given only where at least this many impostor pairs lie below it."""
DRAWS = 1000


@dataclass(frozen=True)
class Interval:
    """A statistic and its bootstrap interval over people.

    Attributes:
        value: Of all people.
        low: 2.5 % of the draws lie below.
        high: 2.5 % of the draws lie above.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Pairs:
    """Distances of pairs of faces, and whose they are.

    Attributes:
        distances: (m,).
        owners: (m,), the person of the first face of each pair.
    """

    distances: Floats
    owners: Ints


def pairwise(first: Floats, second: Floats) -> Floats:
    """Distances (n, m) between unit vectors (n, d) and (m, d).

    >>> pairwise(np.float32([[1, 0]]), np.float32([[1, 0], [-1, 0]])).tolist()
    [[0.0, 2.0]]
    """
    # rounding may leave a little less than 0, of which there is no root
    squared = 2 - 2 * (first @ second.T)
    return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float32)


def genuine_pairs(embeddings: Floats, owners: Ints) -> Pairs:
    """All pairs of two faces of one person, each once.

    Args:
        embeddings: (n, d), rows of unit length.
        owners: (n,), whose face each row is.

    >>> genuine_pairs(np.eye(3, dtype=np.float32), np.array([7, 7, 8])).owners.tolist()
    [7]
    """
    table = pairwise(embeddings, embeddings)
    rows, columns = np.triu_indices(len(owners), 1)
    same = owners[rows] == owners[columns]

    return Pairs(table[rows[same], columns[same]], owners[rows[same]])


def impostor_pairs(embeddings: Floats, owners: Ints, others: Floats | None = None) -> Pairs:
    """All pairs of faces of two people, each once.

    Args:
        embeddings: (n, d), rows of unit length.
        owners: (n,), whose face each row is.
        others: (m, d), faces of yet other people: each is paired with each of the first.
    """
    table = pairwise(embeddings, embeddings)
    rows, columns = np.triu_indices(len(owners), 1)
    different = owners[rows] != owners[columns]
    distances = table[rows[different], columns[different]]
    persons = owners[rows[different]]

    if others is not None and len(others):
        further = pairwise(embeddings, others)
        distances = np.concatenate([distances, further.reshape(-1)])
        persons = np.concatenate([persons, owners.repeat(len(others))])

    return Pairs(distances, persons)


def protected_pairs(
    protected: Floats, originals: Floats, owners: Ints, rows: Ints | None = None
) -> Pairs:
    """Each protected face with the *other* originals of its person, as a verifier would meet them.

    Args:
        protected: (m, d).
        originals: (n, d).
        owners: (n,), of the originals.
        rows: (m,), the original that each protected face was made from; the one of the same number
            by default.

    >>> rows = np.float32([[1, 0], [-1, 0], [0, 1]])
    >>> protected_pairs(rows, rows, np.array([0, 0, 1])).distances.tolist()
    [2.0, 2.0]
    """
    made_from = np.arange(len(owners)) if rows is None else rows
    same = owners[made_from][:, None] == owners[None]
    # a verifier has another picture of the person, not the one that was protected
    same[np.arange(len(made_from)), made_from] = False
    first, second = np.nonzero(same)

    return Pairs(pairwise(protected, originals)[first, second], owners[made_from][first])


def threshold_at(impostor: Floats, far: float) -> float | None:
    """The distance below which that share of impostor pairs falls.

    None where too few pairs could tell.

    >>> threshold_at(np.arange(10_000, dtype=np.float32), 1e-2)
    100.0
    >>> threshold_at(np.arange(100, dtype=np.float32), 1e-2) is None
    True
    """
    below = int(far * len(impostor) + 1e-9)
    if below < MIN_PAIRS_BELOW:
        return None

    return float(np.partition(impostor, below)[below])


def accept_rate(pairs: Pairs, threshold: float) -> Interval:
    """Share of pairs below a threshold, with its interval over people.

    Of genuine pairs this is the true-accept rate.

    A share over no pairs is NaN.
    """
    return rate(pairs.distances < threshold, pairs.owners)


def rate(hits: npt.NDArray[np.bool_] | Floats, owners: Ints, seed: int = 0) -> Interval:
    """Mean of values (m,) over all of them, with its interval over the people (m,) they belong to.

    >>> rate(np.array([True, False]), np.array([0, 1])).value
    0.5
    """
    # summed by person first, so that a draw of people adds up a few numbers
    people, place = np.unique(owners, return_inverse=True)
    totals = np.bincount(place, np.asarray(hits, np.float64), len(people))
    counts = np.bincount(place, minlength=len(people)).astype(np.float64)

    return bootstrap(
        lambda chosen: _ratio(totals[chosen].sum(-1), counts[chosen].sum(-1)), len(people), seed
    )


def bootstrap(
    statistic: Callable[[Ints], Floats64], people: int, seed: int = 0, draws: int = DRAWS
) -> Interval:
    """A statistic over people, and its percentile interval under resampling of people.

    Args:
        statistic: Values (…) for indices (…, people) of drawn people.
        people: How many there are.
        seed: Of the draws.
        draws: How many.
    """
    if people == 0:
        return Interval(float("nan"), float("nan"), float("nan"))

    value = float(statistic(np.arange(people)))
    drawn = np.random.default_rng(seed).integers(0, people, (draws, people))
    values = np.asarray(statistic(drawn), np.float64)
    # a draw may be of people without any pair, of whom nothing can be said
    values = values[np.isfinite(values)]
    if not len(values):
        return Interval(value, float("nan"), float("nan"))

    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def _ratio(totals: Floats64, counts: Floats64) -> Floats64:
    return np.asarray(np.divide(totals, counts, out=np.full_like(totals, np.nan), where=counts > 0))
