"""Videos on the command line: what a user gets, and one line for every mistake."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tqdm import tqdm

from attrsearch.cli.console import stage_bar
from attrsearch.cli.main import main
from attrsearch.cli.video_options import open_eyes_for
from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.progress import Step
from attrsearch.core.weights import manifest
from attrsearch.experiments.synthetic_streets import Street
from attrsearch.runs.attributes_file import (
    AttributesFile,
    DetectorRecord,
    EditorRecord,
    PersonRecord,
    RecogniserRecord,
    to_json,
)
from attrsearch.video.config import VideoConfig
from attrsearch.video.pipeline import VideoOptions
from tests.clips import Clip, packets, pictures, street, textured, times, walker, write_clip


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


@pytest.fixture(scope="session")
def made() -> Street:
    return street([walker(10, (90, 110), (3, 0), 70)])


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, made: Street) -> Path:
    """A clip of one person, an export for them, and a folder of its frames."""
    folder = tmp_path_factory.mktemp("cli")
    shown = list(made.render(1))
    write_clip(folder / "street.mp4", shown, Clip(sound="aac", options={"crf": "8"}))
    (folder / "frames").mkdir()
    for number, picture in enumerate(shown):
        Image.fromarray(picture).save(folder / "frames" / f"{number:03d}.png")
    values = dict.fromkeys(ATTRIBUTES, 0.3) | {
        "Male": -0.8,
        "No_Beard": 0.8,
        "Mustache": -0.5,
        "Bald": 0.0,
    }
    one = PersonRecord(
        id="anna", gender="female", feasible=True, first_pass=values, second_pass=None, utility=1.3,
        detection=1, iou=0.9, distance=1.45, distance_raw=1.4, faces=1, evaluations=1,
    )  # fmt: skip
    export = AttributesFile(
        editor=EditorRecord(name="anonymiser", sha256=manifest()["anonymiser"].sha256),
        recogniser=RecogniserRecord(name="sface", scale=1.045, threshold=1.4),
        detector=DetectorRecord(name="mtcnn"), objective="utility_product", study="quick", seed=0,
        identities=(one,),
    )  # fmt: skip
    (folder / "attributes.json").write_text(to_json(export))
    return folder


@pytest.fixture
def place(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(shared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_apply_to_a_video(capsys: pytest.CaptureFixture[str], place: Path, made: Street) -> None:
    code, err = call(
        capsys, "apply", "street.mp4", "--attributes", "attributes.json", "--out", "out.mp4", "--quiet",
        "--recogniser", "sface", "--ledger", "c.parquet", "--preview", "p.png", "--debug-video", "debug.mp4",
        "--write-boxes", "boxes.json",
    )  # fmt: skip
    assert code == 0
    assert err == (
        "out.mp4: 10 frames, 1 people; faces 10 edited; "
        "not searched: faces narrower than 10 pixels\n"
    )
    assert times(place / "out.mp4") == times(place / "street.mp4")
    assert packets(place / "out.mp4", "audio") == packets(place / "street.mp4", "audio")
    before, after = pictures(place / "street.mp4"), pictures(place / "out.mp4")
    for frame, there in made.truth().items():
        left, top, right, bottom = (round(value) for value in there[0].box)
        inside = np.s_[top + 15 : bottom - 15, left + 15 : right - 15]
        assert np.abs(before[frame][inside].astype(int) - after[frame][inside]).mean() > 6
    assert {row["person"] for row in pq.read_table("c.parquet").to_pylist()} == {"anna"}
    assert len(pictures(place / "debug.mp4")) == 10
    assert len(json.loads((place / "boxes.json").read_text())["boxes"]) == 10
    assert (place / "p.png").is_file()


def test_a_folder_of_frames_and_boxes(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    (place / "frames" / "004.png").write_bytes(b"broken")
    code, err = call(
        capsys, "apply", "frames", "--frames", "--attributes", "attributes.json", "--out", "out", "--quiet",
        "--recogniser", "sface",
    )  # fmt: skip
    assert code == 1
    assert "out: 9 frames, 1 people; faces " in err
    assert "1 of 10 frames could not be read and were not written" in err
    assert [path.name for path in sorted((place / "out").iterdir())] == [
        f"{number:03d}.png" for number in range(10) if number != 4
    ]


def test_the_audit_names_what_is_still_there(
    capsys: pytest.CaptureFixture[str], place: Path, made: Street
) -> None:
    """Boxes beside the face: it stays uncovered, and the audit says so, frame by frame."""
    wrong = [{"frame": frame, "box": [200, 10, 240, 60]} for frame in range(10)]
    (place / "boxes.json").write_text(json.dumps({"boxes": wrong}))
    common = ("--attributes", "attributes.json", "--quiet", "--recogniser", "sface", "--audit")
    code, err = call(
        capsys, "apply", "street.mp4", "--out", "out.mp4", "--boxes", "boxes.json", *common
    )
    assert code == 1
    lines = [line for line in err.splitlines() if line.startswith("audit: frame ")]
    assert len(lines) == 10
    assert lines[3].startswith("audit: frame 3 (0.12 s), box ")
    assert ": not covered (" in lines[3]
    assert "audit: 10 faces found by mtcnn, " in err
    assert "10 still their person" in err
    code, err = call(
        capsys, "apply", "street.mp4", "--out", "left.mp4", "--except", "anna", *common
    )  # fmt: skip
    assert (code, "0 still their person" in err) == (0, True)  # anna consents


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["gone.mp4", "--out", "o.mp4"],
            "gone.mp4: needs a readable video, found No such file or directory; give",
        ),
        (
            ["text.mp4", "--out", "o.mp4"],
            "text.mp4: needs a readable video, found Invalid data found when",
        ),
        (
            ["street.mp4", "--out", "street.mp4"],
            "street.mp4: needs an output that is not the input, found the same",
        ),
        (["street.mp4", "--out", "o.xyz"], "o.xyz: needs a video that can be written, found "),
        (
            ["street.mp4", "--out", "text.mp4/o.mp4"],
            "text.mp4/o.mp4: needs a video that can be written, found ",
        ),
        (
            ["street.mp4", "--out", "o.mp4", "--codec", "x265"],
            "x265: needs a video encoder that is here, found none",
        ),
        (
            ["street.mp4", "--out", "o.mp4", "--start", "9"],
            "street.mp4: needs frames to write, found none; check",
        ),
        (
            ["street.mp4", "--out", "o.mp4", "--only", "zoe"],
            "zoe: needs the name of a person of the video, found 1",
        ),
        (
            ["street.mp4", "--out", "o.mp4", "--person", "zoe"],
            "zoe: needs a person of the export, found no zoe; it",
        ),
        (
            ["street.mp4", "--out", "o.mp4", "--boxes", "gone.txt"],
            "gone.txt: needs a file of boxes, found No such",
        ),
        (
            ["street.mp4", "--out", "o.mp4", "--replace", "gone.png"],
            "gone.png: needs a readable picture",
        ),
        (
            ["street.mp4", "--out", "o.mp4", "--yolo", "a.cfg", "b.weights"],
            "a.cfg: needs a Darknet network, found no",
        ),
        (["street.mp4", "--out", "o.mp4", "--memory", "100"], "100 is not in the range 0<=x<=99"),
        (
            ["street.mp4", "--out", "o.mp4", "--detector", "hog"],
            "'hog' is not one of 'yunet', 'mtcnn'",
        ),
        (
            ["street.mp4", "--out", "o.mp4", "--debug-video", "street.mp4"],
            "needs a debug video of its own, found the",
        ),
        (
            ["street.mp4", "--out", "-", "--audit"],
            "-: needs a file to write for --audit, found a pipe; leave --audit",
        ),
        (
            ["frames", "--frames", "--out", "frames"],
            "frames: needs an output that is not the input, found the same",
        ),
        (
            ["frames", "--frames", "--out", "o", "--audit"],
            "frames: needs a video for --audit, found a folder of",
        ),
        (
            ["-", "--out", "o.mp4", "--ledger", "c"],
            "-: needs a file for --ledger, found a live source; leave --led",
        ),
        (
            ["-", "--out", "o.mp4", "--only", "anna"],
            "-: needs a file for --only, found a live source; leave --only",
        ),
        (
            ["rtsp://nowhere", "--out", "o.mp4", "--person", "zoe"],
            "zoe: needs a person of the export, found no zoe",
        ),
    ],
)
def test_wrong_use_is_one_line(
    capsys: pytest.CaptureFixture[str], place: Path, arguments: list[str], line: str
) -> None:
    (place / "text.mp4").write_text("no video")
    there = {path.name for path in place.iterdir()}
    code, err = call(
        capsys, "apply", *arguments, "--attributes", "attributes.json", "--quiet", "--recogniser", "sface"
    )  # fmt: skip
    assert code == 2
    assert line in err
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("attrsearch: ")
    assert {path.name for path in place.iterdir()} == there


def test_a_broken_tail_is_said_and_ends_with_one(
    capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    path = write_clip(place / "cut.mp4", textured(40), Clip(movflags="faststart"))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    code, err = call(
        capsys, "apply", "cut.mp4", "--attributes", "attributes.json", "--out", "o.mp4", "--quiet",
        "--recogniser", "sface",
    )  # fmt: skip
    assert code == 1
    count = len(pictures(place / "o.mp4"))
    first, second = err.splitlines()
    assert first.startswith(f"o.mp4: {count} frames, 0 people; no face in it; not searched: ")
    assert second.startswith(f"cut.mp4: breaks off after frame {count} of 40 (")
    assert second.endswith("); processed up to there")


@pytest.mark.slow
def test_anonymise_a_video(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    code, err = call(
        capsys, "anonymise", "street.mp4", "--out", "out.mp4", "--study", "quick", "--trials", "4", "--seed", "1",
        "--recogniser", "sface", "--quiet",
    )  # fmt: skip
    assert code in (0, 1)
    assert "of 1 people anonymised; " in err
    assert "out.mp4: 10 frames, 1 people; faces 10 " in err
    assert (place / "out.mp4.run" / "report.html").is_file()
    before, after = pictures(place / "street.mp4"), pictures(place / "out.mp4")
    assert (
        min(
            np.abs(a[60:160, 60:150].astype(int) - b[60:160, 60:150]).mean()
            for a, b in zip(before, after, strict=True)
        )
        > 3
    )


@pytest.mark.slow
def test_the_same_command_goes_on_and_then_has_nothing_to_do(
    capsys: pytest.CaptureFixture[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "anonymise", "street.mp4", "--study", "quick", "--trials", "2", "--seed", "1", "--recogniser", "sface",
        "--quiet",
    )  # fmt: skip

    def interrupted(*rest: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("attrsearch.video.pipeline._write", interrupted)
        call(capsys, *words)
    assert not (place / "street_anonymised.mp4").exists()
    people = list((place / "street_anonymised.mp4.run" / "people").glob("*.json"))
    assert len(people) == 1
    searched = people[0].stat().st_mtime_ns
    code, err = call(capsys, *words)
    assert (place / "street_anonymised.mp4").is_file()
    assert people[0].stat().st_mtime_ns == searched  # nobody is searched twice
    code, err = call(capsys, *words)
    if code == 0:
        assert err.startswith("street_anonymised.mp4: already written by the same command")


def test_a_search_never_mixes_with_what_is_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "out.mp4.run").mkdir()
    (tmp_path / "out.mp4.run" / "mine.txt").write_text("")
    code, err = call(capsys, "anonymise", "street.mp4", "--out", tmp_path / "out.mp4")
    assert code == 2
    found = "needs a new or empty folder for the search, found something there; choose another place with --run"
    assert err.strip() == f"attrsearch: {tmp_path / 'out.mp4.run'}: {found}"


# what is loaded and shown


def test_people_who_are_only_told_apart_need_nothing_that_is_slow_to_load() -> None:
    eyes = open_eyes_for(VideoOptions(), VideoConfig(), nobody_known=True)
    assert (eyes.detector.name, eyes.close_up.name, eyes.scaled.name) == (
        "yunet",
        "yunet",
        "sface",
    )  # no torchvision
    named = VideoConfig(recogniser="dlib")
    assert open_eyes_for(VideoOptions(), named, nobody_known=True).scaled.name == "dlib"


def test_a_stage_ends_when_the_next_begins(capsys: pytest.CaptureFixture[str]) -> None:
    with stage_bar(quiet=False) as progress:
        progress(Step(stage="find", count=2, total=2))
        progress(Step(stage="search", count=0, total=3))
        open_bars = [shown.desc for shown in tqdm._instances]
    assert open_bars == ["search"]
    assert "find: 100%" in capsys.readouterr().err
