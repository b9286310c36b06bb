"""Hair is no face; somebody who walks behind another is."""

import numpy as np

from attrsearch.video.tracking.false_tracks import find_ghosts
from attrsearch.video.tracking.tracker import TrackedFace

FACE = np.float32([100, 100, 180, 200])
HAIR = np.float32([95, 70, 155, 130])


def track(
    number: int, box: np.ndarray, probability: float, frames: range, speed: float = 3
) -> dict[int, TrackedFace]:
    landmarks = np.full((5, 2), np.nan, np.float32)
    return {
        frame: TrackedFace(
            number,
            box + np.float32([speed, 0, speed, 0]) * frame,
            landmarks,
            probability,
            "detected",
        )
        for frame in frames
    }


def test_hair_that_moves_with_its_head_is_a_ghost() -> None:
    assert find_ghosts(
        {1: track(1, FACE, 0.9, range(40)), 2: track(2, HAIR, 0.4, range(10, 30))}
    ) == {2}


def test_a_sure_face_on_a_head_is_a_face() -> None:
    assert (
        find_ghosts({1: track(1, FACE, 0.9, range(40)), 2: track(2, HAIR, 0.7, range(10, 30))})
        == set()
    )


def test_somebody_who_passes_behind_is_a_face() -> None:
    passing = track(2, HAIR + np.float32([-60, 0, -60, 0]), 0.4, range(40), speed=9)
    assert find_ghosts({1: track(1, FACE, 0.9, range(40)), 2: passing}) == set()


def test_a_doubtful_face_in_front_of_a_doubtful_one_stays() -> None:
    assert (
        find_ghosts({1: track(1, FACE, 0.5, range(40)), 2: track(2, HAIR, 0.4, range(40))}) == set()
    )


def test_a_larger_face_is_never_a_part_of_a_smaller_head() -> None:
    large = np.float32([60, 40, 220, 240])
    assert (
        find_ghosts({1: track(1, FACE, 0.9, range(40)), 2: track(2, large, 0.4, range(40))})
        == set()
    )
