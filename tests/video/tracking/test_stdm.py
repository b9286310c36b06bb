"""The thesis's short-term detection memory: section 3.3 and appendix C.2, step by step."""

import numpy as np
import pytest

from attrsearch.video.tracking.stdm import DetectionMemory, collides, radius

FACE = np.array([100, 100, 140, 150], np.float32)
NOTHING = np.zeros((0, 4), np.float32)
NO_SCORES = np.zeros(0, np.float32)


def scores(count: int) -> np.ndarray:
    return np.full(count, 0.9, np.float32)


def test_circles_collide_by_their_centres_and_radii() -> None:
    """Equation 3.3: half the shorter side; 3.4: centres no further apart than both radii."""
    assert radius(FACE[None])[0] == 20
    for shift, meets in ((0, True), (39, True), (40, True), (41, False)):
        assert collides(FACE, (FACE + np.float32([shift, 0, shift, 0]))[None])[0] == meets
    small = np.array(
        [160, 120, 170, 130], np.float32
    )  # centre (165, 125), radius 5: 45 away of 20 + 5
    assert not collides(FACE, small[None])[0]
    assert collides(FACE, (small - np.float32([20, 0, 20, 0]))[None])[0]


def test_the_worked_example() -> None:
    """A face is found, missed three times, and found again.

    Restored twice at length 2, then forgotten.
    """
    memory = DetectionMemory(2)
    assert [entry.frames_since_update for entry in memory.update(FACE[None], scores(1))] == [0]
    first = memory.update(NOTHING, NO_SCORES)
    assert [entry.frames_since_update for entry in first] == [1]
    assert np.array_equal(first[0].box, FACE)  # where it was last seen
    assert first[0].probability == pytest.approx(0.9)
    assert [entry.frames_since_update for entry in memory.update(NOTHING, NO_SCORES)] == [2]
    assert memory.update(NOTHING, NO_SCORES) == []
    assert [entry.frames_since_update for entry in memory.update(FACE[None], scores(1))] == [0]


def test_a_new_detection_replaces_the_one_it_collides_with() -> None:
    memory = DetectionMemory(2)
    memory.update(FACE[None], scores(1))
    moved = FACE + np.float32([15, 0, 15, 0])
    entries = memory.update(moved[None], scores(1))
    assert len(entries) == 1
    assert np.array_equal(entries[0].box, moved)
    assert entries[0].frames_since_update == 0  # the counter begins anew
    memory.update(NOTHING, NO_SCORES)
    assert memory.update(NOTHING, NO_SCORES)[0].frames_since_update == 2


def test_what_nothing_collides_with_is_restored_beside_new_detections() -> None:
    memory = DetectionMemory(1)
    far = FACE + 200
    memory.update(np.stack([FACE, far]), scores(2))
    entries = memory.update(far[None], scores(1))
    assert [(entry.frames_since_update, bool((entry.box == FACE).all())) for entry in entries] == [
        (0, False),
        (1, True),
    ]
    assert [entry.frames_since_update for entry in memory.update(far[None], scores(1))] == [0]


@pytest.mark.parametrize("length", [0, 1, 3, 10])
def test_it_restores_for_exactly_its_length(length: int) -> None:
    memory = DetectionMemory(length)
    memory.update(FACE[None], scores(1))
    restored = 0
    while memory.update(NOTHING, NO_SCORES):
        restored += 1
        assert restored < 20
    assert restored == length


def test_a_scene_cut_clears_it() -> None:
    memory = DetectionMemory(5)
    memory.update(FACE[None], scores(1))
    memory.clear()
    assert memory.update(NOTHING, NO_SCORES) == []
