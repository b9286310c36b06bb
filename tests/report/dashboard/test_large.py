"""A live dashboard of 5,000 people.

Prints what docs/results/dashboards.md says: pytest -m slow -s tests/report/dashboard/test_large.py
"""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from attrsearch.report.dashboard.state import LiveRun
from tests.report.browser import needs_chromium
from tests.report.dashboard.test_live import live, served
from tests.report.synthetic import write_run
from tests.report.test_large import PAINTED

pytestmark = [needs_chromium, pytest.mark.slow]

PEOPLE, TRIALS = 5000, 200


def page_processor_time(browser: Any) -> float:
    """Seconds of processor time that the page's process has taken."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return max(process["cpuTime"] for process in found if process["type"] == "renderer")


def test_five_thousand_people_live(browser: Any, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", PEOPLE, TRIALS, screened=0.3, pictures=False)
    known = LiveRun(run)
    for what, act in (
        ("read the run", known.refresh),
        ("look for changes", known.refresh),
        ("answer with everyone", lambda: known.cohort(-1)),
        ("answer with no change", lambda: known.cohort(known.revision)),
    ):
        start = time.process_time()
        act()
        print(f"\nserver, {what}: {1000 * (time.process_time() - start):.1f} ms of processor time")
    print(f"{len(known.cohort(-1)) / 1e6:.1f} MB for everyone")

    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with served(run) as address:
        for attempt in range(3):
            with live(browser, address) as page:
                found = page.evaluate(PAINTED)
                print(
                    f"view {attempt + 1}: first paint {found['painted']:.0f} ms, whole view "
                    f"{found['view']:.0f} ms, {page_processor_time(browser):.2f} s of processor "
                    f"time, script memory {found['heap']:.0f} MB"
                )
                assert page.inner_text("#state") == f"finished · {PEOPLE:,} people"
                assert page.locator("#people tbody tr").count() == 50
                start = time.perf_counter()
                page.click("#people tbody a >> nth=0")
                page.wait_for_selector("#parallel .mark-line path", state="attached")
                print(f"a person's page with its charts: {time.perf_counter() - start:.2f} s")
