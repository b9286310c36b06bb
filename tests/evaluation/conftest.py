"""Real people, really protected: made once."""

from pathlib import Path

import pytest

from attrsearch.evaluation.faces import Cohort, load_cohort
from attrsearch.evaluation.judges import HeldOutRecogniser
from attrsearch.evaluation.pairing import Protection, load_protection
from attrsearch.faces.dataset import MIN_FACE
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.faces.window_detection import WINDOW_MIN_FACE


@pytest.fixture(scope="session")
def cohort(finished_people: Path) -> Cohort:
    whole, window = load_detector("mtcnn", MIN_FACE), load_detector("mtcnn", WINDOW_MIN_FACE)
    return load_cohort(finished_people, whole, window)


@pytest.fixture(scope="session")
def protection(cohort: Cohort, finished_people: Path, protected_people: Path) -> Protection:
    return load_protection(cohort, finished_people, protected_people)


@pytest.fixture(scope="session")
def judge(sface: CalibratedRecogniser) -> HeldOutRecogniser:
    return HeldOutRecogniser(sface.recogniser, load_calibration("sface").scale, unseen=False)
