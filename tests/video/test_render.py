"""Fail closed: whatever happens to an edit, the face is covered."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.attributes import AttributeSet
from attrsearch.editing.editor import Editor
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.video.compositor import RECENT
from attrsearch.video.placing import steady
from attrsearch.video.render import RenderedFace, Renderer
from attrsearch.video.tracking.best_shots import EDIT_RESIDUAL, residual, turn_limits
from attrsearch.video.tracking.tracker import BoxSource
from attrsearch.video.trajectories import TrackedBox

SET = AttributeSet(np.linspace(-0.8, 0.8, 13).astype(np.float32))
NAN = np.full((5, 2), np.nan, np.float32)


@pytest.fixture(scope="module")
def face(astronaut: Picture, mtcnn: Mtcnn) -> TrackedBox:
    found = mtcnn.detect(astronaut[None])[0]
    return TrackedBox(0, found.boxes[0], found.landmarks[0], "detected", 0.9)


def moved(
    face: TrackedBox, shift: Sequence[float] = (0, 0), track: int = 0, landmarks: bool = True
) -> TrackedBox:
    step = np.float32(shift)
    points = face.landmarks + step if landmarks else NAN
    return TrackedBox(track, face.box + np.tile(step, 2), points, face.source, face.probability)


def renderer(editor: Editor | None, **changed: object) -> Renderer:
    values: dict[str, object] = {
        "sets": {"anna": SET},
        "names": {0: "anna", 1: "bert", 2: "anna"},
    } | changed
    return Renderer(editor, **values)  # type: ignore[arg-type]


def cover(
    one: Renderer, picture: Picture, *faces: TrackedBox, number: int = 0
) -> tuple[Picture, list[RenderedFace]]:
    ((shown, done),) = one.render([(number, picture)], [faces])
    return shown, done


def change(before: Picture, after: Picture, box: np.ndarray, part: float = 0.6) -> float:
    """Mean change in the middle of a box."""
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * part
    left, top, right, bottom = np.concatenate([centre - half, centre + half]).round().astype(int)
    region = np.s_[max(0, top) : bottom, max(0, left) : right]
    return float(np.abs(before[region].astype(int) - after[region]).mean())


def test_a_face_with_a_set_is_edited_and_the_frame_is_left(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    before = astronaut.copy()
    shown, done = cover(renderer(editor), astronaut, face)
    assert [(item.how, item.person) for item in done] == [("edited", "anna")]
    assert change(astronaut, shown, face.box) > 6
    assert not (shown != astronaut)[:20].any()
    assert np.array_equal(astronaut, before)


@pytest.mark.parametrize("fallback", ["blur", "pixelate", "mask"])
def test_who_has_no_set_is_filtered(
    editor: Editor, astronaut: Picture, face: TrackedBox, mtcnn: Mtcnn, fallback: str
) -> None:
    for track in (1, 7):  # somebody without a set, and a track of nobody
        shown, done = cover(
            renderer(editor, fallback=fallback), astronaut, moved(face, track=track)
        )
        assert [item.how for item in done] == ["filtered"]
        assert change(astronaut, shown, face.box) > 6
        assert len(mtcnn.detect(shown[None])[0]) == 0


def test_without_any_set_everything_is_filtered(astronaut: Picture, face: TrackedBox) -> None:
    shown, done = cover(
        renderer(None, sets={}), astronaut, face, moved(face, (-90, 60), 1, landmarks=False)
    )
    assert [item.how for item in done] == ["filtered", "filtered"]
    assert change(astronaut, shown, face.box) > 6


def test_a_filter_covers_the_head_and_no_neighbour(astronaut: Picture, face: TrackedBox) -> None:
    shown, _ = cover(renderer(None, sets={}), astronaut, face)
    changed = np.abs(shown.astype(int) - astronaut).mean(2)
    left, top, right, bottom = (round(float(value)) for value in face.box)
    width = right - left
    # hair and ears are blurred, too
    assert changed[top + 40 : bottom - 40, left - width // 8 : left].mean() > 3
    # and what stands half a face beside it is not
    assert changed[:, : left - width // 2].max() == 0
    assert changed[:, right + width // 2 :].max() == 0
    assert changed[bottom + (bottom - top) // 3 :].max() == 0


def _hair(face: TrackedBox) -> tuple[slice, slice]:
    """A strip of hair above a face's box: what only the filter of a head covers."""
    left, top, right, bottom = (round(float(value)) for value in face.box)
    height = bottom - top
    return np.s_[top - 2 * height // 5 : top - height // 4, left + 40 : right - 40]


def test_small_faces_are_filtered(editor: Editor, astronaut: Picture, face: TrackedBox) -> None:
    width = float(face.box[2] - face.box[0])
    for smallest, how in ((width + 1, "filtered"), (width - 1, "edited")):
        assert cover(renderer(editor, smallest=smallest), astronaut, face)[1][0].how == how


def test_what_cannot_be_edited_gets_its_last_edit_where_it_is_now(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    one = renderer(editor)
    edited, _ = cover(one, astronaut, face)
    rolled = np.roll(astronaut, (10, 25), (0, 1))
    shown, done = cover(one, rolled, moved(face, (25, 10), landmarks=False), number=3)
    assert [item.how for item in done] == ["warped"]
    assert change(rolled, shown, face.box + np.float32([25, 10, 25, 10])) > 6
    inside = np.s_[100:150, 105:145]
    again = np.roll(shown, (-10, -25), (0, 1))
    assert (
        np.abs(again[inside].astype(int) - edited[inside]).mean() < 2
    )  # the same edit, at the new place


def test_one_batch_and_one_by_one_are_the_same(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    frames = [(i, np.roll(astronaut, 4 * i, 1)) for i in range(4)]
    faces = [[moved(face, (4 * i, 0), landmarks=i != 2)] for i in range(4)]
    together = renderer(editor).render(frames, faces)
    single = renderer(editor)
    for frame, there, (shown, done) in zip(frames, faces, together, strict=True):
        ((alone, alone_done),) = single.render([frame], [there])
        assert [item.how for item in done] == [item.how for item in alone_done]
        assert np.abs(shown.astype(int) - alone).max() <= 2
    assert [done[0].how for _, done in together] == ["edited", "edited", "warped", "edited"]


@pytest.mark.parametrize("why", ["never edited", "too old", "a scene cut", "another track"])
def test_without_a_recent_edit_it_is_filtered(
    editor: Editor, astronaut: Picture, face: TrackedBox, why: str
) -> None:
    one = renderer(editor)
    if why != "never edited":
        cover(one, astronaut, face)
    if why == "a scene cut":
        one.forget()
    track = 2 if why == "another track" else 0
    number = RECENT + 1 if why == "too old" else 1
    shown, done = cover(one, astronaut, moved(face, track=track, landmarks=False), number=number)
    assert [item.how for item in done] == ["filtered"]
    assert change(astronaut, shown, face.box) > 6


def test_landmarks_that_are_not_in_their_box_are_not_trusted(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    for points in (
        face.landmarks - 90,
        face.landmarks * 0.2 + 100,
        np.repeat(face.landmarks[:1], 5, 0),
    ):
        wrong = TrackedBox(0, face.box, points.astype(np.float32), "interpolated", 0.9)
        shown, done = cover(renderer(editor), astronaut, wrong)
        assert done[0].how == "filtered"
        assert change(astronaut, shown, face.box) > 6


def test_a_turned_face_is_not_edited(editor: Editor, astronaut: Picture, face: TrackedBox) -> None:
    profile = face.landmarks.copy()
    profile[:, 0] = profile[2, 0] + 0.05 * (profile[:, 0] - profile[2, 0])
    profile[2, 0] -= 45  # the nose stands out beside the eyes
    assert residual(profile) > EDIT_RESIDUAL
    shown, done = cover(
        renderer(editor), astronaut, TrackedBox(0, face.box, profile, "detected", 0.9)
    )
    assert done[0].how == "filtered"
    assert change(astronaut, shown, face.box) > 6


def profile(face: TrackedBox, share: float) -> TrackedBox:
    """A face whose nose stands at that share of its eyes' distance beside their middle."""
    points = face.landmarks.copy()
    middle, eyes = points[:2].mean(0), points[1] - points[0]
    across = float(np.dot(points[2] - middle, eyes) / np.dot(eyes, eyes))
    points[2] += (share - across) * eyes
    return TrackedBox(
        face.track, face.box, points.astype(np.float32), face.source, face.probability
    )


def test_a_turning_head_is_edited_a_little_longer_and_not_begun_so_late(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    turns, one = (0.1, 0.5, 0.7, 0.5, 0.3), renderer(editor)
    hows = [
        cover(one, astronaut, profile(face, t), number=i)[1][0].how for i, t in enumerate(turns)
    ]
    assert hows == ["edited", "edited", "filtered", "filtered", "edited"]


@pytest.mark.parametrize(("found", "away"), [("extended", 1), ("interpolated", 8)])
def test_no_edit_is_put_on_what_a_face_may_be_behind(
    editor: Editor, astronaut: Picture, face: TrackedBox, found: BoxSource, away: int
) -> None:
    one = renderer(editor)
    cover(one, astronaut, face)
    hidden = TrackedBox(0, face.box, face.landmarks, found, 0.9, away)
    for lost in (hidden, replace(hidden, landmarks=NAN)):
        assert cover(one, astronaut, lost, number=6)[1][0].how == "filtered"
    near = TrackedBox(0, face.box, face.landmarks, "interpolated", 0.9, 2)
    assert cover(renderer(editor), astronaut, near)[1][0].how == "edited"


def test_edit_and_filter_fade_into_each_other(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    """No frame looks much unlike the last, and every one is covered."""
    one, shown = renderer(editor), []
    for number, share in enumerate([0.0] * 2 + [0.8] * 7 + [0.0] * 7):
        picture, _ = cover(one, astronaut, profile(face, share), number=number)
        assert change(astronaut, picture, face.box) > 6
        shown.append(picture)
    whole = change(shown[1], shown[8], face.box)
    steps = [change(a, b, face.box) for a, b in pairwise(shown)]
    assert whole > 4
    assert max(steps) < 0.45 * whole
    assert change(shown[0], shown[1], face.box) < 0.5
    assert change(shown[8], shown[7], face.box) < 0.5  # the fade has ended
    heads = [
        np.abs(picture[_hair(face)].astype(int) - astronaut[_hair(face)]).mean()
        for picture in shown
    ]
    assert heads[8] > heads[11] > heads[13]  # the head comes out by and by, too


def test_who_consents_is_left_and_exactly_they(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    both = np.concatenate([astronaut, astronaut], 1)
    second = moved(face, (250, 0), 1)
    for visible in ("anna", "bert"):
        shown, done = cover(renderer(editor, visible=frozenset({visible})), both, face, second)
        assert [item.person for item in done] == [{"anna": "bert", "bert": "anna"}[visible]]
        left, right = change(both, shown, face.box), change(both, shown, second.box)
        assert (
            (left, right > 6) == (0, True) if visible == "anna" else (left > 6, right) == (True, 0)
        )


def test_an_edit_does_not_uncover_the_face_in_front_of_it(
    editor: Editor, astronaut: Picture, face: TrackedBox, mtcnn: Mtcnn, sample: Path
) -> None:
    """A small face without a set in front of a large one with a set.

    The edit is pasted over the filter.
    """
    import cv2

    small = np.asarray(
        cv2.resize(astronaut, None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA), np.uint8
    )
    scene = astronaut.copy()
    offset = np.float32([98, 92]) - 0.45 * face.box[:2]
    front = TrackedBox(
        1,
        (face.box * 0.45 + np.tile(offset, 2)).astype(np.float32),
        (face.landmarks * 0.45 + offset).astype(np.float32),
        "detected",
        0.9,
    )
    left, top, right, bottom = front.box.round().astype(int)
    x, y = np.round(offset).astype(int)
    scene[top:bottom, left:right] = small[top - y : bottom - y, left - x : right - x]
    for names in ({0: "anna", 1: "bert"}, {0: "anna", 1: "anna"}):
        shown, done = cover(renderer(editor, names=names), scene, face, front)
        assert (
            {item.how for item in done} == {"edited", "filtered"}
            if names[1] == "bert"
            else {"edited"}
        )
        assert change(scene, shown, front.box) > 6
    detail = np.abs(np.diff(shown[top:bottom, left:right].astype(int), axis=0)).mean()
    assert detail < 0.75 * np.abs(np.diff(scene[top:bottom, left:right].astype(int), axis=0)).mean()


def test_a_picture_can_replace_faces(astronaut: Picture, face: TrackedBox) -> None:
    red = np.zeros((10, 10, 3), np.uint8)
    red[..., 0] = 200
    shown, done = cover(renderer(None, sets={}, replacement=red), astronaut, face)
    assert [item.how for item in done] == ["replaced"]
    left, top, right, bottom = face.box.round().astype(int)
    assert (shown[top + 1 : bottom - 1, left + 1 : right - 1] == (200, 0, 0)).all()


@pytest.mark.parametrize("shift", [(-130, 0), (160, 0), (0, -130), (0, 150), (-400, 0), (400, 400)])
def test_faces_at_the_border_and_beyond(
    editor: Editor, astronaut: Picture, face: TrackedBox, shift: tuple[int, int]
) -> None:
    for landmarks in (True, False):
        there = moved(face, shift, landmarks=landmarks)
        shown, done = cover(renderer(editor), astronaut, there)
        assert shown.shape == astronaut.shape
        assert len(done) == 1
        if max(map(abs, shift)) < 200:
            inside = np.clip(there.box, 0, 250)
            assert change(astronaut, shown, inside, 0.3) > 2


@pytest.mark.parametrize("width", [1.5, 3.0, 12.0, 400.0])
def test_faces_of_every_size_are_covered(width: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    box = np.float32([100 - width / 2, 100 - width / 2, 100 + width / 2, 100 + width / 2])
    shown, done = cover(renderer(None, sets={}), noise, TrackedBox(1, box, NAN, "detected", 0.9))
    assert done[0].how == "filtered"
    assert change(noise, shown, np.clip(box, 0, 240), 1.0) > 10


def test_a_turn_known_from_other_frames_counts(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    for turned, how in ((0.6, "filtered"), (0.1, "edited")):
        assert cover(renderer(editor), astronaut, replace(face, turn=turned))[1][0].how == how


def test_an_edit_of_a_face_that_stands_still_is_still(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    """Noise of a camera is not made more by the editor."""
    random = np.random.default_rng(0)
    noisy = [
        np.clip(astronaut + random.normal(0, 4, astronaut.shape), 0, 255).astype(np.uint8)
        for _ in range(8)
    ]
    kept = [shown for shown, _ in renderer(editor).render(list(enumerate(noisy)), [[face]] * 8)]
    alone = [cover(renderer(editor), picture, face)[0] for picture in noisy]
    inside = np.s_[100:150, 105:145]
    assert _flicker(kept, inside) < 0.2 * _flicker(alone, inside)
    assert np.array_equal(kept[0], alone[0])


def test_an_edit_of_another_view_keeps_nothing_of_the_last(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    inverted = 255 - astronaut // 2  # no place of it is as it was
    one = renderer(editor)
    cover(one, astronaut, face)
    assert np.array_equal(
        cover(one, inverted, face, number=1)[0], cover(renderer(editor), inverted, face)[0]
    )


def test_a_face_that_changes_by_and_by_does_not_keep_an_old_edit() -> None:
    shape = (128, 128, 3)
    source = edit = np.zeros(shape, np.float32)
    for step in range(1, 101):  # a little from frame to frame, and far in all
        source, edit = steady(
            np.full(shape, 2.0 * step, np.float32), np.full(shape, step, np.float32), source, edit
        )
        assert abs(float(edit.mean()) - step) < 12
    moved = np.full(shape, 200.0, np.float32)
    moved[:, :40] += 60  # one place changes, and only there is the edit new
    edit = steady(
        moved,
        np.full(shape, 140, np.float32),
        np.full(shape, 200, np.float32),
        np.full(shape, 100, np.float32),
    )[1]
    assert edit[:, :30].min() == 140
    assert edit[:, 60:].max() < 105


def _flicker(shown: Sequence[Picture], part: tuple[slice, slice]) -> float:
    """Mean change from frame to frame."""
    return float(
        np.mean([np.abs(a[part].astype(int) - b[part]).mean() for a, b in pairwise(shown)])
    )


def test_an_editor_that_keeps_the_pose_bears_more_of_a_turn() -> None:
    usual = turn_limits(keeps_pose=False, begun=False)
    posed = turn_limits(keeps_pose=True, begun=False)
    begun = turn_limits(keeps_pose=True, begun=True)
    assert usual.turn < posed.turn < begun.turn
    assert usual.residual < posed.residual == begun.residual
