"""Classes besides faces on pictures: filtered beside the face that is edited."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.anonymise.images import Applier
from attrsearch.cli.main import main
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.classes import FilteredClass, load_classes
from attrsearch.faces.images import read_picture
from attrsearch.runs.attributes_file import to_json
from tests.anonymise.test_images import export, person
from tests.plates import PLATES, SIZE, with_plate

PLATE = f"plate={PLATES}"
CORNER = (330, 150)


@pytest.fixture
def car(astronaut: Picture, tmp_path: Path) -> Path:
    """Somebody beside a plate."""
    picture = np.full((300, 560, 3), 110, np.uint8)
    picture[25:275, 10:260] = astronaut
    Image.fromarray(with_plate(picture, *CORNER)).save(tmp_path / "astronaut.png")
    return tmp_path / "astronaut.png"


def strokes(picture: Picture) -> float:
    left, top = CORNER
    inside = picture[top + 6 : top + SIZE[1] - 6, left + 8 : left + SIZE[0] - 8].astype(float)
    return float(np.abs(np.diff(inside.mean(-1), axis=1)).mean())


class Heads:
    """Finds what it is told to."""

    name = "heads"

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = np.array(boxes, np.float32)

    def detect(self, pictures: Picture) -> list[Detections]:
        count = len(self.boxes)
        sure = np.ones(count, np.float32)
        nowhere = np.full((count, 5, 2), np.nan, np.float32)
        return [Detections(self.boxes, sure, nowhere) for _ in pictures]


def test_a_plate_is_filtered_and_the_face_edited(car: Path, tmp_path: Path) -> None:
    file = export(person("astronaut"))
    applier = Applier(file, "pixelate", also=load_classes([PLATE]))
    done = applier.apply(car, tmp_path / "out.png", file.find("astronaut"))
    assert (done.problem, done.edited, done.covered) == ("", "astronaut", 0)
    assert done.things == {"plate": 1}
    before, after = read_picture(car), read_picture(tmp_path / "out.png")
    assert strokes(before) > 10
    assert strokes(after) < 3

    # the face is what it would be without
    Applier(file).apply(car, tmp_path / "faces.png", file.find("astronaut"))
    alone = read_picture(tmp_path / "faces.png")
    assert np.array_equal(alone[:, :260], after[:, :260])
    assert strokes(alone) > 10


def test_a_head_is_filtered_unless_its_face_is_edited(car: Path, tmp_path: Path) -> None:
    file = export(person("astronaut"))
    head, other = (70, 70, 230, 270), (400, 20, 460, 90)
    applier = Applier(file, also=[FilteredClass("head", Heads(head, other))])
    done = applier.apply(car, tmp_path / "a.png", file.find("astronaut"))
    assert (done.edited, done.things) == ("astronaut", {"head": 1})
    # nobody's set: the face is filtered, and so is the whole head
    done = applier.apply(car, tmp_path / "b.png", None)
    assert (done.edited, done.covered, done.things) == (None, 1, {"head": 2})


def test_a_picture_of_a_plate_alone_is_written(tmp_path: Path) -> None:
    grey = np.full((300, 560, 3), 110, np.uint8)
    Image.fromarray(with_plate(grey, *CORNER)).save(tmp_path / "car.png")
    Image.fromarray(grey).save(tmp_path / "road.png")
    applier = Applier(export(), also=load_classes([PLATE]))
    done = applier.apply(tmp_path / "car.png", tmp_path / "o" / "car.png", None)
    assert (done.problem, done.covered, done.things) == ("", 0, {"plate": 1})
    assert strokes(read_picture(tmp_path / "o" / "car.png")) < 3
    # nothing was found, so nothing can be promised
    done = applier.apply(tmp_path / "road.png", tmp_path / "o" / "road.png", None)
    assert "needs a face to protect, found none" in done.problem
    assert not (tmp_path / "o" / "road.png").exists()


def test_the_command_says_what_was_filtered(
    car: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "attributes.json").write_text(to_json(export(person("astronaut"))))
    words = ["apply", str(car), "--attributes", str(tmp_path / "attributes.json"), "--also", PLATE]
    assert main([*words, "--also", f"sign={PLATES}", "--out", str(tmp_path / "out.png")]) == 0
    assert "also filtered: 1 plate, 1 sign" in capsys.readouterr().err
    assert main([*words, "--also", "head", "--out", str(tmp_path / "out.png")]) == 2
    assert "--also head: needs LABEL=DETECTOR" in capsys.readouterr().err
