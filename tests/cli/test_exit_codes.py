"""One rule of exit codes, held by every command, and written where people look."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import attrsearch
from attrsearch.cli import main as program
from attrsearch.cli.exit_codes import DONE, FAULT, INCOMPLETE, RULE, WRONG_USE, exit_code
from attrsearch.cli.main import cli, main
from tests.clips import Clip, street, walker, write_clip
from tests.report.synthetic import write_run

COMMANDS_PAGE = Path(attrsearch.__file__).parent.parent / "docs" / "commands.md"
IMPOSSIBLE = """
format = "attrsearch/objective"
version = 1
description = "nobody is as far as this"
[[maximise]]
name = "utility"
product = ["detection", "iou", "distance"]
[[constraints]]
term = "distance"
aggregate = "mean"
above = 2.4
"""
STUDY = """
format = "attrsearch/study"
version = 1
description = "one candidate, in vain"
editor = "anonymiser"
space = "one-pass"
objective = "{}"
recogniser = "sface"
trials = 1
max_faces = 1
[sampler]
name = "random"
"""


def leaves(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that does something, as its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        words = (*before, name)
        if isinstance(command, click.Group):
            yield from leaves(command, words)
        else:
            yield words


COMMANDS = list(leaves(cli))


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


def test_the_rule_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    assert " ".join(RULE.split()) in " ".join(capsys.readouterr().out.split())


def test_the_documents_say_what_1_means_for_each_command() -> None:
    text = COMMANDS_PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z ]+)` \| (.+) \|$", text, re.MULTILINE)
    assert {name for name, _ in rows} >= {words[0] for words in COMMANDS}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_ends_with_2_on_wrong_use_and_with_0_on_help(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    code, err = call(capsys, *words, "--no-such-option")
    assert code == WRONG_USE
    assert len(err.strip().splitlines()) == 1
    assert main([*words, "--help"]) == DONE


def test_what_is_missing_decides() -> None:
    assert exit_code() == DONE
    assert exit_code([], "", {}, 0) == DONE
    assert exit_code([], {"Ann": "no face"}) == INCOMPLETE


def test_a_fault_of_ours_is_no_missing_person(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(program.cli, "main", broken)
    with pytest.raises(SystemExit) as ended:
        program.entry()
    assert ended.value.code == FAULT
    assert "ZeroDivisionError" in capsys.readouterr().err


# commands on a run: made up, with people who are not anonymised


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", 12, 30, pictures=False)


def test_commands_that_show_a_run_end_with_0(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path
) -> None:
    code, err = call(capsys, "export", run, "--format", "csv", "--out", tmp_path / "sets.csv")
    assert code == DONE
    assert "left out: Person_" in err
    _, err = call(capsys, "export", run, "--include-infeasible", "--out", tmp_path / "s.json")
    assert "left out: Nobody: " in err
    assert "left out: Person_" not in err
    assert call(capsys, "report", run, "--quiet")[0] == DONE
    assert call(capsys, "compare", run, run)[0] == DONE
    assert call(capsys, "dashboard", run, "--optuna", "--out", run / "o.log", "--quiet")[0] == DONE
    assert call(capsys, "completion", "bash")[0] == DONE
    for words in (["export"], ["report"], ["compare"], ["dashboard"], ["check"], ["grade"]):
        assert call(capsys, *words, tmp_path / "nothing")[0] == WRONG_USE


def test_a_merge_counts_as_the_runs_it_joins(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path
) -> None:
    code, err = call(capsys, "merge", run, "--out", tmp_path / "joined", "--quiet")
    assert code == INCOMPLETE
    assert "not anonymised: Person_" in err


def test_a_check_ends_with_1_where_something_is_not_whole(
    capsys: pytest.CaptureFixture[str], run: Path
) -> None:
    assert call(capsys, "check", run, "--quiet")[0] == DONE
    (run / "summary.csv").unlink()
    code, err = call(capsys, "check", run, "--quiet")
    assert code == INCOMPLETE
    assert "summary.csv is gone" in err
    assert call(capsys, "check", run, "--repair", "--quiet")[0] == DONE


def test_scrubbing_ends_with_0_where_nothing_is_found(
    capsys: pytest.CaptureFixture[str], run: Path
) -> None:
    assert call(capsys, "scrub", run, "--yes")[0] == DONE


def test_damaged_weights_are_named_and_the_others_verified(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from dataclasses import replace

    from attrsearch.core import weights

    known = weights.manifest()
    damaged = tmp_path / "critic.safetensors"
    damaged.write_bytes(b"not what it was")
    monkeypatch.setattr(
        weights, "manifest", lambda: {**known, "critic": replace(known["critic"], path=damaged)}
    )
    code = main(["models", "verify"])
    printed = capsys.readouterr()
    assert code == INCOMPLETE
    assert printed.err.count("\n") == 1
    assert str(damaged) in printed.err
    assert printed.out.count("verified") == len(known)


# the main jobs, by a study that nobody can be anonymised by


@pytest.fixture
def in_vain(tmp_path: Path) -> Path:
    (tmp_path / "impossible.toml").write_text(IMPOSSIBLE)
    study = tmp_path / "in-vain.toml"
    study.write_text(STUDY.format(tmp_path / "impossible.toml"))
    return study


@pytest.fixture
def faces(sample: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "faces" / "cadet"
    folder.mkdir(parents=True)
    shutil.copy(sample / "cadet" / "cadet_1.jpg", folder)
    return folder.parent


@pytest.fixture
def film(tmp_path: Path) -> Path:
    shown = list(street([walker(10, (90, 110), (3, 0), 70)]).render(1))
    return write_clip(tmp_path / "street.mp4", shown, Clip(options={"crf": "8"}))


def test_pictures_and_videos_end_alike(
    capsys: pytest.CaptureFixture[str], in_vain: Path, faces: Path, film: Path, tmp_path: Path
) -> None:
    common = ("--study", in_vain, "--quiet")
    code, err = call(capsys, "run", faces, "--out", tmp_path / "run", *common)
    assert code == INCOMPLETE
    assert "not anonymised: cadet" in err
    for source in (faces, film):
        code, err = call(capsys, "anonymise", source, "--recogniser", "sface", *common)
        assert code == INCOMPLETE, err
        assert "not anonymised: " in err
        assert "0 of 1 people anonymised" in err


def test_an_unwritten_picture_ends_apply_with_1(
    capsys: pytest.CaptureFixture[str], faces: Path, tmp_path: Path, finished: Path
) -> None:
    export = finished / "attributes.json"
    words = ("apply", faces, "--attributes", export, "--quiet")
    assert call(capsys, *words, "--out", tmp_path / "a")[0] == DONE
    (faces / "cadet" / "bad.jpg").write_bytes(b"no picture")
    code, err = call(capsys, *words, "--out", tmp_path / "b")
    assert code == INCOMPLETE
    assert "not written: " in err


def test_leaving_a_page_is_no_fault(finished: Path, tmp_path: Path) -> None:
    """``grade`` and ``dashboard`` serve until Ctrl+C, which is how they are meant to end."""
    shutil.copytree(finished, tmp_path / "run")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for words in (["grade"], ["dashboard", "--quiet", "--port", "0"]):
        command = [sys.executable, "-m", "attrsearch.cli.main", *words, str(tmp_path / "run")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "http://127.0.0.1:" in line, line
        process.send_signal(signal.SIGINT)
        assert process.communicate()[1] == ""
        assert process.returncode == DONE
