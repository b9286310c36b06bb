"""Untouched pictures and ledgers at rest.

Nobody reads them without the key, everything else works without it.
"""

import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from starlette.testclient import TestClient

from attrsearch.cli.main import main
from attrsearch.core.encryption import (
    KEY,
    SWITCH,
    find_private,
    locked,
    open_private,
    set_encrypting,
    unlocked,
    use_key,
)
from attrsearch.core.errors import InputError
from attrsearch.evaluation.metrics.temporal import read_ledger
from attrsearch.report.dashboard.optuna_export import export_studies
from attrsearch.report.dashboard.security import Access
from attrsearch.report.dashboard.server import Dashboard
from attrsearch.report.dashboard.state import LiveRun
from attrsearch.report.extras import read_video
from attrsearch.report.pictures import inline
from attrsearch.runs.check import check_run
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.video.coverage import Ledger
from tests.privacy.conftest import Called
from tests.report.synthetic import write_coverage
from tests.video.test_outputs import covered

NEEDS_KEY = (
    r"needs 32 bytes in url-safe base64, found none; "
    r"make one: .* and give it with --key FILE or in ATTRS"
)


def test_what_is_written_is_read_with_the_key_alone(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_encrypting(True)
    secret = locked(b"a face")
    assert b"face" not in secret
    assert unlocked(secret, "x") == b"a face"
    monkeypatch.setenv(KEY, "A" * 43 + "=")
    with pytest.raises(
        InputError, match="x: needs the key it was encrypted with, found another, or a damaged file"
    ):
        unlocked(secret, "x")
    monkeypatch.setenv(KEY, "")
    with pytest.raises(InputError, match=NEEDS_KEY):
        unlocked(secret, "x")


@pytest.mark.parametrize(
    ("text", "found"), [(None, "found none"), ("", "found none"), ("short", "something else")]
)
def test_keys_that_are_none(no_key: None, tmp_path: Path, text: str | None, found: str) -> None:
    if text is not None:
        (tmp_path / "key").write_text(text)
    with pytest.raises(InputError, match=found):
        use_key(tmp_path / "key", True)


def test_a_run_keeps_no_untouched_picture_in_the_clear(called: Called) -> None:
    files = list(called.out.rglob("*original*"))
    assert len(files) >= 2
    assert {path.suffixes[-1] for path in files} == {".fernet"}
    for path in files:
        with pytest.raises(OSError, match="cannot identify"):
            Image.open(path)
        assert not path.read_bytes().startswith(b"\xff\xd8")
    assert read_run(called.out)["settings"]["encrypted"] is True


def test_check_export_compare_and_resume_need_no_key(
    called: Called, no_key: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(called.out, run)
    found = check_run(run)
    assert found.whole, [str(item) for item in found.findings]
    assert found.people == 2
    assert main(["export", str(run), "--out", str(tmp_path / "a.json")]) == 0
    assert main(["compare", str(run), str(called.out)]) == 0
    assert main(["report", str(run)]) == 0
    assert main(["merge", str(run), "--out", str(tmp_path / "merged")]) == 1  # somebody failed
    names = sorted(path.name for path in (tmp_path / "merged").rglob("*.fernet"))
    assert names == sorted(path.name for path in run.rglob("*.fernet"))
    capsys.readouterr()


def test_a_run_that_encrypts_is_not_resumed_without(
    called: Called, no_key: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(called.out, run)
    options = [
        "--out",
        str(run),
        "--study",
        "quick",
        "--trials",
        "8",
        "--recogniser",
        "sface",
        "--resume",
        "--quiet",
    ]
    assert main(["run", str(called.faces), *options, "--include-originals"]) == 2
    assert (
        "needs the settings this run was started with (encrypted = True)" in capsys.readouterr().err
    )
    assert main(["run", str(called.faces), *options, "--encrypt"]) == 2
    assert "needs 32 bytes in url-safe base64, found none" in capsys.readouterr().err


def test_the_report_shows_them_with_the_key(
    called: Called, no_key: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    command = ["report", str(called.out), "--out", str(page), "--include-originals"]
    assert main(command) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "needs 32 bytes in url-safe base64, found none" in line
    assert main([*command, "--key", str(called.key_file)]) == 0
    part = next(iter(RunFolder(called.out).read_people()))
    shown = inline(called.out, part, True)["original"]
    assert shown
    assert shown[0] in page.read_text().replace("\\/", "/")
    assert shown[0] not in (called.out / "report.html").read_text().replace("\\/", "/")


def test_the_dashboard_and_the_optuna_export(
    called: Called, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    live = LiveRun(called.out, originals=True)
    live.refresh()
    app = Dashboard(live, "ann", originals=True).application(Access("127.0.0.1", 8765))
    with TestClient(app, base_url="http://127.0.0.1:8765") as browser:
        refused = browser.get("/picture/0/original/0")
        assert refused.status_code == 403
        assert refused.text == "encrypted: needs the key it was encrypted with"
        monkeypatch.setenv(KEY, called.key_file.read_text())
        shown = browser.get("/picture/0/original/0")
        assert shown.headers["content-type"] == "image/jpeg"
        assert np.asarray(Image.open(io.BytesIO(shown.content))).shape == (192, 192, 3)
    done = export_studies(called.out, tmp_path / "optuna.log", originals=True)
    originals = list(called.out.rglob("*original*"))
    assert done.pictures > len(originals)
    assert all(path.read_bytes()[:2] == b"\xff\xd8" for path in done.artifacts.iterdir())


def test_a_ledger(key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path, plain = tmp_path / "coverage.parquet", tmp_path / "plain.parquet"
    with Ledger(plain) as ledger:
        ledger.add(0, 0.0, [covered()])
    set_encrypting(True)
    with Ledger(path) as ledger:
        ledger.add(0, 0.0, [covered()])
    set_encrypting(False)
    sealed = tmp_path / "coverage.parquet.fernet"
    assert sorted(tmp_path.iterdir()) == [sealed, plain]
    assert find_private(path) == sealed
    pd.testing.assert_frame_equal(pd.read_parquet(open_private(path)), pd.read_parquet(plain))
    assert read_video(tmp_path) == read_video(tmp_path, plain) != None  # noqa: E711
    assert read_ledger(path).keys() == read_ledger(plain).keys() == {0}
    monkeypatch.setenv(KEY, "")
    for read in (lambda: read_video(tmp_path), lambda: read_ledger(sealed)):
        with pytest.raises(InputError, match=NEEDS_KEY):
            read()


def test_while_private_files_are_encrypted_no_report_has_them(
    key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from attrsearch.report.page import write_report
    from tests.report.synthetic import write_run

    run = write_run(tmp_path / "run", 2, 12)
    write_coverage(run / "coverage.parquet")
    assert '"video":{' in write_report(run).read_text().replace(" ", "")
    monkeypatch.setenv(SWITCH, "1")
    assert '"video":null' in write_report(run).read_text().replace(" ", "")
