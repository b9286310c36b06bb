"""``attrsearch evaluate`` and ``attrsearch attack`` as a user meets them."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from attrsearch.cli.main import main
from attrsearch.report.extras import read_judges
from tests.clips import Clip, street, walker, write_clip


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


@pytest.fixture(scope="module")
def evaluated(
    finished: Path,
    finished_people: Path,
    protected_people: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """An evaluation with everything beside it, and the run it was of."""
    folder = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(finished, folder / "run")
    arguments = [
        "evaluate",
        finished_people,
        protected_people,
        "--judge",
        "sface",
        "--run",
        folder / "run",
    ]
    (folder / "limits.toml").write_text(
        'format = "attrsearch/gate"\nversion = 1\n'
        '[[limits]]\nfigure = "recall_mtcnn"\nat_least = 0.9\n'
    )
    arguments += ["--out", folder / "e.json", "--gate", folder / "limits.toml", "--quiet"]
    assert main([str(argument) for argument in arguments]) == 0
    return folder


def test_json_csv_and_page_agree(evaluated: Path) -> None:
    data = json.loads((evaluated / "e.json").read_text())
    assert data["format"] == "attrsearch/evaluation"
    assert data["protections"][0]["protection"] == "original"
    with (evaluated / "e.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(data["judges"]) == 2
    assert float(rows[1]["rank1"]) == pytest.approx(data["judges"][1]["rank1"], abs=1e-5)
    page = (evaluated / "e.html").read_text()
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(http|//)", page)
    assert f"{data['protections'][1]['naturalness']:.3f}" in page


def test_the_run_gets_what_its_report_shows(evaluated: Path) -> None:
    rows = read_judges(evaluated / "run")
    assert rows is not None
    assert rows[0]["judge"] == "sface"
    assert rows[0]["used by the search"] == "yes"
    assert 0 <= rows[0]["rank_1"] <= rows[0]["rank_1_of_originals"] <= 1


def test_a_missed_gate_is_exit_code_1_and_named(
    finished_people: Path,
    protected_people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gate = tmp_path / "gate.toml"
    limit = '[[limits]]\nfigure = "distance"\njudge = "sface"\nat_least = 1.99\n'
    gate.write_text(f'format = "attrsearch/gate"\nversion = 1\n{limit}')
    code, said = call(
        capsys,
        "evaluate",
        finished_people,
        protected_people,
        "--judge",
        "sface",
        "--gate",
        gate,
        "--max-faces",
        1,
        "--quiet",
    )
    assert code == 1
    assert re.search(r"gate: .*, sface: distance is [\d.]+, below 1.99", said)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("nowhere", "protected"),
            "nowhere: needs a folder of pictures or a video, found nothing there",
        ),
        (("gate.toml", "protected"), "needs a protected video, found a folder"),
        (
            ("faces", "protected", "--ledger", "gate.toml"),
            "two videos and their ledger, found two folders",
        ),
        (("faces", "gate.toml"), "needs a folder of protected pictures, found a file"),
        (
            ("faces", "protected", "--distractors", "nowhere"),
            "needs a folder of people, found no such folder",
        ),
        (("faces", "nowhere"), "needs a folder of protected pictures, found no such folder"),
        (("faces", "protected", "--judge", "dlip"), "needs a known recogniser"),
        (
            ("faces", "protected", "--judge", "missing.onnx"),
            "needs a face embedder in an ONNX file",
        ),
        (("faces", "protected", "--gate", "missing.toml"), "no such file"),
        (("faces", "protected", "--run", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...],
    words: str,
    finished_people: Path,
    protected_people: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate.toml").write_text("")
    places = {"faces": str(finished_people), "protected": str(protected_people)}
    code, said = call(
        capsys, "evaluate", *(places.get(argument, argument) for argument in arguments), "--quiet"
    )
    assert code == 2
    assert words in said
    assert len([line for line in said.splitlines() if line.startswith("attrsearch:")]) == 1


def test_one_person_says_what_one_person_is_too_few_for(
    finished_people: Path,
    protected_people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is shown as a figure that was not measured, and no attack stumbles over it."""
    for name, folder in (("one", finished_people), ("covered", protected_people)):
        shutil.copytree(folder / "cadet", tmp_path / name / "cadet")
    places = [tmp_path / "one", tmp_path / "covered"]
    code, said = call(capsys, "evaluate", *places, "--judge", "sface", "--quiet")
    assert code == 0
    assert "one person only" in said
    assert "TAR at FAR 1e-3 needs 10000 pairs of strangers, these are 0" in said
    assert "nan" not in said
    code, said = call(
        capsys, "evaluate", *(place / "cadet" for place in places), "--judge", "sface", "--quiet"
    )
    assert code == 0
    assert "nobody has two pictures" in said
    code, said = call(capsys, "attack", "naive", *places, "--judge", "sface", "--quiet")
    assert code == 0
    assert "one person only, so no chance" in said


def test_an_attack_gets_a_line_in_the_page(
    evaluated: Path,
    finished_people: Path,
    protected_people: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [
        "attack",
        "linking",
        finished_people,
        protected_people,
        "--judge",
        "sface",
        "--quiet",
    ]
    for _ in range(2):  # the same attack again takes the place of the first
        code, said = call(
            capsys, *arguments, "--into", evaluated / "e.json", "--out", evaluated / "a.json"
        )
        assert code == 0
        assert "linking, two halves of one set, sface: rank-1" in said
    data = json.loads((evaluated / "e.json").read_text())
    assert (
        len(data["attacks"]) == len(json.loads((evaluated / "a.json").read_text())["attacks"]) == 1
    )
    assert "two halves of one set" in (evaluated / "e.html").read_text()


def test_two_videos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Walkers with a real face, and the same street with the faces averaged away."""
    made = street([walker(10, (90, 110), (3, 0), 90)])
    frames = list(made.render(1))
    truth = made.truth()
    covered = []
    for number, frame in enumerate(frames):
        copy = frame.copy()
        for item in truth[number]:
            left, top, right, bottom = np.maximum(np.round(item.box), 0).astype(int)
            copy[top:bottom, left:right] = copy[top:bottom, left:right].mean((0, 1))
        covered.append(copy)
    write_clip(tmp_path / "street.mp4", frames, Clip(options={"crf": "8"}))
    write_clip(tmp_path / "covered.mp4", covered, Clip(options={"crf": "8"}))
    out = tmp_path / "e.json"
    code, _ = call(
        capsys,
        "evaluate",
        tmp_path / "street.mp4",
        tmp_path / "covered.mp4",
        "--judge",
        "sface",
        "--out",
        out,
        "--quiet",
    )
    assert code == 0
    kept = {row["protection"]: row for row in json.loads(out.read_text())["protections"]}
    assert kept["original"]["recall_mtcnn"] == 1
    assert kept["covered"]["recall_mtcnn"] < 0.2
    assert kept["covered"]["faces"] > 5
