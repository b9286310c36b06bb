"""Every shown edit is compared with its original; one that still verifies is not shown."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from attrsearch.core.attributes import AttributeSet
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.video.choices import AGAIN, GROWN, HOLD, SetChoices
from attrsearch.video.edits import try_sets
from attrsearch.video.render import Renderer
from attrsearch.video.trajectories import TrackedBox
from attrsearch.video.verification import FaceInFrame, RenderVerifier
from tests.video.conftest import SET

NOTHING = AttributeSet(np.zeros(13, np.float32))


@pytest.fixture(scope="module")
def face(astronaut: Picture, mtcnn: Mtcnn) -> TrackedBox:
    found = mtcnn.detect(astronaut[None])[0]
    return TrackedBox(0, found.boxes[0], found.landmarks[0], "detected", 1.0)


@dataclass(frozen=True)
class Strict(RenderVerifier):
    """Takes the sets in ``refused`` for the person, however the face looks."""

    refused: frozenset[int] = frozenset()
    asked: list[int] = field(default_factory=list)

    def distances(self, faces):
        self.asked.append(len(faces))
        bad = len(self.asked) in self.refused
        return np.full(len(faces), 0.0 if bad else 9.0, np.float32)


def test_the_same_face_is_the_same_person(
    astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    verifier = RenderVerifier(sface)
    assert verifier.distances([]).shape == (0,)
    hidden = astronaut.copy()
    left, top, right, bottom = face.box.round().astype(int)
    hidden[top:bottom, left:right] = 127
    faces = [
        FaceInFrame(astronaut, shown, face.box, face.landmarks) for shown in (astronaut, hidden)
    ]
    same, other = verifier.distances(faces)
    assert same == pytest.approx(0, abs=1e-3)
    assert other > verifier.required > sface.calibration.verification


def test_a_view_is_embedded_once_until_it_is_forgotten(
    astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    class Counting:
        name = sface.recogniser.name
        embedded = 0

        def embed(self, pictures, boxes, landmarks):
            self.embedded += len(pictures)
            return sface.recogniser.embed(pictures, boxes, landmarks)

    counting = Counting()
    verifier = RenderVerifier(replace(sface, recogniser=counting))
    brighter = np.clip(astronaut.astype(int) + 40, 0, 255).astype(np.uint8)
    one = FaceInFrame(astronaut, brighter, face.box, face.landmarks)
    first = verifier.distances([one])
    assert counting.embedded == 2
    assert np.array_equal(verifier.distances([one, one]), np.repeat(first, 2))
    assert counting.embedded == 2
    darker = FaceInFrame(astronaut, astronaut // 2, face.box, face.landmarks)
    assert verifier.distances([one, darker])[0] == first
    assert counting.embedded == 3
    verifier.forget()
    assert verifier.distances([one]) == pytest.approx(first, abs=1e-4)
    assert counting.embedded == 5


def test_a_way_that_fails_at_first_is_not_looked_at_further(
    astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    @dataclass(frozen=True)
    class ByBox(RenderVerifier):
        """A face fails where its box begins below 0."""

        asked: list[int] = field(default_factory=list)

        def distances(self, faces):
            self.asked.append(len(faces))
            return np.float32([0.0 if one.box[0] < 0 else 9.0 for one in faces])

    def at(left: float) -> FaceInFrame:
        box = np.float32([left, 0, 9, 9])
        return FaceInFrame(astronaut, astronaut, box, face.landmarks)

    verifier = ByBox(sface)
    faces = [at(-1), at(1), at(1), at(1), at(1), at(-1), at(1), at(-1)]
    measured, failed = verifier.check(faces, [1, 2, 1, 3, 2, 2, 3, 2])
    assert verifier.asked == [3, 4]
    assert sorted(measured) == [0, 1, 3, 4, 5, 6, 7]
    assert failed == [0, 5]
    assert verifier.check([], []) == ({}, [])


def test_an_edit_that_still_verifies_is_filtered_and_says_why(
    editor: Editor, astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    one = Renderer(editor, {"a": SET}, {0: "a"}, verifier=Strict(sface, refused=frozenset({1})))
    ((_, (done,)),) = one.render([(0, astronaut)], [[face]])
    assert (done.how, done.reason, done.distance) == ("filtered", "not verified", None)
    ((_, (later,)),) = one.render([(1, astronaut)], [[face]])
    assert (
        later.reason == "not verified"
    )  # it is not tried in every frame: edit and filter would flicker


def test_the_next_feasible_set_is_taken_and_its_distance_noted(
    editor: Editor, astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    strict = Strict(sface, refused=frozenset({1}))
    one = Renderer(editor, {"a": NOTHING}, {0: "a"}, verifier=strict, others={"a": [SET]})
    ((shown, (done,)),) = one.render([(0, astronaut)], [[face]])
    assert (done.how, done.reason, done.distance) == ("edited", "", 9.0)
    plain = Renderer(editor, {"a": SET}, {0: "a"})
    ((expected, _),) = plain.render([(0, astronaut)], [[face]])
    assert np.array_equal(shown, expected)
    assert strict.asked == [1, 1, 1]  # the winner, all others in its frame, and the one shown


def test_an_edit_comes_at_once_where_the_filter_under_it_verifies(
    editor: Editor, astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    away = replace(face, planned="turned")
    back = replace(face, planned="")
    strict = Strict(sface, refused=frozenset({1}))
    one = Renderer(editor, {"a": SET}, {0: "a"}, verifier=strict, others={"a": [NOTHING]})
    one.render([(0, astronaut)], [[away]])
    ((shown, (done,)),) = one.render([(1, astronaut)], [[back]])
    assert (done.how, done.distance) == ("edited", 9.0)
    assert strict.asked == [1, 1]  # no other set was tried
    plain = Renderer(editor, {"a": SET}, {0: "a"})
    ((expected, _),) = plain.render([(1, astronaut)], [[back]])
    assert np.array_equal(shown, expected)


def test_an_edit_that_has_come_at_once_and_verifies_is_not_shown(
    editor: Editor, astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    strict = Strict(sface, refused=frozenset({1, 2}))
    one = Renderer(editor, {"a": SET}, {0: "a"}, verifier=strict)
    one.render([(0, astronaut)], [[replace(face, planned="turned")]])
    ((_, (done,)),) = one.render([(1, astronaut)], [[replace(face, planned="")]])
    assert (done.how, done.reason) == ("filtered", "not verified")


def test_a_carried_on_edit_is_compared_and_filtered_where_it_verifies(
    editor: Editor, astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    lost = replace(face, landmarks=np.full((5, 2), np.nan, np.float32))
    for refused, how, reason, distance in (
        (frozenset[int](), "warped", "no landmarks", 9.0),
        (frozenset({2}), "filtered", "not verified", None),
    ):
        strict = Strict(sface, refused=refused)
        one = Renderer(editor, {"a": SET}, {0: "a"}, verifier=strict)
        one.render([(0, astronaut)], [[face]])
        ((_, (done,)),) = one.render([(1, astronaut)], [[lost]])
        assert (done.how, done.reason, done.distance) == (how, reason, distance)
        assert strict.asked[:2] == [1, 1]


def test_the_other_faces_of_a_batch_are_compared_at_once(
    editor: Editor, astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    strict = Strict(sface)
    one = Renderer(editor, {"a": SET}, {0: "a"}, verifier=strict)
    one.render([(n, astronaut) for n in range(3)], [[face]] * 3)
    assert strict.asked == [1, 2]


def test_a_track_goes_on_with_the_set_that_is_furthest_away() -> None:
    choices = SetChoices({"a": SET}, {"a": [NOTHING, SET, SET]})
    choices.begin()
    assert list(choices.untried(1, "a")) == [(0, 1), (0, 2), (0, 3)]
    choices.fail(1, "a", 10, {(0, 1): 1.2, (0, 2): 1.4, (0, 3): 1.3})
    assert choices.place(1, "a") == (0, 2)
    # in the same frames only what was far enough away there is tried again
    assert list(choices.untried(1, "a")) == [(0, 1), (0, 3)]
    choices.fail(1, "a", 12, {(0, 3): 1.3})
    assert choices.place(1, "a") == (0, 3)
    choices.note_shown(1, "a")
    # a new track of the person begins with what was shown, and others may do again
    assert choices.place(2, "a") == (0, 3)
    choices.begin()
    assert list(choices.untried(1, "a")) == [(0, 0), (0, 1), (0, 2)]
    assert choices.place(3, "b") == (0, 0)


def wide(width: float) -> list[list[TrackedBox]]:
    """A frame in which track 1 is so many pixels wide."""
    box = np.float32([5, 5, 5 + width, 5 + width])
    return [[TrackedBox(1, box, np.zeros((5, 2), np.float32), "detected", 1.0)]]


def test_the_second_editor_keeps_a_track_until_its_face_has_grown() -> None:
    choices = SetChoices({"a": SET}, {"a": [NOTHING]}, editors=2)
    choices.begin(wide(20))
    assert list(choices.untried(1, "a")) == [(0, 1), (1, 0), (1, 1)]
    choices.fail(1, "a", 10, {(1, 1): 1.3})
    assert choices.place(1, "a") == (1, 1)
    choices.note_shown(1, "a")
    # while the face stays small, the first editor is not tried again
    choices.begin(wide(20 * GROWN - 1))
    assert choices.place(1, "a") == (1, 1)
    assert list(choices.untried(1, "a")) == [(1, 0)]
    # grown, it gets the same set by the first editor
    choices.begin(wide(20 * GROWN))
    assert choices.place(1, "a") == (0, 1)
    choices.fail(1, "a", 30, {(1, 1): 1.3})
    choices.begin(wide(20 * GROWN * GROWN - 1))
    assert choices.place(1, "a") == (1, 1)


def test_after_a_filter_the_first_editor_comes_first() -> None:
    choices = SetChoices({"a": SET}, editors=2)
    choices.begin(wide(20))
    choices.fail(1, "a", 10, {(1, 0): 1.3})
    choices.note_shown(1, "a")
    choices.begin(wide(20))
    choices.fail(1, "a", 18, {})
    assert choices.is_held(1, 18 + HOLD - 1)
    choices.begin(wide(20))
    assert choices.place(1, "a") == (0, 0)


def fail_with_all(choices: SetChoices, frame: int) -> None:
    choices.begin()
    choices.fail(1, "a", frame, {(0, 1): 1.3})
    assert choices.current(1, "a") is NOTHING
    assert not choices.is_held(1, frame)
    choices.fail(1, "a", frame, {})
    assert choices.current(1, "a") is SET


def test_a_track_whose_edits_fail_is_filtered_longer_each_time() -> None:
    choices = SetChoices({"a": SET}, {"a": [NOTHING]})
    for frame, hold in ((10, HOLD), (50, 2 * HOLD), (500, HOLD)):  # the last after long edits
        choices.note_shown(1, "a")
        fail_with_all(choices, frame)
        assert choices.is_held(1, frame + hold - 1)
        assert not choices.is_held(1, frame + hold)
        assert not choices.is_held(2, frame)


def test_a_track_that_shows_no_edit_is_tried_again_soon() -> None:
    choices = SetChoices({"a": SET}, {"a": [NOTHING]})
    for frame in (10, 30, 50):
        fail_with_all(choices, frame)
        assert choices.is_held(1, frame + AGAIN - 1)
        assert not choices.is_held(1, frame + AGAIN)


def test_sets_are_tried_as_they_would_be_shown(
    editor: Editor, astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    """What a try says is what is measured of the whole frame."""
    verifier = RenderVerifier(sface)
    one = Renderer(editor, {"a": SET}, {0: "a"}, verifier=replace(verifier))
    ((_, (done,)),) = one.render([(0, astronaut)], [[face]])
    sets = {(0, 7): SET, (0, 8): NOTHING}
    tried = try_sets([editor], verifier, (astronaut, astronaut), face, sets)
    assert done.distance is not None
    assert tried[0, 7] == pytest.approx(done.distance, abs=2e-3)
    assert try_sets([editor], verifier, (astronaut, astronaut), face, {}) == {}


def test_the_second_editor_is_tried_only_where_the_first_falls_short(
    editor: Editor, astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    sets = {(0, 0): SET, (0, 1): SET, (1, 0): SET}
    for refused, enough, asked in (
        (frozenset[int](), [(0, 0), (0, 1)], [2]),
        (frozenset({1}), [(1, 0)], [2, 1]),
        (frozenset({1, 2}), [], [2, 1]),
    ):
        strict = Strict(sface, refused=refused)
        tried = try_sets([editor, editor], strict, (astronaut, astronaut), face, sets)
        assert list(tried) == enough
        assert strict.asked == asked


def test_where_two_stages_fall_short_the_second_alone_is_shown(
    editor: Editor, astronaut: Picture, face: TrackedBox, sface: CalibratedRecogniser
) -> None:
    two_stage = load_editor("two-stage")
    for fails, comparison in ((0, 1), (1, 2)):
        strict = Strict(sface, refused=frozenset({comparison}))
        one = Renderer(two_stage, {"a": SET}, {0: "a"}, verifier=strict)
        alone = Renderer(editor, {"a": SET}, {0: "a"})

        for number in range(3):
            ((shown, (done,)),) = one.render([(number, astronaut)], [[face]])
            assert done.how == "edited"
            if number < fails:
                continue

            # nothing is kept of the first editor's edit in the frame before, whose crop is another
            ((expected, _),) = alone.render([(number, astronaut)], [[face]])
            assert np.array_equal(shown, expected)


def test_why_a_person_has_no_set_is_told_apart(
    editor: Editor, astronaut: Picture, face: TrackedBox
) -> None:
    for unseen, reason in ((frozenset({"a"}), "never seen well"), (frozenset(), "no feasible set")):
        one = Renderer(editor, {}, {0: "a"}, unseen=unseen)
        ((_, (done,)),) = one.render([(0, astronaut)], [[face]])
        assert (done.how, done.reason) == ("filtered", reason)
    small = Renderer(editor, {"a": SET}, {0: "a"}, smallest=500.0)
    ((_, (done,)),) = small.render([(0, astronaut)], [[face]])
    assert done.reason == "too small"
