"""Recall, precision and average precision, by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from attrsearch.evaluation.metrics.detection import average_precision, score_detections
from attrsearch.video.io.boxes_file import LabelledBox


def box(x: float, track: int = 0, probability: float = 1.0, width: float = 10) -> LabelledBox:
    return LabelledBox((x, 0, x + width, 10), track, probability)


def test_everything_found_is_one() -> None:
    truth = {0: [box(0, 0), box(50, 1)], 3: [box(10, 0)]}
    scores = score_detections(truth, truth)
    assert (scores.recall, scores.precision, scores.average_precision, scores.switches) == (
        1,
        1,
        1,
        0,
    )


def test_hits_misses_and_inventions() -> None:
    truth = {0: [box(0), box(50)], 1: [box(0)]}
    found = {0: [box(1), box(200)], 1: [], 2: [box(0)]}
    scores = score_detections(truth, found)
    assert scores.recall == pytest.approx(1 / 3)
    assert scores.precision == pytest.approx(1 / 3)


def test_a_true_face_is_hit_once() -> None:
    scores = score_detections({0: [box(0)]}, {0: [box(0), box(1)]})
    assert (scores.recall, scores.precision) == (1.0, 0.5)


@pytest.mark.parametrize(("shift", "hit"), [(3.3, True), (3.4, False)])
def test_half_an_overlap_is_a_hit(shift: float, hit: bool) -> None:
    assert score_detections({0: [box(0)]}, {0: [box(shift)]}).recall == float(
        hit
    )  # IoU (10 - s) / (10 + s)


def test_pairs_have_the_greatest_overlap_in_all() -> None:
    truth, found = {0: [box(0), box(4)]}, {0: [box(3), box(-2)]}
    assert score_detections(truth, found).recall == 1.0


def test_nothing_to_find_and_nothing_found() -> None:
    empty = score_detections({}, {})
    assert (empty.recall, empty.precision, empty.average_precision) == (1, 1, 1)
    blind = score_detections({0: [box(0)]}, {})
    assert (blind.recall, blind.precision, blind.average_precision) == (0, 1, 0)
    dreaming = score_detections({0: []}, {0: [box(0)]})
    assert (dreaming.recall, dreaming.precision) == (1, 0)


def test_ignored_faces_are_neither_right_nor_wrong() -> None:
    truth, ignored = {0: [box(0)]}, {0: [box(50)]}
    assert score_detections(truth, {0: [box(0), box(50)]}, ignored=ignored).precision == 1.0
    assert (
        score_detections(truth, {0: [box(0), box(50), box(90)]}, ignored=ignored).precision == 0.5
    )
    assert score_detections(truth, {0: [box(0)]}, ignored=ignored).recall == 1.0


def test_switches_are_changes_of_a_persons_track() -> None:
    truth = {frame: [box(0, 7)] for frame in range(5)}
    tracks = [1, 1, 2, 2, 1]
    assert (
        score_detections(truth, {f: [box(0, track)] for f, track in enumerate(tracks)}).switches
        == 2
    )
    assert score_detections(truth, {f: [box(0, 4)] for f in (0, 3)}).switches == 0  # a gap is none
    assert (
        score_detections(truth, {f: [box(0, -1)] for f in range(5)}).switches == 0
    )  # nobody followed


def test_average_precision_is_the_area_under_the_monotone_curve() -> None:
    scores, hits = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, True])
    # precision 1, 1/2, 2/3, 3/4 made monotone: 1 up to recall 1/4, then 3/4 up to recall 3/4
    assert average_precision(scores, hits, 4) == pytest.approx(1 / 4 + 2 / 4 * 3 / 4)
    order = np.array([2, 0, 3, 1])
    assert average_precision(scores[order], hits[order], 4) == pytest.approx(0.625)
    assert average_precision(np.zeros(0), np.zeros(0, bool), 3) == 0


def test_average_precision_is_at_least_scikit_learns() -> None:
    """Which does not make precision monotone; equal where the curve is monotone already."""
    random = np.random.default_rng(0)
    for _ in range(20):
        scores, hits = random.permutation(30) / 30, random.random(30) < 0.5
        theirs = average_precision_score(hits, scores)
        ours = average_precision(scores, hits, int(hits.sum()))
        assert theirs - 1e-9 <= ours <= 1
    hits = np.arange(10) < 6
    assert average_precision(1 - np.arange(10) / 10, hits, 6) == average_precision_score(
        hits, 1 - np.arange(10) / 10
    )
