"""How edits look: nothing done looks best, and what is kept counts."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from attrsearch.faces.dataset import Identity
from attrsearch.faces.naturalness import Critic
from attrsearch.search.evaluator import Evaluator, Request, Subject
from attrsearch.search.looks import Looks

Picture = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def subject(evaluator: Evaluator, people: list[Identity]) -> Subject:
    found, _ = evaluator.prepare(people[0].faces)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def untouched(subject: Subject) -> Picture:
    return subject.windows.permute(0, 2, 3, 1).numpy().astype(np.uint8)


@pytest.fixture(scope="module")
def looks(evaluator: Evaluator) -> Looks:
    return Looks(evaluator.detector)


def test_an_untouched_face_is_as_natural_as_the_critic_says(
    looks: Looks, subject: Subject, untouched: Picture
) -> None:
    score = looks.score(subject, untouched[None])
    assert score.shape == (1,)
    assert score[0] == pytest.approx(Critic().windows(untouched).mean(), abs=0.02)


def test_a_face_that_moved_looks_worse(looks: Looks, subject: Subject, untouched: Picture) -> None:
    moved = [
        cv2.warpAffine(one, np.array([[1, 0, 6], [0, 1, 0]], np.float32), (192, 192))
        for one in untouched
    ]
    still, shifted = looks.score(subject, np.stack([untouched, np.stack(moved)]))
    assert 0 < shifted < 0.95 * still


def test_a_face_that_is_gone_is_worth_nothing(
    looks: Looks, subject: Subject, untouched: Picture
) -> None:
    assert looks.score(subject, np.full_like(untouched, 90)[None])[0] == 0


def test_edits_look_worse_than_nothing_done(
    looks: Looks, evaluator: Evaluator, subject: Subject, untouched: Picture
) -> None:
    attributes = np.zeros((2, 1, 13), np.float32)
    attributes[1] = 1.0
    rendered = evaluator.render(Request(subject, attributes))
    scores = looks.score(subject, np.concatenate([untouched[None], rendered]))
    assert scores[0] > scores[1:].max()
    assert ((scores >= 0) & (scores <= 1)).all()
