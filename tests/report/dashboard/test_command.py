"""``attrsearch report`` and ``attrsearch dashboard`` as commands."""

import builtins
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from attrsearch.cli.main import main
from attrsearch.runs.compare import compare
from attrsearch.runs.review import decide
from tests.report.pages import block
from tests.report.synthetic import write_coverage, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", 3, 30)


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


def test_report_options(capsys: pytest.CaptureFixture[str], finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    write_coverage(tmp_path / "ledger.parquet", frames=40)
    page = tmp_path / "page.html"
    options = [
        "--include-originals",
        "--against",
        finished,
        "--ledger",
        tmp_path / "ledger.parquet",
        "--quiet",
    ]
    code, err = call(capsys, "report", tmp_path / "run", "--out", page, *options)
    assert (code, err) == (0, f"{page}\n")
    data = block(page, "data")
    assert data["video"]["tracks"]
    assert data["against"] == "run"
    assert "original" in block(page, "pictures-0")[0]
    for row in data["people"]:
        best = [row["utility"]] if row["feasible"] else []
        # of candidates within a hundredth of the best the one that looks best wins
        assert row["against"][-1:] == pytest.approx(best, rel=0.0101)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            ["--host", "0.0.0.0"],
            "--host: needs a token, since others can reach it, found none; add --token ",
        ),
        (
            ["--token", "short"],
            "--token: needs a token of at least 16 characters, found 5; --token ",
        ),
    ],
)
def test_wrong_use(
    capsys: pytest.CaptureFixture[str], run: Path, options: list[str], reason: str
) -> None:
    code, err = call(capsys, "dashboard", run, "--quiet", *options)
    assert code == 2
    assert err.startswith(f"attrsearch: {reason}")
    assert err.count("\n") == 1


def test_no_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for options in ([], ["--optuna"]):
        code, err = call(capsys, "dashboard", tmp_path, *options)
        assert code == 2
        assert "needs a run (run.toml), found none" in err


def test_a_missing_web_server_is_named(
    capsys: pytest.CaptureFixture[str], run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("attrsearch.report.dashboard.security"):
            raise ImportError(name="starlette")
        return whole(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    code, err = call(capsys, "dashboard", run, "--quiet")
    assert code == 2
    assert err.endswith("found no starlette; pip install 'attrsearch[dashboard]'\n")


def test_export_to_optuna(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    code, err = call(capsys, "dashboard", run, "--optuna", "--quiet")
    assert code == 0
    assert "3 studies, 90 trials, 9 pictures" in err
    assert (
        f"optuna-dashboard sqlite:///{run}/optuna.db --artifact-dir {run}/optuna_artifacts" in err
    )
    with sqlite3.connect(run / "optuna.db") as database:
        assert database.execute("select count(*) from trials").fetchone() == (90,)
    database.close()


def test_who_is_dropped_is_not_compared(run: Path) -> None:
    assert "| people | 3 |" in compare([run])
    decide(run, "Person_0001", "ann", "drop", {}, dropped=True)
    assert "| people | 2 |" in compare([run])
