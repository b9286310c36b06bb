"""Ways of searching (arms) beside one another, on the same people with the same seeds.

Everyone's studies run in lock-step and no candidate is measured twice on a person, whichever arm
asks for it.  Every arm's trials of a person are a file of their own, written when they are
finished: a study that was stopped continues.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.files import written
from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import Study
from attrsearch.experiments.search_arms import ARMS, Plan
from attrsearch.experiments.search_rounds import (
    Measured,
    RandomDraws,
    RunningSearch,
    Search,
    advance,
)
from attrsearch.experiments.search_trials import (
    begin,
    earlier_scores,
    finished,
    to_rows,
    trials_of,
)
from attrsearch.faces.attribute_classifier import Traits
from attrsearch.faces.dataset import AlignedFace, Person
from attrsearch.faces.people import find_people
from attrsearch.search.evaluator import Subject
from attrsearch.search.lockstep import make_screener, pictures_wanted, split_faces
from attrsearch.search.models import Components, Settings, binding_of, load_components
from attrsearch.search.space import PersonSpace, person_space
from attrsearch.search.study import PersonStudy, person_seed
from attrsearch.search.surrogate.pooled import PooledModel, choose_pooled

log = logging.getLogger(__name__)

SHARED = 240
"""Random candidates a person from which the random arm draws without replacement, so that seeds
share them.
"""


def study_search(
    faces: Path,
    out: Path,
    study: Study,
    plans: Sequence[Plan],
    *,
    people: Sequence[str] | None = None,
    minutes: float | None = None,
    progress: Progress[Step] = silent,
) -> int:
    """Run the arms that are not finished yet, a person after another.

    Args:
        faces: A folder of people.
        out: Where trials go: ``ARM/PERSON.parquet``.
        study: Editor, space, judges, pictures a person; sampler and surrogate are the arms' own,
            but for the pooled model, which is the study's.
        plans: The arms.
        people: Only these.
        minutes: Stop (between people) after so long.
        progress: Told of the stage ``people``.

    Returns:
        How many people are finished in every arm.

    Raises:
        AttrsearchError: Nothing can be searched, or ``out`` was begun with other settings.
    """
    started = time.monotonic()
    settings = Settings(study, load_space(study.space), load_objective(study.objective))
    components = load_components(settings)
    pooled = _pooled(settings, components)
    begin(out, settings, components, pooled)
    found = find_people(faces)
    if people is not None:
        found = [person for person in found if person.id in set(people)]

    done = 0
    for number, person in enumerate(found):
        missing = []
        for plan in plans:
            if not finished(trials_of(out, plan.arm, person.id), plan):
                missing.append(plan)

        # people who are finished are counted still when the time is up
        if missing and minutes is not None and time.monotonic() - started > 60 * minutes:
            continue

        if missing:
            try:
                _study_person(person, missing, settings, components, pooled, out)
            except AttrsearchError as error:
                log.warning(str(error))
                continue

        done += 1
        progress(Step(stage="people", count=number + 1, total=len(found)))

    return done


def _pooled(settings: Settings, components: Components) -> PooledModel | None:
    wanted = settings.study.surrogate.pooled if settings.study.surrogate else "auto"
    model, line = choose_pooled(wanted, binding_of(settings, components.evaluator))

    log.info(
        line or (f"pooled model of {model.people} people" if model else "no pooled model fits")
    )

    return model


@dataclass(frozen=True)
class _Sitter:
    """A person whose pictures are searched.

    Attributes:
        id: The person.
        space: What is searched.
        faces: Those that are found again.
        traits: Guessed.
        subject: What is the same for every candidate.
    """

    id: str
    space: PersonSpace
    faces: tuple[AlignedFace, ...]
    traits: Traits
    subject: Subject


def _study_person(
    person: Person,
    plans: Sequence[Plan],
    settings: Settings,
    components: Components,
    pooled: PooledModel | None,
    out: Path,
) -> None:
    sitter = _prepare(person, settings, components)
    running: list[RunningSearch] = []

    for plan in plans:
        arm_settings = ARMS[plan.arm].settings(settings)
        for number in range(plan.seeds):
            search = _search(plan, arm_settings, sitter, pooled, number)
            running.append(RunningSearch(plan, arm_settings, number, search, [], []))

    measure = Measured(components, sitter.subject, earlier_scores(out, person.id))
    while asking := [one for one in running if one.search.remaining]:
        advance(asking, measure)

    for plan in plans:
        searches = [one for one in running if one.plan == plan]
        with written(trials_of(out, plan.arm, person.id)) as file:
            to_rows(searches, person.id, sitter.space).to_parquet(file, index=False)


def _prepare(person: Person, settings: Settings, components: Components) -> _Sitter:
    recipe = settings.study
    wanted = pictures_wanted(recipe.max_faces, recipe.heldback)
    identity = components.gather(person, wanted)
    # the split has a seed of its own, so that every arm and seed searches the same pictures
    split = person_seed(0, person.id)
    searched, _ = split_faces(identity.faces, recipe.heldback, recipe.max_faces, split)
    subject, kept = components.evaluator.prepare(searched)

    if subject is None:
        raise InputError(
            person.id, required="a face that is found again", found="none", hint="leave them out"
        )

    return _Sitter(
        id=person.id,
        space=person_space(settings.space, identity.traits.gender, identity.traits.certainty),
        faces=tuple(take(searched, kept)),
        traits=identity.traits,
        subject=subject,
    )


def _search(
    plan: Plan, settings: Settings, sitter: _Sitter, pooled: PooledModel | None, number: int
) -> Search:
    """What a plan's seed of that number asks."""
    arm = ARMS[plan.arm]
    # the same for every arm: arms that begin at random begin alike
    seed = person_seed(number, sitter.id)

    if arm.shared:
        points = _shared(sitter.space, sitter.id, plan.trials)
        order = np.random.default_rng(seed).permutation(len(points))
        return RandomDraws(sitter.space, plan.trials, points[order])

    known = pooled if arm.surrogate and arm.surrogate.pooled != "none" else None
    screener = make_screener(
        settings, sitter.space, seed, known, sitter.traits, sitter.faces, sitter.subject
    )
    return PersonStudy(
        sitter.space,
        settings.study.sampler,
        len(settings.objective.maximise),
        plan.trials,
        seed,
        screener,
        settings.study.stopping,
    )


def _shared(space: PersonSpace, person: str, trials: int) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng([person_seed(0, person), 5])
    return generator.uniform(space.low, space.high, (max(SHARED, trials), len(space.names)))
