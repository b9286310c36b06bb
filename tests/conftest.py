"""Shared fixtures: the sample's faces, and models loaded once a session."""

import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("ATTRSEARCH_OFFLINE", "1")  # tests never download

from attrsearch.editing.editor import Editor, load_editor
from attrsearch.faces.detect import load_detector
from attrsearch.faces.gather import Gatherer
from attrsearch.faces.mtcnn import Mtcnn
from attrsearch.faces.people import MIN_FACE, Identity, Picture, find_people
from attrsearch.faces.pictures import read_picture
from attrsearch.faces.recognise import Scaled, load_recogniser
from attrsearch.faces.seen import WINDOW_MIN_FACE
from attrsearch.sample import sample_folder
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
def sface() -> Scaled:
    return load_recogniser("sface")


@pytest.fixture(scope="session")
def editor() -> Editor:
    return load_editor("anonymiser")


@pytest.fixture(scope="session")
def evaluator(editor: Editor, sface: Scaled) -> Evaluator:
    return Evaluator(editor, load_detector("mtcnn", WINDOW_MIN_FACE), [sface])


@pytest.fixture(scope="session")
def gather() -> Gatherer:
    return Gatherer(load_detector("mtcnn", MIN_FACE), {"astronaut": "female"}, lambda line: None)


@pytest.fixture(scope="session")
def people(sample: Path, gather: Gatherer) -> list[Identity]:
    """The sample's people with at most two pictures each."""
    return [gather(person, 2) for person in find_people(sample)]
