"""Edit or filter: one decision for as long as possible, and never against what cannot be."""

from itertools import groupby

import numpy as np
import pytest

from attrsearch.faces.alignment import CROP_TEMPLATE
from attrsearch.video.decisions import SWITCH, EditLimits, cheapest, obstacle, plan_edits
from attrsearch.video.tracking.best_shots import EDIT_TURN, GO_ON_TURN
from attrsearch.video.tracking.tracker import BoxSource
from attrsearch.video.trajectories import TrackedBox

LIMITS = EditLimits(20.0)
LONG = int(3 * SWITCH)
SHORT = int(SWITCH)


def seen(
    turn: float = 0.0,
    width: float = 75.0,
    source: BoxSource = "detected",
    away: int = 0,
    landmarks: bool = True,
) -> TrackedBox:
    scale = width / 75
    points = (CROP_TEMPLATE * scale).astype(np.float32)
    box = np.array([26, 40, 101, 115], np.float32) * np.float32(scale)
    if not landmarks:
        points = np.full((5, 2), np.nan, np.float32)

    return TrackedBox(0, box, points, source, 0.9, away, turn)


def runs(reasons: list[str]) -> list[tuple[str, int]]:
    return [(reason, len(list(group))) for reason, group in groupby(reasons)]


def test_a_head_that_turns_for_a_moment_is_edited_all_the_way() -> None:
    way = [seen()] * LONG + [seen(GO_ON_TURN + 0.03)] * SHORT + [seen()] * LONG
    assert [bool(obstacle(face, LIMITS, begun=True)) for face in way].count(True) == SHORT
    assert runs(plan_edits(way, LIMITS)) == [("", len(way))]


def test_a_head_that_turns_for_long_is_filtered_and_says_so() -> None:
    way = [seen()] * LONG + [seen(GO_ON_TURN + 0.03)] * LONG + [seen()] * LONG
    assert runs(plan_edits(way, LIMITS)) == [("", LONG), ("turned", LONG), ("", LONG)]


def test_a_profile_is_never_edited_however_short() -> None:
    way = [seen()] * LONG + [seen(1.0)] * 2 + [seen()] * LONG
    planned = plan_edits(way, LIMITS)
    assert planned[LONG : LONG + 2] == ["turned", "turned"]


def test_a_profile_that_looks_here_for_a_moment_stays_filtered() -> None:
    way = [seen(0.9)] * LONG + [seen()] * SHORT + [seen(0.9)] * LONG
    assert runs(plan_edits(way, LIMITS)) == [("turned", len(way))]


def test_at_the_limit_it_stays_what_it_was() -> None:
    between = (EDIT_TURN + GO_ON_TURN) / 2
    assert runs(plan_edits([seen()] * LONG + [seen(between)] * 99, LIMITS)) == [("", LONG + 99)]
    behind = plan_edits([seen(0.9)] * LONG + [seen(between)] * 99, LIMITS)
    assert runs(behind) == [("turned", LONG + 99)]


def test_a_face_that_shakes_about_the_least_width() -> None:
    way = [seen(width=20.0 + (-1) ** frame) for frame in range(60)]
    assert len(runs(plan_edits(way, LIMITS))) == 1
    assert runs(plan_edits([seen(width=12.0)] * 60, LIMITS)) == [("too small", 60)]


@pytest.mark.parametrize(("keeps_pose", "expected"), [(True, ""), (False, "no landmarks")])
def test_a_gap_is_edited_over_only_by_an_editor_that_sees_what_is_skin(
    keeps_pose: bool, expected: str
) -> None:
    gap = [seen(source="interpolated", away=5)] * 4
    planned = plan_edits([seen()] * LONG + gap + [seen()] * LONG, EditLimits(20.0, keeps_pose))
    assert set(planned[LONG : LONG + 4]) == {expected}


def test_nothing_is_edited_before_it_was_seen() -> None:
    way = [seen(source="extended", away=3)] * 3 + [seen()] * LONG
    for keeps_pose in (True, False):
        planned = plan_edits(way, EditLimits(20.0, keeps_pose))
        assert runs(planned) == [("no landmarks", 3), ("", LONG)]


def test_landmarks_that_are_lost_for_a_moment_do_not_end_an_edit() -> None:
    lost = [seen(landmarks=False)]
    assert runs(plan_edits([seen()] * 20 + lost * 3 + [seen()] * 20, LIMITS)) == [("", 43)]
    assert runs(plan_edits(lost * 40, LIMITS)) == [("no landmarks", 40)]


def test_nothing_to_decide() -> None:
    assert plan_edits([], LIMITS) == []
    assert cheapest(np.zeros((0, 2)), 1.0) == []


def test_no_cheaper_way_is_overlooked() -> None:
    """Against all ways there are, of ten frames."""
    random = np.random.default_rng(5)
    for _ in range(20):
        costs = random.random((10, 2))
        chosen = _price(costs, cheapest(costs, 0.4))
        every = ([number >> bit & 1 for bit in range(10)] for number in range(2**10))
        assert chosen == pytest.approx(min(_price(costs, way) for way in every))


def _price(costs: np.ndarray, way: list[int]) -> float:
    return float(costs[np.arange(len(way)), way].sum() + 0.4 * np.abs(np.diff(way)).sum())
