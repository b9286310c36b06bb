"""Runs for the pages: a real one on the sample, and synthetic ones."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from attrsearch.recipes import load_study
from attrsearch.report.page import write_report
from attrsearch.search.run import run
from tests.report.browser import ARGUMENTS, CHROMIUM
from tests.report.synthetic import write_coverage, write_run, write_surrogate

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="session")
def nasty() -> str:
    """A name that is markup."""
    return NASTY


@pytest.fixture(scope="session")
def finished(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run of the sample with its report; one of its people has markup for a name, one has no picture."""
    faces = tmp_path_factory.mktemp("faces")
    for source, name in (("astronaut", NASTY), ("cadet", "cadet")):
        (faces / name).mkdir()
        for path in (sample / source).glob("*.jpg"):
            (faces / name / path.name).write_bytes(path.read_bytes())
    (faces / "nobody").mkdir()
    (faces / "nobody" / "a.png").write_bytes(b"")
    out = tmp_path_factory.mktemp("run") / "run"
    run(
        faces,
        out,
        study=load_study("quick", recogniser="sface", trials=24),
        warn=lambda line: None,
        include_originals=True,
    )
    write_report(out)
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic run with everything a page can show; the report's path."""
    out = write_run(tmp_path_factory.mktemp("whole") / "run", 120, 60, screened=0.3)
    write_surrogate(out)
    write_coverage(out / "coverage.parquet")
    judges = [{"judge": "dlib", "true_accept_rate": 0.012, "rank_1": 0.031, "faces": 240}]
    (out / "evaluation.json").write_text(json.dumps({"format": "attrsearch/evaluation", "judges": judges}))
    return write_report(out)
