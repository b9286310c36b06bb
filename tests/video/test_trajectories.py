"""Gaps are filled, ends extended, nothing crosses a cut, and landmarks stay in their faces."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attrsearch.video.tracking.tracker import TrackedFace
from attrsearch.video.trajectories import Filling, Timeline, TrackedBox

TEMPLATE = np.float32([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])


def sighting(
    x: float, *, width: float = 40, landmarks: bool = True, probability: float = 0.9
) -> TrackedFace:
    box = np.float32([x, 100, x + width, 100 + 1.25 * width])
    points = box[:2] + TEMPLATE * (box[2:] - box[:2]) if landmarks else np.full((5, 2), np.nan)
    return TrackedFace(0, box, points.astype(np.float32), probability, "detected")


def build_timeline(
    tracks: Mapping[int, Mapping[int, TrackedFace]], cuts: set[int], frames: int, **options: Any
) -> dict[int, list[TrackedBox]]:
    timeline = Timeline(tracks, cuts, frames, **options)
    return {frame: there for frame in range(frames) if (there := timeline.at(frame))}


def faces(timeline: dict[int, list[TrackedBox]]) -> dict[int, TrackedBox]:
    assert all(len(there) == 1 for there in timeline.values())
    return {frame: there[0] for frame, there in sorted(timeline.items())}


def shares(face: TrackedBox) -> np.ndarray:
    return np.asarray((face.landmarks - face.box[:2]) / (face.box[2:] - face.box[:2]))


def test_a_gap_is_interpolated_and_both_ends_extended() -> None:
    seen = {frame: sighting(10.0 * frame) for frame in (5, 6, 7, 8, 12, 13, 14)}
    found = faces(build_timeline({0: seen}, set(), 40))
    assert list(found) == list(range(18))
    assert {frame: face.source for frame, face in found.items() if face.source != "detected"} == {
        **dict.fromkeys((0, 1, 2, 3, 4, 15, 16, 17), "extended"),
        **dict.fromkeys((9, 10, 11), "interpolated"),
    }
    for frame, face in found.items():
        assert face.box[0] == pytest.approx(10 * frame, abs=6)
        assert np.allclose(shares(face), TEMPLATE, atol=0.02)
        assert face.probability == pytest.approx(0.9)


def test_the_video_has_two_ends() -> None:
    found = faces(build_timeline({0: {f: sighting(100) for f in range(1, 9)}}, set(), 10))
    assert list(found) == list(range(10))


def test_nothing_crosses_a_cut() -> None:
    seen = {frame: sighting(100) for frame in (3, 4, 5, 8, 9)}
    found = faces(build_timeline({0: seen}, {2, 7}, 20))
    assert list(found) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert found[6].source == "extended"  # not interpolated: the gap has a cut in it
    assert found[7].source == "extended"
    apart = faces(build_timeline({0: {4: sighting(0), 6: sighting(300)}}, {6}, 10))
    assert apart[5].box[0] == pytest.approx(0, abs=1)
    assert apart[6].box[0] == pytest.approx(300, abs=1)


def test_a_gap_too_long_stays_open() -> None:
    seen = {0: sighting(100), 1: sighting(100), 40: sighting(100), 41: sighting(100)}
    assert set(build_timeline({0: seen}, set(), 60)) == {*range(5), *range(34, 45)}
    assert set(build_timeline({0: seen}, set(), 60, filling=Filling(gap=38))) == set(range(45))
    assert set(build_timeline({0: seen}, set(), 60, filling=Filling(extension=0, lead=0))) == {
        0,
        1,
        40,
        41,
    }


def test_a_shaking_detector_is_steadied() -> None:
    random = np.random.default_rng(0)
    seen = {frame: sighting(100 + 3 * frame + random.normal(0, 2)) for frame in range(40)}
    found = faces(build_timeline({0: seen}, set(), 40))
    raw = np.array([seen[frame].box[0] for frame in range(40)])
    shown = np.array([found[frame].box[0] for frame in range(40)])
    assert np.abs(np.diff(shown, 2)).mean() < 0.3 * np.abs(np.diff(raw, 2)).mean()
    assert np.abs(shown - (100 + 3 * np.arange(40))).max() < 4  # without lagging behind


def test_landmarks_never_leave_their_box() -> None:
    """Seen only while the face stood still; then it runs and the detector gives none."""
    seen = {frame: sighting(100) for frame in range(5)}
    seen |= {frame: sighting(100 + 30 * (frame - 4), landmarks=False) for frame in range(5, 30)}
    found = faces(build_timeline({0: seen}, set(), 30))
    for frame, face in found.items():
        if np.isfinite(face.landmarks).all():
            assert np.allclose(shares(face), TEMPLATE, atol=0.02), frame
    assert np.isfinite(found[10].landmarks).all()
    assert np.isnan(found[29].landmarks).all()  # too long ago to be known


def test_landmarks_are_not_run_on_beyond_where_they_were_seen() -> None:
    seen = {f: sighting(100 + 20 * f, landmarks=f < 5) for f in range(10)}
    seen |= {f: sighting(280, landmarks=False) for f in range(10, 25)}  # it stops
    found = faces(build_timeline({0: seen}, set(), 25))
    for frame in range(10, 19):
        assert np.allclose(shares(found[frame]), TEMPLATE, atol=0.02), frame


def test_no_landmarks_at_all() -> None:
    found = faces(
        build_timeline({0: {f: sighting(100, landmarks=False) for f in range(4)}}, set(), 4)
    )
    assert all(np.isnan(face.landmarks).all() for face in found.values())


def test_a_box_that_shrinks_fast_is_never_inside_out() -> None:
    seen = {f: sighting(100, width=62 - 20 * f) for f in range(4)}
    for face in faces(build_timeline({0: seen}, set(), 20, filling=Filling(extension=10))).values():
        assert (face.box[2:] > face.box[:2]).all()


def test_nothing_seen() -> None:
    assert build_timeline({}, set(), 10) == {}


# tracks of one person


def numbered(number: int, seen: dict[int, TrackedFace]) -> dict[int, TrackedFace]:
    return {frame: replace(face, track=number) for frame, face in seen.items()}


def test_tracks_of_one_person_are_one_where_they_can_be() -> None:
    """Lost behind something and found again a little further on: what lies between is covered."""
    tracks = {
        3: numbered(3, {frame: sighting(4.0 * frame) for frame in range(10)}),
        7: numbered(7, {frame: sighting(4.0 * frame) for frame in range(30, 40)}),
    }
    apart = build_timeline(tracks, set(), 60)
    assert set(range(13, 24)) & set(apart) == set()
    assert (
        set(range(43)) - set(build_timeline(tracks, set(), 60, people={3: "anna", 7: "bert"}))
        != set()
    )
    found = faces(build_timeline(tracks, set(), 60, people={3: "anna", 7: "anna"}))
    assert list(found) == list(range(43))
    assert {found[frame].source for frame in range(10, 30)} == {"interpolated"}
    for frame in range(3, 37):
        assert found[frame].box[0] == pytest.approx(4 * frame, abs=4)
    assert [found[frame].track for frame in (0, 9, 10, 29, 30, 42)] == [3, 3, 3, 3, 7, 7]


@pytest.mark.parametrize(("first", "x", "width"), [(45, 40, 40), (20, 1000, 40), (20, 40, 140)])
def test_tracks_of_one_person_that_cannot_be_one_stay_two(
    first: int, x: float, width: float
) -> None:
    """Too late, too far, too large."""
    tracks = {
        0: numbered(0, {frame: sighting(40) for frame in range(10)}),
        1: numbered(1, {frame: sighting(x, width=width) for frame in range(first, first + 10)}),
    }
    assert 13 not in build_timeline(tracks, set(), 60, people={0: "anna", 1: "anna"})


def test_tracks_of_one_person_are_not_joined_over_a_cut() -> None:
    tracks = {
        0: numbered(0, {frame: sighting(40) for frame in range(10)}),
        1: numbered(1, {frame: sighting(40) for frame in range(20, 30)}),
    }
    assert 13 not in build_timeline(tracks, {14}, 60, people={0: "anna", 1: "anna"})


def test_how_far_a_head_is_turned_is_steadied() -> None:
    """Landmarks of a profile are now beside, now before the face.

    The head does not turn that fast.
    """
    turned = TEMPLATE.copy()
    turned[2, 0] = 0.74  # the nose beside an eye
    seen = {}
    for frame in range(40):
        face = sighting(100)
        if frame % 4:
            seen[frame] = replace(
                face, landmarks=np.float32(face.box[:2] + turned * (face.box[2:] - face.box[:2]))
            )
        else:
            seen[frame] = face
    found = faces(build_timeline({0: seen}, set(), 40))
    turns = [face.turn for face in found.values()]
    assert all(turn is not None and 0.3 < turn < 0.5 for turn in turns)
    assert turns[10:30] == pytest.approx([0.45] * 20, abs=0.02)
    assert faces(build_timeline({0: {1: sighting(0, landmarks=False)}}, set(), 3))[1].turn is None
