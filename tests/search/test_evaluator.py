"""The evaluator: real models, real faces, and a result that does not depend on the batch."""

import numpy as np
import pytest

from attrsearch.core.parallel import set_threads, threads
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import PreFilter
from attrsearch.editing.editor import Editor
from attrsearch.editing.filters import pixelate
from attrsearch.faces.dataset import Identity
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.calibration import distances
from attrsearch.faces.recognition.load import load_recogniser
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.search.evaluator import Evaluator, Request, Subject, hide_others
from attrsearch.search.space import person_space


@pytest.fixture(scope="module")
def subjects(evaluator: Evaluator, people: list[Identity]) -> list[Subject]:
    prepared = [evaluator.prepare(person.faces) for person in people]
    assert all(kept == [0, 1] for _, kept in prepared)
    return [subject for subject, _ in prepared if subject is not None]


def candidates(count: int, seed: int = 0, name: str = "one-pass") -> np.ndarray:
    space = person_space(load_space(name), "female")
    points = np.random.default_rng(seed).uniform(space.low, space.high, (count, len(space.names)))
    return space.attributes(points)


def test_scores_are_what_they_say(
    evaluator: Evaluator, subjects: list[Subject], sface: CalibratedRecogniser
) -> None:
    request = Request(subjects[0], candidates(3))
    scores = evaluator.evaluate([request])[0]
    assert scores.detection.shape == (3, 2)
    assert (scores.detection > 0.7).all()
    assert ((scores.iou > 0.3) & (scores.iou <= 1)).all()
    assert np.allclose(scores.distance, scores.distance_raw * sface.calibration.scale, atol=1e-5)
    expected = (scores.distance_raw - sface.calibration.verification) * sface.calibration.scale
    assert np.allclose(scores.verification_margin, expected, atol=1e-5)

    windows = evaluator.render(request)  # the same, measured by hand on the rendered pictures
    found = evaluator.detector.detect(windows[:, 1])
    best = [one.nearest(subjects[0].boxes[1]) for one in found]
    assert np.allclose(scores.iou[:, 1], [overlap for _, overlap in best], atol=1e-6)
    after = sface.recogniser.embed(
        windows[:, 1],
        np.stack([one.boxes[i] for one, (i, _) in zip(found, best, strict=True)]),
        np.stack([one.landmarks[i] for one, (i, _) in zip(found, best, strict=True)]),
    )
    raw = distances(subjects[0].embeddings["sface"][1], after)
    assert np.allclose(scores.distance_raw[:, 1], raw, atol=3e-3)  # bfloat16


def test_the_batch_does_not_matter(evaluator: Evaluator, subjects: list[Subject]) -> None:
    requests = [Request(subject, candidates(5, seed)) for seed, subject in enumerate(subjects)]
    together = evaluator.evaluate(requests)
    backwards = evaluator.evaluate(requests[::-1])[::-1]
    for request, scores, other in zip(requests, together, backwards, strict=True):
        alone = evaluator.evaluate([request])[0]
        one = evaluator.evaluate([Request(request.subject, request.attributes[2:3])])[0]
        for name in vars(scores):
            assert np.array_equal(getattr(scores, name), getattr(alone, name)), name
            assert np.array_equal(getattr(scores, name), getattr(other, name)), name
            assert np.array_equal(getattr(scores, name)[2:3], getattr(one, name)), name


def test_the_number_of_threads_does_not_matter(
    evaluator: Evaluator, subjects: list[Subject]
) -> None:
    request = Request(subjects[0], candidates(24, 3))
    found = []
    before = threads()
    for count in (1, 2, 3):
        set_threads(count)
        found.append(evaluator.evaluate([request])[0])
    set_threads(before)
    for other in found[1:]:
        assert all(
            np.array_equal(getattr(found[0], name), getattr(other, name)) for name in vars(other)
        )


def test_no_candidates_give_no_scores(evaluator: Evaluator, subjects: list[Subject]) -> None:
    assert evaluator.evaluate([Request(subjects[0], candidates(0))])[0].iou.shape == (0, 2)
    assert evaluator.evaluate([]) == []


def test_a_face_that_is_lost_scores_nothing(evaluator: Evaluator, subjects: list[Subject]) -> None:
    class Blind:
        name = "blind"

        def detect(self, pictures: np.ndarray) -> list:
            from attrsearch.faces.detection.base import Detections

            return [Detections.none()] * len(pictures)

    blind = Evaluator(evaluator.editor, Blind(), evaluator.recognisers)
    scores = blind.evaluate([Request(subjects[0], candidates(2))])[0]
    assert not scores.detection.any()
    assert not scores.distance.any()
    assert (scores.verification_margin < 0).all()
    assert blind.prepare([*_faces()]) == (None, [])


def _faces() -> list:
    from attrsearch.faces.dataset import AlignedFace

    grey = np.full((192, 192, 3), 128, np.uint8)
    identity = np.array([[1.25, 0, 16], [0, 1.25, 16]], np.float32)
    from pathlib import Path

    return [AlignedFace(Path("x"), grey[:128, :128], grey, identity, np.zeros((0, 4), np.float32))]


def test_a_face_that_is_not_there_is_left_out(evaluator: Evaluator, people: list[Identity]) -> None:
    subject, kept = evaluator.prepare([*_faces(), people[0].faces[0]])
    assert kept == [1]
    assert subject is not None
    assert len(subject) == 1


def test_the_worst_recogniser_counts(
    editor: Editor, sface: CalibratedRecogniser, people: list[Identity]
) -> None:
    both = Evaluator(
        editor, load_detector("mtcnn", WINDOW_MIN_FACE), [sface, load_recogniser("dlib")]
    )
    alone = Evaluator(editor, load_detector("mtcnn", WINDOW_MIN_FACE), [sface])
    dlib = Evaluator(editor, load_detector("mtcnn", WINDOW_MIN_FACE), [load_recogniser("dlib")])
    scores = []
    for each in (both, alone, dlib):
        subject, _ = each.prepare(people[0].faces)
        assert subject is not None
        scores.append(each.evaluate([Request(subject, candidates(3))])[0])
    assert np.array_equal(scores[0].distance, np.minimum(scores[1].distance, scores[2].distance))
    assert np.array_equal(
        scores[0].verification_margin,
        np.minimum(scores[1].verification_margin, scores[2].verification_margin),
    )
    assert np.array_equal(scores[0].distance_raw, scores[1].distance_raw)


@pytest.mark.parametrize(
    "prefilter", [PreFilter(kind="pixelate", size=16), PreFilter(kind="blur", size=3)]
)
def test_a_prefilter_comes_before_the_edit(
    editor: Editor, sface: CalibratedRecogniser, people: list[Identity], prefilter: PreFilter
) -> None:
    detector = load_detector("mtcnn", WINDOW_MIN_FACE)
    windows = []
    for each in (None, prefilter):
        measuring = Evaluator(editor, detector, [sface], each)
        subject, _ = measuring.prepare(people[0].faces[:1])
        assert subject is not None
        windows.append(measuring.render(Request(subject, candidates(1)))[0, 0])
    difference = np.abs(windows[0].astype(int) - windows[1])
    assert difference[60:150, 60:130].mean() > 2
    assert not difference[:8].any()
    assert len(np.unique(pixelate(people[0].faces[0].crop, 16)[0, :, 0])) <= 16


def test_other_faces_are_hidden_in_what_is_shown(
    people: list[Identity], subjects: list[Subject]
) -> None:
    from dataclasses import replace

    face, mask = people[0].faces[0], subjects[0].masks[0]
    everywhere = replace(face, others=np.array([[0, 0, 192, 192]], np.float32))
    own = mask[0].numpy() == 1
    assert np.array_equal(hide_others(face.window, everywhere, mask)[own], face.window[own])
    face = replace(face, others=np.array([[0, 0, 60, 60]], np.float32))
    shown = hide_others(face.window, face, mask)
    assert (shown[:50, :50] != face.window[:50, :50]).any()
    assert np.array_equal(shown[120:], face.window[120:])


def test_yunet_measures_too(
    editor: Editor, sface: CalibratedRecogniser, people: list[Identity]
) -> None:
    measuring = Evaluator(editor, load_detector("yunet", WINDOW_MIN_FACE), [sface])
    subject, kept = measuring.prepare(people[0].faces)
    assert kept == [0, 1]
    assert subject is not None
    scores = measuring.evaluate([Request(subject, candidates(2))])[0]
    assert (scores.detection > 0.5).all()


@pytest.mark.parametrize("name", ["thesis10", "asymmetric"])
def test_two_passes(evaluator: Evaluator, subjects: list[Subject], name: str) -> None:
    scores = evaluator.evaluate([Request(subjects[0], candidates(2, name=name))])[0]
    assert scores.distance.shape == (2, 2)
