"""How often classifiers of the 13 attributes are right, on labelled faces new to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attrsearch.core.attributes import ATTRIBUTES, MALE
from attrsearch.faces.attribute_classifier import vote
from attrsearch.training.dataset import Floats, load_face_set
from attrsearch.training.datasets import labelled_only, probabilities
from attrsearch.training.loss_networks import load_traits_network


@dataclass(frozen=True)
class Accuracy:
    """Classifiers side by side.

    Attributes:
        names: As they were asked for.
        faces: How many faces.
        right: Share of the faces on which each is right: attribute, classifier by classifier.
        surprise: Mean negative log-likelihood of the labels, in nats: an over-sure classifier pays.
        against: Share of pictures, of people with several, whose gender is not what their person's
            vote says; empty where no people were given.
    """

    names: tuple[str, ...]
    faces: int
    right: dict[str, tuple[float, ...]]
    surprise: tuple[float, ...]
    against: tuple[float, ...] = ()

    @property
    def rows(self) -> dict[str, tuple[float, ...]]:
        """The table: attributes, their mean, the log-likelihood, steadiness of votes on gender."""
        mean = tuple(float(np.mean(one)) for one in zip(*self.right.values(), strict=True))
        rows = {**self.right, "mean of 13": mean, "negative log-likelihood": self.surprise}
        return rows | (
            {"pictures against their person's gender": self.against} if self.against else {}
        )


def accuracy(
    names: Sequence[str], folder: Path, people: Path | None = None, limit: int = 500
) -> Accuracy:
    """Measure classifiers on the first ``limit`` labelled faces of a prepared set.

    Args:
        names: Bundled names or safetensors files.
        folder: Prepared faces with a table.
        people: Prepared faces of people with several pictures; no table is needed.
        limit: Faces of ``folder`` to use.

    Raises:
        InputError: No prepared faces, or none with attributes.
        WeightsError: A classifier is unknown, damaged, or another network.
    """
    known = labelled_only(load_face_set(folder))
    faces = known.take(np.arange(min(limit, len(known))))
    wanted = faces.attributes > 0.5
    others = load_face_set(people) if people is not None else None
    right = []
    surprise = []
    against = []

    for name in names:
        network = load_traits_network(name)
        found = probabilities(network, faces.crops)
        right.append(((found > 0.5) == wanted).mean(0))
        likelihood = np.where(wanted, found, 1 - found).clip(1e-6)
        surprise.append(float(-np.log(likelihood).mean()))

        if others is not None:
            against.append(outvoted(others.people, probabilities(network, others.crops)))

    columns = np.stack(right, 1).tolist()
    table = dict(zip(ATTRIBUTES, map(tuple, columns), strict=True))
    return Accuracy(tuple(names), len(faces), table, tuple(surprise), tuple(against))


def outvoted(people: Sequence[str], found: Floats) -> float:
    """Share of the pictures of people with several whose gender is not what the person's vote says.

    >>> rows = np.full((4, 13), 0.5, np.float32)
    >>> rows[:, MALE] = 0.9, 0.8, 0.4, 0.1
    >>> round(outvoted(("a", "a", "a", "b"), rows), 3)
    0.333
    """
    names = np.array(people)
    wrong = total = 0

    for person in np.unique(names):
        rows = found[names == person]
        if len(rows) > 1:
            wrong += int(((rows[:, MALE] > 0.5) != (vote(rows).gender == "male")).sum())
            total += len(rows)

    return wrong / total if total else float("nan")
