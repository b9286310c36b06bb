"""``attrsearch export`` of annotations: from a run of pictures, and from a video's ledger."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attrsearch.cli.main import main
from attrsearch.core.errors import InputError
from attrsearch.report.annotations.export import export_annotations
from attrsearch.report.annotations.footage import annotate_footage
from attrsearch.report.annotations.pictures import annotate_pictures
from attrsearch.video.coverage import Ledger
from attrsearch.video.render import RenderedFace
from attrsearch.video.trajectories import TrackedBox
from tests.clips import textured, write_clip


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Of five frames: one face edited, then carried on, and one that leaves the picture."""
    path = tmp_path / "coverage.parquet"
    nowhere = np.full((5, 2), np.nan, np.float32)

    def face(track: int, *box: float) -> TrackedBox:
        return TrackedBox(track, np.array(box, np.float32), nowhere, "detected", 0.9)

    with Ledger(path, {"turn": 0}) as out:
        out.add(0, 0.0, [RenderedFace(face(1, 10, 20, 50, 70), "Ann", "edited", "", 1.25)])
        out.add(1, 0.04, [RenderedFace(face(1, 12, 20, 52, 70), "Ann", "warped", "no landmarks")])
        out.add(2, 0.08, [RenderedFace(face(2, -9, 20, 5, 70), "Bob", "filtered", "too small")])
        out.add(3, 0.12, [RenderedFace(face(2, -20, 20, -5, 70), "Bob", "filtered", "too small")])

    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", textured(5))


def test_a_run_of_pictures(finished: Path, tmp_path: Path, nasty: str) -> None:
    out = tmp_path / "coco.json"
    assert main(["export", str(finished), "--format", "coco", "--out", str(out), "--quiet"]) == 0
    read = json.loads(out.read_text())
    files = {image["id"]: image["file_name"] for image in read["images"]}
    # the picture that cannot be read is left out, and its person with it
    assert sorted(files.values()) == sorted(
        f"{folder}/{name}_{number}.jpg"
        for folder, name in ((nasty, "astronaut"), ("cadet", "cadet"))
        for number in range(1, 5)
    )
    whose = {files[item["image_id"]]: item["attributes"] for item in read["annotations"]}
    assert {name.split("/")[0] for name, known in whose.items() if known["person"] == "cadet"} == {
        "cadet"
    }
    records = json.loads((finished / "people" / "cadet.json").read_text())["record"]
    one = whose["cadet/cadet_1.jpg"]
    assert one["person_distance"] == pytest.approx(records["distance"], abs=1e-4)
    assert one["verdict"] in ("holds", "holds on searched pictures only", "not anonymised")


def test_the_face_is_where_the_detector_sees_it(finished: Path) -> None:
    found = annotate_pictures(finished)
    one = next(picture for picture in found.pictures if picture.name == "cadet/cadet_1.jpg")
    (item,) = one.annotations
    left, top, right, bottom = item.box
    assert one.size == (250, 250)
    assert 60 < left < 125 < right < 190
    assert 40 < top < 125 < bottom < 230
    assert item.probability > 0.9


def test_moved_pictures_are_given(finished: Path, finished_people: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(finished_people / "cadet", moved / "cadet")
    found = annotate_pictures(finished, moved)
    assert {picture.name.split("/")[0] for picture in found.pictures} == {"cadet"}
    (moved / "cadet").rename(moved / "somebody")
    with pytest.raises(InputError, match="needs pictures of the run's people, found none of them"):
        annotate_pictures(finished, moved)


def test_a_ledger_and_its_video(ledger: Path, clip: Path) -> None:
    found = annotate_footage(ledger, clip)
    assert [len(picture.annotations) for picture in found.pictures] == [1, 1, 1, 0, 0]
    first, second, third = (found.pictures[number].annotations[0] for number in range(3))
    assert first.attributes == {
        **{"person": "Ann", "track": 1, "cover": "edited", "found": "detected"},
        "distance": 1.25,
    }
    assert second.attributes["cover"] == "warped"
    assert second.attributes["reason"] == "no landmarks"
    # what lies beside the picture is cut off
    assert third.box == (0.0, 20.0, 5.0, 70.0)


def test_a_run_of_a_video_finds_what_it_lies_beside(
    ledger: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "street.mp4.run"
    run.mkdir()
    ledger.rename(run / ledger.name)
    assert main(["export", str(run), "--format", "mot"]) == 2
    assert "needs the video that this ledger is of, found none beside it" in capsys.readouterr().err
    clip.rename(tmp_path / "street.mp4")
    for kind in ("coco", "cvat", "fiftyone", "label-studio", "mot"):
        assert main(["export", str(run), "--format", kind]) == 0
    assert "3 annotations on 5 frames" in capsys.readouterr().err
    assert (run / "annotations_fiftyone" / "labels" / "street.json").is_file()
    assert len((run / "annotations_mot.txt").read_text().splitlines()) == 3


def test_frames_of_a_folder_have_their_own_names(ledger: Path, tmp_path: Path) -> None:
    from PIL import Image

    frames = tmp_path / "frames"
    frames.mkdir()
    for number in (1, 2, 10):
        Image.fromarray(textured(1)[0]).save(frames / f"f{number}.png")

    found = export_annotations(ledger, tmp_path / "a.json", "coco", frames)
    names = [picture.name for picture in found.pictures]
    assert names == ["f1.png", "f2.png", "f10.png", "frame_000003.png"]


def test_footage_that_was_turned_for_the_detector(clip: Path, tmp_path: Path) -> None:
    """Boxes are given on the frames as they are stored, 320 x 240."""
    stored = np.zeros((240, 320), bool)
    stored[20:70, 10:50] = True

    for turn in range(4):
        turned = np.rot90(stored, turn)
        rows, columns = np.flatnonzero(turned.any(1)), np.flatnonzero(turned.any(0))
        box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        where = np.array(box, np.float32)
        nowhere = np.full((5, 2), np.nan, np.float32)
        path = tmp_path / f"turned{turn}.parquet"
        with Ledger(path, {"turn": turn}) as out:
            face = TrackedBox(1, where, nowhere, "detected", 0.9)
            out.add(0, 0.0, [RenderedFace(face, "Ann", "edited")])

        found = annotate_footage(path, clip)
        assert found.pictures[0].annotations[0].box == (10, 20, 50, 70)


def test_what_is_no_ledger(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"frame": [1]}), path)
    with pytest.raises(InputError, match=r"ledger of a video .*, found a table without track"):
        annotate_footage(path, clip)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="ledger of a video"):
        annotate_footage(path, clip)


def test_a_name_of_another_kind_is_refused(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "faces.txt")
    assert main(["export", str(finished), "--format", "coco", "--out", out]) == 2
    assert "needs a name that ends in .json, found .txt" in capsys.readouterr().err
