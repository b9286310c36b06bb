"""How often classifiers of the 13 attributes are right, on labelled faces that they have not learnt from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attrsearch.attributes import ATTRIBUTES
from attrsearch.training.dataset import load_face_set
from attrsearch.training.judges import load_traits_network
from attrsearch.training.sources import labelled_only, probabilities


@dataclass(frozen=True)
class Accuracy:
    """Classifiers side by side.

    Attributes:
        names: As they were asked for.
        faces: How many faces.
        right: Share of the faces on which each is right: attribute, classifier by classifier.
        surprise: Mean negative log-likelihood of the labels, in nats: an over-sure classifier pays.
    """

    names: tuple[str, ...]
    faces: int
    right: dict[str, tuple[float, ...]]
    surprise: tuple[float, ...]

    @property
    def rows(self) -> dict[str, tuple[float, ...]]:
        """The table: each attribute, their mean, and the log-likelihood."""
        mean = tuple(float(np.mean(one)) for one in zip(*self.right.values(), strict=True))
        return {**self.right, "mean of 13": mean, "negative log-likelihood": self.surprise}


def accuracy(names: Sequence[str], folder: Path, limit: int = 500) -> Accuracy:
    """Measure classifiers on the first ``limit`` labelled faces of a prepared set.

    Args:
        names: Bundled names or safetensors files.
        folder: Prepared faces with a table.
        limit: Faces to use.

    Raises:
        InputError: No prepared faces, or none with attributes.
        WeightsError: A classifier is unknown, damaged, or another network.
    """
    known = labelled_only(load_face_set(folder))
    faces = known.take(np.arange(min(limit, len(known))))
    wanted = faces.attributes > 0.5
    right, surprise = [], []
    for name in names:
        found = probabilities(load_traits_network(name), faces.crops)
        right.append(((found > 0.5) == wanted).mean(0))
        likelihood = np.where(wanted, found, 1 - found).clip(1e-6)
        surprise.append(float(-np.log(likelihood).mean()))
    columns = np.stack(right, 1).tolist()
    table = dict(zip(ATTRIBUTES, map(tuple, columns), strict=True))
    return Accuracy(tuple(names), len(faces), table, tuple(surprise))
