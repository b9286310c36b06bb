"""Applying exports to pictures: the right set for the right person, and no face left as it was."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.anonymise.images import Applier, apply_all
from attrsearch.anonymise.plan import plan
from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError, OutputError, WeightsError
from attrsearch.core.weights import manifest
from attrsearch.faces.dataset import Picture, detect_reduced
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.images import read_picture
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.runs.attributes_file import (
    AttributesFile,
    DetectorRecord,
    EditorRecord,
    PersonRecord,
    RecogniserRecord,
)


def person(name: str, feasible: bool = True, passes: int = 1) -> PersonRecord:
    values = dict.fromkeys(ATTRIBUTES, 0.3) | {
        "Male": -0.8,
        "No_Beard": 0.8,
        "Mustache": -0.5,
        "Bald": 0.0,
    }
    return PersonRecord(
        id=name, gender="female", feasible=feasible, first_pass=values,
        second_pass=None if passes == 1 else {key: -value for key, value in values.items()},
        utility=1.3, detection=1, iou=0.9, distance=1.45, distance_raw=1.4, faces=1, evaluations=1,
    )  # fmt: skip


def export(
    *people: PersonRecord, editor: str = "anonymiser", sha256: str | None = None
) -> AttributesFile:
    return AttributesFile(
        editor=EditorRecord(name=editor, sha256=sha256 or manifest()[editor].sha256),
        recogniser=RecogniserRecord(name="sface", scale=1.045, threshold=1.4),
        detector=DetectorRecord(name="mtcnn"),
        objective="utility_product", study="quick", seed=0, identities=people,
    )  # fmt: skip


@pytest.fixture(scope="module")
def applier() -> Applier:
    return Applier(
        export(person("astronaut"), person("twice", passes=2), person("open", feasible=False))
    )


def difference(first: Picture, second: Picture) -> np.ndarray:
    return np.abs(first.astype(int) - second).max(-1)


@pytest.mark.parametrize("name", ["astronaut", "twice"])
def test_the_face_is_edited_and_nothing_else(
    applier: Applier, astronaut: Picture, mtcnn: Mtcnn, sface: CalibratedRecogniser, name: str
) -> None:
    protected, edited, covered = applier.protect(astronaut, applier.file.find(name))
    assert (edited, covered) == (name, 0)
    changed = difference(protected, astronaut)
    before, after = (mtcnn.detect(picture[None])[0] for picture in (astronaut, protected))
    left, top, right, bottom = before.boxes[0].astype(int)
    assert changed[top:bottom, left:right].mean() > 5
    assert not changed[:30].any()
    assert not changed[-20:].any()
    assert after.nearest(before.boxes[0])[1] > 0.6
    rows = [
        sface.recogniser.embed(picture[None], found.boxes[:1], found.landmarks[:1])[0]
        for picture, found in ((astronaut, before), (protected, after))
    ]
    assert np.linalg.norm(rows[0] - rows[1]) > 0.7


@pytest.mark.parametrize("name", [None, "open"])
def test_who_has_no_set_is_covered(
    applier: Applier, astronaut: Picture, mtcnn: Mtcnn, name: str | None
) -> None:
    record = applier.file.find(name) if name else None
    protected, edited, covered = applier.protect(astronaut, record)
    assert (edited, covered) == (None, 1)
    assert len(mtcnn.detect(protected[None])[0]) == 0


def test_other_people_are_covered(applier: Applier, astronauts: Picture, mtcnn: Mtcnn) -> None:
    both = np.concatenate([astronauts[0], astronauts[1]], 1)
    protected, edited, covered = applier.protect(both, applier.file.find("astronaut"))
    assert (edited, covered) == ("astronaut", 1)
    assert len(mtcnn.detect(protected[None])[0]) == 1


def test_a_picture_without_a_face_is_not_written(applier: Applier, tmp_path: Path) -> None:
    Image.new("RGB", (100, 100)).save(tmp_path / "a.png")
    found = applier.apply(tmp_path / "a.png", tmp_path / "out" / "a.png", None)
    assert "a.png: needs a face to protect, found none; nothing was written" in found.problem
    assert not (tmp_path / "out").exists()


def test_the_written_picture_has_no_metadata(
    applier: Applier, astronaut: Picture, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    Image.fromarray(astronaut).save(tmp_path / "a.jpg", exif=exif)
    applier.apply(tmp_path / "a.jpg", tmp_path / "b.jpg", None)
    with Image.open(tmp_path / "b.jpg") as image:
        assert not image.getexif()


def test_large_pictures_keep_their_size(applier: Applier, astronaut: Picture) -> None:
    large = np.array(Image.fromarray(astronaut).resize((1500, 1500), Image.Resampling.BICUBIC))
    protected, edited, _ = applier.protect(large, applier.file.find("astronaut"))
    assert protected.shape == large.shape
    assert edited == "astronaut"
    assert difference(protected, large).mean() > 1


def test_a_far_face_of_a_large_picture_is_covered(
    applier: Applier, astronaut: Picture, mtcnn: Mtcnn
) -> None:
    """Reduced to what a detector is shown, it would be six pixels wide."""
    far = np.array(Image.fromarray(astronaut).resize((60, 60), Image.Resampling.LANCZOS))
    large = np.full((4200, 7600, 3), 96, np.uint8)
    large[3000:3060, 6000:6060] = far
    assert len(detect_reduced(large, mtcnn)) == 0
    protected, _, covered = applier.protect(large, None)
    assert covered == 1
    assert difference(protected, large)[3015:3035, 6020:6040].mean() > 3


def test_whose_picture_it_is(sample: Path, tmp_path: Path) -> None:
    file = export(person("astronaut"), person("pilot_1"), person("cadet"))
    owners = {
        source.name: owner.id if owner else None
        for source, _, owner in plan(sample, tmp_path, file, None)
    }
    assert owners["astronaut_2.jpg"] == "astronaut"  # by its folder
    assert owners["pilot_1.jpg"] == "pilot_1"  # by its name
    assert owners["pilot_2.jpg"] is None
    targets = {
        target.relative_to(tmp_path).as_posix()
        for _, target, _ in plan(sample, tmp_path, file, None)
    }
    assert "cadet/cadet_4.jpg" in targets
    assert {owner.id for _, _, owner in plan(sample, tmp_path, file, "cadet") if owner} == {"cadet"}
    single = sample / "pilot" / "pilot_3.jpg"
    assert plan(single, tmp_path / "x.jpg", export(person("Zoe")), None)[0][1:] == (
        tmp_path / "x.jpg",
        person("Zoe"),
    )


def test_plans_that_cannot_be(tmp_path: Path) -> None:
    file = export(person("Ann"))
    with pytest.raises(InputError, match="needs a person of the export, found no Zoe; it has Ann"):
        plan(tmp_path, tmp_path, file, "Zoe")
    with pytest.raises(InputError, match="needs pictures, found none"):
        plan(tmp_path, tmp_path, file, None)
    with pytest.raises(InputError, match="no such file"):
        plan(tmp_path / "gone", tmp_path, file, None)


def test_a_folder_is_protected_around_a_bad_picture(
    applier: Applier, sample: Path, tmp_path: Path
) -> None:
    faces = tmp_path / "faces" / "astronaut"
    faces.mkdir(parents=True)
    shutil.copy(sample / "astronaut" / "astronaut_1.jpg", faces)
    (faces / "broken.jpg").write_bytes(b"")
    steps: list[int] = []
    work = plan(tmp_path / "faces", tmp_path / "out", applier.file, None)
    done = apply_all(applier, work, lambda step: steps.append(step.count))
    assert len(steps) == 2
    assert [item.edited for item in done] == ["astronaut", None]
    assert "empty file" in done[1].problem
    assert read_picture(tmp_path / "out" / "astronaut" / "astronaut_1.jpg").shape == (250, 250, 3)


def test_an_output_that_is_no_picture(applier: Applier, sample: Path, tmp_path: Path) -> None:
    with pytest.raises(
        OutputError, match=r"needs a picture name .* found .txt; name the output out.png"
    ):
        applier.apply(sample / "cadet" / "cadet_1.jpg", tmp_path / "a.txt", None)


def test_the_editor_must_be_the_one_of_the_export() -> None:
    with pytest.raises(WeightsError, match=r"needs the editor of this export \(SHA-256 000"):
        Applier(export(person("Ann"), sha256="0" * 64))
