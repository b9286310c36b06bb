"""A whole run: people in, attribute sets, trials, pictures and a report out."""

import logging
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Unpack

from attrsearch.core.compute import compute_with
from attrsearch.core.device import described
from attrsearch.core.encryption import encrypting
from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text
from attrsearch.core.logs import listening
from attrsearch.core.names import readable
from attrsearch.core.parallel import threads
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.core.recipes.study import Workers
from attrsearch.faces.clustering import cluster_folder
from attrsearch.faces.dataset import MIN_FACE, Person
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.images import left_out, say_left_out
from attrsearch.faces.people import PersonFiles, find_people
from attrsearch.runs.export import refresh_exports
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.journal import Journal, now
from attrsearch.runs.verdict import Verdicts
from attrsearch.search.config import Execution, RunConfig, RunOptions, with_options
from attrsearch.search.distributed.workers import Job, Outcome, search_here, search_in_workers
from attrsearch.search.hooks import refuse_memory, take_hooks
from attrsearch.search.models import Components, load_components, settings_of
from attrsearch.search.progress_bar import in_notebook, run_bar
from attrsearch.search.results import ResultTables
from attrsearch.search.writer import provenance

log = logging.getLogger(__name__)

WORKERS = "attrsearch.search.distributed"
"""Logger of the faults that a run's journal notes, too."""
LEFT_OUT = "left_out.txt"
"""File of a run that lists the entries of the input which nobody's pictures are."""


@dataclass(frozen=True, kw_only=True)
class RunProgress(Step):
    """How far a run is, after every batch; its count is of candidates.

    Attributes:
        people: All people of the run.
        done: People finished, failures included.
        feasible: People with a feasible winner.
        seconds: Time since the start of this call.
        seconds_left: Estimate of what is left, None before the first batch.
    """

    people: int
    done: int
    feasible: int
    seconds: float
    seconds_left: float | None

    @property
    def evaluations(self) -> int:
        """Candidates measured so far in this call."""
        return self.count

    @property
    def expected(self) -> int:
        """Candidates this call will measure, as far as is known."""
        return self.total


@dataclass(frozen=True, repr=False)
class RunResult(ResultTables):
    """What a run came to.

    Attributes:
        out: The run's folder.
        identities: People in it.
        feasible: Of those, people with a feasible winner.
        infeasible: Names of people without one.
        failed: People who could not be searched, and why.
        evaluations: Candidates measured, earlier calls of a resumed run included.
        seconds: Time of this call.
        verdicts: What may be said of whom; :attr:`Verdicts.holds` of ``identities`` are anonymised.
    """

    out: Path
    identities: int
    feasible: int
    infeasible: tuple[str, ...]
    failed: Mapping[str, str]
    evaluations: int
    seconds: float
    verdicts: Verdicts

    @property
    def holds(self) -> int:
        """People who are anonymised: the winner also holds on pictures kept from the search."""
        return self.verdicts.holds

    def __repr__(self) -> str:
        counts = f"{self.holds} of {self.identities} people anonymised"
        return f"RunResult({self.out}: {counts}, {self.evaluations} candidates)"


def run(
    faces: str | Path | Sequence[Person],
    out: str | Path,
    config: RunConfig | None = None,
    execution: Execution | None = None,
    *,
    resume: bool = False,
    progress: Progress[RunProgress] | bool | None = None,
    **options: Unpack[RunOptions],
) -> RunResult:
    """Search the best attribute set of every person in a folder.

    Args:
        faces: A folder with a sub-folder a person, a folder with a picture a person, one picture,
            or people whose faces were found already.
        out: The run's folder, new or empty unless ``resume``.
        config: What decides the result.
        execution: Who does the work.
        resume: Continue a run that was stopped.
        progress: Told how far the run is after every batch; True shows a bar, False nothing, None
            a bar in notebooks.
        options: Fields of the two by keyword, for short: ``run("faces", "run1", trials=100)``; and
            Optuna's ``sampler`` (one, or a function from a person's seed to one), ``callbacks`` and
            ``storage``.  With a sampler of your own the study's surrogate proposes nothing, unless
            ``surrogate`` asks for it.

    Returns:
        Counts, and who failed or stayed infeasible.

    Raises:
        AttrsearchError: Nothing can be searched: no people, a bad recipe, bad weights, a place that
            cannot be written.  A bad person or picture is not an error of the run.
    """
    began = now()
    started = time.perf_counter()
    hooks = take_hooks(options, Path(out))
    config, execution = with_options(config, execution, options)
    compute_with(execution.device, execution.engine)
    recipe = config.load_study()

    if hooks.sampler is not None and config.surrogate is None:
        # who names a sampler wants its proposals, not those of a model
        recipe = recipe.model_copy(update={"surrogate": None})

    team = execution.workers(recipe)
    settings = settings_of(config, recipe, hooks)
    components = load_components(settings)

    if components.line:
        log.warning(components.line)

    everybody = _choose(_find(faces, config.cluster, components), config.people, faces)
    shard = execution.shard
    waiting = shard.choose(everybody) if shard else everybody
    folder = RunFolder(Path(out))
    origin = replace(
        provenance(settings, components),
        faces=_place(faces, config.cluster),
        shard=shard.record(everybody) if shard else None,
    )
    # before any worker starts: it refuses a folder that holds another run
    folder.start(origin, resume)

    if isinstance(faces, str | Path) and config.people is None:
        _name_left_out(Path(faces), everybody, folder.path)

    journal = Journal(folder.path)
    journal.add("start", people=len(waiting), resumed=resume, jobs=team.jobs, backend=team.backend)
    # nobody is searched twice: what is on the disk counts
    finished = set()
    feasible = 0

    for part in (folder.finished_part(person.id) for person in waiting if resume):
        if part is not None:
            finished.add(part.record.id)
            feasible += part.record.feasible

    todo = [person for person in waiting if person.id not in finished]
    with shown(progress) as show:
        tally = _ProgressCounter(
            len(waiting), len(finished), feasible, started, recipe.trials, show
        )
        storage = execution.storage
        job = Job(settings, folder.path, config.include_originals, storage, encrypting())
        elsewhere = team.backend == "dask" or (
            team.jobs > 1 and (len(todo) > 1 or bool(storage and todo))
        )

        if elsewhere:
            refuse_memory(hooks)
            team = (
                team
                if team.backend == "dask" or storage
                else team.model_copy(update={"jobs": min(team.jobs, len(todo))})
            )
            outcomes = search_in_workers(todo, job, team)
        else:
            outcomes = search_here(todo, job, components, tally.evaluated)

        # what befalls workers and their database is part of the run's history
        with listening(lambda line: journal.add("notice", line=line), WORKERS):
            for outcome in outcomes:
                journal.add("failed" if outcome.reason else "finished", **asdict(outcome))
                tally.person(outcome, counted=not elsewhere)

    seconds = time.perf_counter() - started
    counts = folder.finish(origin, tally.failed, seconds, {"call": _call(began, team, seconds)})
    # exports of an earlier call speak of fewer people
    refresh_exports(folder.path)
    journal.add("end", people=counts.people, failed=len(tally.failed), seconds=round(seconds, 3))

    return RunResult(
        out=folder.path,
        identities=counts.people + len(tally.failed),
        feasible=counts.feasible,
        infeasible=tuple(counts.verdicts.infeasible),
        failed=tally.failed,
        evaluations=counts.evaluations,
        seconds=seconds,
        verdicts=counts.verdicts,
    )


@contextmanager
def shown(
    progress: Progress[RunProgress] | bool | None,
) -> Iterator[Progress[RunProgress]]:
    """What is told how far a run is: the caller's function, a bar, or nothing."""
    if callable(progress):
        yield progress
    elif progress or (progress is None and in_notebook()):
        with run_bar() as bar:
            yield bar
    else:
        yield silent


def _call(began: str, team: Workers, seconds: float) -> dict[str, object]:
    """How the last call of the run went, for ``run.toml``."""
    about = {"began": began, "ended": now(), "seconds": round(seconds, 3), "host": platform.node()}
    return {
        **about,
        "jobs": team.jobs,
        "backend": team.backend,
        "threads": threads(),
        "device": described(),
    }


@dataclass
class _ProgressCounter:
    people: int
    done: int
    feasible: int
    started: float
    trials: int
    progress: Progress[RunProgress]
    evaluations: int = 0
    off: int = 0
    """Candidates that finished people were given and did not use; below 0 where they used more."""
    failed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = self.done

    def person(self, outcome: Outcome, counted: bool) -> None:
        self.done += 1
        self.evaluations += 0 if counted else outcome.evaluations
        # who ended early, or went on for longer, changes what is still expected
        self.off += self.trials - outcome.evaluations
        self.feasible += outcome.feasible

        if outcome.reason:
            self.failed[outcome.id] = outcome.reason

        self._tell()

    def evaluated(self, count: int) -> None:
        self.evaluations += count
        self._tell()

    def _tell(self) -> None:
        seconds = time.perf_counter() - self.started
        expected = (self.people - self.before) * self.trials - self.off
        # by what was measured in this call: a resumed run starts its clock anew
        left = (
            seconds * max(0, expected - self.evaluations) / self.evaluations
            if self.evaluations
            else None
        )
        self.progress(
            RunProgress(
                stage="search",
                count=self.evaluations,
                total=expected,
                people=self.people,
                done=self.done,
                feasible=self.feasible,
                seconds=seconds,
                seconds_left=left,
            )
        )


def _name_left_out(source: Path, everybody: Sequence[Person], run: Path) -> None:
    """Say what of a folder is nobody's picture, and keep the list in the run."""
    others = left_out(source, _taken(everybody)) if source.is_dir() else []
    if others:
        log.warning(say_left_out(source, others))
        names = [readable(str(path)) for path in others]
        write_text(run / LEFT_OUT, "\n".join(names) + "\n")


def _taken(everybody: Sequence[Person]) -> list[Path]:
    """The files of all people, where these are known."""
    taken: list[Path] = []

    for person in everybody:
        if isinstance(person, PersonFiles):
            taken += person.files
        else:
            taken += [face.source for face in person.faces]

    return taken


def _place(faces: str | Path | Sequence[Person], cluster: bool) -> str:
    """Where the people can be found again; empty where only this call knew."""
    return "" if cluster or not isinstance(faces, str | Path) else str(Path(faces).resolve())


def _find(
    faces: str | Path | Sequence[Person], cluster: bool, components: Components
) -> list[Person]:
    if not isinstance(faces, str | Path):
        return list(faces)
    if not cluster:
        return list(find_people(Path(faces)))

    evaluator = components.evaluator
    detector = load_detector(evaluator.detector.name, MIN_FACE)
    return list(cluster_folder(Path(faces), detector, evaluator.recognisers[0]))


def _choose(people: list[Person], chosen: Sequence[str] | None, faces: object) -> list[Person]:
    if chosen is None:
        return people

    known = {person.id for person in people}
    missing = sorted(set(chosen) - known)

    if missing:
        found = f"{len(known)} people without {missing[0]}"
        raise InputError(
            faces, required=f"a person named {missing[0]}", found=found, hint="check the name"
        )

    return [person for person in people if person.id in set(chosen)]
