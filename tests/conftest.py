"""Shared fixtures: the sample's faces, and models loaded once a session."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("ATTRSEARCH_OFFLINE", "1")  # tests never download

# a shell's background job ignores Ctrl+C, and the commands that tests start would inherit that
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from attrsearch.core.recipes.study import load_study
from attrsearch.core.sample import sample_folder
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.faces.dataset import MIN_FACE, Identity, Picture
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.identities import IdentityLoader
from attrsearch.faces.images import read_picture
from attrsearch.faces.people import find_people
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.load import load_recogniser
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.runs.attributes_file import AttributesFile, read_attributes
from attrsearch.search.evaluator import Evaluator


@pytest.fixture(scope="session")
def sample() -> Path:
    return sample_folder()


@pytest.fixture(scope="session")
def astronaut(sample: Path) -> Picture:
    """A picture of 250 x 250 with one face."""
    return read_picture(sample / "astronaut" / "astronaut_1.jpg")


@pytest.fixture(scope="session")
def astronauts(sample: Path) -> Picture:
    """Four pictures of one person, (4, 250, 250, 3)."""
    return np.stack([read_picture(path) for path in sorted((sample / "astronaut").glob("*.jpg"))])


@pytest.fixture(scope="session")
def mtcnn() -> Mtcnn:
    return Mtcnn()


@pytest.fixture(scope="session")
def sface() -> CalibratedRecogniser:
    """What most tests embed with, where the recogniser does not matter: it takes half of FaceNet's time."""
    return load_recogniser("sface")


@pytest.fixture(scope="session")
def facenet() -> CalibratedRecogniser:
    return load_recogniser("facenet")


@pytest.fixture(scope="session")
def editor() -> Editor:
    return load_editor("anonymiser")


@pytest.fixture(scope="session")
def evaluator(editor: Editor, sface: CalibratedRecogniser) -> Evaluator:
    return Evaluator(editor, load_detector("mtcnn", WINDOW_MIN_FACE), [sface])


@pytest.fixture(scope="session")
def gather() -> IdentityLoader:
    return IdentityLoader(load_detector("mtcnn", MIN_FACE), {"astronaut": "female"})


@pytest.fixture(scope="session")
def people(sample: Path, gather: IdentityLoader) -> list[Identity]:
    """The sample's people with at most two pictures each."""
    return [gather(person, 2) for person in find_people(sample)]


NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="session")
def nasty() -> str:
    """A name that is markup."""
    return NASTY


@pytest.fixture(scope="session")
def finished_people(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of people of whom one has markup for a name, and one no readable picture."""
    faces = tmp_path_factory.mktemp("faces")
    for source, name in (("astronaut", NASTY), ("cadet", "cadet")):
        (faces / name).mkdir()
        for path in (sample / source).glob("*.jpg"):
            (faces / name / path.name).write_bytes(path.read_bytes())
    (faces / "nobody").mkdir()
    (faces / "nobody" / "a.png").write_bytes(b"")
    return faces


@pytest.fixture(scope="session")
def finished(finished_people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run of them, with its report; not to be changed."""
    from attrsearch.report.page import write_report
    from attrsearch.search.run import run

    out = tmp_path_factory.mktemp("run") / "run"
    study = load_study("quick", editor="anonymiser", recogniser="sface", trials=24)
    run(finished_people, out, study=study, include_originals=True)
    write_report(out)
    return out


@pytest.fixture(scope="session")
def best_sets(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> AttributesFile:
    """The best sets of the finished run, all called feasible so that nobody is filtered."""
    from attrsearch.runs.export import export_run

    path = tmp_path_factory.mktemp("sets") / "attributes.json"
    export_run(finished, path, "json", include_infeasible=True)
    file = read_attributes(path)
    people = tuple(person.model_copy(update={"feasible": True}) for person in file.identities)
    return file.model_copy(update={"identities": people})


@pytest.fixture(scope="session")
def protected_people(
    best_sets: AttributesFile, finished_people: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What ``attrsearch apply`` makes of the people of the finished run."""
    from attrsearch.anonymise.images import Applier, apply_all
    from attrsearch.anonymise.plan import plan

    out = tmp_path_factory.mktemp("protected")
    apply_all(Applier(best_sets), plan(finished_people, out, best_sets, None))
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests that need it."""
    from tests.report.browser import ARGUMENTS, CHROMIUM

    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()
