"""The live dashboard in Chromium, served by the command itself."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from attrsearch.runs.attributes_file import read_attributes
from attrsearch.runs.folder import RunFolder
from tests.report.browser import needs_chromium, opened, serious
from tests.report.pages import block
from tests.report.synthetic import provenance, write_people, write_person

pytestmark = needs_chromium


@contextmanager
def served(run: Path, *options: str) -> Iterator[str]:
    """The address of a dashboard that runs while the block does."""
    command = [
        sys.executable,
        "-m",
        "attrsearch.cli.main",
        "dashboard",
        str(run),
        "--port",
        "0",
        "--user",
        "ann",
        "--quiet",
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [*command, *options], stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"dashboard: (http://127\.0\.0\.1:\d+/)", line)
        assert found, line + process.stderr.read()
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        process.stderr.close()


@contextmanager
def live(browser: Any, address: str, where: str = "", **options: Any) -> Iterator[Any]:
    with opened(browser, address + where, offline=False, **options) as page:
        yield page


def test_people_appear_as_they_finish(browser: Any, tmp_path: Path) -> None:
    folder = write_people(tmp_path / "run", 4, 30)
    with served(folder.path) as address, live(browser, address) as page:
        assert page.inner_text("#state") == "not finished · 4 people so far"
        assert page.locator("#people tbody tr").count() == 4
        page.fill("#by-name", "newcomer")
        page.evaluate("document.getElementById('by-name').dataset.same = 'yes'")
        write_person(folder, "A newcomer", 30, np.random.default_rng(5))
        page.wait_for_selector("#people tbody >> text=A newcomer")
        assert page.locator("#people tbody tr").count() == 1
        assert (
            page.get_attribute("#by-name", "data-same") == "yes"
        )  # the page was neither loaded again nor built anew
        assert page.input_value("#by-name") == "newcomer"
        page.click("text=A newcomer")
        page.wait_for_selector("text=Best trials")
        page.wait_for_function(
            "() => [...document.querySelectorAll('.shots img')].every((i) => i.naturalWidth > 0)"
        )
        folder.finish(provenance(30), {}, 2.0)
        page.wait_for_selector("#state >> text=finished · 5 people")
        assert serious(page) == []


def test_a_run_that_has_just_begun(browser: Any, tmp_path: Path) -> None:
    folder = write_people(tmp_path / "run", 0, 30)
    with served(folder.path) as address, live(browser, address) as page:
        assert page.inner_text("h1") == "Nobody is finished yet"
        write_person(folder, "The first", 30, np.random.default_rng(5))
        page.wait_for_selector("#people tbody >> text=The first")
        assert page.inner_text("#state") == "not finished · 1 person so far"
        assert page.locator("#threshold").count() == 1


def test_dropping_grading_and_taking_away(browser: Any, tmp_path: Path) -> None:
    folder = write_people(tmp_path / "run", 4, 60)
    folder.finish(provenance(60), {}, 2.0)
    name = read_attributes(folder.path / "attributes.json").identities[0].id
    with served(folder.path) as address, live(browser, address, f"#/person/{name}") as page:
        page.wait_for_selector("text=Best trials")
        page.focus("#grade-2")
        page.keyboard.press("Space")
        page.wait_for_selector("#decision >> text=Graded good.")
        assert (
            page.evaluate("document.activeElement.id") == "grade-2"
        )  # whoever uses a keyboard is not thrown out
        page.click("#drop")
        page.wait_for_selector("#decision >> text=Dropped from the results.")
        assert "dropped" in page.inner_text(".lead")
        assert serious(page) == []
        page.click("text=All people")
        page.wait_for_selector("#people")
        page.select_option("#by-status", "dropped")
        assert page.locator("#people tbody tr").count() == 1
        with page.expect_download() as started:
            page.click("text=attributes.json")
        sets = json.loads(Path(started.value.path()).read_text())
        assert name not in {person["id"] for person in sets["identities"]}
        assert sets == json.loads((folder.path / "attributes.json").read_text())
    log = [json.loads(line) for line in (folder.path / "changes.jsonl").read_text().splitlines()]
    assert [(line["who"], line["action"], line["person"]) for line in log] == [
        ("ann", "grade", name),
        ("ann", "drop", name),
    ]


def test_tags_find_a_person_again(browser: Any, tmp_path: Path) -> None:
    folder = write_people(tmp_path / "run", 4, 30)
    with (
        served(folder.path) as address,
        live(browser, address, "#/person/Person_0002") as page,
    ):
        page.wait_for_selector("text=Best trials")
        page.click("#noted")
        page.fill("#tags", "twin, ask again")
        page.fill("#note", "wears a hat in one picture")
        write_person(folder, "A newcomer", 30, np.random.default_rng(5))
        page.wait_for_selector("#state >> text=5 people")
        assert page.input_value("#note") == "wears a hat in one picture"  # nobody is interrupted
        page.click("#keep-note")
        page.wait_for_selector("#decision >> text=are kept")
        assert page.inner_text("#noted").startswith("Tags and note: twin, ask again · wears a hat")
        assert serious(page) == []
        page.click("text=All people")
        page.wait_for_selector("#people")
        assert page.locator("#people .tag").all_inner_texts() == ["twin", "ask again"]
        page.select_option("#by-tag", "twin")
        assert page.locator("#people tbody tr").count() == 1
        page.select_option("#by-tag", "")
        page.fill("#by-name", "a hat")
        assert page.locator("#people tbody tr").count() == 1
        page.fill("#by-name", "")
        refuted = [
            part.record.id
            for part in folder.read_people()
            if part.heldback is not None and not part.heldback.feasible
        ]
        page.select_option("#by-status", "fails")
        shown = page.locator("#people .who").all_inner_texts()
        assert sorted(name.strip() for name in shown) == sorted(refuted)


def test_another_winner(browser: Any, finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    before = RunFolder(run).read_person("cadet")
    with served(run) as address, live(browser, address, "#/person/cadet") as page:
        page.wait_for_selector("text=Best trials")
        assert "original" not in page.locator(".shots li b").all_inner_texts()
        picture = page.get_attribute(".shots .best img >> nth=0", "src")
        button = page.locator("[data-trial]").nth(2)
        trial = int(button.get_attribute("data-trial"))
        button.click()
        # shown at once; measured while the page can be used
        page.wait_for_selector(f".lead >> text=trial {trial} is being measured again")
        shown = page.get_attribute(".shots .best img >> nth=0", "src")
        # on a busy machine it may be measured, and written anew, before it is asked for here
        assert shown.endswith(f"/{trial}") or shown != picture
        page.wait_for_selector("#decision >> text=was measured again", timeout=120_000)
        assert f"Trial {trial} was measured again" in page.inner_text("#decision")
        page.wait_for_selector(f"table tbody th >> text={trial} · winner")
        assert page.get_attribute(".shots .best img >> nth=0", "src") != picture
        assert "winner chosen by ann" in page.inner_text(".lead")
        page.check("#grade-2")
        page.wait_for_selector("#decision >> text=Graded good.", timeout=120_000)
        shown = page.locator("table", has_text="winner measured on").inner_text()
    after = RunFolder(run).read_person("cadet")
    assert before.winner != after.winner == trial
    assert f"{after.record.distance:.3f}" in shown
    exported = read_attributes(run / "attributes.json").find("cadet")
    assert exported == (after.exported if after.record.feasible else None)
    line, graded = map(json.loads, (run / "changes.jsonl").read_text().splitlines())
    assert (graded["action"], graded["trial"]) == ("grade", trial)
    assert (line["action"], line["from"], line["to"], line["who"]) == (
        "winner",
        before.winner,
        trial,
        "ann",
    )
    rows = {row["id"]: row for row in block(run / "report.html", "data")["people"]}
    assert (rows["cadet"]["winner"], rows["cadet"]["chosenBy"]) == (trial, "ann")


def test_candidates_are_seen_before_they_are_chosen(
    browser: Any, finished: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    trials = RunFolder(run).read_trials("cadet")
    with (
        served(run, "--include-originals") as address,
        live(browser, address, "#/person/cadet") as page,
    ):
        page.wait_for_selector("text=Best trials")
        # no model is loaded before it is needed
        assert page.locator("#candidates li").count() > 0
        assert page.locator("#candidates img").count() == 0
        page.click("#candidate-pictures")
        page.check("#candidate-all")
        page.select_option("#candidate-order", "distance")
        page.locator("#candidates").scroll_into_view_if_needed()
        names = page.locator("#candidates b").all_inner_texts()
        farthest = trials["distance"].sort_values(ascending=False).index[:12]
        assert names == [f"trial {i}" for i in farthest]
        page.wait_for_function(
            "() => document.querySelector('#candidates img').naturalWidth === 192",
            timeout=120_000,
        )
        page.click("#candidates .zoom >> nth=0")
        assert page.locator("dialog img").count() == 2
        assert page.inner_text("dialog label").split() == [
            "←",
            "original",
            "trial",
            names[0][6:],
            "→",
        ]
        page.focus("#wipe")
        page.keyboard.press("End")
        assert page.evaluate("document.querySelector('.wipe img:last-child').style.clipPath") == (
            "inset(0px 0px 0px 100%)"
        )
        assert serious(page) == []
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")


def test_a_phone_in_the_dark(browser: Any, tmp_path: Path) -> None:
    folder = write_people(tmp_path / "run", 3, 30)
    with (
        served(folder.path) as address,
        live(browser, address, "#/person/Person_0001", phone=True, dark=True) as page,
    ):
        page.wait_for_selector("text=Best trials")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert serious(page) == []


def test_an_address_that_is_taken(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "run", 1, 30, pictures=False)
    with served(folder.path) as address:
        port = address.rstrip("/").rsplit(":", 1)[1]
        command = [
            sys.executable,
            "-m",
            "attrsearch.cli.main",
            "dashboard",
            str(folder.path),
            "--port",
            port,
            "--quiet",
        ]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=120, check=False
        )
        assert done.returncode == 2
        assert re.search(
            rf"127.0.0.1:{port}: needs an address that is free, found .*; choose another --port",
            done.stderr,
        )
