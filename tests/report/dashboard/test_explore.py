"""Exploring candidates in Chromium: charts, limits, marks and grid show the same."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from attrsearch.runs.folder import RunFolder
from tests.report.browser import needs_chromium, serious
from tests.report.dashboard.test_live import live, served
from tests.report.synthetic import write_run

pytestmark = needs_chromium

NAME = "Person_0001"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, RunFolder]]:
    run = write_run(tmp_path_factory.mktemp("explore") / "run", 3, 40, screened=0.2)
    with served(run) as address:
        yield address, RunFolder(run)


def kinds(page: Any) -> dict[str, int]:
    """How many lines of the chart have which colour."""
    return page.evaluate(
        """() => Object.fromEntries(["line", "dot", "accent", "warn", "ink"].map((name) => [name,
        [...document.querySelectorAll("#parallel .mark-line path")]
          .filter((path) => path.style.stroke === `var(--${name})` ||
                            path.getAttribute("stroke") === `var(--${name})`).length]))"""
    )


def opened_person(page: Any) -> None:
    page.wait_for_selector("text=Best trials")
    page.wait_for_selector("#parallel .mark-line path", state="attached")


def test_limits_are_the_same_everywhere(browser: Any, dashboard: tuple[str, RunFolder]) -> None:
    address, folder = dashboard
    trials = folder.read_trials(NAME)
    measured = trials[trials["evaluated"]]
    with live(browser, address, f"#/person/{NAME}") as page:
        opened_person(page)
        assert sum(kinds(page).values()) == len(measured)
        page.check("#candidate-all")
        page.click("text=Limits by keyboard")
        page.select_option("#limit-axis", "distance")
        page.fill("#limit-from", "1.4")
        page.fill("#limit-to", "1.45")
        page.click("#limit-add")
        inside = measured[measured["distance"].between(1.4, 1.45)]
        left = len(measured) - len(inside)
        assert 0 < len(inside) < len(measured)
        assert page.inner_text("#candidates-note") == (
            f"{min(12, len(inside))} of {len(measured)} candidates; limits leave {left} out"
        )
        best = inside["utility"].sort_values(ascending=False).index[:12]
        names = page.locator("#candidates b").all_inner_texts()
        assert names == [f"trial {i}" for i in best]
        winner = folder.read_person(NAME).winner
        page.wait_for_function(
            "count => [...document.querySelectorAll('#parallel .mark-line path')].filter("
            "p => (p.style.stroke || p.getAttribute('stroke')) === 'var(--line)').length === count",
            arg=left - (winner not in inside.index),
        )
        assert serious(page) == []
        page.click("#limits button")
        assert page.locator("#limits li").count() == 0
        assert page.inner_text("#candidates-note").endswith(f"of {len(measured)} candidates")


def test_a_brush_on_an_axis_is_a_limit(browser: Any, dashboard: tuple[str, RunFolder]) -> None:
    address, folder = dashboard
    trials = folder.read_trials(NAME)
    utility = trials.loc[trials["evaluated"], "utility"]
    with live(browser, address, f"#/person/{NAME}") as page:
        opened_person(page)
        page.locator("#parallel").scroll_into_view_if_needed()
        box = page.locator("#parallel svg").bounding_box()
        axes = page.locator("#limit-axis option").count()
        x = box["x"] + 6 + (box["width"] - 12) * (axes - 0.5) / axes  # the last axis: utility
        top = box["y"] + 18
        page.mouse.move(x, top + 2)
        page.mouse.down()
        page.mouse.move(x, top + 60)
        page.mouse.move(x, top + 125)
        page.mouse.up()
        page.wait_for_selector("#limits >> text=utility")
        low = float(page.inner_text("#limits button").split()[1])
        middle = (utility.min() + utility.max()) / 2
        assert low == pytest.approx(middle, abs=0.02)
        kept = int((utility >= middle).sum())
        shown = page.locator("#candidates b").count()
        assert shown <= kept + 1


def test_marks_go_both_ways(browser: Any, dashboard: tuple[str, RunFolder]) -> None:
    address, _ = dashboard
    with live(browser, address, f"#/person/{NAME}") as page:
        opened_person(page)
        page.check("#candidate-all")
        card = page.locator("#candidates li:not(.best)").nth(1)
        trial = card.get_attribute("data-card")
        card.get_by_text("Mark", exact=True).click()
        assert page.locator("#marked b").all_inner_texts() == [f"trial {trial}"]
        page.wait_for_function(
            "() => [...document.querySelectorAll('#parallel .mark-line path')].some("
            "p => (p.style.stroke || p.getAttribute('stroke')) === 'var(--warn)')"
        )
        # back from a chart: a point of a slice marks its candidate
        page.click(".slices summary")
        page.wait_for_selector("#slices .mark-symbol path")
        assert page.locator("#slices .mark-group.role-scope .mark-symbol").count() >= 10
        page.evaluate(
            """() => {
              const dot = [...document.querySelectorAll('#slices .mark-symbol path')].find((p) =>
                (p.style.fill || p.getAttribute('fill')) === 'var(--accent)');
              dot.scrollIntoView({ block: 'center' });
              const box = dot.getBoundingClientRect();
              const at = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
              for (const kind of ['pointerdown', 'pointerup', 'click'])
                dot.dispatchEvent(new PointerEvent(kind, { bubbles: true, ...at }));
            }"""
        )
        page.wait_for_function(
            "() => document.querySelectorAll('#marked [data-card]').length === 2"
        )
        page.hover("#candidates li >> nth=0")
        assert page.locator("li.pointed").count() >= 1
        page.locator("#marked button", has_text="Marked").nth(0).click()
        page.locator("#marked button", has_text="Marked").nth(0).click()
        assert page.locator("#marked").is_hidden()


def test_the_grid_is_sorted(browser: Any, dashboard: tuple[str, RunFolder]) -> None:
    address, folder = dashboard
    trials = folder.read_trials(NAME)
    good = trials[trials["evaluated"] & trials["feasible"]]
    look = good["detection"] * good["iou"]
    orders = {"utility": good["utility"], "distance": good["distance"], "look": look}
    with live(browser, address, f"#/person/{NAME}") as page:
        opened_person(page)
        for order, values in orders.items():
            page.select_option("#candidate-order", order)
            names = page.locator("#candidates b").all_inner_texts()
            shown = [float(values[int(name.split()[1])]) for name in names]
            assert np.allclose(shown, np.sort(values)[::-1][: len(shown)], atol=2e-4)
            assert len(shown) == min(12, len(good))


def test_why_the_winner_won_is_said_in_words(
    browser: Any, dashboard: tuple[str, RunFolder]
) -> None:
    address, folder = dashboard
    part = folder.read_person(NAME)
    trials = folder.read_trials(NAME)
    good = trials[trials["evaluated"] & trials["feasible"]]
    with live(browser, address, f"#/person/{NAME}") as page:
        opened_person(page)
        text = page.inner_text("section:has(> h2:text-is('Why this one won'))")
        if part.record.feasible:
            assert f"Trial {part.winner} meets every constraint" in text
            assert f"{part.record.distance:.3f}, is above 1.4" in text
            assert f"Of the {len(good)} candidates that do" in text
            assert f"the highest utility, {part.record.utility:.3f}" in text
        else:
            assert "meets every constraint; trial" in text


def test_a_phone_in_the_dark(browser: Any, dashboard: tuple[str, RunFolder]) -> None:
    address, _ = dashboard
    with live(browser, address, f"#/person/{NAME}", phone=True, dark=True) as page:
        opened_person(page)
        page.click(".slices summary")
        page.wait_for_selector("#slices .mark-symbol path")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        box = page.locator("#parallel svg").bounding_box()
        assert box["width"] <= 360
        assert serious(page) == []
