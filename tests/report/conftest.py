"""Runs for the pages."""

import json
from pathlib import Path

import pytest

from attrsearch.report.page import write_report
from tests.report.synthetic import write_coverage, write_run, write_surrogate


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic run with everything a page can show; the report's path."""
    out = write_run(tmp_path_factory.mktemp("whole") / "run", 120, 60, screened=0.3)
    write_surrogate(out)
    write_coverage(out / "coverage.parquet")
    judges = [{"judge": "dlib", "true_accept_rate": 0.012, "rank_1": 0.031, "faces": 240}]
    (out / "evaluation.json").write_text(
        json.dumps({"format": "attrsearch/evaluation", "judges": judges})
    )
    return write_report(out)
