"""The studio in Chromium: from a drop to a download, with everything that may happen on the way."""

import base64
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from attrsearch.report.studio.job import JobFolder, Options
from attrsearch.report.studio.workspace import Workspace
from attrsearch.runs.people_file import Part, PeopleFile, Somebody, text_of
from tests.clips import Clip, street, textured, walker, write_clip
from tests.report.browser import needs_chromium, opened, serious
from tests.report.studio.stand_in import FRAMES, found
from tests.report.synthetic import write_coverage

pytestmark = [needs_chromium, pytest.mark.slow]

DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "video/mp4" }));
  for (const kind of ["dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.getElementById("drop").dispatchEvent(event);
  }
}"""
MINUTES = 60_000.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def served(folder: Path, port: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A studio as a process of its own; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "attrsearch.cli.main", "studio", str(folder), "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("studio: http"), line
        yield line.split()[1], process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A studio with a job whose people are found, one that is done, and one of very many people."""
    folder = tmp_path_factory.mktemp("studio")
    clip = write_clip(folder / "street.mp4", textured(FRAMES))
    workspace = Workspace(folder / "studio")
    many = tuple(Somebody(id=f"person_{i:04d}", parts=(str(i),)) for i in range(5000))
    crowd = PeopleFile(
        people=many,
        parts={str(i): Part(first=i % 30, last=39, frames=9) for i in range(5000)},
        rate=25,
        frames=FRAMES,
    )
    for name, people in (("found", found()), ("done", found()), ("crowd", crowd)):
        job = workspace.add(name, Options())
        write_job(job, clip, people, done=name == "done")
    broken = workspace.add("broken", Options())
    write_job(broken, clip, found(), done=False)
    (broken.path / "find.json").write_text(
        json.dumps({"pid": 1, "began": "", "ended": "x", "code": 2})
    )
    error = {"event": "error", "text": f"{broken.input}/street.mp4: needs a video, found <noise>"}
    (broken.path / "find.log").write_text(json.dumps(error) + "\n")
    workspace.close()
    return folder / "studio"


def write_job(job: JobFolder, clip: Path, people: PeopleFile, *, done: bool) -> None:
    (job.input / "street.mp4").write_bytes(clip.read_bytes())
    job.change(kind="video", source="street.mp4", begun="anonymise" if done else "find")
    (job.run / "found").mkdir(parents=True)
    (job.run / "found/people.json").write_text(text_of(people))
    ended = json.dumps({"pid": 1, "began": "", "ended": "x", "code": 1 if done else 0})
    (job.path / ("anonymise.json" if done else "find.json")).write_text(ended)
    if done:
        (job.path / "result").mkdir()
        (job.path / "result/street.mp4").write_bytes(clip.read_bytes())
        write_coverage(job.run / "coverage.parquet", frames=FRAMES)
        leak = {"frame": 31, "seconds": 1.2, "box": [1, 2, 3, 4], "kind": "matches", "value": 0.2}
        figures = {"judge": "dlib", "faces": 80, "judged": 70, "threshold": 0.5, "passing": 0}
        (job.run / "audit.json").write_text(json.dumps({**figures, "leaks": [leak]}))


@pytest.fixture(scope="module")
def address(made: Path) -> Iterator[str]:
    with served(made, free_port()) as (place, _):
        yield place


@pytest.mark.parametrize(
    ("name", "how"),
    [
        *(("", "light"), ("", "phone"), ("found", "light"), ("found", "phone")),
        *(("done", "dark"), ("done", "phone"), ("crowd", "light")),
    ],
)
def test_everyone_can_use_every_page(browser: Any, address: str, name: str, how: str) -> None:
    with opened(browser, address, phone=how == "phone", dark=how == "dark", offline=False) as page:
        if name:
            page.click(f".jobs a >> text={name}")
            page.wait_for_selector(".gallery li")
            page.wait_for_selector("canvas[data-frame]")
        else:
            page.wait_for_selector(".jobs li")
        assert serious(page) == []
        assert page.locator("h1").count() == 1
        width = 390 if how == "phone" else 1280
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(int(v) for v in paper[4:-1].split(",")) < 200) is (how == "dark")
        if name == "found":
            page.click("#open-person_002")
            assert serious(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_decisions_by_keyboard_and_in_two_tabs(browser: Any, address: str) -> None:
    with opened(browser, address, offline=False) as page:
        page.click(".jobs a >> text=found")
        page.wait_for_selector("#do-person_001-anonymise")
        other = page.context.new_page()
        other.goto(page.url)
        other.wait_for_selector("#do-person_001-anonymise")

        page.focus("#do-person_001-anonymise")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("text=1 anonymised · 1 left as they are")
        assert page.evaluate("document.activeElement.id") == "do-person_001-leave"
        other.wait_for_selector("text=1 anonymised · 1 left as they are")
        assert other.is_checked("#do-person_001-leave")

        # two people are one, and are two again
        page.focus("#open-person_001")
        page.keyboard.press("Enter")
        page.click("#merging summary")
        page.click("[data-other=person_002]")
        page.wait_for_selector(".gallery li:only-child")
        page.click("#undo")
        page.wait_for_selector("#open-person_002")
        page.click("#open-person_002")
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == "open-person_002"
        page.click("#undo")
        page.wait_for_selector("text=2 anonymised · 0 left as they are")
        # no look was kept of either: it is said what becomes of them
        assert page.locator("text=too small for a search").count() == 2
        assert "they are shown as they are" in page.inner_text(".choices")


def test_the_player_goes_where_it_is_sent(browser: Any, address: str) -> None:
    with opened(browser, address, offline=False) as page:
        page.click(".jobs a >> text=done")
        page.wait_for_selector("canvas[data-frame='0']")
        page.wait_for_selector("#lead >> text=covered wherever they were found")
        assert "The audit found 1 face that is still their person" in page.inner_text("#lead")
        page.focus("canvas")
        for key, frame in (("ArrowRight", 1), ("Shift+ArrowRight", 11), ("End", 39), ("Home", 0)):
            page.keyboard.press(key)
            page.wait_for_selector(f"canvas[data-frame='{frame}']")
        page.fill("#frame", "23")
        page.keyboard.press("Enter")
        page.wait_for_selector("canvas[data-frame='23']")
        page.click(".tick.filtered")
        page.click("#next-place")
        page.wait_for_selector("canvas[data-frame='31']")
        assert "found by the audit: still matches" in page.inner_text(".here")
        page.fill("#wipe", "100")
        with page.expect_download() as download:
            page.click(".downloads a >> nth=0")
        assert download.value.suggested_filename == "street_anonymised.mp4"


def test_an_error_is_one_clear_line(browser: Any, address: str) -> None:
    with opened(browser, address, offline=False) as page:
        page.click(".jobs a >> text=broken")
        page.wait_for_selector(".problems li")
        assert page.inner_text("#lead") == "It ended with an error."
        assert page.inner_text(".problems") == "street.mp4: needs a video, found <noise>"
        assert serious(page) == []


DRAG = """() => {
  const time = document.getElementById("time");
  for (let frame = 1; frame < 40; frame += 1) {
    time.value = frame;
    time.dispatchEvent(new Event("input"));
  }
}"""


def test_no_queue_forms_behind_a_quick_hand(browser: Any, address: str) -> None:
    with opened(browser, address, offline=False) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.click(".jobs a >> text=done")
        page.wait_for_selector("canvas[data-frame='0']")
        page.wait_for_function(
            "() => performance.getEntriesByType('resource').filter("
            "(one) => one.name.includes('/strip/')).length === 2"
        )
        page.wait_for_timeout(300)
        before = len([url for url in asked if "/frame/" in url])
        page.evaluate(DRAG)
        # a small picture is there at once, the exact one when it has come
        assert page.get_attribute("canvas", "data-small") == "39"
        page.wait_for_selector("canvas[data-frame='39']")
        # 39 places on two sides: the first and the last are asked for, none between
        assert len([url for url in asked if "/frame/" in url]) - before <= 6
        assert len([url for url in asked if "/strip/" in url]) == 2


def test_from_a_drop_to_a_download(browser: Any, tmp_path: Path) -> None:
    """The whole path with the true command; the server is killed in the middle of it."""
    walkers = [walker(12, (60, 100), (3, 0), 64), walker(12, (240, 120), (0, 0), 64)]
    clip = write_clip(tmp_path / "made_up.mp4", street(walkers).render(3), Clip(sound="aac"))
    data = base64.b64encode(clip.read_bytes()).decode()
    folder, port = tmp_path / "studio", free_port()

    with served(folder, port) as (place, server):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(5 * MINUTES)
        page.goto(place)
        page.wait_for_selector("html[data-ready]")
        page.select_option("#option-thorough", "false")
        page.evaluate(DROP, ["made_up.mp4", data])
        page.wait_for_selector("#do-person_002-filter")
        page.check("#do-person_002-filter")
        page.wait_for_selector("text=1 anonymised · 0 left as they are · 1 filtered")
        page.click("#go")
        page.wait_for_selector("#stop")
        server.send_signal(signal.SIGKILL)
        server.wait()
        page.wait_for_selector("text=no answer from the studio")

    with served(folder, port):
        # the page goes on by itself, and so did the job
        page.wait_for_selector("text=Before and after")
        page.wait_for_selector(".downloads")
        page.wait_for_selector("#state:has-text('done')")
        assert "filtered" in page.inner_text("[data-person=person_002]")
        with page.expect_download() as download:
            page.click(".downloads a >> nth=0")
        result = next(folder.glob("jobs/*/result/made_up.mp4"))
        assert Path(download.value.path()).read_bytes() == result.read_bytes()
        assert (folder / "jobs").stat().st_mode & 0o077 == 0
        context.close()
