"""Searches in lock-step: all ask, what is new is measured, all are told."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from attrsearch.experiments.search_arms import Plan
from attrsearch.search.evaluator import Request, Subject
from attrsearch.search.models import Components, Settings
from attrsearch.search.objective import CandidateResults, aggregate
from attrsearch.search.space import PersonSpace
from attrsearch.search.surrogate.acquisition import Proposal
from attrsearch.search.terms import FaceScores

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
BATCH = 4
"""Candidates that random search asks for at a time: as many as the other arms."""


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
        count = min(BATCH, self.remaining)
        done = len(self.proposals)
        self.remaining -= count
        chosen = self.points[done : done + count]
        self.proposals += [Proposal("sampler", point) for point in chosen]
        return self.space.attributes(chosen)

    def tell(self, results: CandidateResults) -> None:
        """Nothing is learnt."""


@dataclass
class RunningSearch:
    """One search of a plan, and what it has cost so far.

    Attributes:
        plan: The arm and how long it searches.
        settings: The arm's recipes.
        seed: Which of the plan's seeds.
        search: Asked and told.
        scores: Of every round.
        seconds: Processor time of asking and telling, for each candidate.
    """

    plan: Plan
    settings: Settings
    seed: int
    search: Search
    scores: list[FaceScores]
    seconds: list[float]


def advance(asking: Sequence[RunningSearch], measure: "Measured") -> None:
    """One round of several searches."""
    requests: list[Floats] = []
    asked: list[float] = []

    for one in asking:
        # this thread's time: measuring runs in others, and is the same for every arm
        begin = time.thread_time()
        requests.append(one.search.ask())
        asked.append(time.thread_time() - begin)

    every = zip(asking, requests, asked, measure(requests), strict=True)
    for one, attributes, seconds, scores in every:
        results = aggregate(one.settings.objective, scores)
        begin = time.thread_time()
        one.search.tell(results)
        took = seconds + time.thread_time() - begin
        one.scores.append(scores)
        # a round's time, shared by its candidates
        one.seconds += [took / len(attributes)] * len(attributes)


class Measured:
    """Measures candidates of one person, none of them twice.

    Args:
        components: The models.
        subject: The person.
        known: Attributes (as bytes) to scores that are known already.
    """

    def __init__(
        self, components: Components, subject: Subject, known: Mapping[bytes, Floats]
    ) -> None:
        self._evaluator = components.evaluator
        self._subject = subject
        self._known = dict(known)

    def __call__(self, requests: Sequence[Floats]) -> Iterator[FaceScores]:
        """Scores of each request, (n, passes, 13)."""
        self._measure(self._fresh(requests))

        for request in requests:
            rows = np.stack([self._known[row.tobytes()] for row in request])
            yield FaceScores(*(rows[:, i] for i in range(len(SCORES))))

    def _fresh(self, requests: Sequence[Floats]) -> dict[bytes, Floats]:
        """Candidates that were never measured; one that several ask for is there once."""
        fresh: dict[bytes, Floats] = {}
        for request in requests:
            for row in request:
                key = row.tobytes()
                if key not in self._known:
                    fresh[key] = row

        return fresh

    def _measure(self, fresh: Mapping[bytes, Floats]) -> None:
        if not fresh:
            return

        request = Request(self._subject, np.stack(list(fresh.values())))
        scores = self._evaluator.evaluate([request])[0]
        table = np.stack([getattr(scores, name) for name in SCORES.values()], 1)
        self._known |= dict(zip(fresh, table, strict=True))
