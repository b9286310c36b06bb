"""Examine protections of one cohort: the originals once, then each protection against them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import UnavailableError
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.evaluation.faces import Cohort, DetectedFaces, detect_again
from attrsearch.evaluation.judges import HeldOutRecogniser
from attrsearch.evaluation.metrics.anonymity import (
    Figures,
    Standard,
    histograms,
    measure_originals,
    originals_figures,
    protected_figures,
    spread_out,
)
from attrsearch.evaluation.metrics.head_pose import ShapeReader
from attrsearch.evaluation.metrics.told_from_real import (
    MIN_PEOPLE,
    FeatureReader,
    face_crops,
    measure_told_from_real,
)
from attrsearch.evaluation.metrics.utility import FaceMeasurements, utility_figures, view
from attrsearch.evaluation.pairing import Protection, untouched
from attrsearch.faces.attribute_classifier import TraitsClassifier
from attrsearch.faces.dataset import MIN_FACE
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.window_detection import WINDOW_MIN_FACE

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

DETECTORS = ("mtcnn", "yunet")


@dataclass(frozen=True)
class EvaluationModels:
    """What looks at faces, besides the judges.

    Attributes:
        whole: Finds faces in pictures.
        windows: Find faces in windows; the first decides where a face is.
        classifier: Of traits.
        critic: Of looks.
        shapes: Of head and features; None where the extra is not installed.
        looks: Features that edits are told from real faces by; None where the extra is not
            installed.
    """

    whole: Detector
    windows: tuple[Detector, ...]
    classifier: TraitsClassifier
    critic: Critic
    shapes: ShapeReader | None
    looks: FeatureReader | None = None


def load_evaluation_models(first: str = "mtcnn") -> tuple[EvaluationModels, list[str]]:
    """Load what an evaluation looks with, and one line for what is not to be had.

    Args:
        first: The detector that decides where faces are; the other one looks as well.
    """
    notes = []

    try:
        shapes: ShapeReader | None = ShapeReader()
    except UnavailableError as error:
        shapes = None
        notes.append(f"pose, eyes and mouth were not measured: {error.found}")

    try:
        looks: FeatureReader | None = FeatureReader()
    except UnavailableError as error:
        looks = None
        notes.append(f"told from real was not measured: {error.found}")

    order = (first, *(name for name in DETECTORS if name != first))
    windows = tuple(load_detector(name, WINDOW_MIN_FACE) for name in order)
    whole = load_detector(first, MIN_FACE)
    models = EvaluationModels(whole, windows, TraitsClassifier(), Critic(), shapes, looks)

    return models, notes


@dataclass(frozen=True)
class Examined:
    """A protection, measured.

    Attributes:
        sight: As everything but the judges sees it.
        embeddings: Judge to (n, d).
        judged: A row of figures for each judge.
        kept: One row of figures.
        histograms: Judge to counts of distances.
    """

    protection: Protection
    sight: FaceMeasurements
    embeddings: Mapping[str, Floats]
    judged: list[Figures]
    kept: Figures
    histograms: Mapping[str, dict[str, list[int]]]


class Examiner:
    """Measures protections of one cohort.

    Args:
        cohort: The originals.
        judges: Who they are judged by.
        eyes: What else looks at them.
        distractors: Judge to (m, d), one face each of other people.
        progress: Told of every step.
    """

    def __init__(
        self,
        cohort: Cohort,
        judges: Sequence[HeldOutRecogniser],
        eyes: EvaluationModels,
        distractors: Mapping[str, Floats] | None = None,
        progress: Progress[Step] = silent,
    ) -> None:
        self.cohort = cohort
        self.judges = tuple(judges)
        self.eyes = eyes
        self._progress = progress
        self.before = self._see(untouched(cohort), {})
        self.embeddings = self._embed(cohort.look, "original")
        none = np.zeros((0, 1), np.float32)
        self.standards: dict[str, Standard] = {}

        for judge in self.judges:
            rows = self.embeddings[judge.name]
            others = (distractors or {}).get(judge.name, none)
            # of no rows, it has to have as many columns as the others all the same
            others = others if len(others) else np.zeros((0, rows.shape[1]), np.float32)
            self.standards[judge.name] = measure_originals(rows, cohort.owners, others, judge.scale)

    def examine(self, protection: Protection) -> Examined:
        """Measure one protection."""
        rows = protection.rows
        # the originals are examined as a protection, too, and were looked at when this was made
        same = protection.windows is self.cohort.look.windows
        sight = self.before if same else self._see(protection, self.before.looks)
        # embedded where the first detector finds the face, as whoever looks for it would
        look = next(iter(sight.looks.values()))
        embeddings = self.embeddings if same else self._embed(look, protection.name)
        owners = self.cohort.owners[rows]
        judged: list[Figures] = []
        for judge in self.judges:
            figures = protected_figures(self.standards[judge.name], embeddings[judge.name], rows)
            about = {"judge": judge.name, "protection": protection.name, "unseen": judge.unseen}
            judged.append({**about, **figures})

        kept: Figures = {
            "protection": protection.name,
            "people": len(np.unique(owners)),
            "faces": len(rows),
            "missing": protection.missing,
            **utility_figures(self.before.take(rows), sight, owners),
            **({} if same else self._told(protection, owners)),
        }
        counts = {}
        for name, standard in self.standards.items():
            counts[name] = histograms(standard, embeddings[name], rows)

        return Examined(protection, sight, embeddings, judged, kept, counts)

    def originals(self) -> list[Figures]:
        """What each judge is worth on the originals."""
        rows: list[Figures] = []
        for judge in self.judges:
            standard = self.standards[judge.name]
            about = {"judge": judge.name, "unseen": judge.unseen, "scale": standard.scale}
            rows.append({**about, **originals_figures(standard)})

        return rows

    def _see(self, protection: Protection, before: Mapping[str, DetectedFaces]) -> FaceMeasurements:
        name = protection.name
        rows = protection.rows
        first = self.cohort.look.take(rows)
        looks = {}

        for number, detector in enumerate(self.eyes.windows):
            base = before[detector.name].take(rows) if before else first
            # the first detector has seen the originals when the cohort was read
            if number or before:
                looks[detector.name] = detect_again(protection.windows, base, detector)
            else:
                looks[detector.name] = first

            self._progress(
                Step(stage=f"look at {name}", count=number + 1, total=len(self.eyes.windows) + 1)
            )

        # a second detector's own boxes are what its IoU is measured from
        if not before:
            looks = {key: _as_original(look) for key, look in looks.items()}

        chosen = next(iter(looks.values()))
        shapes = self.eyes.shapes
        shape = shapes.read(chosen.windows, chosen.boxes) if shapes else None
        sight = view(looks, first, self.eyes.classifier, self.eyes.critic, shape)
        parts = len(self.eyes.windows) + 1
        self._progress(Step(stage=f"look at {name}", count=parts, total=parts))

        return sight

    def _told(self, protection: Protection, owners: Ints) -> Figures:
        """Whether a judge of looks tells the protected faces from their originals.

        Nothing of too few people.
        """
        if self.eyes.looks is None or len(np.unique(owners)) < MIN_PEOPLE:
            return {}

        originals = face_crops(self.cohort.look.windows[protection.rows])
        edits = face_crops(protection.windows)
        found = measure_told_from_real(originals, edits, owners, features=self.eyes.looks)
        self._progress(Step(stage=f"told from real: {protection.name}", count=1, total=1))

        return {
            **spread_out("told_auc", found.auc),
            **spread_out("told_judged_real", found.judged_real),
            **spread_out("told_kid", found.kid),
            **spread_out("told_kid_of_originals", found.kid_of_originals),
        }

    def _embed(self, look: DetectedFaces, name: str) -> dict[str, Floats]:
        found = {}
        for number, judge in enumerate(self.judges):
            found[judge.name] = look.embed(judge.recogniser)
            self._progress(Step(stage=f"judge {name}", count=number + 1, total=len(self.judges)))

        return found


def _as_original(look: DetectedFaces) -> DetectedFaces:
    """A look at originals, whose boxes overlap themselves wherever there is one."""
    fields = {name: getattr(look, name) for name in look.__dataclass_fields__}
    return DetectedFaces(**{**fields, "overlaps": look.found.astype(np.float32)})
