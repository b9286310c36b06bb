"""5,000 people on one page.

Prints what docs/results/dashboards.md says: pytest -m slow -s tests/report/test_large.py
"""

import time
from pathlib import Path
from typing import Any

import pytest

from attrsearch.report.page import write_report
from tests.report.browser import needs_chromium, opened
from tests.report.synthetic import write_run

pytestmark = [needs_chromium, pytest.mark.slow]

PEOPLE, TRIALS = 5000, 200
PAINTED = """() => ({
  painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
  view: Number(document.documentElement.dataset.ready),
  heap: performance.memory.usedJSHeapSize / 1e6,
})"""
MOVED = """() => {
  const slider = document.getElementById("threshold");
  const start = performance.now();
  for (let i = 0; i < 50; i += 1) {
    slider.value = 1.3 + i / 200;
    slider.dispatchEvent(new Event("input"));
  }
  return (performance.now() - start) / 50;
}"""


def resident(browser: Any) -> float:
    """Memory of the page's process, in MB."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in found if process["type"] == "renderer"]
    lines = [line for pid in pages for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return max(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000


def test_five_thousand_people_on_a_page(browser: Any, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", PEOPLE, TRIALS, screened=0.3)
    start = time.perf_counter()
    page = write_report(run)
    wrote = time.perf_counter() - start
    size = page.stat().st_size / 1e6
    print(
        f"\n{PEOPLE} people, {PEOPLE * TRIALS} candidates: written in {wrote:.1f} s, {size:.1f} "
        "MB of HTML"
    )
    assert size < 50
    for attempt in range(3):
        with opened(browser, page.as_uri()) as shown:
            found = shown.evaluate(PAINTED)
            moved = shown.evaluate(MOVED)
            memory = f"script memory {found['heap']:.0f} MB, process {resident(browser):.0f} MB"
            times = f"first paint {found['painted']:.0f} ms, whole view {found['view']:.0f} ms"
            print(f"view {attempt + 1}: {times}, slider {moved:.1f} ms a step, {memory}")
            assert shown.locator("#people tbody tr").count() == 50
            shown.fill("#by-name", "Person_49")
            assert shown.inner_text("#listed").startswith("100 people")
            shown.click("#people tbody a >> nth=0")
            shown.wait_for_selector("text=Best trials")
            shown.wait_for_function(
                "() => [...document.querySelectorAll('.shots img')].every((i) => i.naturalWidth > "
                "0)"
            )
