"""Ways of searching (arms) beside one another, on the same people with the same seeds.

Everyone's studies run in lock-step and no candidate is measured twice on a person, whichever arm
asks for it.  Every arm's trials of a person are a file of their own, written when they are
finished: a study that was stopped continues.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import AttrsearchError, InputError, did_you_mean
from attrsearch.core.files import file_name, write_text, written
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import Study
from attrsearch.experiments.search_arms import ARMS
from attrsearch.faces.dataset import Person
from attrsearch.faces.people import find_people
from attrsearch.runs.trials_file import trial_attributes
from attrsearch.search.evaluator import Request, Subject
from attrsearch.search.lockstep import make_screener, pictures_wanted, split_faces
from attrsearch.search.models import Components, Settings, binding_of, load_components
from attrsearch.search.objective import CandidateResults, aggregate
from attrsearch.search.space import PersonSpace, person_space
from attrsearch.search.study import PersonStudy, person_seed
from attrsearch.search.surrogate.acquisition import Proposal
from attrsearch.search.surrogate.pooled import PooledModel, choose_pooled
from attrsearch.search.terms import FaceScores

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]

SCORES = {
    "detection": "detection",
    "iou": "iou",
    "distance": "distance",
    "distance_raw": "distance_raw",
    "clearance": "verification_margin",
    "naturalness": "naturalness",
}
"""Column of a study's file to the field of FaceScores it holds."""
SHARED = 240
"""Random candidates a person from which the random arm draws without replacement, so that seeds
share them.
"""


@dataclass(frozen=True)
class Plan:
    """An arm, how many candidates a person, and how many seeds."""

    arm: str
    trials: int
    seeds: int

    @classmethod
    def parse(cls, text: str) -> "Plan":
        """A plan of ``ARM:TRIALS:SEEDS``.

        >>> Plan.parse("tpe:100:5")
        Plan(arm='tpe', trials=100, seeds=5)

        Raises:
            InputError: Not one.
        """
        name, *numbers = text.split(":")
        if name not in ARMS:
            raise InputError(
                name, required="an arm", found="none of that name", hint=did_you_mean(name, ARMS)
            )
        if len(numbers) != 2 or not all(number.isdigit() and int(number) for number in numbers):
            hint = "type for example tpe:100:5"
            raise InputError(text, required="ARM:TRIALS:SEEDS", found="something else", hint=hint)
        return cls(name, int(numbers[0]), int(numbers[1]))


class Search(Protocol):
    """What is asked and told in lock-step."""

    remaining: int
    proposals: list[Proposal]

    def ask(self) -> Floats:
        """Candidates (n, passes, 13)."""

    def tell(self, results: CandidateResults) -> None:
        """What they were worth."""


@dataclass
class RandomDraws:
    """Random search over a person's shared candidates, in an order of its own."""

    space: PersonSpace
    remaining: int
    points: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        self.proposals: list[Proposal] = []

    def ask(self) -> Floats:
        """The next candidates."""
        count, done = min(4, self.remaining), len(self.proposals)
        self.remaining -= count
        chosen = self.points[done : done + count]
        self.proposals += [Proposal("sampler", point) for point in chosen]
        return self.space.attributes(chosen)

    def tell(self, results: CandidateResults) -> None:
        """Nothing is learnt."""


@dataclass
class _Running:
    plan: Plan
    settings: Settings
    seed: int
    search: Search
    scores: list[FaceScores]
    seconds: list[float]


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
    _begin(out, settings, components, pooled)
    found = [person for person in find_people(faces) if people is None or person.id in set(people)]
    done = 0
    for number, person in enumerate(found):
        missing = [plan for plan in plans if not _finished(_file(out, plan.arm, person.id), plan)]
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


def read_study(out: Path) -> pd.DataFrame:
    """All trials of a study: the columns written by :func:`study_search`.

    Raises:
        InputError: There are none.
    """
    parts = sorted(out.glob("*/*.parquet"))
    if not parts:
        hint = "make it with attrsearch reproduce search-study"
        raise InputError(out, required="a study of searches", found="no trials", hint=hint)
    return pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)


def _pooled(settings: Settings, components: Components) -> PooledModel | None:
    wanted = settings.study.surrogate.pooled if settings.study.surrogate else "auto"
    model, line = choose_pooled(wanted, binding_of(settings, components.evaluator))
    log.info(
        line or (f"pooled model of {model.people} people" if model else "no pooled model fits")
    )
    return model


def _begin(
    out: Path, settings: Settings, components: Components, pooled: PooledModel | None
) -> None:
    bound = binding_of(settings, components.evaluator)
    now = {
        **bound,
        "max_faces": settings.study.max_faces,
        "pooled": pooled.sha256 if pooled else "",
    }
    file = out / "study.json"
    if file.exists():
        earlier = json.loads(file.read_text(encoding="utf-8"))
        different = [key for key in now if earlier.get(key) != now[key]]
        if different:
            found = f"another {different[0]}"
            hint = "choose another folder"
            raise InputError(
                out, required="the settings this study was begun with", found=found, hint=hint
            )
    write_text(file, json.dumps(now, indent=1))


def _file(out: Path, arm: str, person: str) -> Path:
    return out / arm / f"{file_name(person)}.parquet"


def _finished(file: Path, plan: Plan) -> bool:
    """Whether an earlier study of a person has as many seeds, and searched for as long."""
    if not file.exists():
        return False
    seeds = pd.read_parquet(file, columns=["seed"])["seed"].value_counts()
    return len(seeds) >= plan.seeds and (
        bool(seeds.min() >= plan.trials) or ARMS[plan.arm].stopping is not None
    )


def _study_person(
    person: Person,
    plans: Sequence[Plan],
    settings: Settings,
    components: Components,
    pooled: PooledModel | None,
    out: Path,
) -> None:
    recipe, evaluator = settings.study, components.evaluator
    identity = components.gather(person, pictures_wanted(recipe.max_faces, recipe.heldback))
    searched, _ = split_faces(
        identity.faces, recipe.heldback, recipe.max_faces, person_seed(0, person.id)
    )
    subject, kept = evaluator.prepare(searched)
    if subject is None:
        raise InputError(
            person.id, required="a face that is found again", found="none", hint="leave them out"
        )
    own = tuple(searched[i] for i in kept)
    space = person_space(settings.space, identity.traits.gender, identity.traits.certainty)
    running = []
    for plan in plans:
        arm = ARMS[plan.arm]
        arm_settings = arm.settings(settings)
        for number in range(plan.seeds):
            seed = person_seed(number, person.id)
            if arm.shared:
                points = _shared(space, person.id, plan.trials)
                order = np.random.default_rng(seed).permutation(len(points))
                search: Search = RandomDraws(space, plan.trials, points[order])
            else:
                known = pooled if arm.surrogate and arm.surrogate.pooled != "none" else None
                screener = make_screener(
                    arm_settings, space, seed, known, identity.traits, own, subject
                )
                goals = len(arm_settings.objective.maximise)
                stopping = arm_settings.study.stopping
                sampler = arm_settings.study.sampler
                search = PersonStudy(space, sampler, goals, plan.trials, seed, screener, stopping)
            running.append(_Running(plan, arm_settings, number, search, [], []))
    measure = _Memory(components, subject, _earlier(out, person.id))
    while asking := [one for one in running if one.search.remaining]:
        _advance(asking, measure)
    for plan in plans:
        rows = [_rows(one, person.id, space) for one in running if one.plan == plan]
        with written(_file(out, plan.arm, person.id)) as file:
            pd.concat(rows, ignore_index=True).to_parquet(file, index=False)


def _advance(asking: Sequence[_Running], measure: "_Memory") -> None:
    """One round of several searches: all ask, what is new is measured, all are told."""
    requests, asked = [], []
    for one in asking:
        begin = time.thread_time()
        requests.append(one.search.ask())
        asked.append(time.thread_time() - begin)
    for one, attributes, seconds, scores in zip(
        asking, requests, asked, measure(requests), strict=True
    ):
        results = aggregate(one.settings.objective, scores)
        begin = time.thread_time()
        one.search.tell(results)
        took = seconds + time.thread_time() - begin
        one.scores.append(scores)
        one.seconds += [took / len(attributes)] * len(attributes)


class _Memory:
    """Measures candidates of one person, none of them twice."""

    def __init__(
        self, components: Components, subject: Subject, known: Mapping[bytes, Floats]
    ) -> None:
        self._evaluator = components.evaluator
        self._subject = subject
        self._known = dict(known)

    def __call__(self, requests: Sequence[Floats]) -> Iterator[FaceScores]:
        """Scores of each request, (n, passes, 13)."""
        fresh = {
            key: row
            for request in requests
            for row in request
            if (key := row.tobytes()) not in self._known
        }
        if fresh:
            scores = self._evaluator.evaluate(
                [Request(self._subject, np.stack(list(fresh.values())))]
            )[0]
            table = np.stack([getattr(scores, name) for name in SCORES.values()], 1)
            self._known |= dict(zip(fresh, table, strict=True))
        for request in requests:
            rows = np.stack([self._known[row.tobytes()] for row in request])
            yield FaceScores(*(rows[:, i] for i in range(len(SCORES))))


def _shared(space: PersonSpace, person: str, trials: int) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng([person_seed(0, person), 5])
    return generator.uniform(space.low, space.high, (max(SHARED, trials), len(space.names)))


def _earlier(out: Path, person: str) -> dict[bytes, Floats]:
    """What other arms measured on this person before; only where one picture was searched."""
    known: dict[bytes, Floats] = {}
    for path in out.glob(f"*/{file_name(person)}.parquet"):
        rows = pd.read_parquet(path)
        rows = rows[rows["evaluated"] & (rows["faces"] == 1)]
        if rows.empty:
            continue
        table = rows[list(SCORES)].to_numpy(np.float32)[:, :, None]
        attributes = trial_attributes(rows)
        known |= {row.tobytes(): scores for row, scores in zip(attributes, table, strict=True)}
    return known


def _rows(one: _Running, person: str, space: PersonSpace) -> pd.DataFrame:
    """Trials of one search, a row a candidate; the sample of what was screened out among them."""
    proposals = one.search.proposals
    evaluated = np.array([proposal.evaluated for proposal in proposals], bool)
    scores = {
        column: np.concatenate([getattr(part, name) for part in one.scores])
        for column, name in SCORES.items()
    }
    results = aggregate(
        one.settings.objective,
        FaceScores(**{SCORES[column]: values for column, values in scores.items()}),
    )
    attributes = space.attributes(np.array([proposal.point for proposal in proposals]))
    second = attributes[:, 1] if attributes.shape[1] > 1 else np.full_like(attributes[:, 0], np.nan)
    margin = (
        -results.violations.max(1) if results.violations.shape[1] else np.ones(len(results.utility))
    )
    measured: dict[str, Any] = {
        **{name: scores[name].mean(1) for name in SCORES},
        "utility": results.utility,
        "merit": results.objective_value,
        "margin": margin,
        "feasible": results.feasible,
        "optimiser_seconds": np.array(one.seconds),
    }
    columns: dict[str, Any] = {
        "identity": person,
        "arm": one.plan.arm,
        "seed": one.seed,
        "faces": scores["detection"].shape[1],
        "evaluated": evaluated,
        "source": [proposal.source for proposal in proposals],
        "predicted_utility": [proposal.utility for proposal in proposals],
        "predicted_feasible": [proposal.feasible for proposal in proposals],
        "rank_correlation": [proposal.correlation for proposal in proposals],
    }
    for name, values in measured.items():
        filled = np.full(len(proposals), False if values.dtype == bool else np.nan, values.dtype)
        filled[evaluated] = values
        columns[name] = filled
    columns |= {f"first_{name}": attributes[:, 0, i] for i, name in enumerate(ATTRIBUTES)}
    columns |= {f"second_{name}": second[:, i] for i, name in enumerate(ATTRIBUTES)}
    return pd.DataFrame(columns)
