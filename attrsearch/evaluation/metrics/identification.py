"""Closed-set identification: whose face is it, among people whose pictures are in a gallery?

The gallery holds the originals of the people in question and, as distractors, faces of others.  A
person is as near as the nearest of their pictures; the picture that a probe was made from is not in
the gallery for that probe.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.evaluation.metrics.verification import Interval, pairwise, rate

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Identification:
    """How well probes are identified.

    Attributes:
        probes: How many there were.
        gallery: People in the gallery, distractors included.
        rank1: Share of probes whose own person is the nearest.
        rank5: Share of probes whose own person is among the five nearest.
        chance1: What the same rankings give when asked for another enrolled person: measured, not 1
            / gallery.
        chance5: The same for the five nearest.
    """

    probes: int
    gallery: int
    rank1: Interval
    rank5: Interval
    chance1: float
    chance5: float


@dataclass(frozen=True)
class Gallery:
    """Faces with names.

    Attributes:
        embeddings: (g, d), rows of unit length.
        owners: (g,), numbers of people.
        sources: (g,), the picture each row is of, -1 for none that a probe could be made from; its
            own number where it is not given.
    """

    embeddings: Floats
    owners: Ints
    sources: Ints | None = None

    def with_distractors(self, others: Floats) -> "Gallery":
        """The same and one further person for each row (m, d)."""
        first = int(self.owners.max(initial=-1)) + 1
        owners = np.concatenate([self.owners, np.arange(first, first + len(others))])
        sources = np.concatenate([self.pictures, np.full(len(others), -1, np.int64)])

        return Gallery(np.concatenate([self.embeddings, others]), owners, sources)

    @property
    def pictures(self) -> Ints:
        """The picture each row is of, (g,)."""
        return np.arange(len(self.owners)) if self.sources is None else self.sources

    @property
    def people(self) -> Ints:
        """Numbers of the people in it, ascending."""
        return np.unique(self.owners)


def person_distances(probes: Floats, gallery: Gallery, left_out: Ints | None = None) -> Floats:
    """Distance of each probe to each person of a gallery: that of the person's nearest picture.

    Args:
        probes: (n, d).
        gallery: Of p people.
        left_out: (n,), the picture that each probe may not be compared with; -1 for none.

    Returns:
        (n, p), in the order of ``gallery.people``; infinite where a person has no picture left.
    """
    table = pairwise(probes, gallery.embeddings)
    if left_out is not None:
        table[(left_out[:, None] == gallery.pictures[None]) & (left_out[:, None] >= 0)] = np.inf

    order = np.argsort(gallery.owners, kind="stable")
    starts = np.searchsorted(gallery.owners[order], gallery.people)
    return np.asarray(np.minimum.reduceat(table[:, order], starts, axis=1), np.float32)


def ranks(distances: Floats, columns: Ints) -> Ints:
    """Rank (n,) of one column of each row (n, p): 1 for the nearest; the first of equals.

    >>> ranks(np.float32([[0.1, 0.9, 0.5]]), np.array([2])).tolist()
    [2]
    """
    own = np.take_along_axis(distances, columns[:, None], 1)
    return np.asarray(1 + (distances < own).sum(1), np.int64)


def identify(
    probes: Floats, owners: Ints, gallery: Gallery, left_out: Ints | None = None
) -> Identification:
    """Identify probes in a gallery; a probe whose person has no other picture there is not counted.

    Args:
        probes: (n, d).
        owners: (n,), whose they are; all of them in the gallery.
        gallery: Where they are looked for.
        left_out: (n,), the picture that each probe was made from; -1 for none.
    """
    return score(person_distances(probes, gallery, left_out), owners, gallery.people)


def score(table: Floats, owners: Ints, people: Ints) -> Identification:
    """Identification by distances (n, p) of probes, of people (n,), to people (p,), ascending."""
    columns = np.searchsorted(people, owners)
    possible = np.isfinite(table[np.arange(len(owners)), columns])
    table = table[possible]
    columns = columns[possible]
    persons = owners[possible]
    rank = ranks(table, columns)
    enrolled = np.unique(columns)

    return Identification(
        probes=len(rank),
        gallery=len(people),
        rank1=rate(rank <= 1, persons),
        rank5=rate(rank <= 5, persons),
        chance1=chance(table, columns, enrolled, 1),
        chance5=chance(table, columns, enrolled, 5),
    )


def chance(distances: Floats, columns: Ints, enrolled: Ints, k: int) -> float:
    """How often the k nearest hold a person drawn among the *other* enrolled ones.

    The mean over all such draws.

    Args:
        distances: (n, p) of probes to people.
        columns: (n,), each probe's own person.
        enrolled: (e,), the people that probes are of: distractors are never asked for.
        k: How many are looked at.

    >>> chance(np.float32([[0.1, 0.9, 0.5]]), np.array([1]), np.array([0, 1, 2]), 1)
    0.5
    """
    if not len(distances) or len(enrolled) < 2:
        return float("nan")

    k = min(k, distances.shape[1])
    within = distances <= np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
    asked = within[:, enrolled]
    others = asked.sum(1) - np.take_along_axis(within, columns[:, None], 1)[:, 0]

    return float(others.mean() / (len(enrolled) - 1))
