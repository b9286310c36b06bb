"""A live dashboard of 5,000 people.

Prints what docs/results/dashboards.md says: pytest -m slow -s tests/report/dashboard/test_large.py
"""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import needs_chromium
from tests.report.dashboard.test_live import live, served
from tests.report.synthetic import write_run
from tests.report.test_large import PAINTED

pytestmark = [needs_chromium, pytest.mark.slow]

PEOPLE, TRIALS = 5000, 200


def test_five_thousand_people_live(browser: Any, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", PEOPLE, TRIALS, screened=0.3, pictures=False)
    start = time.perf_counter()
    with served(run) as address:
        print(f"\n{PEOPLE} people: serving after {time.perf_counter() - start:.1f} s")
        for attempt in range(3):
            with live(browser, address) as page:
                found = page.evaluate(PAINTED)
                print(
                    f"view {attempt + 1}: first paint {found['painted']:.0f} ms, whole view "
                    f"{found['view']:.0f} ms, script memory {found['heap']:.0f} MB"
                )
                assert page.inner_text("#state") == f"finished · {PEOPLE:,} people"
                assert page.locator("#people tbody tr").count() == 50
                start = time.perf_counter()
                page.click("#people tbody a >> nth=0")
                page.wait_for_selector("#parallel .mark-line path", state="attached")
                print(f"a person's page with its charts: {time.perf_counter() - start:.2f} s")
