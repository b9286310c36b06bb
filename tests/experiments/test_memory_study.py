"""The memory against known truth.

Misses are put in where they are known, and bridging them is measured.
"""

import numpy as np
import pytest

from attrsearch.evaluation.metrics.detection import score_detections
from attrsearch.experiments.memory_study import (
    METHODS,
    follow,
    imagine_detections,
    study_memory,
)
from attrsearch.experiments.synthetic_streets import make_street


def test_imagined_detections_fail_as_they_should() -> None:
    street = make_street("medium", people=4, frames=80, size=(480, 270), seed=1)
    found, again = imagine_detections(street, 5), imagine_detections(street, 5)
    assert len(found) == 80
    assert all(np.array_equal(a.boxes, b.boxes) for a, b in zip(found, again, strict=True))
    truth = sum(len(there) for there in street.truth().values())
    sure = sum((item.probabilities >= 0.5).sum() for item in found)
    unsure = sum((item.probabilities < 0.5).sum() for item in found)
    assert 0.5 * truth < sure < 0.95 * truth
    assert unsure > 0
    assert all((np.diff(item.probabilities) <= 0).all() for item in found)


def test_every_method_gives_every_frame() -> None:
    street = make_street("static", people=2, frames=10, size=(320, 240), seed=2)
    pictures = list(street.render(2))
    detections = imagine_detections(street, 2)
    for method in METHODS:
        assert len(follow(street, detections, pictures, method, 3)) == 10
    none = follow(street, detections, pictures, "none", 0)
    assert [len(there) for there in none] == [
        int((d.probabilities >= 0.5).sum()) for d in detections
    ]


def test_a_memory_finds_more_and_a_longer_one_never_less() -> None:
    street = make_street("static", people=5, frames=60, size=(480, 270), seed=4)
    detections = imagine_detections(street, 4)
    recalls = []
    for length in (0, 2, 6):
        found = dict(enumerate(follow(street, detections, [], "stdm", length)))
        recalls.append(score_detections(street.truth(), found).recall)
    assert recalls[0] < recalls[1] < recalls[2]


@pytest.mark.slow
def test_tracked_memory_beats_the_plain_one_on_dynamic_motion() -> None:
    """At length 10 at most a point of precision is lost, and as much recall won as at best."""
    rows = {(row.method, row.length): row.scores for row in study_memory(("dynamic",), 4)}
    base = rows["none", 0]
    best = max(rows["stdm", length].recall for length in range(11))
    tracked, start = rows["tracked", 10], rows["tracked", 0]
    assert start.precision - tracked.precision <= 0.01
    assert tracked.recall - base.recall >= best - base.recall


@pytest.mark.slow
def test_a_row_for_every_method_and_length() -> None:
    rows = study_memory(("static",), 1, (0, 2))
    cases = [(row.motion, row.method, row.length) for row in rows]
    assert cases[0] == ("static", "none", 0)
    assert [case[1:] for case in cases[1:]] == [
        ("stdm", 0),
        ("stdm", 2),
        ("tracked", 0),
        ("tracked", 2),
    ]
