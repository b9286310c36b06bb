"""Tracked memory: what goes on, what begins, what is remembered, and what is let go."""

import numpy as np
import pytest

from attrsearch.faces.detection.base import Detections
from attrsearch.video.tracking.appearance import FOUND, GONE, look_at
from attrsearch.video.tracking.kalman import BoxMotion, move_points
from attrsearch.video.tracking.scene_cuts import CutDetector
from attrsearch.video.tracking.tracker import (
    GUESSES,
    MIN_PREDICTED_IOU,
    TrackedFace,
    Tracker,
    match,
)
from tests.clips import textured

SIZE = (640, 480)
TEMPLATE = np.float32([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])


def box(x: float, y: float, width: float = 40) -> np.ndarray:
    """A box around a centre."""
    half = np.float32([width / 2, width * 0.625])
    return np.concatenate([np.float32([x, y]) - half, np.float32([x, y]) + half])


def seen(*faces: tuple[np.ndarray, float]) -> Detections:
    boxes = np.array([face for face, _ in faces], np.float32).reshape(-1, 4)
    points = boxes[:, None, :2] + TEMPLATE * (boxes[:, None, 2:] - boxes[:, None, :2])
    return Detections(
        boxes, np.array([score for _, score in faces], np.float32), points.astype(np.float32)
    )


def walk(tracker: Tracker, frames: int, start: float = 100, step: float = 5) -> list[TrackedFace]:
    faces: list[TrackedFace] = []
    for i in range(frames):
        faces = tracker.update(seen((box(start + step * i, 200), 0.9)))
    return faces


def middle(face: TrackedFace) -> np.ndarray:
    return (face.box[:2] + face.box[2:]) / 2


# motion


def test_constant_velocity_is_followed_through_a_gap() -> None:
    motion = BoxMotion(box(100, 200))
    for i in range(1, 12):
        motion.predict()
        motion.correct(box(100 + 6 * i, 200 - 2 * i))
    for i in range(12, 17):
        expected = motion.predict()
        motion.damp()
        assert (
            np.abs(expected - box(100 + 6 * i, 200 - 2 * i)).max() < 8
        )  # 30 pixels further, 8 at most off
    assert expected[2] - expected[0] == pytest.approx(40, abs=3)


def test_a_face_that_stands_still_stays() -> None:
    motion = BoxMotion(box(100, 200))
    for _ in range(10):
        motion.predict()
        motion.correct(box(100, 200))
    for _ in range(20):
        motion.damp()
        expected = motion.predict()
    assert np.allclose(expected, box(100, 200), atol=0.5)


def test_points_move_and_grow_with_their_box() -> None:
    points = np.float32([[100, 100], [110, 120]])
    before, after = np.float32([100, 100, 120, 140]), np.float32([200, 50, 240, 130])
    assert np.allclose(move_points(points, before, after), [[200, 50], [220, 90]])


# tracks


def test_a_face_keeps_its_number_and_a_new_one_gets_its_own() -> None:
    tracker = Tracker(5, SIZE)
    for i in range(8):
        faces = tracker.update(seen((box(100 + 8 * i, 200), 0.9), (box(500 - 8 * i, 320), 0.8)))
        assert sorted(face.track for face in faces) == [0, 1]
        assert middle(next(face for face in faces if face.track == 0))[1] == 200
    faces = tracker.update(seen((box(300, 100), 0.9)))
    assert 2 in {face.track for face in faces}


def test_little_confidence_goes_on_but_does_not_begin() -> None:
    tracker = Tracker(5, SIZE)
    (guess,) = tracker.update(seen((box(100, 200), 0.3)))
    assert (guess.track, guess.source, guess.guess) == (0, "low", True)
    (face,) = tracker.update(seen((box(100, 200), 0.9)))
    assert (face.track, face.guess) == (0, False)
    (face,) = tracker.update(seen((box(104, 200), 0.15)))
    assert (face.track, face.source) == (0, "low")
    assert face.probability == pytest.approx(0.15)
    (face,) = tracker.update(seen((box(108, 200), 0.05)))  # too little even for that
    assert face.source == "remembered"


@pytest.mark.parametrize(("probability", "likely"), [(0.48, True), (0.4, False)])
def test_many_guesses_are_a_face_if_they_are_likely(probability: float, likely: bool) -> None:
    tracker = Tracker(3, SIZE)
    guesses = [
        tracker.update(seen((box(100 + 2 * i, 200), probability)))[0].guess
        for i in range(GUESSES + 2)
    ]
    assert guesses == [True] * (GUESSES - 1) + [not likely] * 3


def test_guesses_neither_hide_nor_take_what_belongs_to_a_face() -> None:
    tracker = Tracker(5, SIZE)
    tracker.update(seen((box(100, 200), 0.9), (box(105, 190, 44), 0.3)))
    faces = tracker.update(seen((box(104, 194, 42), 0.9)))
    assert {face.track: face.source for face in faces} == {0: "detected"}
    walk(tracker, 6)
    faces = tracker.update(seen((box(400, 100), 0.3)))
    assert {face.source for face in faces if not face.guess} == {"remembered"}


def test_a_small_face_behind_a_large_one_is_hidden() -> None:
    tracker = Tracker(10, SIZE)
    for i in range(8):
        tracker.update(seen((box(300, 200, 160), 0.95), (box(140 + 10 * i, 200, 30), 0.9)))
    for _ in range(6):  # its box lies wholly in the large one, of which it is a thirtieth
        faces = tracker.update(seen((box(300, 200, 160), 0.95)))
    assert [face.track for face in faces] == [0]


def test_what_is_remembered_moves_as_it_moved() -> None:
    tracker = Tracker(6, SIZE)
    (last,) = walk(tracker, 10)
    for i in range(10, 15):
        (face,) = tracker.update(Detections.none())
        assert face.source == "remembered"
        assert face.probability == pytest.approx(0.9)
        assert middle(face)[0] == pytest.approx(100 + 5 * i, abs=7)
        inside = (face.landmarks - face.box[:2]) / (face.box[2:] - face.box[:2])
        assert np.allclose(inside, TEMPLATE, atol=0.02)
    (again,) = tracker.update(seen((box(100 + 5 * 15, 200), 0.9)))
    assert again.track == last.track


@pytest.mark.parametrize("length", [0, 2, 5])
def test_it_is_forgotten_after_its_length(length: int) -> None:
    tracker = Tracker(length, SIZE)
    walk(tracker, 10)
    remembered = [len(tracker.update(Detections.none())) for _ in range(length + 3)]
    assert remembered == [1] * length + [0, 0, 0]
    (again,) = tracker.update(seen((box(150, 200), 0.9)))
    assert again.track == 1


def test_a_single_false_detection_leaves_no_shadow() -> None:
    tracker = Tracker(10, SIZE)
    tracker.update(seen((box(100, 200), 0.9)))
    assert tracker.update(Detections.none()) == []


def test_behind_another_face_nothing_is_shown_and_it_comes_back() -> None:
    tracker = Tracker(10, SIZE)
    for i in range(8):  # one walks behind another, who stands
        tracker.update(seen((box(300, 200, 60), 0.95), (box(210 + 10 * i, 200, 50), 0.9)))
    for _ in range(3):
        (face,) = tracker.update(seen((box(300, 200, 60), 0.95)))
        assert (face.track, face.source) == (0, "detected")
    faces = tracker.update(seen((box(300, 200, 60), 0.95), (box(330, 200, 50), 0.9)))
    assert {face.track for face in faces} == {0, 1}


def test_who_has_left_the_frame_is_forgotten() -> None:
    tracker = Tracker(10, SIZE)
    for i in range(8):
        tracker.update(seen((box(560 + 10 * i, 200), 0.9)))
    shown = [bool(tracker.update(Detections.none())) for _ in range(4)]
    assert shown[-1] is False
    assert not any(tracker.update(Detections.none()) for _ in range(3))


def test_a_scene_cut_ends_every_track_and_numbers_go_on() -> None:
    tracker = Tracker(10, SIZE)
    walk(tracker, 5)
    tracker.clear()
    assert tracker.update(Detections.none()) == []
    (face,) = tracker.update(seen((box(120, 200), 0.9)))
    assert face.track == 1


def test_a_pair_is_alike_in_size_and_near() -> None:
    there = [box(100, 100), box(300, 100)]
    assert match(there, np.stack([box(302, 100), box(95, 104)]), 0.1) == [(0, 1), (1, 0)]
    assert match(there, np.stack([box(100, 100, 120)]), 0.1) == []  # three times as large
    assert match(there, np.stack([box(200, 100)]), 0.1) == []
    assert match([], np.zeros((0, 4), np.float32), 0.1) == []


def test_no_landmarks_stay_no_landmarks() -> None:
    tracker = Tracker(5, SIZE)
    for _ in range(3):
        found = seen((box(100, 200), 0.9))
        tracker.update(
            Detections(found.boxes, found.probabilities, np.full((1, 5, 2), np.nan, np.float32))
        )
    (face,) = tracker.update(Detections.none())
    assert np.isnan(face.landmarks).all()


# likeness


def test_a_face_is_found_where_it_went(astronaut: np.ndarray) -> None:
    there = np.float32([80, 20, 150, 110])
    look = look_at(astronaut, there)
    assert look is not None
    moved, alike = look.find(np.roll(astronaut, (6, 9), (0, 1)), there)
    assert alike > FOUND
    assert np.abs(moved - (there + np.float32([9, 6, 9, 6]))).max() < 4


def test_something_else_is_not_that_face(astronaut: np.ndarray) -> None:
    there = np.float32([80, 20, 150, 110])
    look = look_at(astronaut, there)
    assert look is not None
    wall = textured(1, (250, 250))[0]
    box_there, alike = look.find(wall, there)
    assert alike < GONE
    assert np.array_equal(box_there, there)


def test_half_a_face_is_not_found_again_in_what_hides_it(astronaut: np.ndarray) -> None:
    wall = textured(1, (250, 250))[0] // 2
    there = np.float32([80, 20, 150, 110])
    half = astronaut.copy()
    half[:, :115] = wall[:, :115]
    look = look_at(half, there)
    assert look is not None
    assert look.find(half, there)[1] > FOUND
    hidden = astronaut.copy()
    hidden[:, :160] = wall[:, :160]
    assert look.find(hidden, there)[1] < GONE


def test_a_place_outside_the_picture_has_no_look(astronaut: np.ndarray) -> None:
    assert look_at(astronaut, np.float32([300, 300, 340, 350])) is None
    assert look_at(astronaut, np.float32([-60, 20, -10, 80])) is None


def test_a_hidden_track_shows_nothing_and_a_missed_one_does(astronaut: np.ndarray) -> None:
    there = np.float32([80, 20, 150, 110])
    for hide, remembered in ((False, 1), (True, 0)):
        tracker = Tracker(10, (250, 250))
        for _ in range(3):
            tracker.update(seen((there, 0.9)), astronaut)
        picture = textured(1, (250, 250))[0] if hide else astronaut
        assert len(tracker.update(Detections.none(), picture)) == remembered


# cuts


def test_another_scene_is_a_cut_and_a_pan_is_none(astronaut: np.ndarray) -> None:
    detector = CutDetector()
    assert not detector.is_cut(astronaut)
    assert not any(detector.is_cut(np.roll(astronaut, 6 * i, 1)) for i in range(1, 6))
    assert detector.is_cut(textured(1, (250, 250))[0] // 3)
    assert not detector.is_cut(textured(2, (250, 250))[1] // 3)
    assert detector.is_cut(255 - astronaut // 4)


def test_a_flat_picture_does_not_break_it() -> None:
    detector = CutDetector()
    assert not detector.is_cut(np.zeros((40, 60, 3), np.uint8))
    assert detector.is_cut(np.full((40, 60, 3), 255, np.uint8))


def test_a_detection_that_is_not_where_its_track_should_be_fits_badly() -> None:
    tracker = Tracker(5, SIZE)
    assert walk(tracker, 8)[0].predicted_iou > 0.8
    assert tracker.update(seen((box(168, 215), 0.9)))[0].predicted_iou < MIN_PREDICTED_IOU
