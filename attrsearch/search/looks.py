"""How edits look: which of several sets that are worth the same should win.

Measured of a few candidates at the end of a search, not of all: a detector's landmarks, the critic
and the classifier of traits are asked. An untouched face scores what the critic makes of it.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.faces.attribute_classifier import TraitsClassifier
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.naturalness import Critic, inner_crops

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

KEPT = ("Mouth_Slightly_Open", "Male", "Young")
"""Traits that an edit should leave as they are: expression, perceived gender, age."""
SHIFT = 0.1
"""Landmarks that move by so much of the distance of the eyes cost a factor of e."""


class SeenFaces(Protocol):
    """The untouched faces; a subject of the evaluator is one."""

    @property
    def windows(self) -> Tensor:
        """(f, 3, 192, 192), float32 from 0 to 255."""
        ...

    @property
    def boxes(self) -> Floats:
        """(f, 4), the face in its window."""
        ...

    @property
    def landmarks(self) -> Floats:
        """(f, 5, 2), its landmarks in the window."""
        ...


class Looks:
    """Judges how edits look beside the untouched faces.

    Args:
        detector: Finds landmarks in windows.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._critic = Critic()
        self._traits = TraitsClassifier()

    def score(self, seen: SeenFaces, rendered: Picture) -> npt.NDArray[np.float64]:
        """How candidates look, (n,), from 0 to 1.

        The mean over the faces of naturalness x landmarks kept x traits kept.

        Args:
            seen: The untouched faces.
            rendered: (n, f, 192, 192, 3), uint8, the same faces edited.
        """
        count, faces = rendered.shape[:2]
        untouched = seen.windows.permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8)
        before = self._kept_traits(untouched)
        looks = np.zeros((count, faces))

        for number in range(count):
            windows = rendered[number]
            change = np.abs(self._kept_traits(windows) - before).mean(1)
            natural = self._critic.windows(windows)
            still = np.exp(-self._shifts(seen, windows) / SHIFT)
            looks[number] = natural * still * (1 - change)

        return np.asarray(looks.mean(1))

    def _kept_traits(self, windows: Picture) -> Floats:
        """Probabilities (f, 3) of ``KEPT``."""
        columns = list(map(ATTRIBUTES.index, KEPT))
        return self._traits.probabilities(inner_crops(windows))[:, columns]

    def _shifts(self, seen: SeenFaces, windows: Picture) -> Floats:
        """How far the landmarks moved, (f,), in distances of the eyes; infinite where none are."""
        shifts = np.full(len(windows), np.inf, np.float32)
        for face, found in enumerate(self._detector.detect(windows)):
            best, _ = found.nearest(seen.boxes[face])
            if best >= 0:
                own = seen.landmarks[face]
                eyes = max(float(np.linalg.norm(own[1] - own[0])), 1.0)
                moved = np.linalg.norm(found.landmarks[best] - own, axis=1)
                shifts[face] = moved.mean() / eyes

        return shifts
