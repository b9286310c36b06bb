"""What a judge makes of protected faces, where the answer is known."""

import numpy as np
import pytest

from attrsearch.evaluation.metrics.anonymity import (
    BINS,
    histograms,
    measure_originals,
    originals_figures,
    protected_figures,
)
from tests.evaluation.metrics.test_verification import noisy, units

OWNERS = np.arange(30).repeat(4)
ROWS = np.arange(len(OWNERS))
NONE = np.zeros((0, 64), np.float32)


@pytest.fixture(scope="module")
def originals() -> np.ndarray:
    return noisy(units(30, size=64), OWNERS, 0.5)


def test_untouched_faces_are_recognised(originals: np.ndarray) -> None:
    standard = measure_originals(originals, OWNERS, units(300, 5, 64), None)
    figures = protected_figures(standard, originals, ROWS)
    assert figures["tar_1e-3"] == pytest.approx(
        (standard.genuine.distances < standard.thresholds[1e-3]).mean()
    )
    assert figures["rank1"] == figures["parrot_rank1"] == 1
    assert figures["distance"] == 0
    assert figures["gallery"] == 330
    assert standard.scale * standard.impostor.distances.mean() == pytest.approx(1.4, rel=1e-4)


def test_faces_made_of_nothing_are_not(originals: np.ndarray) -> None:
    standard = measure_originals(originals, OWNERS, units(300, 5, 64), None)
    figures = protected_figures(standard, units(len(OWNERS), 9, 64), ROWS)
    assert figures["tar_1e-3"] < 0.02
    assert figures["rank1"] < 0.05
    assert figures["distance"] == pytest.approx(1.4, abs=0.03)


def test_faces_that_all_become_one_are_hidden_but_not_told_apart(originals: np.ndarray) -> None:
    standard = measure_originals(originals, OWNERS, NONE, 1.0)
    figures = protected_figures(standard, np.repeat(units(1, 3, 64), len(OWNERS), 0), ROWS)
    assert figures["rank1"] <= 1 / 30
    assert figures["apart"] == pytest.approx(0, abs=1e-3)


def test_consistent_new_faces_are_what_a_parrot_finds(originals: np.ndarray) -> None:
    """Everybody becomes somebody else, always the same.

    Safe from the naive attacker, linkable all the same.
    """
    standard = measure_originals(originals, OWNERS, NONE, 1.0)
    others = noisy(units(30, 77, 64), OWNERS, 0.3, 8)
    figures = protected_figures(standard, others, ROWS)
    assert figures["rank1"] < 0.15
    assert figures["parrot_rank1"] == 1


def test_missing_faces_are_left_out(originals: np.ndarray) -> None:
    standard = measure_originals(originals, OWNERS, NONE, 1.0)
    figures = protected_figures(standard, originals[:8], ROWS[:8])
    assert figures["probes"] == 8
    counts = histograms(standard, originals[:8], ROWS[:8])
    assert sum(counts["protected"]) == 8 * 3
    assert len(counts["genuine"]) == len(BINS) - 1


def test_few_people_give_no_threshold_and_no_false_figure() -> None:
    owners = np.array([0, 0, 1, 1])
    standard = measure_originals(units(4), owners, np.zeros((0, 16), np.float32), 1.0)
    assert "threshold_1e-2" not in originals_figures(standard)
    assert "tar_1e-2" not in protected_figures(standard, units(4), np.arange(4))
