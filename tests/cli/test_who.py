"""``anonymise --find-only`` and ``--who``: people are found, somebody decides, and it is so."""

import json
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from attrsearch.cli.main import main
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.yunet import YuNet
from tests.clips import Clip, pictures, street, walker, write_clip

FRAMES = 12
CHEAP = ("--recogniser", "sface", "--quiet")


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of two people, and what was found in it."""
    folder = tmp_path_factory.mktemp("who")
    walkers = [walker(FRAMES, (60, 100), (3, 0), 64), walker(FRAMES, (240, 120), (0, 0), 64)]
    write_clip(folder / "clip.mp4", street(walkers).render(3), Clip(options={"crf": "8"}))
    assert main(["anonymise", str(folder / "clip.mp4"), "--find-only", *CHEAP]) == 0
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def found(place: Path) -> dict[str, object]:
    return json.loads((place / "clip_anonymised.mp4.run/found/people.json").read_text())


def test_who_is_found_can_be_looked_at(place: Path) -> None:
    said = found(place)
    assert [person["do"] for person in said["people"]] == ["anonymise", "anonymise"]
    assert (said["frames"], said["rate"]) == (FRAMES, 25)
    for part in said["parts"].values():
        assert (part["first"], part["last"], part["frames"]) == (0, FRAMES - 1, FRAMES)
        assert part["width"] == pytest.approx(64, rel=0.3)
        for shot in part["shots"]:
            assert (place / "clip_anonymised.mp4.run/found" / shot["file"]).is_file()
    assert not (place / "clip_anonymised.mp4").exists()


def test_one_is_left_and_one_is_filtered(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    said = found(place)
    at = {person["id"]: said["parts"][person["parts"][0]]["box"] for person in said["people"]}
    for person, do in zip(said["people"], ("leave", "filter"), strict=True):
        person["do"] = do
    (place / "who.json").write_text(json.dumps(said))
    code, err = call(capsys, "anonymise", place / "clip.mp4", "--who", place / "who.json", *CHEAP)
    assert (code, "12 frames, 2 people; faces 12 filtered" in err) == (0, True)
    run = place / "clip_anonymised.mp4.run"
    rows = pq.read_table(run / "coverage.parquet").to_pylist()
    assert {row["person"] for row in rows} == {said["people"][1]["id"]}
    before, after = pictures(place / "clip.mp4"), pictures(place / "clip_anonymised.mp4")
    change = []
    for person in said["people"]:
        left, top, right, bottom = (round(value) for value in at[person["id"]])
        frame = said["parts"][person["parts"][0]]["at"]
        inside = np.s_[top + 12 : bottom - 12, left + 12 : right - 12]
        one, two = before[frame][inside].astype(int), after[frame][inside]
        change.append(float(np.abs(one - two).mean()))
    assert change[0] < 4 < 6 < change[1]
    _, err = call(capsys, "anonymise", place / "clip.mp4", "--who", place / "who.json", *CHEAP)
    assert "already written by the same command" in err


def test_frames_are_looked_through_once(
    capsys: pytest.CaptureFixture[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = found(place)
    for person in said["people"]:
        person["do"] = "filter"
    (place / "who.json").write_text(json.dumps(said))
    looked: list[tuple[int, ...]] = []
    look = YuNet.detect

    def counted(detector: YuNet, shown: npt.NDArray[np.uint8]) -> list[Detections]:
        looked.append(shown.shape[1:3])
        return look(detector, shown)

    monkeypatch.setattr(YuNet, "detect", counted)
    code, err = call(capsys, "anonymise", place / "clip.mp4", "--who", place / "who.json", *CHEAP)
    assert (code, "12 frames, 2 people; faces 24 filtered" in err) == (0, True), err
    # people are told apart in windows of 192 pixels; no frame is shown to the detector again
    assert set(looked) <= {(192, 192)}


@pytest.mark.slow
def test_the_audit_is_kept(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    said = found(place)
    for person in said["people"]:
        person["do"] = "filter"
    (place / "who.json").write_text(json.dumps(said))
    code, err = call(
        capsys, "anonymise", place / "clip.mp4", "--who", place / "who.json", *CHEAP, "--audit"
    )
    assert code == 0, err
    audit = json.loads((place / "clip_anonymised.mp4.run/audit.json").read_text())
    assert (audit["format"], audit["leaks"]) == ("attrsearch/audit", [])
    assert audit["faces"] >= 2 * FRAMES - 2


def test_a_track_is_divided_and_two_are_one(
    capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    said = found(place)
    one, two = said["people"]
    new = max(map(int, said["parts"])) + 1
    said["splits"] = [{"track": int(one["parts"][0]), "frame": 5, "new": new}]
    said["people"] = [
        {"id": "early", "parts": one["parts"], "do": "filter"},
        {"id": "both", "parts": [*two["parts"], str(new)], "do": "filter"},
    ]
    (place / "who.json").write_text(json.dumps(said))
    code, err = call(capsys, "anonymise", place / "clip.mp4", "--who", place / "who.json", *CHEAP)
    assert code == 0, err
    rows = pq.read_table(place / "clip_anonymised.mp4.run/coverage.parquet").to_pylist()
    # beyond its end a track is covered for a while: that is no sighting
    seen = [row for row in rows if row["found"] != "extended"]
    assert {row["frame"] for row in seen if row["person"] == "early"} == set(range(5))
    assert sum(row["person"] == "both" for row in seen) == FRAMES + FRAMES - 5


@pytest.mark.parametrize(
    "change",
    [
        {"people": [{"id": "a", "parts": ["0", "77"]}]},
        {"people": [{"id": "a", "parts": ["face.jpg"]}]},
        {"splits": [{"track": 0, "frame": 900, "new": 2}]},
    ],
    ids=["track", "picture", "split"],
)
def test_people_of_other_footage(
    capsys: pytest.CaptureFixture[str], place: Path, change: dict[str, object]
) -> None:
    (place / "who.json").write_text(json.dumps(found(place) | change))
    code, err = call(capsys, "anonymise", place / "clip.mp4", "--who", place / "who.json", *CHEAP)
    assert code == 2
    assert "--who: needs people of this very footage" in err
    assert not (place / "clip_anonymised.mp4").exists()


def test_progress_as_json(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    code, err = call(
        capsys, "anonymise", place / "clip.mp4", "--find-only", "--recogniser", "sface",
        "--log-format", "json", "--log-every", 0.1,
    )  # fmt: skip
    lines = [json.loads(line) for line in err.splitlines()]
    steps = [line for line in lines if line["event"] == "progress"]
    assert (code, steps[0]["stage"], steps[0]["count"]) == (0, "find", 1)
    assert (steps[-1]["count"], steps[-1]["total"], steps[-1]["seconds_left"]) == (12, 12, 0)
    assert [line["event"] for line in lines][-1] == "said"
