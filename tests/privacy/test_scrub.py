"""What is left of a run that was scrubbed: nothing about anybody, and a list of it."""

import io
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from attrsearch.cli.main import main
from attrsearch.core.errors import InputError
from attrsearch.runs.metadata import read_run
from attrsearch.runs.scrub import scrub_run
from tests.privacy.conftest import Called
from tests.report.synthetic import write_coverage, write_run

NAMES = ("Åse Berg", "Person_0001", "Ann", "<img src=x>")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    out = write_run(tmp_path / "run", 4, 12, names=NAMES)
    write_coverage(out / "coverage.parquet")
    (out / "report_files").mkdir()
    (out / "report_files" / "Ann.jpg").write_bytes(b"x")
    (out / "changes.jsonl").write_text('{"person": "Ann"}\n')
    return out


def everything(run: Path) -> str:
    files = [path for path in run.rglob("*") if path.is_file()]
    return "\n".join(
        [str(path.relative_to(run)) for path in files] + [path.read_text() for path in files]
    )


def test_nothing_about_anybody_is_left(run: Path) -> None:
    figures = pd.read_csv(run / "summary.csv")
    done = scrub_run(run)
    assert [item.path for item in done.left] == ["run.toml", "summary.csv"]
    assert done.found == ()
    assert done.looked_for >= len(NAMES)
    assert done.removed > 20
    text = everything(run)
    assert not [name for name in (*NAMES, "Nobody") if name in text]
    left = pd.read_csv(run / "summary.csv")
    assert list(left["person"]) == ["person_1", "person_2", "person_3", "person_4"]
    assert sorted(left["utility"]) == pytest.approx(sorted(figures["utility"]), abs=1e-6)
    assert not [
        name for name in left.columns if "first_" in name or "second_" in name or name == "gender"
    ]
    about = read_run(run)
    assert about["scrubbed"] is True
    assert about["result"]["identities"] == 5
    assert "failures" not in about
    assert "faces" not in about


def test_the_names_that_are_looked_for_would_be_found(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search at the end is a search: a summary that kept a name is noticed."""
    monkeypatch.setattr("attrsearch.runs.scrub._table", lambda rows: "person\nÅse Berg\n")
    assert scrub_run(run).found == ("Åse Berg",)


def test_a_damaged_or_unfinished_person_goes_too(run: Path) -> None:
    (run / "people" / "Ann.json").write_text("{")
    (run / "people" / "Half_Done.parquet").write_bytes(b"x")
    done = scrub_run(run)
    assert done.found == ()
    assert len(pd.read_csv(run / "summary.csv")) == 3
    assert "Half_Done" not in everything(run)


def test_a_scrub_that_was_stopped_goes_on(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", stopped)
        with pytest.raises(KeyboardInterrupt):
            scrub_run(run)
    assert len(pd.read_csv(run / "summary.csv")) == 4
    shutil.rmtree(run / "people")
    assert [item.path for item in scrub_run(run).left] == ["run.toml", "summary.csv"]
    assert len(pd.read_csv(run / "summary.csv")) == 4


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"needs a run \(run.toml\), found none"):
        scrub_run(tmp_path)
    (tmp_path / "run.toml").write_text('format = "other"')
    with pytest.raises(InputError, match="needs a run"):
        scrub_run(tmp_path)
    assert (tmp_path / "photo.jpg").exists()


def test_links_are_removed_and_not_followed(run: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept.txt").write_text("kept")
    (run / "link").symlink_to(tmp_path / "elsewhere")
    scrub_run(run)
    assert (tmp_path / "elsewhere" / "kept.txt").read_text() == "kept"
    assert not (run / "link").is_symlink()


def test_the_command_asks_and_lists(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["scrub", str(run)]) == 130
    assert (run / "people").is_dir()
    capsys.readouterr()
    assert main(["scrub", str(run), "--yes", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert [item["path"] for item in done["left"]] == ["run.toml", "summary.csv"]
    assert done["found"] == []
    assert main(["scrub", str(run), "--yes"]) == 0
    said = capsys.readouterr().err
    assert "summary.csv" in said
    assert "found: none" in said


def test_a_real_run(called: Called, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(called.out, run)
    done = scrub_run(run)
    assert done.found == ()
    text = everything(run)
    assert not [
        word for word in ("Jane", "Doe", "pilot", "Nobody", str(called.faces)) if word in text
    ]
