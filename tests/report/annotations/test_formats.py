"""Every format, read back by the rules that its own tool publishes, gives the boxes that went in."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pycocotools.coco import COCO

from attrsearch.core.errors import InputError
from attrsearch.report.annotations.coco import write_coco
from attrsearch.report.annotations.cvat import write_cvat
from attrsearch.report.annotations.fiftyone import write_fiftyone
from attrsearch.report.annotations.label_studio import write_label_studio
from attrsearch.report.annotations.model import (
    AnnotatedPicture,
    Annotation,
    Annotations,
    Box,
    Footage,
)
from attrsearch.report.annotations.mot import write_mot
from attrsearch.video.io.boxes_file import read_boxes

SIZE = (640, 360)
Place = tuple[str, str, Box]
"""Picture, label and box."""


@pytest.fixture
def pictures(tmp_path: Path, nasty: str) -> Annotations:
    """Two people, a stranger, a plate, a picture with nobody, and two names that differ in their ends."""
    ann = Annotation((10.25, 20.5, 60, 90), 0.99, person=nasty, facts={"verdict": "holds"})
    bob = Annotation((0, 0, 33.3, 44.4), 0.75, person="Bob\x07", facts={"person_distance": 1.43})
    other = Annotation((300, 100, 400.123, 250), 0.9)
    plate = Annotation((100, 300, 180, 320), 1.0, "plate", facts={"cover": "filtered"})
    return Annotations(
        tmp_path,
        (
            AnnotatedPicture("Ann/a.v1.jpg", SIZE, (ann, other)),
            AnnotatedPicture("Ann/a.v1.png", SIZE, (plate,)),
            AnnotatedPicture("bob & co.jpg", (100, 50), (bob,)),
            AnnotatedPicture("empty.jpg", SIZE, ()),
        ),
    )


@pytest.fixture
def footage(tmp_path: Path) -> Annotations:
    """Six frames: Ann leaves and comes back on another track, Bob is there twice in frame 2."""

    def seen(frame: int, person: str, track: int, left: float, sure: float = 0.9) -> Annotation:
        facts: dict[str, str | float] = {"cover": "edited" if frame % 2 else "warped"}
        return Annotation((left, 10, left + 40, 60), sure, person=person, track=track, facts=facts)

    frames = (
        (seen(0, "Ann", 1, 10), seen(0, "Bob", 2, 200)),
        (seen(1, "Ann", 1, 12), seen(1, "Bob", 2, 205)),
        (seen(2, "Bob", 4, 400, 0.3), seen(2, "Bob", 2, 210)),
        (),
        (seen(4, "Ann", 1, 18), Annotation((5, 300, 80, 320), 1.0, "plate", track=3)),
        (seen(5, "Ann", 5, 20),),
    )
    listed = tuple(
        AnnotatedPicture(f"frame_{number:06d}.png", SIZE, items, number / 25)
        for number, items in enumerate(frames)
    )
    return Annotations(tmp_path, listed, Footage(tmp_path / "clip.mp4", 25.0))


def places(annotations: Annotations) -> Counter[Place]:
    return Counter(
        (picture.name, item.label, rounded(item.box))
        for picture in annotations.pictures
        for item in picture.annotations
    )


def rounded(box: Any) -> Box:
    left, top, right, bottom = (round(float(value) * 20) / 20 for value in box)
    return (left, top, right, bottom)


@pytest.mark.parametrize("which", ["pictures", "footage"])
def test_coco(which: str, tmp_path: Path, request: pytest.FixtureRequest, nasty: str) -> None:
    given = request.getfixturevalue(which)
    write_coco(tmp_path / "coco.json", given)
    read = COCO(str(tmp_path / "coco.json"))
    found: Counter[Place] = Counter()

    for item in read.loadAnns(read.getAnnIds()):
        (image,) = read.loadImgs(item["image_id"])
        (category,) = read.loadCats(item["category_id"])
        left, top, width, height = item["bbox"]
        assert 0 <= left <= left + width <= image["width"]
        assert item["area"] == pytest.approx(width * height, abs=2)
        found[
            image["file_name"], category["name"], rounded((left, top, left + width, top + height))
        ] += 1

    assert found == places(given)
    assert len(read.getImgIds()) == len(given.pictures)  # also those with nobody
    if which == "pictures":
        faces = read.getCatIds(catNms=["face"])
        first = read.loadAnns(read.getAnnIds(catIds=faces))[0]
        assert first["attributes"] == {"person": nasty, "verdict": "holds"}
    else:
        assert [image["frame_id"] for image in read.loadImgs(read.getImgIds())] == list(range(6))


def test_cvat_images(pictures: Annotations, tmp_path: Path, nasty: str) -> None:
    write_cvat(tmp_path / "cvat.xml", pictures)
    root = ElementTree.parse(tmp_path / "cvat.xml").getroot()
    assert root.findtext("version") == "1.1"
    known = {
        label.findtext("name"): {a.findtext("name") for a in label.iter("attribute")}
        for label in root.iter("label")
    }
    found: Counter[Place] = Counter()

    for image in root.iter("image"):
        for box in image.iter("box"):
            corners = [box.attrib[name] for name in ("xtl", "ytl", "xbr", "ybr")]
            found[image.attrib["name"], box.attrib["label"], rounded(corners)] += 1
            # a label's attributes have to be declared
            assert {a.attrib["name"] for a in box.iter("attribute")} <= known[box.attrib["label"]]

    assert found == places(pictures)
    people = [a.text for a in root.iter("attribute") if a.get("name") == "person"]
    assert people == [nasty, "Bob\\x07"]


def test_cvat_tracks(footage: Annotations, tmp_path: Path) -> None:
    """A box holds until the next one of its track; one that is outside says that there is nothing."""
    write_cvat(tmp_path / "cvat.xml", footage)
    root = ElementTree.parse(tmp_path / "cvat.xml").getroot()
    found: Counter[Place] = Counter()

    for track in root.iter("track"):
        boxes = list(track.iter("box"))
        ends = [int(box.attrib["frame"]) for box in boxes[1:]] + [len(footage.pictures)]
        for box, end in zip(boxes, ends, strict=True):
            if box.attrib["outside"] == "1":
                continue

            for frame in range(int(box.attrib["frame"]), end):
                corners = [box.attrib[name] for name in ("xtl", "ytl", "xbr", "ybr")]
                name = f"frame_{frame:06d}.png"
                found[name, track.attrib["label"], rounded(corners)] += 1

    assert found == places(footage)
    fixed = {a.findtext("name"): a.findtext("mutable") for a in root.iter("attribute")}
    assert (fixed["person"], fixed["cover"]) == ("False", "True")


def test_label_studio_pictures(pictures: Annotations, tmp_path: Path, nasty: str) -> None:
    write_label_studio(tmp_path / "tasks.json", pictures)
    config = ElementTree.parse(tmp_path / "tasks_config.xml").getroot()
    names = {element.get("name"): element.get("toName") for element in config}
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    found: Counter[Place] = Counter()
    people = []

    for task, picture in zip(tasks, pictures.pictures, strict=True):
        assert task["data"]["image"].startswith("/data/local-files/?d=")
        for region in task["predictions"][0]["result"]:
            assert names[region["from_name"]] == region["to_name"]
            value = region["value"]
            if region["type"] == "textarea":
                people += value["text"]
                continue

            width, height = region["original_width"], region["original_height"]
            left, top = value["x"] * width / 100, value["y"] * height / 100
            box = (
                left,
                top,
                left + value["width"] * width / 100,
                top + value["height"] * height / 100,
            )
            found[picture.name, value["rectanglelabels"][0], rounded(box)] += 1

    assert found == places(pictures)
    assert people == [nasty, "Bob\x07"]
    assert "bob%20%26%20co.jpg" in tasks[2]["data"]["image"]


def test_label_studio_video(footage: Annotations, tmp_path: Path) -> None:
    """Between key frames Label Studio draws what is enabled; after one that is not, nothing."""
    write_label_studio(tmp_path / "tasks.json", footage)
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    config = ElementTree.parse(tmp_path / "tasks_config.xml").getroot()
    assert [element.get("frameRate") for element in config.iter("Video")] == ["25"]
    found: Counter[Place] = Counter()

    for region in task["predictions"][0]["result"]:
        if region["type"] != "videorectangle":
            continue

        keys = region["value"]["sequence"]
        for key, after in zip(keys, [*keys[1:], None], strict=True):
            assert key["enabled"] is (after is not None and after["frame"] == key["frame"] + 1)
            left, top = key["x"] * 6.4, key["y"] * 3.6
            box = (left, top, left + key["width"] * 6.4, top + key["height"] * 3.6)
            name = f"frame_{key['frame'] - 1:06d}.png"
            found[name, region["value"]["labels"][0], rounded(box)] += 1

    assert found == places(footage)


def test_fiftyone_pictures(pictures: Annotations, tmp_path: Path, nasty: str) -> None:
    """FiftyOne looks up each name of the labels among those of the data, without their ends."""
    write_fiftyone(tmp_path / "out", pictures)
    data = json.loads((tmp_path / "out" / "data.json").read_text())
    read = json.loads((tmp_path / "out" / "labels.json").read_text())
    by_stem = {name.rpartition(".")[0]: place for name, place in data.items()}
    found: Counter[Place] = Counter()

    for name, items in read["labels"].items():
        place = Path(name if name.startswith("/") else by_stem[name])
        picture = next(
            picture for picture in pictures.pictures if pictures.folder / picture.name == place
        )
        width, height = picture.size
        for item in items:
            x, y, w, h = item["bounding_box"]
            box = (x * width, y * height, (x + w) * width, (y + h) * height)
            found[picture.name, item["label"], rounded(box)] += 1

    # of two that differ in their ends only, FiftyOne would take the second for both
    assert len(read["labels"]) == 4
    assert {name.removeprefix("frame") for _, name, _ in found} == {"face", "plate"}
    assert found.total() == places(pictures).total()
    assert read["classes"] == ["face", "plate"]
    first = read["labels"]["Ann/a.v1"][0]
    assert first["attributes"] == {"person": nasty, "verdict": "holds"}


def test_fiftyone_video(footage: Annotations, tmp_path: Path) -> None:
    write_fiftyone(tmp_path / "out", footage)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    (record,) = manifest["index"]
    assert record["data"] == str(tmp_path / "clip.mp4")
    frames = json.loads((tmp_path / "out" / record["labels"]).read_text())["frames"]
    found: Counter[Place] = Counter()

    for number, frame in frames.items():
        assert frame["frame_number"] == int(number)
        for item in frame["objects"]["objects"]:
            corners = [item["bounding_box"][name] for name in ("top_left", "bottom_right")]
            box = [
                corner[axis] * side
                for corner in corners
                for axis, side in zip("xy", SIZE, strict=True)
            ]
            found[f"frame_{int(number) - 1:06d}.png", item["label"], rounded(box)] += 1

    assert found == places(footage)
    attributes = frames["1"]["objects"]["objects"][0]["attrs"]["attrs"]
    assert {
        "type": "eta.core.data.CategoricalAttribute",
        "name": "person",
        "value": "Ann",
    } in attributes
    assert {"type": "eta.core.data.NumericAttribute", "name": "track", "value": 1} in attributes


def test_mot(footage: Annotations, tmp_path: Path) -> None:
    """Frames and ids count from 1, and an id stands at most once in a frame."""
    write_mot(tmp_path / "mot.txt", footage)
    rows = [line.split(",") for line in (tmp_path / "mot.txt").read_text().splitlines()]
    assert len({(row[0], row[1]) for row in rows}) == len(rows)
    assert {int(row[0]) for row in rows} == {1, 2, 3, 5, 6}
    with (tmp_path / "mot_people.csv").open() as file:
        people = {int(row["id"]): (row["class"], row["person"]) for row in csv.DictReader(file)}
    assert people == {1: ("face", "Ann"), 2: ("face", "Bob"), 3: ("face", "Bob"), 4: ("plate", "")}

    found = Counter(
        (f"frame_{frame:06d}.png", people[item.track][0], rounded(item.box))
        for frame, items in read_boxes(tmp_path / "mot.txt").items()
        for item in items
    )
    assert found == places(footage)
    (sure,) = [row for row in rows if row[:2] == ["3", "2"]]
    assert float(sure[6]) == 0.9  # the surer of two keeps the person's number


def test_pictures_have_no_tracks(pictures: Annotations, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a video for MOT, found pictures; choose another"):
        write_mot(tmp_path / "mot.txt", pictures)
