"""The arithmetic of the tables, on numbers whose answer is known."""

import warnings

import numpy as np
import pytest

from attrsearch.experiments.accuracy import sideways, tilts
from attrsearch.experiments.baselines import (
    Crossing,
    Point,
    at_detection,
    filter_region,
    half_block,
    mask,
)
from attrsearch.experiments.batch_sections import BINS, EDGES
from attrsearch.experiments.correlation import correlate
from attrsearch.experiments.learning import BAD, GOOD, grade, learn_good, thresholds
from attrsearch.experiments.prefilter import reduction
from attrsearch.experiments.table_4_2 import places


def test_a_filter_changes_the_region_and_nothing_else() -> None:
    from attrsearch.editing.filters import blur, pixelate

    window = np.random.default_rng(0).integers(0, 255, (192, 192, 3)).astype(np.uint8)
    box = np.float32([80, 70, 120, 130])
    for how, size in ((blur, 5), (pixelate, 8), (mask, 0), (half_block, 20)):
        filtered = filter_region(window, box, how, size)
        changed = (filtered != window).any(-1)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        assert (rows[0], rows[-1] + 1) == (58, 142)
        assert (columns[0], columns[-1] + 1) == (72, 128)
    assert (
        len(np.unique(filter_region(window, box, mask, 0)[58:142, 72:128].reshape(-1, 3), axis=0))
        == 1
    )


def test_a_region_beyond_the_window_is_cut_off() -> None:
    window = np.full((50, 50, 3), 9, np.uint8)
    assert (
        filter_region(window, np.float32([-20, -20, 80, 80]), mask, 0).tolist() == window.tolist()
    )


def point(detection: float, identified: float) -> Point:
    return Point("blur", 1, detection, {"either": identified}, 0)


def test_the_curve_is_read_where_it_crosses() -> None:
    curve = [point(1.0, 0.8), point(0.8, 0.0)]
    assert at_detection(curve, 0.9).identified == pytest.approx(0.4)
    assert at_detection(curve, 0.9).side == ""
    assert at_detection(curve[:1], 0.9) == Crossing(identified=0.8, found=1.0, side="below")
    assert at_detection(curve[1:], 0.9) == Crossing(identified=0.0, found=0.8, side="above")
    assert point(0.9, 0.1).product == pytest.approx(0.81)


def test_correlation_over_batches_and_within_people() -> None:
    easy, hard = np.array([1.3, 1.2, 1.1]), np.array([1.0, 0.9, 0.8])
    found = correlate([easy, hard], [np.array([0.8, 0.9, 1.0]), np.array([0.0, 0.1, 0.2])])
    assert found.r > 0.7  # who is easy to hide is further away
    assert found.within == pytest.approx(-1)  # but a greater distance hides nobody
    assert found.batches == 6
    nobody = correlate([easy], [np.ones(3)])
    assert np.isnan(nobody.r)
    missing = correlate([np.array([1.0, np.nan, 1.2, 1.4])], [np.array([0.0, 0.5, 0.4, 1.0])])
    assert missing.batches == 3
    assert missing.r > 0.9


def test_bins_cover_the_thesiss_ranges() -> None:
    assert len(EDGES) == len(BINS) + 1
    assert (np.digitize([-2.5, -1.5, 0, 1.5, 2.5], EDGES) - 1).tolist() == [0, 1, 2, 3, 4]


def test_reduction_counts_both_judges() -> None:
    before, after = np.array([2, 1, 2]), np.array([1, 1, 0])
    assert reduction(before, after, np.array([True, True, True])) == (5, 2, pytest.approx(0.6))
    assert np.isnan(reduction(before, after, np.zeros(3, bool))[2])


@pytest.mark.parametrize("count", [3, 10, 150, 1000])
def test_batches_lie_between_the_ends(count: int) -> None:
    parts = places(count, 5, 30)
    assert len(parts) == 5
    assert parts[0][0] == 0
    assert parts[-1][-1] == count - 1
    assert all(len(part) == min(30, count) for part in parts)


def test_grades_have_the_thesiss_shares() -> None:
    scores = np.random.default_rng(0).normal(size=2000).astype(np.float32)
    grades = grade(scores, thresholds(scores))
    assert np.bincount(grades) == pytest.approx(
        [2000 * BAD, 2000 * (1 - BAD - GOOD), 2000 * GOOD], abs=1
    )


def test_the_network_learns_what_is_there_and_nothing_where_there_is_nothing() -> None:
    random = np.random.default_rng(0)
    values = random.uniform(-1, 1, (800, 10))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learnt = learn_good(values, values[:, 0] + values[:, 1] > 0.4, 0)
        guessed = learn_good(values, random.random(800) < 0.33, 0)
    assert learnt.accuracy > learnt.majority + 0.1
    assert learnt.precision > 0.8 > learnt.base
    assert guessed.accuracy < guessed.majority + 0.05


def test_poses() -> None:
    frontal = np.float32([[[40, 50], [80, 50], [60, 70], [45, 90], [75, 90]]])
    turned = frontal.copy()
    turned[0, 2, 0] = 76
    assert sideways(frontal)[0] == 0
    assert sideways(turned)[0] == pytest.approx(0.4)
    assert tilts(frontal)[0] == 0
    rolled = (frontal - 60) @ np.float32([[0.8, 0.6], [-0.6, 0.8]]) + 60
    assert sideways(rolled)[0] == pytest.approx(0, abs=1e-5)
    assert tilts(rolled)[0] == pytest.approx(36.87, abs=0.01)


def test_a_persons_grades_are_learnt_where_a_run_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    from attrsearch.experiments import look
    from attrsearch.report.grading.grades import Edit

    random = np.random.default_rng(0)
    edits = [
        Edit("a", i, f"{i}.jpg", random.uniform(-1, 1, 26).astype(np.float32)) for i in range(90)
    ]
    grades = {edit.picture: "good" if edit.attributes[0] > 0.3 else "bad" for edit in edits}
    monkeypatch.setattr(look, "edits_of", lambda run: edits)
    monkeypatch.setattr(look, "all_grades", lambda run, edits: grades)
    found = look.learn_grades(Path("run1"))
    good = sum(grade == "good" for grade in grades.values())
    assert found is not None
    assert found.run == "run1"
    assert found.counts == (90 - good, 0, good)
    assert found.accuracy > found.chance
    assert look.learn_grades(None) is None
