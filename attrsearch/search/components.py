"""Load what a run needs, once a process: editor, detectors, recognisers, evaluator, the reader of people."""

from dataclasses import dataclass
from pathlib import Path

from attrsearch.allocation import keep_freed_memory
from attrsearch.attributes import Gender
from attrsearch.editing.checkpoints import load_checkpoint
from attrsearch.editing.editor import Editor
from attrsearch.editing.realign import SecondAlignment
from attrsearch.faces.detect import load_detector
from attrsearch.faces.gather import Gatherer
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.people import MIN_FACE, Warn
from attrsearch.faces.recognise import available_recognisers, choose_recogniser
from attrsearch.faces.seen import WINDOW_MIN_FACE
from attrsearch.recipes import Objective, Space, Study
from attrsearch.search.evaluator import Evaluator


@dataclass(frozen=True)
class Settings:
    """Everything that decides the result of a run.

    Attributes:
        study: How is searched.
        space: What is searched.
        objective: What is maximised.
        calibration: A calibration file instead of the bundled one.
        facenet: FaceNet weights from a path.
        genders: Genders given by the user: identity and gender.
    """

    study: Study
    space: Space
    objective: Objective
    calibration: Path | None = None
    facenet: Path | None = None
    genders: tuple[tuple[str, Gender], ...] = ()


@dataclass(frozen=True)
class Components:
    """Loaded models, and a line about the recogniser."""

    evaluator: Evaluator
    gather: Gatherer
    line: str


def load_components(settings: Settings, warn: Warn) -> Components:
    """Load the models a run needs.

    Raises:
        AttrsearchError: Weights are missing, damaged, or not to be had.
    """
    keep_freed_memory()
    study = settings.study
    windows = load_detector(study.detector, WINDOW_MIN_FACE)
    checkpoint = load_checkpoint(study.editor)
    if settings.objective.ensemble:
        recognisers = available_recognisers()
        line = "recognisers: " + ", ".join(item.name for item in recognisers) + " (the least distance counts)"
    else:
        chosen, line = choose_recogniser(study.recogniser, settings.calibration, settings.facenet)
        recognisers = [chosen]
    realign = SecondAlignment(load_detector(study.detector, MIN_FACE)) if study.realign else None
    critic = Critic() if settings.objective.uses("naturalness") else None
    evaluator = Evaluator(Editor(checkpoint, realign=realign), windows, recognisers, study.prefilter, critic)
    gather = Gatherer(load_detector(study.detector, MIN_FACE), dict(settings.genders), warn)
    return Components(evaluator, gather, line)
