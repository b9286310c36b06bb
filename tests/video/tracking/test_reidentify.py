"""Tracks become people across gaps and cuts, never two at once, never by a bad look."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from attrsearch.faces.dataset import AlignedFace, Picture
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.images import read_picture
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.video.io.reader import Frame
from attrsearch.video.tracking.best_shots import (
    KNOWN_WIDTH,
    MAX_POOR_SHOTS,
    Sighting,
    Sightings,
    quality,
)
from attrsearch.video.tracking.id_switches import divide
from attrsearch.video.tracking.reidentify import (
    People,
    find_rivals,
    group_tracks,
    join_unknown,
    link_people,
    match_people,
)
from attrsearch.video.tracking.scan import Scan, scan
from attrsearch.video.tracking.tracker import TrackedFace, Tracker

# groups


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return (vector / np.linalg.norm(vector))[None]


def test_the_near_are_joined_and_the_far_are_not() -> None:
    embeddings = {0: unit(1, 0), 1: unit(1, 0.1), 2: unit(0, 1)}
    groups = group_tracks(embeddings, {0: set(), 1: set(), 2: set()}, 0.5)
    assert sorted(map(sorted, groups)) == [[0, 1], [2]]


def test_two_tracks_of_one_frame_are_two_people_and_so_are_their_groups() -> None:
    embeddings = {0: unit(1, 0), 1: unit(1, 0.01), 2: unit(1, 0.02)}
    groups = group_tracks(embeddings, {0: {1}, 1: {0}, 2: set()}, 0.5)
    assert len(groups) == 2
    assert not any({0, 1} <= group for group in groups)
    assert sorted(map(sorted, groups)) == [[0], [1, 2]]  # the nearest pair is joined


def test_the_group_decides_not_one_track() -> None:
    embeddings = {0: unit(1, 0), 1: unit(0.9, 0.3), 2: unit(0.7, 0.7)}
    assert len(group_tracks(embeddings, {0: set(), 1: set(), 2: set()}, 0.55)) == 2


def test_who_was_beside_is_somebody_else_and_half_a_face_is_not() -> None:
    whole, half, beside = walk(0, 20, 0, 0.0), walk(5, 25, 30, 0.0), walk(15, 30, 100, 0.0)
    rivals = find_rivals({0: whole, 1: half, 2: beside})
    assert rivals == {0: {2}, 1: {2}, 2: {0, 1}}
    embeddings = {0: unit(1, 0), 1: unit(1, 0.01), 2: unit(1, 0.02)}
    assert sorted(map(sorted, group_tracks(embeddings, rivals, 0.5))) == [[0, 1], [2]]


@pytest.mark.parametrize(
    ("frames", "sure", "rival"), [(2, False, False), (2, True, True), (3, False, True)]
)
def test_few_unsure_detections_beside_a_track_do_not_make_two_people(
    frames: int, sure: bool, rival: bool
) -> None:
    beside = walk(18, 18 + frames, 100, 0.0)
    unsure = {f: face if sure else replace(face, source="low") for f, face in beside.items()}
    assert find_rivals({0: walk(0, 30, 0, 0.0), 1: unsure}) == (
        {0: {1}, 1: {0}} if rival else {0: set(), 1: set()}
    )


def test_nobody() -> None:
    assert group_tracks({}, {}, 0.5) == []


def test_people_are_named_after_the_nearest() -> None:
    people = People(
        {}, {}, {"person_001": unit(1, 0), "person_002": unit(0, 1), "person_003": unit(-1, 0)}
    )
    known = {"anna": unit(1, 0.1), "bert": unit(0.2, 1), "cleo": unit(0, -1)}
    assert match_people(people, known, 0.5) == {"person_001": "anna", "person_002": "bert"}
    assert match_people(people, {}, 0.5) == {}


# real faces


def frames(pictures: list[Picture | None], offset: int = 0) -> Iterator[Frame]:
    for index, picture in enumerate(pictures):
        shown = np.full((250, 250, 3), 90, np.uint8) if picture is None else picture
        yield Frame(index + offset, index / 25, shown, None)


def go_through(pictures: list[Picture | None], detector: Detector, memory: int = 0) -> Scan:
    return scan(frames(pictures), detector, Tracker(memory))


@pytest.fixture(scope="module")
def cadet(sample: Path) -> Picture:
    return read_picture(sample / "cadet" / "cadet_1.jpg")


def test_the_same_person_across_a_gap_and_a_cut_is_one(
    astronauts: Picture, cadet: Picture, mtcnn: Mtcnn, sface: CalibratedRecogniser
) -> None:
    first, second = astronauts[0], astronauts[2]
    gone: list[Picture | None] = [None]
    found = go_through(
        [first] * 3 + gone * 3 + [second] * 3 + gone + [cadet] * 2 + gone + [first] * 2, mtcnn
    )
    assert len(found.tracks) == 4
    people = link_people(found, mtcnn, sface)
    tracks = {frame: track for track, there in found.tracks.items() for frame in there}
    names = {frame: people.names[track] for frame, track in tracks.items()}
    assert names[0] == names[7] == names[13] == "person_001"  # seen longest
    assert names[10] == "person_002"
    assert people.embeddings["person_001"].shape[0] == len(people.looks["person_001"])
    assert np.allclose(np.linalg.norm(people.embeddings["person_001"], axis=1), 1, atol=1e-3)


def test_two_at_once_are_two_people_though_they_look_the_same(
    astronauts: Picture, mtcnn: Mtcnn, sface: CalibratedRecogniser
) -> None:
    twins = np.concatenate([astronauts[0], astronauts[0]], 1)
    people = link_people(go_through([twins] * 3, mtcnn), mtcnn, sface)
    assert len(people.names) == 2
    assert len(set(people.names.values())) == 2


def test_a_face_too_small_or_too_turned_stays_its_own_person(
    astronaut: Picture, mtcnn: Mtcnn, sface: CalibratedRecogniser
) -> None:
    def turned(detections: Detections) -> Detections:
        points = detections.landmarks.copy()
        points[:, :, 0] = points[:, :1, 0] + 0.1 * (
            points[:, :, 0] - points[:, :1, 0]
        )  # as in profile
        return Detections(detections.boxes, detections.probabilities, points)

    class Turned:
        name = "turned"

        def detect(self, pictures: Picture) -> list[Detections]:
            return [turned(found) for found in mtcnn.detect(pictures)]

    gone: list[Picture | None] = [None]
    found = go_through([astronaut] * 2 + gone, mtcnn)
    profile = scan(frames([astronaut] * 2, 30), Turned(), Tracker(0))
    found.tracks[99] = profile.tracks[0]
    found.looks[99] = profile.looks.get(0, Sightings())
    people = link_people(found, mtcnn, sface)
    assert people.names[99] != people.names[0]
    assert people.names[99] not in people.looks  # it is never searched, nor matched

    small = astronaut[::4, ::4]
    assert mtcnn.detect(astronaut[None])[0].boxes[0, 2] / 4 < 60
    tiny = scan(frames([np.pad(small, ((0, 187), (0, 187), (0, 0)))] * 2, 6), Mtcnn(14), Tracker(0))
    assert tiny.tracks
    assert all(not looks.sorted() for looks in tiny.looks.values())

    # a poor look says whom somebody is like, and names nobody
    nobody = link_people(tiny, mtcnn, sface)
    (looks,) = nobody.poor_looks.values()
    assert not nobody.looks
    assert looks[0].face.size < 2 * KNOWN_WIDTH


def test_poor_looks_are_kept_until_there_is_a_good_one(astronaut: Picture, mtcnn: Mtcnn) -> None:
    small = np.pad(astronaut[::4, ::4], ((0, 187), (0, 187), (0, 0)))
    pictures: list[Picture | None] = [small] * 50
    (poor,) = go_through(pictures, Mtcnn(14)).poor_looks.values()
    assert len(poor.sorted()) == MAX_POOR_SHOTS

    near = np.pad(astronaut[::2, ::2], ((0, 125), (0, 125), (0, 0)))
    found = go_through([small, small, near, small], Mtcnn(14))
    known = [track for track, looks in found.looks.items() if looks.sorted()]
    assert known
    assert not set(known) & set(found.poor_looks)


# sightings


def test_quality_grows_with_size_sharpness_frontality_and_probability(
    astronaut: Picture, mtcnn: Mtcnn
) -> None:
    import cv2

    found = mtcnn.detect(astronaut[None])[0]
    box, points = found.boxes[0], found.landmarks[0]
    best = quality(astronaut, box, points, 1.0)
    assert best > 0
    assert quality(astronaut, box, points, 0.5) == pytest.approx(best / 2)
    assert quality(np.asarray(cv2.GaussianBlur(astronaut, (0, 0), 4)), box, points, 1.0) < best / 2
    turned = points.copy()
    turned[:, 0] = points[2, 0] + 0.4 * (points[:, 0] - points[2, 0])
    assert 0 < quality(astronaut, box, turned, 1.0) < 0.9 * best
    half = cv2.resize(astronaut, (125, 125), interpolation=cv2.INTER_AREA)
    assert 0 < quality(np.asarray(half), box / 2, points / 2, 1.0) < best * 1.2


def test_what_cannot_be_known_has_no_quality(astronaut: Picture, mtcnn: Mtcnn) -> None:
    found = mtcnn.detect(astronaut[None])[0]
    box, points = found.boxes[0], found.landmarks[0]
    narrow = box.copy()
    narrow[2] = narrow[0] + KNOWN_WIDTH - 1
    assert quality(astronaut, narrow, points, 1.0) == 0
    assert quality(astronaut, box, np.full((5, 2), np.nan, np.float32), 1.0) == 0
    assert quality(astronaut, box + 400, points, 1.0) == 0  # outside the picture
    assert quality(astronaut, box, np.repeat(points[:1], 5, 0), 1.0) == 0  # on one point


def test_the_best_looks_are_kept_spread_over_time() -> None:
    looks = Sightings()
    for frame in range(400):
        value = 1 + (frame * 37 % 100) / 100 + frame / 1000
        if looks.wants(frame, value):
            looks.add(Sighting(frame, value, None))  # type: ignore[arg-type]
    kept = looks.sorted()
    assert len(kept) == 12
    assert [item.quality for item in kept] == sorted((item.quality for item in kept), reverse=True)
    assert len({item.frame // 10 for item in kept}) == 12
    assert not looks.wants(5, 0.5)
    assert looks.wants(kept[0].frame, 9.0)


# people who are known by where they are, and tracks that are two people's


def walk(
    first: int, last: int, x: float, pace: float = 4.0, number: int = 0
) -> dict[int, TrackedFace]:
    nothing = np.full((5, 2), np.nan, np.float32)
    return {
        frame: TrackedFace(
            number,
            np.float32([0, 50, 40, 100]) + np.float32([1, 0, 1, 0]) * (x + pace * frame),
            nothing,
            0.9,
            "detected",
        )
        for frame in range(first, last)
    }


def test_an_unknown_track_is_who_was_there_just_before() -> None:
    tracks = {0: walk(0, 10, 0), 1: walk(14, 20, 0), 2: walk(16, 30, 300), 3: walk(23, 30, 0)}
    assert sorted(map(sorted, join_unknown([{0}, {3}], tracks))) == [
        [0],
        [1, 3],
        [2],
    ]  # the nearer in time
    assert sorted(map(sorted, join_unknown([{0, 2}, {3}], tracks))) == [[0, 2], [1, 3]]
    assert sorted(map(sorted, join_unknown([{0, 3}], tracks))) == [[0, 1, 3], [2]]


@pytest.mark.parametrize("other", [walk(20, 30, 0), walk(12, 20, 200), walk(8, 20, 0)])
def test_an_unknown_track_too_late_too_far_or_beside_is_nobody(
    other: dict[int, TrackedFace],
) -> None:
    assert join_unknown([{0}], {0: walk(0, 10, 0), 1: other}) == [{0}, {1}]


def test_a_track_that_went_on_with_somebody_else_is_divided_where_they_met() -> None:
    found = Scan(tracks={0: walk(0, 40, 0), 1: walk(15, 22, 20)})
    found.remembered = {0: {30: found.tracks[0][30]}}
    cut = np.zeros((8, 8, 3), np.uint8)
    face = AlignedFace(
        Path("x"), cut, cut, np.eye(2, 3, dtype=np.float32), np.zeros((0, 4), np.float32)
    )
    found.looks[0] = Sightings({(0, key): Sighting(10 * key + 2, 1.0, face) for key in range(4)})
    rows = np.concatenate([unit(1, 0), unit(1, 0.1), unit(0, 1), unit(0.1, 1)])
    assert divide(found, 0, [2, 12, 22, 32], rows, 1.0) == 2
    cut_at = min(found.tracks[2])
    assert 15 <= cut_at < 22
    assert set(found.tracks[0]) == set(range(cut_at))
    assert {face.track for face in found.tracks[2].values()} == {2}
    assert found.remembered[0].get(30) is None
    assert found.remembered[2][30].track == 2
    assert [
        sorted(look.frame for look in found.looks[number].best.values()) for number in (0, 2)
    ] == [
        [2, 12],
        [22, 32],
    ]
    assert divide(found, 1, [16, 20], rows[:2], 1.0) is None


def test_a_single_look_that_is_somebody_elses_divides_a_track_where_it_fitted_least() -> None:
    tracks = walk(0, 30, 0)
    tracks[21] = replace(tracks[21], predicted_iou=0.4)
    tracks[23] = replace(tracks[23], predicted_iou=0.1)
    found = Scan(tracks={0: tracks, 1: walk(0, 12, 300)})
    rows = np.concatenate([unit(1, 0), unit(1, 0.1), unit(0, 1)])
    assert divide(found, 0, [2, 12, 26], rows, 1.0) is None  # it may be a bad look
    assert divide(found, 0, [2, 12, 26], rows, 1.0, unit(-1, 0)) is None  # nobody's
    assert divide(found, 0, [2, 12, 26], rows, 1.0, unit(0.1, 1)) == 2
    assert min(found.tracks[2]) == 23


def test_a_look_is_kept_on_either_side_of_a_doubt() -> None:
    looks = Sightings()
    looks.add(Sighting(41, 9.0, None))  # type: ignore[arg-type]
    assert not looks.wants(44, 1.0)
    looks.mark_possible_switch()
    assert looks.wants(44, 1.0)
    looks.add(Sighting(44, 1.0, None))  # type: ignore[arg-type]
    assert [look.frame for look in looks.sorted()] == [41, 44]
