"""The report in Chromium: what it shows, what its controls do, and whether everyone can use it."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from attrsearch.report.glossary import read_glossary
from attrsearch.report.page import write_report
from tests.report.browser import needs_chromium, opened, serious
from tests.report.pages import block
from tests.report.synthetic import write_run

pytestmark = needs_chromium

MOVE = """value => {
  const slider = document.getElementById("threshold");
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
}"""
PAGES = ["", "#/person/Person_0003", "#/surrogate", "#/video", "#/glossary/Utility"]


def cells(page: Any, column: int) -> list[str]:
    return [
        text.strip()
        for text in page.locator(f"#people tbody tr > :nth-child({column})").all_inner_texts()
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("where", PAGES)
def test_everyone_can_use_every_page(browser: Any, whole: Path, where: str, dark: bool) -> None:
    with opened(browser, whole.as_uri() + where, dark=dark) as page:
        if "person" in where:
            page.wait_for_selector("text=Best trials")
        assert serious(page) == []
        assert page.locator("h1").count() == 1
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(int(v) for v in paper[4:-1].split(",")) < 200) is dark


@pytest.mark.parametrize("where", PAGES)
def test_nothing_runs_off_a_phone(browser: Any, whole: Path, where: str) -> None:
    with opened(browser, whole.as_uri() + where, phone=True) as page:
        if "person" in where:
            page.wait_for_selector("text=Best trials")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert serious(page) == []


def test_the_figures_are_those_of_the_run(browser: Any, whole: Path) -> None:
    summary = pd.read_csv(whole.parent / "summary.csv")
    good = summary[summary["feasible"]]
    with opened(browser, whole.as_uri()) as page:
        verdicts = summary["verdict"].value_counts()
        sentence = page.inner_text("h1")
        assert sentence.startswith(f"{verdicts['holds']} of 121 people are anonymised: SFace no ")
        figures = dict(
            zip(
                page.locator(".figures dt").all_inner_texts(),
                page.locator(".figures dd:not(.soft)").all_inner_texts(),
                strict=True,
            )
        )
        for name, column in (("utility", "utility"), ("IoU", "iou"), ("detection", "detection")):
            assert figures[name] == f"{good[column].mean():.3f}"
        shown = page.locator(".verdicts dd:not(.soft)").all_inner_texts()
        words = ("holds", "holds on searched pictures only", "not anonymised")
        assert shown == [str(verdicts.get(word, 0)) for word in words]
        assert "of 121: and 1 failed" in page.inner_text(".verdicts")
        ledger = pd.read_parquet(whole.parent / "coverage.parquet")
        edited = ledger["cover"].isin(["edited", "warped"]).sum()
        told = f"In the video, {edited:,} of {len(ledger):,} faces that were covered show somebody"
        assert page.locator(f"text={told}").count() == 1
        assert "dlib" in page.inner_text("section:has(> h2:text-is('Judges'))")


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_first_screen_has_the_answer_then_faces(
    browser: Any, finished: Path, tmp_path: Path, phone: bool
) -> None:
    """Without scrolling: the sentence, the verdicts, and pairs of faces; other numbers come later."""
    asked = write_report(finished, tmp_path / "asked.html", include_originals=True)
    with opened(browser, asked.as_uri(), phone=phone) as page:
        tops = [
            page.locator(place).first.bounding_box()["y"]
            for place in ("h1", ".verdicts dl", ".facesfirst img", ".chart", ".figures")
        ]
        assert tops == sorted(tops)
        last = page.locator(".facesfirst img").nth(1).bounding_box()
        assert last["y"] + last["height"] < (844 if phone else 900)
        assert page.locator(".facesfirst .word").all_inner_texts() == ["before", "after"] * 2
        page.wait_for_function(
            "[...document.querySelectorAll('.facesfirst img')].every(i => i.naturalWidth > 0)"
        )
        drawn = page.inner_text("h1")
    # who has no scripts reads the same sentence
    written = re.search(r"<h1[^>]*>(.*?)</h1>", asked.read_text(), re.DOTALL)
    assert written is not None
    assert written[1] == drawn
    with opened(browser, (finished / "report.html").as_uri(), phone=phone) as page:
        assert page.locator(".facesfirst .word").all_inner_texts() == ["edited"] * 2
        page.click(".facesfirst a >> nth=0")
        page.wait_for_selector("text=Best trials")


def test_points_have_names_move_and_open_the_person(browser: Any, finished: Path) -> None:
    rows = {row["id"]: row for row in block(finished / "report.html", "data")["people"]}
    with opened(browser, (finished / "report.html").as_uri()) as page:
        assert set(page.locator(".point text").all_text_contents()) == {
            name if len(name) <= 18 else name[:17] + "…" for name in rows
        }
        page.evaluate(MOVE, 1.0)
        best = rows["cadet"]["steps"][-2]
        label = page.locator(".point", has_text="cadet").get_attribute("aria-label")
        assert label == f"cadet: distance {best:.3f}, feasible here"
        page.evaluate(MOVE, page.get_attribute("#threshold", "max"))
        assert page.locator(".point.yes").count() == sum(
            row["steps"][0] > float(page.get_attribute("#threshold", "max"))
            for row in rows.values()
        )
        page.locator(".point", has_text="cadet").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Best trials")
        assert page.inner_text("h1") == "cadet"


def test_every_column_is_explained(browser: Any, whole: Path) -> None:
    with opened(browser, whole.as_uri()) as page:
        for head in page.locator("#people thead button").all():
            if head.inner_text().strip(" ↑↓") == "person":
                continue
            head.focus()
            assert len(page.inner_text("#tip")) > 20, head.inner_text()
            assert head.get_attribute("aria-describedby") == "tip"
        page.keyboard.press("Escape")
        assert page.locator("#tip").is_hidden()
        page.click(".figures >> text=utility")
        page.wait_for_selector("h1 >> text=Glossary")
        assert page.evaluate("document.activeElement.textContent") == "Utility"
        assert page.locator(".glossary dt").count() == len(read_glossary())


def test_sorting(browser: Any, whole: Path) -> None:
    with opened(browser, whole.as_uri()) as page:
        assert cells(page, 2) == sorted(cells(page, 2), reverse=True)  # "not anonymised" first
        page.click("#people thead >> text=utility")
        falling = [float(text) for text in cells(page, 3)]
        assert falling == sorted(falling, reverse=True)
        assert page.get_attribute("#people thead th:nth-child(3)", "aria-sort") == "descending"
        page.click("#people thead >> text=utility")
        rising = [float(text) for text in cells(page, 3)]
        assert rising == sorted(rising)
        best = pd.read_csv(whole.parent / "summary.csv")["utility"]
        assert (falling[0], rising[0]) == (round(best.max(), 3), round(best.min(), 3))
        page.click("#people thead >> text=utility")
        assert page.get_attribute("#people thead th:nth-child(3)", "aria-sort") is None


def test_filtering_and_paging(browser: Any, whole: Path) -> None:
    summary = pd.read_csv(whole.parent / "summary.csv")
    with opened(browser, whole.as_uri()) as page:
        assert page.locator("#people tbody tr").count() == 50
        assert page.inner_text("#listed") == "120 people, 1 to 50 shown"
        first = cells(page, 1)
        page.click("text=Next →")
        assert not set(first) & set(cells(page, 1))
        page.fill("#by-name", "_011")
        assert page.inner_text("#listed") == "10 people"
        page.fill("#by-name", "")
        page.select_option("#by-gender", "male")
        assert page.inner_text("#listed").startswith(
            f"{(summary['gender'] == 'male').sum()} people"
        )
        page.select_option("#by-status", "not anonymised")
        both = (summary["gender"] == "male") & ~summary["feasible"]
        assert page.locator("#people tbody tr").count() == both.sum()


def test_the_slider_recomputes_from_all_trials(browser: Any, whole: Path) -> None:
    trials = pd.read_parquet(whole.parent / "trials.parquet")
    trials = trials[trials["evaluated"]]
    verification = block(whole, "data")["about"]["verification"]
    with opened(browser, whole.as_uri()) as page:
        for limit in (1.4, 1.3, 1.475, 1.6):
            page.evaluate(MOVE, limit)
            good = trials[(trials["distance"] > limit) & (trials["worst_distance"] > verification)]
            best = good.groupby("identity")["utility"].max()
            assert page.inner_text("#threshold-share").startswith(f"{len(best)} of 120 (")
            shown = page.inner_text("#threshold-utility")
            assert (
                shown == "–" if best.empty else float(shown) == pytest.approx(best.mean(), abs=6e-4)
            )
        page.focus("#threshold")
        page.keyboard.press("ArrowLeft")
        assert page.inner_text("output.big") == "1.595"
        page.click("text=Back to 1.4")
        assert page.inner_text("output.big") == "1.400"


def test_a_person_by_keyboard(browser: Any, whole: Path) -> None:
    rows = block(whole, "data")["people"]
    with opened(browser, whole.as_uri()) as page:
        page.focus("#people tbody a >> nth=0")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Best trials")
        assert page.evaluate("document.activeElement.tagName") == "H1"
        assert page.inner_text("h1") == rows[0]["id"]
        assert page.title().startswith(rows[0]["id"])
        assert page.locator(".shots li").count() == 3
        assert page.evaluate(
            "[...document.querySelectorAll('.shots img')].every(i => i.complete && i.naturalWidth "
            "> 0)"
        )
        assert "false-reject rate" in page.inner_text(
            "main"
        ) or "No rejected candidate was audited" in page.inner_text("main")
        table = page.locator("table", has_text="winner measured on").inner_text()
        assert f"{rows[0]['distance']:.3f}" in table
        assert f"{rows[0]['held']['distance']:.3f}" in table
        page.click("text=Next →")
        page.wait_for_function(
            "name => document.querySelector('h1').textContent === name", arg=rows[1]["id"]
        )
        page.go_back()
        page.wait_for_function(
            "name => document.querySelector('h1').textContent === name", arg=rows[0]["id"]
        )


def test_names_that_are_markup(browser: Any, finished: Path, nasty: str) -> None:
    with opened(browser, (finished / "report.html").as_uri()) as page:
        page.click(f"text={nasty}")
        page.wait_for_selector("text=Best trials")
        assert page.inner_text("h1") == nasty


def test_themes_can_be_chosen(browser: Any, whole: Path) -> None:
    with opened(browser, whole.as_uri(), dark=True) as page:
        colours = []
        for theme in ("auto", "light", "dark"):
            assert page.inner_text("#theme") == f"Theme: {theme}"
            colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            page.click("#theme")
        assert colours[0] == colours[2] != colours[1]


def test_paper_gets_the_whole_table(browser: Any, whole: Path) -> None:
    with opened(browser, whole.as_uri()) as page:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("#people tbody tr").count() == 120
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("#people tbody tr").count() == 50
        page.emulate_media(media="print")
        assert page.locator(".filters").is_hidden()
        assert page.locator(".top").is_hidden()
        assert page.pdf()[:5] == b"%PDF-"


def test_pictures_of_many_people_are_read_from_beside_the_page(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = write_run(tmp_path / "run", 8, 20)
    monkeypatch.setattr("attrsearch.report.page.INLINE_PEOPLE", 3)
    with opened(browser, write_report(out).as_uri()) as page:
        page.click("#people tbody a >> nth=0")
        page.wait_for_selector("text=Best trials")
        page.wait_for_function(
            "[...document.querySelectorAll('.shots img')].every(i => i.naturalWidth > 0)"
        )
        assert page.locator(".shots img").count() == 3


def test_no_curve_is_named_where_a_point_stands(browser: Any, tmp_path: Path) -> None:
    report = write_report(write_run(tmp_path / "run", 12, 30))
    with opened(browser, report.as_uri()) as page:
        places = """(what) => [...document.querySelectorAll(what)].map((one) => {
          const { left, top, right, bottom } = one.getBoundingClientRect();
          return [left, top, right, bottom];
        })"""
        names = page.evaluate(places, "text.contour")
        points = page.evaluate(places, "a.point circle:not(.reach)")
        people = page.evaluate(places, "a.point text")
        assert names
        assert len(points) >= 10
        assert len(people) >= 5
        for left, top, right, bottom in [*points, *people]:
            assert all(
                right < name[0] or name[2] < left or bottom < name[1] or name[3] < top
                for name in names
            )
