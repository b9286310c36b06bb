"""Search people here or in worker processes; every person is written to the run by whoever finished it."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib

from attrsearch.faces.people import Person, Warn
from attrsearch.results import RunFolder
from attrsearch.search.cohort import Failed, search_people
from attrsearch.search.components import Components, Settings, load_components
from attrsearch.search.outputs import write_finished
from attrsearch.threads import set_threads

BATCH = 12
"""People given to a worker process at a time."""


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
        out: The run's folder.
        include_originals: Keep untouched pictures.
    """

    settings: Settings
    out: Path
    include_originals: bool


def search_here(
    people: Sequence[Person], job: Job, components: Components, evaluated: Callable[[int], None]
) -> Iterator[Outcome]:
    """Search people in this process."""
    folder = RunFolder(job.out)
    for item in search_people(
        people, job.settings, components.evaluator, components.gather, evaluated, components.pooled
    ):
        if isinstance(item, Failed):
            yield Outcome(item.id, False, 0, item.reason)
        else:
            write_finished(item, components.evaluator, folder, job.include_originals)
            yield Outcome(item.id, item.feasible, len(item.attributes))


def search_in_workers(people: Sequence[Person], job: Job, workers: int, warn: Warn) -> Iterator[Outcome]:
    """Search people in worker processes that share the processor evenly."""
    size = max(1, min(BATCH, len(people) // workers))
    batches = [people[i : i + size] for i in range(0, len(people), size)]
    threads = max(1, (os.cpu_count() or 1) // workers)
    calls = (joblib.delayed(_work)(batch, job, threads) for batch in batches)
    for outcomes, lines in joblib.Parallel(n_jobs=workers, return_as="generator_unordered")(calls):
        for line in lines:
            warn(line)
        yield from outcomes


def _work(people: Sequence[Person], job: Job, threads: int) -> tuple[list[Outcome], list[str]]:
    set_threads(threads)
    components, lines = _loaded(job.settings)
    lines.clear()
    found = list(search_here(people, job, components, lambda _: None))
    return found, list(lines)


_kept: dict[str, tuple[Components, list[str]]] = {}


def _loaded(settings: Settings) -> tuple[Components, list[str]]:
    """Models stay loaded in a worker from one batch to the next; warnings are collected in the list."""
    key = repr(settings)
    if key not in _kept:
        lines: list[str] = []
        _kept.clear()
        _kept[key] = load_components(settings, lines.append), lines
    return _kept[key]
