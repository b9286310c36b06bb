"""A winner that fails on a picture kept back: the search goes on, on that picture, too."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import Verification, load_study
from attrsearch.faces.attribute_classifier import Traits
from attrsearch.faces.dataset import AlignedFace, Identity
from attrsearch.search.distributed.shared_study import SharedEvaluator
from attrsearch.search.evaluator import Request
from attrsearch.search.lockstep import Finished, search_people, split_faces
from attrsearch.search.models import Settings
from attrsearch.search.person_search import MOST_TIED
from attrsearch.search.study import person_seed
from attrsearch.search.terms import FaceScores

Floats = npt.NDArray[np.float32]
TRIALS = 12
GREY = 100
VARIED = 0.06
"""How much nearer to the person edits of a face in another light are."""


@dataclass
class Windows:
    """Stands for a subject: how much further from the person each face's edits are."""

    ease: tuple[float, ...]

    @property
    def windows(self) -> torch.Tensor:
        return torch.tensor(self.ease)

    def __len__(self) -> int:
        return len(self.ease)


class Landscape:
    """Measures as an evaluator does: the first free attribute moves a face, some faces less."""

    detector = SimpleNamespace(name="none")
    editor = SimpleNamespace(sha256="none")
    recognisers = ()
    looks: Any = None

    def __init__(self) -> None:
        self.measured = 0

    def prepare(self, faces: Sequence[AlignedFace]) -> tuple[Windows, list[int]]:
        ease = tuple(face.size - VARIED * (face.window.mean() != GREY) for face in faces)
        return Windows(ease), list(range(len(faces)))

    def evaluate(self, requests: Sequence[Request]) -> list[FaceScores]:
        return [self._scores(request) for request in requests]

    def _scores(self, request: Request) -> FaceScores:
        ease = np.array(request.subject.ease, np.float32)  # type: ignore[attr-defined]
        push = np.abs(request.attributes[:, 0]).mean(1, keepdims=True) / 0.45
        distance = np.minimum(1.3 + 0.2 * push + ease, 1.9).astype(np.float32)
        # What goes far looks worse, so that the best on easy faces does not go far.
        iou = np.broadcast_to(1 - 0.5 * push, distance.shape).astype(np.float32)
        self.measured += distance.size
        ones = np.ones_like(distance)
        return FaceScores(ones, iou, distance, distance, distance - 1.1, ones)


def face(number: int, ease: float) -> AlignedFace:
    crop, window = (np.full((side, side, 3), GREY, np.uint8) for side in (128, 192))
    matrix = np.eye(2, 3, dtype=np.float32)
    boxes = np.zeros((0, 4), np.float32)
    return AlignedFace(Path(f"{number}.jpg"), crop, window, matrix, boxes, ease)


def settings(rounds: int | None, extra: float, variations: int = 0) -> Settings:
    verification = None
    if rounds is not None:
        verification = Verification(rounds=rounds, extra=extra, variations=variations)
    study = load_study("random", trials=TRIALS).model_copy(update={"verification": verification})
    return Settings(study, load_space(study.space), load_objective(study.objective))


def person(name: str, easy: int, hard: float, kept: int, recipe: Settings) -> Identity:
    """Somebody whose kept-back faces are harder than the searched ones."""
    count = easy + kept
    numbers = list(range(count))
    _, held = split_faces(numbers, recipe.study.heldback, 8, person_seed(0, name))  # type: ignore[arg-type]
    assert len(held) == kept
    faces = tuple(face(i, hard if i in held else 0.03) for i in numbers)
    traits = Traits("male", 1.0, np.zeros(13, np.float32))
    return Identity(name, faces, traits)


def search(
    people: Sequence[Identity], recipe: Settings, evaluator: object | None = None
) -> list[Finished]:
    gather: Any = lambda identity, _: identity  # noqa: E731
    measurer: Any = evaluator or Landscape()
    found = list(search_people(people, recipe, measurer, gather))  # type: ignore[arg-type]
    assert all(isinstance(item, Finished) for item in found)
    return found  # type: ignore[return-value]


@pytest.fixture
def recipe() -> Settings:
    return settings(2, 0.5)


def test_without_it_the_winner_fails() -> None:
    recipe = settings(None, 0)
    found = search([person("Ann", 5, -0.12, 2, recipe)], recipe)[0]
    assert found.feasible
    assert found.held_out is not None
    assert not found.held_out.feasible[0]
    assert (found.joined, found.held_out_faces) == ((), 2)


def test_the_search_goes_on_with_the_picture_that_fails() -> None:
    recipe = settings(1, 0.5)
    ann = person("Ann", 5, -0.12, 2, recipe)
    before = search([ann], settings(None, 0))[0]
    after = search([ann], recipe)[0]
    assert len(after.joined) == 1
    assert len(after.subject) == len(before.subject) + 1
    assert after.feasible
    assert len(after.attributes) == TRIALS + TRIALS // 2
    # What was measured before stays, judged on the new picture, too.
    assert np.array_equal(after.attributes[:TRIALS], before.attributes)
    assert (after.results.distance[:TRIALS] < before.results.distance).all()
    assert after.held_out is not None
    assert after.held_out_faces == 1
    assert len(after.proposals) == len(after.attributes) == len(after.seconds)
    assert len(np.unique(after.attributes.reshape(len(after.attributes), -1), axis=0)) == len(
        after.attributes
    )


def test_as_many_rounds_as_there_may_be() -> None:
    recipe = settings(1, 0.5)
    found = search([person("Bo", 5, -0.9, 2, recipe)], recipe)[0]
    assert len(found.joined) <= 1
    none = settings(0, 0.5)
    assert search([person("Bo", 5, -0.9, 2, none)], none)[0].joined == ()


def test_the_last_picture_joins_and_nothing_is_left_to_verify(recipe: Settings) -> None:
    found = search([person("Cy", 1, -0.12, 1, recipe)], recipe)[0]
    assert found.joined == (0,)
    assert found.held_out is None
    assert found.held_out_faces == 0
    assert len(found.subject) == 2


def test_one_picture_and_a_winner_that_holds_end_as_before(recipe: Settings) -> None:
    alone = person("Di", 1, 0, 0, recipe)
    good = person("Ed", 5, 0.3, 2, recipe)
    for identity, faces in ((alone, 0), (good, 2)):
        found = search([identity], recipe)[0]
        assert len(found.attributes) == TRIALS
        assert (found.joined, found.held_out_faces) == ((), faces)


def test_no_further_trials_still_choose_among_those_there_are() -> None:
    recipe = settings(2, 0.0)
    ann = person("Ann", 5, -0.12, 2, recipe)
    found = search([ann], recipe)[0]
    assert len(found.attributes) == TRIALS
    assert len(found.joined) >= 1
    first = search([ann], settings(None, 0))[0]
    assert found.results.distance[found.winner] != first.results.distance[first.winner]


def test_company_changes_nothing(recipe: Settings) -> None:
    names = ("Ann", "Bo", "Cy", "Di")
    people = [person(name, 5, -0.12 + 0.05 * i, 2, recipe) for i, name in enumerate(names)]
    together = {item.id: item for item in search(people, recipe)}
    for identity in people:
        alone = search([identity], recipe)[0]
        other = together[identity.id]
        assert np.array_equal(alone.attributes, other.attributes)
        assert np.array_equal(alone.results.distance, other.results.distance)
        assert (alone.winner, alone.joined) == (other.winner, other.joined)


def test_workers_of_one_study_find_the_same(recipe: Settings, tmp_path: Path) -> None:
    """A worker that comes late measures only the winners, and decides the same."""
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    ann = person("Ann", 5, -0.12, 2, recipe)
    alone = search([ann], recipe)[0]
    counts = []
    for _ in range(2):
        landscape: Any = Landscape()
        shared = SharedEvaluator(landscape, url, recipe, "Ann")
        found = search([ann], recipe, shared)[0]
        assert np.array_equal(found.attributes, alone.attributes)
        assert np.array_equal(found.results.distance, alone.results.distance)
        assert (found.winner, found.joined) == (alone.winner, alone.joined)
        counts.append(landscape.measured)

    assert alone.joined
    assert counts[1] < TRIALS < counts[0]


def test_a_winner_also_holds_on_variations() -> None:
    plain, strict = settings(None, 0), settings(0, 0, variations=2)
    ann = person("Ann", 2, 0.03, 1, plain)
    ann = Identity(ann.id, tuple(face(i, -0.08) for i in range(3)), ann.traits)
    before, after = Landscape(), Landscape()
    first = search([ann], plain, before)[0]
    found = search([ann], strict, after)[0]
    won = found.results.distance[found.winner]
    assert won - VARIED > 1.4 > first.results.distance[first.winner] - VARIED
    # The winner is the best feasible candidate, and only what would have won was varied.
    feasible = found.results.feasible
    assert found.winner == np.where(feasible, found.results.utility, -1).argmax()
    assert (found.results.distance == first.results.distance).all()
    varied = after.measured - before.measured
    assert 0 < varied < first.results.feasible.sum() * len(found.subject) * 2


def test_who_holds_on_no_variation_keeps_the_winner_of_the_pictures() -> None:
    plain, strict = settings(None, 0), settings(0, 0, variations=2)
    bo = person("Bo", 2, 0.03, 1, plain)
    near = Identity(bo.id, tuple(face(i, -0.135) for i in range(3)), bo.traits)
    first, found = search([near], plain)[0], search([near], strict)[0]
    assert first.feasible
    assert (found.feasible, found.winner) == (True, first.winner)


def test_variations_of_a_face_that_joins(recipe: Settings) -> None:
    strict = settings(2, 0.5, variations=2)
    ann = person("Ann", 5, -0.05, 2, strict)
    found = search([ann], strict)[0]
    alone = search([ann, person("Bo", 5, -0.05, 2, strict)], strict)[0]
    assert np.array_equal(found.attributes, alone.attributes)
    assert (found.winner, found.joined) == (alone.winner, alone.joined)


class Gallery(Landscape):
    """Shows a candidate as its attributes; the one that is given last looks best."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = self
        self.compared = 0

    def render(self, request: Request) -> Floats:
        return request.attributes

    def score(self, _: Windows, rendered: Floats) -> Floats:
        self.compared = len(rendered)
        return np.arange(len(rendered), dtype=np.float32)


def test_of_candidates_as_good_the_best_looking_wins() -> None:
    plain = settings(None, 0)
    wide = replace(plain, study=plain.study.model_copy(update={"ties": 0.05}))
    ann = person("Ann", 3, 0.03, 1, plain)
    gallery = Gallery()
    found = search([ann], wide, gallery)[0]
    best = search([ann], plain, Gallery())[0]

    tied = found.results.tied(0.05)
    assert 1 < len(tied) <= MOST_TIED == 6
    assert gallery.compared == len(tied)
    assert tied[0] == best.winner != found.winner
    assert found.winner == tied[-1]
    # what verifies is the winner, not the best
    assert found.held_out is not None
    assert best.held_out is not None
    assert found.held_out.distance[0] != best.held_out.distance[0]


def test_what_looks_best_stands_its_variations_too() -> None:
    plain = settings(0, 0, variations=2)
    wide = replace(plain, study=plain.study.model_copy(update={"ties": 0.1}))
    ann = Identity(
        "Ann", tuple(face(i, -0.08) for i in range(3)), person("Ann", 2, 0, 1, plain).traits
    )
    found = search([ann], wide, Gallery())[0]
    assert found.feasible
    assert found.results.distance[found.winner] - VARIED > 1.4


def test_ties_are_feasible_and_in_order() -> None:
    found = search([person("Ann", 3, 0.03, 1, settings(None, 0))], settings(None, 0))[0].results
    tied = found.tied(0.05)
    values = found.objective_value
    assert tied[0] == found.best()
    assert found.feasible[tied].all()
    assert (np.diff(values[tied]) <= 0).all()
    assert values[tied].min() >= 0.95 * values[tied[0]]
    nobody = replace(found, violations=found.violations + 9)
    assert nobody.tied(0.05) == []
