"""What operators read: JSON logs without names and paths, figures for Prometheus."""

import json
import logging
import re
import shutil
from pathlib import Path

import pytest

from attrsearch.cli.logs import LOG, Log, metrics_text, showing_logs
from attrsearch.cli.main import main
from attrsearch.search.run import RunProgress
from tests.privacy.conftest import NAME, Called

SAMPLE = re.compile(r"^[a-zA-Z_:][a-zA-Z0-9_:]* -?[0-9.e+]+$")


@pytest.mark.parametrize(
    ("line", "cleaned"),
    [
        ("pictures/a b.jpg: needs", "<path>: needs"),
        ("/data/people/Ann/1.jpg is gone", "<path> is gone"),
        ("C:\\people\\Ann\\1.png; next", "<path> next"),
        ("holiday.JPEG: needs a face", "<path>: needs a face"),
        ("3/4 people", "<path> people"),
        ("12 people anonymised", "12 people anonymised"),
        ("not written: o/1.jpg: no face", "not written: <path>: no face"),
        ("4 pictures edited in o", "4 pictures edited in <path>"),
        ("go on: o", "go on: <path>"),
    ],
)
def test_paths_are_taken_out(line: str, cleaned: str) -> None:
    assert Log(roots=("pictures", "o")).clean(line) == cleaned


def test_names_become_pseudonyms_that_lead_nowhere() -> None:
    log = Log(names={"Ann", "Ann Berg"})
    line = log.clean("not anonymised: Ann Berg, Annette, Ann")
    assert re.fullmatch(r"not anonymised: (p-[0-9a-f]{10}), Annette, (p-[0-9a-f]{10})", line)
    assert log.pseudonym("Ann") == log.pseudonym("Ann") != Log(names={"Ann"}).pseudonym("Ann")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """A room's logger, while a command that knows Ann runs."""
    for name, value in (("json", False), ("quiet", False), ("verbose", False), ("names", {"Ann"})):
        monkeypatch.setattr(LOG, name, value)
    return logging.getLogger("attrsearch.faces.dataset")


def test_a_warning_is_a_line_on_stderr(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    with showing_logs():
        log.warning("faces/Ann/1.jpg: needs a picture of a face, found no face")
        LOG.quiet = True
        log.warning("nobody reads this")
    LOG.quiet = False
    printed = capsys.readouterr()
    assert printed.err == "faces/Ann/1.jpg: needs a picture of a face, found no face\n"
    assert printed.out == ""


def test_a_warning_that_is_kept_names_nobody(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    LOG.json = True
    with showing_logs():
        log.warning("Ann: gender guessed from %s", "faces/Ann/1.jpg")
        LOG.verbose = True
        log.warning("Ann: no face")
    hidden, shown = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (hidden["event"], hidden["text"]) == (
        "warning",
        f"{LOG.pseudonym('Ann')}: gender guessed from <path>",
    )
    assert shown["text"] == "Ann: no face"
    # other handlers get what was said
    assert caplog.messages == ["Ann: gender guessed from faces/Ann/1.jpg", "Ann: no face"]


def test_a_run_logs_json_without_names_and_paths(called: Called) -> None:
    assert {"progress", "warning", "said"} <= {line["event"] for line in called.log}
    words = (NAME, "Jane", "pilot", "Nobody", str(called.faces), str(called.out), "blank.png")
    assert not [word for word in words if word in called.printed]
    last = [line for line in called.log if line["event"] == "progress"][-1]
    assert (last["people"], last["done"]) == (3, 3)
    texts = [line["text"] for line in called.log if line["event"] == "said"]
    assert any(re.match(r"(failed|not anonymised): p-[0-9a-f]{10}", text) for text in texts), texts


def test_figures_for_prometheus(called: Called) -> None:
    lines = called.metrics.splitlines()
    assert all(line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.match(line) for line in lines), (
        lines
    )
    figures = {
        line.split()[0]: float(line.split()[1]) for line in lines if not line.startswith("#")
    }
    assert figures["attrsearch_people"] == figures["attrsearch_people_done"] == 3
    assert figures["attrsearch_evaluations_total"] == 16
    assert called.metrics.endswith("\n")
    begun = RunProgress(
        stage="search",
        count=0,
        total=8,
        people=1,
        done=0,
        feasible=0,
        seconds=0.5,
        seconds_left=None,
    )
    assert metrics_text(begun).count("# TYPE") == 6


@pytest.mark.parametrize("command", [["apply"], ["anonymise", "--study", "quick", "--trials", "1"]])
def test_text_names_who_failed_and_json_does_not(
    command: list[str],
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    called: Called,
) -> None:
    faces = tmp_path / "faces"
    shutil.copytree(sample / "pilot", faces / "pilot")
    (faces / NAME).mkdir()
    (faces / NAME / "blank.png").write_bytes(b"no picture")
    if command == ["apply"]:
        command = ["apply", "--attributes", str(called.out / "attributes.json")]

    def says(*options: str) -> str:
        out = tmp_path / f"out{len(options)}"
        assert (
            main([*command, str(faces), "--out", str(out), "--recogniser", "sface", *options]) == 1
        )
        return capsys.readouterr().err

    spoken, logged = says(), says("--log-format", "json")
    assert f"{NAME}" in spoken
    assert "blank.png" in spoken
    texts = [json.loads(line).get("text", "") for line in logged.splitlines()]
    assert any(re.search(r"not written: ", text) for text in texts), texts
    assert not [
        word for word in (NAME, "Jane", "pilot", "blank.png", str(tmp_path)) if word in logged
    ]


def test_errors_are_lines_of_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = tmp_path / "nowhere"
    command = [
        "run",
        str(faces),
        "--out",
        str(tmp_path / "run"),
        "--recogniser",
        "sface",
        "--log-format",
        "json",
    ]
    assert main(command) == 2
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert line["event"] == "error"
    assert str(tmp_path) not in line["text"]
    assert main([*command, "--verbose"]) == 2
    assert str(faces) in json.loads(capsys.readouterr().err.splitlines()[-1])["text"]
    assert main(["report", str(faces)]) == 2
    assert capsys.readouterr().err.startswith("attrsearch: ")
    assert not LOG.json
