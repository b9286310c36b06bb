"""Classes besides faces: how they are asked for, and OpenCV's cascades by their path."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from attrsearch import testing
from attrsearch.core import plugins
from attrsearch.core.errors import AttrsearchError, WeightsError
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.cascade import Cascade
from attrsearch.faces.detection.classes import ClassRequest, load_classes, parse_class
from tests.plates import PLATES, with_plate


class TestCascade(testing.ClassDetectorContract):
    def make(self) -> Cascade:
        made = Cascade(PLATES)
        made.name = PLATES.stem
        return made

    def example(self) -> tuple[np.ndarray, tuple[float, float]]:
        return with_plate(np.full((240, 480, 3), 90, np.uint8), 160, 100), (235, 116)


class Finder:
    name = "finder"

    def __init__(self, min_width: float, model: Path | None = None) -> None:
        self.model = model

    def detect(self, pictures: np.ndarray) -> list[Detections]:
        return [Detections.none() for _ in pictures]


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_values", {})
    monkeypatch.setattr(plugins, "_loaded", {})


def test_how_a_class_is_asked_for(tmp_path: Path) -> None:
    plugins.register("detector", "finder", Finder)
    model = tmp_path / "heads.onnx"
    model.write_bytes(b"")
    assert parse_class(f"plate={PLATES}") == ClassRequest("plate", "", PLATES)
    assert parse_class("head=finder") == ClassRequest("head", "finder", None)
    assert parse_class(f"head=finder:{model}") == ClassRequest("head", "finder", model)
    assert parse_class("stranger=yunet") == ClassRequest("stranger", "yunet", None)


def test_a_plug_in_gets_its_model(tmp_path: Path) -> None:
    plugins.register("detector", "finder", Finder)
    model = tmp_path / "heads.onnx"
    model.write_bytes(b"")
    plain, given = load_classes(["head=finder", f"head=finder:{model}"])
    assert (plain.detector.model, given.detector.model) == (None, model)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plates.xml", "needs LABEL=DETECTOR, with a label of small letters"),
        ("=plates.xml", "needs LABEL=DETECTOR"),
        ("Plate=plates.xml", "needs LABEL=DETECTOR"),
        ("face=yunet", "found the label face; choose another word"),
        ("plate=nowhere.xml", "needs a file with the model, found no such file"),
        ("plate=yunnet", "did you mean yunet?"),
        ("plate=finder:nowhere.onnx", "needs a file with the model, found no such file"),
    ],
)
def test_what_is_no_class(text: str, said: str) -> None:
    plugins.register("detector", "finder", Finder)
    with pytest.raises(AttrsearchError) as caught:
        parse_class(text)
    assert said in str(caught.value)


def test_a_built_in_detector_takes_no_model(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"")
    with pytest.raises(AttrsearchError, match="needs a detector that takes a model"):
        load_classes([f"plate=yunet:{model}"])


def test_what_is_no_cascade(tmp_path: Path) -> None:
    for name, content in (("empty.xml", ""), ("other.xml", "<a/>"), ("text.xml", "no cascade")):
        (tmp_path / name).write_text(content)
        with pytest.raises(WeightsError, match="needs a cascade that OpenCV can read"):
            Cascade(tmp_path / name)
    with pytest.raises(WeightsError, match="found no such file"):
        Cascade(tmp_path / "nowhere.xml")
    assert Path(cv2.data.haarcascades).is_dir()
