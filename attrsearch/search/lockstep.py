"""Search many people in lock-step.

Every open study asks, one batch measures all, every study is told.

A person's result depends on the person and the seed only; how many studies are open changes the
speed alone.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.picking import take
from attrsearch.faces.attribute_classifier import Traits
from attrsearch.faces.dataset import AlignedFace, Identity, Person
from attrsearch.faces.identities import IdentityLoader
from attrsearch.search.evaluator import Evaluator, Request, Subject
from attrsearch.search.models import Settings
from attrsearch.search.objective import CandidateResults
from attrsearch.search.person_search import PersonSearch
from attrsearch.search.space import PersonSpace, person_space
from attrsearch.search.study import PersonStudy, person_seed
from attrsearch.search.surrogate.acquisition import Proposal, Screener, portfolio_points
from attrsearch.search.surrogate.features import describe
from attrsearch.search.surrogate.pooled import PooledModel
from attrsearch.search.surrogate.targets import predictable

Floats = npt.NDArray[np.float32]

OPEN_STUDIES = 12
"""Studies searched at the same time: enough to fill a batch, few enough to keep memory flat."""


@dataclass(frozen=True)
class Finished:
    """A person whose search is over.

    Attributes:
        space: What was searched.
        faces: The faces the search saw, as :attr:`subject` holds them.
        attributes: Every candidate, (n, passes, 13).
        results: What each was worth.
        seconds: Time of each, (n,): its share of the batches it was measured in.
        times: When each was proposed and when it was measured, (n, 2), seconds since 1970.
        proposals: The same candidates in order, with a sample of what was screened out among them.
        screened_out: How many candidates were screened out in all.
        overhead: Time spent predicting, seconds.
        held_out: The winner on the faces kept from the search (one candidate), or None where there
            are none.
        held_out_faces: How many those are.
        winner: Index of the winner among the candidates.
        joined: Which faces were kept back at first and searched later: indices among those that
            :func:`split_faces` keeps back.
    """

    id: str
    traits: Traits
    seed: int
    space: PersonSpace
    faces: tuple[AlignedFace, ...]
    subject: Subject
    attributes: Floats
    results: CandidateResults
    seconds: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]
    proposals: tuple[Proposal, ...]
    screened_out: int
    overhead: float
    held_out: CandidateResults | None
    held_out_faces: int
    winner: int
    joined: tuple[int, ...] = ()

    @property
    def feasible(self) -> bool:
        """Whether the winner meets every constraint."""
        return bool(self.results.feasible[self.winner])


@dataclass(frozen=True)
class Failed:
    """A person who could not be searched, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class PreparedPerson:
    """A person who is ready to be searched.

    Attributes:
        seed: The person's own seed.
        space: What may be searched.
        faces: The faces the search sees, as ``subject`` holds them.
        held: Those kept from it.
    """

    identity: Identity
    seed: int
    space: PersonSpace
    faces: tuple[AlignedFace, ...]
    held: tuple[AlignedFace, ...]
    subject: Subject


def search_people(
    people: Iterable[Person],
    settings: Settings,
    evaluator: Evaluator,
    gather: IdentityLoader,
    evaluated: Callable[[int], None] = lambda _: None,
    pooled: PooledModel | None = None,
) -> Iterator[Finished | Failed]:
    """Search people as they come; each is given out when it is finished.

    Args:
        people: Read one at a time, when there is room for another study.
        settings: The recipes.
        evaluator: Measures candidates.
        gather: Reads a person's pictures.
        evaluated: Called with the number of candidates measured after every batch.
        pooled: What earlier people taught, where the study has a surrogate.
    """
    waiting = iter(people)
    studies: list[PersonSearch] = []
    more = True

    while more or studies:
        while more and len(studies) < OPEN_STUDIES:
            person = next(waiting, None)
            if person is None:
                more = False
                break

            opened = _open(person, settings, evaluator, gather, pooled)
            if isinstance(opened, Failed):
                yield opened
            else:
                studies.append(opened)

        _round(studies, settings, evaluator, evaluated)
        # a list of its own: studies are taken out while it is gone through
        for study in [item for item in studies if item.over(settings, evaluator)]:
            studies.remove(study)
            yield _finish(study)


def _open(
    person: Person,
    settings: Settings,
    evaluator: Evaluator,
    gather: IdentityLoader,
    pooled: PooledModel | None,
) -> PersonSearch | Failed:
    recipe = settings.study
    try:
        ready = prepare_person(person, settings, evaluator, gather)
    except AttrsearchError as error:
        return Failed(person.id, str(error))
    # one person's pictures must not end everybody's run
    except Exception as error:
        return Failed(person.id, f"{person.id}: unexpected {type(error).__name__}: {error}")

    identity = ready.identity
    seed = ready.seed
    space = ready.space
    subject = ready.subject
    screener = make_screener(settings, space, seed, pooled, identity.traits, ready.faces, subject)
    goals = len(settings.objective.maximise)
    expanded_screener = partial(_local_screener, settings, seed)
    study = PersonStudy(
        space,
        recipe.sampler,
        goals,
        recipe.trials,
        seed,
        screener,
        recipe.stopping,
        expanded_screener,
    )

    try:
        study.attach(settings.hooks.of(person.id))
    except AttrsearchError as error:
        return Failed(person.id, str(error))

    opened = PersonSearch(identity, seed, ready.faces, ready.held, subject, study)
    opened.vary(settings, evaluator)
    return opened


def prepare_person(
    person: Person, settings: Settings, evaluator: Evaluator, gather: IdentityLoader
) -> PreparedPerson:
    """Read a person's pictures, keep some back from the search, and prepare the others.

    Raises:
        InputError: No picture shows a face that the detector finds again in its window.
    """
    recipe = settings.study
    seed = person_seed(recipe.seed, person.id)
    identity = gather(person, pictures_wanted(recipe.max_faces, recipe.heldback))
    searched, held = split_faces(identity.faces, recipe.heldback, recipe.max_faces, seed)
    subject, kept = evaluator.prepare(searched)

    if subject is None:
        required = f"a face that {evaluator.detector.name} finds again in its own window"
        found = f"none in {len(searched)} picture(s)"
        hint = "add clearer pictures"
        raise InputError(person.id, required=required, found=found, hint=hint)

    space = person_space(settings.space, identity.traits.gender, identity.traits.certainty)
    faces = tuple(take(searched, kept))
    return PreparedPerson(identity, seed, space, faces, tuple(held), subject)


def make_screener(
    settings: Settings,
    space: PersonSpace,
    seed: int,
    pooled: PooledModel | None,
    traits: Traits,
    faces: tuple[AlignedFace, ...],
    subject: Subject,
) -> Screener | None:
    """What proposes by prediction for a person.

    None where the study has no surrogate, or none that can predict.

    A study that wants a pooled model and has none that fits learns from the person's own trials
    alone; where it may not do that either, the sampler goes alone.
    """
    recipe = settings.study.surrogate
    if recipe is None or not predictable(settings.objective):
        return None

    if pooled is None and not recipe.local:
        return None

    portfolio = portfolio_points(space, pooled, traits.gender)
    person = describe(traits, faces, subject) if pooled else None
    return Screener(recipe, space, settings.objective, seed, pooled, portfolio, person)


def _local_screener(settings: Settings, seed: int, space: PersonSpace) -> Screener | None:
    """What proposes in a space that no pooled model knows."""
    recipe = settings.study.surrogate
    if recipe is None or not predictable(settings.objective):
        return None

    return Screener(recipe, space, settings.objective, seed)


def _round(
    studies: Sequence[PersonSearch],
    settings: Settings,
    evaluator: Evaluator,
    evaluated: Callable[[int], None],
) -> None:
    if not studies:
        return

    start = time.perf_counter()
    began = time.time()
    requests = [Request(item.subject, item.study.ask()) for item in studies]
    scores = evaluator.evaluate(requests)

    for item, request, score in zip(studies, requests, scores, strict=True):
        item.add(request, score, settings, evaluator)

    took = time.perf_counter() - start
    pairs = sum(len(request.attributes) * len(request.subject) for request in requests)
    for item, request in zip(studies, requests, strict=True):
        # a batch is shared: who has twice the faces took twice the time
        item.seconds += [took * len(request.subject) / pairs] * len(request.attributes)
        item.times += [(began, began + took)] * len(request.attributes)

    evaluated(sum(len(request.attributes) for request in requests))


def _finish(item: PersonSearch) -> Finished:
    return Finished(
        id=item.identity.id,
        traits=item.identity.traits,
        seed=item.seed,
        space=item.study.space,
        faces=item.faces,
        subject=item.subject,
        attributes=np.concatenate(item.attributes),
        results=item.measured(),
        seconds=np.array(item.seconds),
        times=np.array(item.times, np.float64).reshape(-1, 2),
        proposals=tuple(item.study.proposals),
        screened_out=screener.screened_out if (screener := item.study.screener) else 0,
        overhead=screener.seconds if screener else 0.0,
        held_out=item.verified,
        held_out_faces=item.verified_faces,
        winner=item.winner,
        joined=item.joined,
    )


def pictures_wanted(max_faces: int, held_out: float) -> int:
    """How many pictures of a person are read: enough for the search and for the share kept from it.

    >>> pictures_wanted(8, 0.3), pictures_wanted(1, 0.0)
    (12, 1)
    """
    # of so many, what is left after the share is kept back is enough for the search
    return int(np.ceil(max_faces / (1 - held_out)))


def split_faces(
    faces: Sequence[AlignedFace], held_out: float, max_faces: int, seed: int
) -> tuple[list[AlignedFace], list[AlignedFace]]:
    """Divide a person's faces into those the search sees and those kept to check the winner.

    Someone with two pictures or more always has one kept back, unless ``held_out`` is 0.
    """
    count = len(faces)
    # at least one is left to be searched, and one is kept back where there are two
    kept = min(count - 1, max(1, round(count * held_out))) if held_out > 0 and count > 1 else 0
    # drawn, since pictures in order are often of one day; by the person's seed, so that a resumed
    # run draws the same
    order = np.random.default_rng(seed).permutation(count)
    searched = sorted(order[kept:][:max_faces])
    held = sorted(order[:kept][:max_faces])

    return take(faces, searched), take(faces, held)
