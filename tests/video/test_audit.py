"""An audit's threshold is set on strangers of the footage, where there are enough of them."""

import numpy as np
import pytest

from attrsearch.video.audit import STRANGERS, Strangers


def strangers(distances: np.ndarray, times: int = 1) -> Strangers:
    made = Strangers()
    for part in np.array_split(distances.astype(np.float32), times):
        made.add(part)
    return made


def test_few_strangers_change_nothing() -> None:
    assert strangers(np.full(STRANGERS - 1, 0.1)).threshold(0.38) == 0.38
    assert Strangers().threshold(0.38) == 0.38
    assert Strangers().share_below(0.38) == 0.0


def test_strangers_who_come_near_lower_the_threshold() -> None:
    random = np.random.default_rng(0)
    near = strangers(random.normal(0.52, 0.06, 20_000), times=40)
    assert near.pairs == 20_000
    assert near.share_below(0.38) == pytest.approx(0.0098, abs=0.003)
    threshold = near.threshold(0.38)
    assert threshold == pytest.approx(0.52 - 3.09 * 0.06, abs=0.02)
    assert near.share_below(threshold) <= 0.001


def test_strangers_who_stay_away_never_raise_it() -> None:
    assert strangers(np.random.default_rng(0).normal(0.9, 0.05, 5000)).threshold(0.38) == 0.38


def test_an_untouched_face_is_a_leak_whatever_strangers_do() -> None:
    assert strangers(np.zeros(2 * STRANGERS)).threshold(0.38) == 0.19
