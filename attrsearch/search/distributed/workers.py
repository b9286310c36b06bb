"""Search people here or in worker processes.

Every person is written to the run by whoever finished it.
"""

import logging
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from attrsearch.core.chunks import chunks
from attrsearch.core.compute import Compute, compute_with, computing
from attrsearch.core.encryption import set_encrypting
from attrsearch.core.logs import collected
from attrsearch.core.parallel import set_threads
from attrsearch.core.plugins import registered, restore
from attrsearch.core.recipes.study import Workers
from attrsearch.faces.dataset import Person
from attrsearch.runs.folder import RunFolder
from attrsearch.search.distributed.pool import Pool, WorkersLostError
from attrsearch.search.evaluator import Evaluator
from attrsearch.search.lockstep import Failed, search_people
from attrsearch.search.models import Components, Settings, kept_components
from attrsearch.search.writer import write_finished

log = logging.getLogger(__name__)

BATCH = 12
"""People given to a worker process at a time, at most."""
ALONE = 2
"""Times that a worker may die with one person alone before the person is given up."""


@dataclass(frozen=True)
class Outcome:
    """A person's result in a few words, as workers send it back."""

    id: str
    feasible: bool
    evaluations: int
    reason: str = ""


@dataclass(frozen=True)
class Job:
    """What a worker needs besides the people.

    Attributes:
        settings: The recipes.
        out: The run's folder, at the same path on every machine.
        include_originals: Keep untouched pictures.
        storage: Database by which workers share one person's study; empty where each person has one
            worker.
        plugged: Plug-ins that were given by value.
        encrypt: Private files are encrypted, with the key of the worker's own environment: it is
            not sent.
        compute: Where networks compute.
    """

    settings: Settings
    out: Path
    include_originals: bool
    storage: str = ""
    encrypt: bool = False
    plugged: Mapping[tuple[str, str], Any] = field(default_factory=registered, repr=False)
    compute: Compute = field(default_factory=computing)


def search_here(
    people: Sequence[Person],
    job: Job,
    components: Components,
    evaluated: Callable[[int], None] = lambda _: None,
    write: bool = True,
) -> Iterator[Outcome]:
    """Search people in this process.

    Args:
        people: One after another, several at a time.
        job: What else is needed.
        components: The models.
        evaluated: Called with the number of candidates measured after every batch.
        write: Write who is finished; not where another worker of the same study does.
    """
    folder = RunFolder(job.out)
    evaluator = components.evaluator
    # workers that share a study go through people in step, one after another
    groups = [[person] for person in people] if job.storage else [people]

    for group in groups:
        measurer = evaluator
        if job.storage:
            # SQLAlchemy comes with it: slow to load, and few runs share their studies
            from attrsearch.search.distributed.shared_study import SharedEvaluator  # noqa: PLC0415

            shared = SharedEvaluator(evaluator, job.storage, job.settings, group[0].id)
            measurer = cast("Evaluator", shared)

        for item in search_people(
            group, job.settings, measurer, components.gather, evaluated, components.pooled
        ):
            if isinstance(item, Failed):
                yield Outcome(item.id, False, 0, item.reason)
            else:
                if write:
                    write_finished(item, evaluator, folder, job.include_originals)

                yield Outcome(item.id, item.feasible, len(item.attributes))


def search_in_workers(people: Sequence[Person], job: Job, workers: Workers) -> Iterator[Outcome]:
    """Search people in worker processes that share the processor evenly.

    When workers die, the people they may have had are given out again, one by one; who was alone
    with a worker that died is tried at the end, and given up at the ``ALONE``-th time.
    """
    with Pool(workers) as pool:
        search = _Search(job, pool)
        if job.storage:
            for person in people:
                yield from search.shared(person)

            return

        size = batch_size(len(people), pool.size())
        yield from search.batches(chunks(people, size))
        while search.suspects:
            yield from search.alone(search.suspects.popleft())


def batch_size(people: int, workers: int) -> int:
    """People a batch, so that every worker gets as many batches as the others.

    >>> batch_size(40, 2), batch_size(1000, 2), batch_size(3, 8)
    (10, 12, 1)
    """
    rounds = max(1, math.ceil(people / (BATCH * workers)))
    return max(1, math.ceil(people / (rounds * workers)))


class _Search:
    def __init__(self, job: Job, pool: Pool) -> None:
        self._job = job
        self._pool = pool
        self._threads = 1

        if pool.workers.backend == "loky":
            self._threads = max(1, (os.cpu_count() or 1) // pool.workers.jobs)

        self.suspects: deque[Person] = deque()

    def batches(self, batches: Sequence[Sequence[Person]]) -> Iterator[Outcome]:
        waiting = deque(batches)
        while waiting:
            given: dict[str, Sequence[Person]] = {}
            try:
                for found in self._pool.spread(_work, self._calls(waiting, given)):
                    for outcome in self._told(found):
                        given.pop(outcome.id, None)
                        yield outcome
            except WorkersLostError as lost:
                left = []
                for name in list(given):
                    # a worker writes a person before it says so, and may have died in between
                    if on_disk := self._from_disk(name):
                        given.pop(name)
                        yield on_disk
                    else:
                        left.append(name)

                log.warning(f"workers: {lost}; {len(left)} unfinished people are given out again")
                self._again(given, waiting)

    def _again(self, given: dict[str, Sequence[Person]], waiting: deque[Sequence[Person]]) -> None:
        for name, batch in given.items():
            person = next(item for item in batch if item.id == name)
            # alone with a worker that died: this person may be why
            if len(batch) == 1:
                self.suspects.append(person)
            else:
                waiting.append([person])

    def alone(self, person: Person) -> Iterator[Outcome]:
        """A person who was with a worker that died: in a process of its own."""
        reason = ""

        for _ in range(ALONE):
            try:
                for found in self._pool.spread(_work, [([person], self._job, self._threads)]):
                    yield from self._told(found)
            except WorkersLostError as lost:
                reason = str(lost)
                if outcome := self._from_disk(person.id):
                    yield outcome
                    return
            else:
                return

        line = (
            f"{person.id}: needs a worker that survives this person, found: {reason}, {ALONE} "
            "times alone; "
        )
        yield Outcome(person.id, False, 0, line + "try fewer --jobs, or remove this person")

    def shared(self, person: Person) -> Iterator[Outcome]:
        """One person by all workers: every one of them is told the result, the first writes it."""
        for _ in range(ALONE + 1):
            calls = []
            for rank in range(self._pool.size()):
                calls.append(([person], self._job, self._threads, rank == 0))

            try:
                outcomes = []
                for found in self._pool.spread(_work, calls):
                    outcomes += self._told(found)

            except WorkersLostError as lost:
                log.warning(f"workers: {lost}; the study continues from the database")
                continue

            yield outcomes[0]
            return

        line = (
            f"{person.id}: needs workers that survive this person; try fewer --jobs, or remove "
            "this person"
        )
        yield Outcome(person.id, False, 0, line)

    def _calls(
        self, waiting: deque[Sequence[Person]], given: dict[str, Sequence[Person]]
    ) -> Iterator[tuple[object, ...]]:
        while waiting:
            batch = waiting.popleft()
            # noted before the call: a worker that dies says nothing of whom it had
            given.update({person.id: batch for person in batch})
            yield batch, self._job, self._threads

    def _told(self, found: tuple[list[Outcome], list[str]]) -> list[Outcome]:
        for line in found[1]:
            log.warning(line)

        return found[0]

    def _from_disk(self, identity: str) -> Outcome | None:
        """Somebody who was finished by a worker that died before it could say so."""
        part = RunFolder(self._job.out).finished_part(identity)
        return Outcome(identity, part.record.feasible, part.record.evaluations) if part else None


def _work(
    people: Sequence[Person], job: Job, threads: int, write: bool = True
) -> tuple[list[Outcome], list[str]]:
    with _one_batch:  # a Dask worker may have several threads
        set_threads(threads)
        set_encrypting(job.encrypt)
        compute_with(**asdict(job.compute))
        restore(job.plugged)

        # what every worker would say of the models, the run itself says once
        with collected():
            components = kept_components(job.settings)

        with collected() as lines:
            found = list(search_here(people, job, components, write=write))

        return found, lines


_one_batch = threading.Lock()
