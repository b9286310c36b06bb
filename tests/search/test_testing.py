"""The contracts: what is built in keeps them, and whatever does not is named by its method."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attrsearch import testing
from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.plugins import KINDS
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.editing.filters import pixelate
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.recognition.load import load_network
from attrsearch.runs.attributes_file import AttributesFile, to_json
from attrsearch.search.samplers import SAMPLERS
from attrsearch.search.terms import TERMS


class TestYuNet(testing.DetectorContract):
    def make(self) -> object:
        return load_detector("yunet", 24)


class TestSFace(testing.RecogniserContract):
    def make(self) -> object:
        return load_network("sface")


class TestJudge(testing.JudgeContract):
    def make(self) -> object:
        return load_network("sface")


class TestIou(testing.TermContract):
    def make(self) -> object:
        return TERMS["iou"]


class TestTpe(testing.SamplerContract):
    def make(self) -> object:
        return SAMPLERS["tpe"]


class TestPixelate(testing.PreFilterContract):
    def make(self) -> object:
        return pixelate


class TestBlocks(testing.FallbackContract):
    def make(self) -> object:
        return lambda region, width: pixelate(region, 6)


class TestJson(testing.ExporterContract):
    def make(self) -> object:
        def write(file: AttributesFile, path: Path) -> None:
            path.write_text(to_json(file))

        return write


class TestAnonymiser(testing.EditorContract):
    @pytest.fixture(autouse=True)
    def given(self, editor: Editor) -> None:
        self.editor = editor

    def make(self) -> object:
        return self.editor


class TestMedian(testing.AggregationContract):
    def make(self) -> object:
        return lambda values: np.median(values, axis=1)


def test_every_kind_has_a_contract() -> None:
    assert set(testing.CONTRACTS) == set(KINDS)
    assert all(contract.kind == kind for kind, contract in testing.CONTRACTS.items())


def first_failure(contract: type, made: Any) -> str:
    """The line of the first test of a contract that a plug-in fails; empty where it keeps all."""
    own = type("TestOwn", (contract,), {"make": lambda self: made})()
    for name in sorted(dir(own)):
        if name.startswith("test_"):
            try:
                getattr(own, name)()
            except AssertionError as error:
                return str(error)
    return ""


class Detector:
    name = "mine"

    def __init__(self, change: Callable[[Detections], Any]) -> None:
        self.change = change
        self.real = load_detector("yunet", 24)

    def detect(self, pictures: np.ndarray) -> list[Any]:
        return [self.change(found) for found in self.real.detect(pictures)]


def swapped(found: Detections) -> Detections:
    return Detections(found.boxes, found.probabilities, found.landmarks[:, [1, 0, 2, 3, 4]])


def doubled(found: Detections) -> Detections:
    return Detections(found.boxes.astype(np.float64), found.probabilities, found.landmarks)


def corner_and_size(found: Detections) -> Detections:
    boxes = found.boxes.copy()
    boxes[:, 2:] -= boxes[:, :2]
    return Detections(boxes, found.probabilities, found.landmarks)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (swapped, "Detector.detect: needs landmarks in the order left eye, right eye"),
        (doubled, "Detector.detect: needs boxes (1, 4), float32, found (1, 4), float64"),
        (corner_and_size, "Detector.detect: needs left, top, right, bottom of the face"),
        (lambda found: found.boxes, "Detector.detect: needs Detections, found ndarray"),
        (
            lambda found: 1 / 0,
            "Detector.detect: needs to take what attrsearch gives, found ZeroDivi",
        ),
        (lambda found: found, ""),
    ],
)
def test_a_broken_detector(change: Callable[[Detections], Any], complaint: str) -> None:
    said = first_failure(testing.DetectorContract, Detector(change))
    assert said.startswith(complaint)
    assert bool(said) == bool(complaint)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("contract", "made", "complaint"),
    [
        (testing.DetectorContract, object(), "needs to be there, found nothing"),
        (
            testing.TermContract,
            lambda scores: scores.iou.mean(1),
            "needs values (4, 2), found (4,)",
        ),
        (testing.TermContract, lambda scores: scores.iou / scores.iou.sum(), "needs"),
        (testing.TermContract, 3, "needs to"),
        (testing.AggregationContract, lambda values: values.sum(1), "between those of the faces"),
        (testing.SamplerContract, lambda recipe, seed: None, "an Optuna sampler, found a NoneType"),
        (
            testing.SamplerContract,
            lambda recipe, seed: SAMPLERS["random"](recipe, 0),
            "needs others of another seed, found the same",
        ),
        (testing.PreFilterContract, lambda crop, size: crop, "to change the picture"),
        (testing.PreFilterContract, lambda crop, size: crop[:1], "needs a picture (128, 128, 3)"),
        (testing.FallbackContract, lambda region, width: 255 - region, "less than half the diff"),
        (testing.ExporterContract, lambda file, path: None, "to write the file that it is given"),
    ],
)
def test_a_broken_one_is_named(contract: type, made: Any, complaint: str) -> None:
    said = first_failure(contract, made)
    assert complaint in said
    assert "\n" not in said


def test_a_recogniser_that_knows_nobody() -> None:
    class Same:
        name = "same"
        sha256 = ""

        def embed(self, pictures: np.ndarray, *_: np.ndarray) -> np.ndarray:
            return np.tile(np.float32([1, 0]), (len(pictures), 1))

    said = first_failure(testing.RecogniserContract, Same())
    assert said == "Same.embed: needs one person's pictures nearest, found [0, 0, 0]"


def test_an_editor_that_forgets_its_masks(editor: Editor) -> None:
    class Bare:
        name = "bare"
        sha256 = ""
        size = editor.size
        passes = 1
        encode = staticmethod(editor.encode)
        edit = staticmethod(editor.edit)

    said = first_failure(testing.EditorContract, Bare())
    assert said == "Bare.masks: needs to be there, found nothing"
    assert len(ATTRIBUTES) == 13
    assert load_editor("anonymiser").name == editor.name
