"""The chart library: the files that were published, only where people explore."""

import hashlib
import re
from pathlib import Path

import pytest

from attrsearch.report.library import LIBRARY, read_library
from attrsearch.report.page import ASSETS, LIVE_SCRIPTS, SCRIPTS


def test_the_files_are_those_that_were_published() -> None:
    notes = (ASSETS / "vega" / "README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"\| `(\S+)` \| .* \| `([0-9a-f]{64})` \|", notes))
    assert set(named) == set(LIBRARY)
    for name in LIBRARY:
        assert hashlib.sha256(read_library(name) or b"").hexdigest() == named[name]
    assert all(
        (ASSETS / "vega" / name).stat().st_size > 1000
        for name in ("LICENSE.txt", "LICENSES-bundled.txt")
    )


@pytest.mark.parametrize("name", ["", "README.md", "../core.js", "/etc/passwd"])
def test_nothing_else_is_given(name: str) -> None:
    assert read_library(name) is None


def test_the_report_carries_no_library(whole: Path) -> None:
    page = whole.read_text(encoding="utf-8")
    assert set(LIVE_SCRIPTS).isdisjoint(SCRIPTS)
    for word in ("vega.", "vegaInterpreter", "parallelSpec"):
        assert word not in page
