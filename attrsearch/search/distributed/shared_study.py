"""One person's study shared by many workers through a database.

The database is one of Optuna's storages: PostgreSQL, MySQL or SQLite.

Every worker runs the same study with the same seed and so proposes the same candidates; what the
database shares is who measures which, and what was measured.  The winner is therefore the one a
single worker finds, whoever joins, leaves or dies, and a worker that comes late catches up from
what is there.  A candidate is measured again, with the same result, where its worker has not
answered for ``LEASE`` seconds.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from attrsearch.core.attributes import ATTRIBUTES, LIMIT
from attrsearch.core.errors import InputError
from attrsearch.core.parallel import without_warnings
from attrsearch.faces.dataset import AlignedFace
from attrsearch.search.distributed.storage import Database
from attrsearch.search.evaluator import Evaluator, Request, Subject
from attrsearch.search.models import Settings
from attrsearch.search.objective import aggregate
from attrsearch.search.terms import FaceScores

Floats = npt.NDArray[np.float32]
Measure = Callable[[Sequence[int]], FaceScores]

LEASE = 30.0
"""Seconds without news after which another worker's candidates are measured here."""
POLL = 0.05
SLOWEST = 0.5
BEGIN = 0.3
"""Seconds that others leave to the worker that measured the last of a round for beginning the next.
"""
NAMES = (
    *(f"first_{name}" for name in ATTRIBUTES),
    *(f"second_{name}" for name in ATTRIBUTES),
)
RANGE = FloatDistribution(-LIMIT, LIMIT)


@dataclass
class _SharedSubject:
    """Faces whose measurements are shared, where, and of how many candidates so far."""

    subject: Subject  # kept, so that no other is taken for it
    record: "StudyRecord"
    asked: int = 0


class SharedEvaluator:
    """An evaluator whose measurements of one person are shared with other workers.

    Args:
        evaluator: Measures what no other worker does.
        url: The database.
        settings: The recipes.
        identity: The person.
    """

    def __init__(self, evaluator: Evaluator, url: str, settings: Settings, identity: str) -> None:
        self._evaluator = evaluator
        self._url = url
        self._settings = settings
        self._identity = identity
        self._first: Subject | None = None
        self._shared: dict[int, _SharedSubject] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._evaluator, name)

    def prepare(self, faces: Sequence[AlignedFace]) -> tuple[Subject | None, list[int]]:
        """As :meth:`Evaluator.prepare`.

        The faces prepared first are those that are searched.
        """
        subject, kept = self._evaluator.prepare(faces)
        self._first = self._first or subject
        return subject, kept

    def evaluate(self, requests: Sequence[Request]) -> list[FaceScores]:
        """As :meth:`Evaluator.evaluate`.

        What the person is searched on is shared, also where the search goes on with more faces; a
        single candidate on others is a verification, which costs less than asking the database.
        """
        found = []

        for request in requests:
            if request.subject is self._first or len(request.attributes) > 1:
                found.append(self._share(request))
            else:
                found += self._evaluator.evaluate([request])

        return found

    def _share(self, request: Request) -> FaceScores:
        shared = self._shared.get(id(request.subject))
        if shared is None:
            goals = len(self._settings.objective.maximise)
            database = Database.open(self._url)
            record = StudyRecord(database, self._name(request.subject), goals)
            shared = _SharedSubject(request.subject, record)
            self._shared[id(request.subject)] = shared

        first = shared.asked
        shared.asked += len(request.attributes)

        def measure(rows: Sequence[int]) -> FaceScores:
            return self._evaluator.evaluate(
                [Request(request.subject, request.attributes[list(rows)])]
            )[0]

        return shared.record.measure(first, request.attributes, measure, self._settings)

    def _name(self, subject: Subject) -> str:
        """The person, and a digest of all that decides a measurement.

        Workers that differ never share a study.
        """
        recipes = self._settings
        recognisers = []
        for item in self._evaluator.recognisers:
            recognisers.append({**item.record, "sha256": item.recogniser.sha256})

        parts: dict[str, Any] = {
            "study": recipes.study.model_dump(exclude={"workers"}),
            "objective": recipes.objective.model_dump(),
            "space": recipes.space.model_dump(),
            "editor": self._evaluator.editor.sha256,
            "recognisers": recognisers,
            "faces": hashlib.sha256(subject.windows.cpu().numpy().tobytes()).hexdigest(),
        }
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

        return f"attrsearch/{self._identity}/{digest[:16]}"


class StudyRecord:
    """What was measured of one study, candidate by candidate, as an Optuna study in a database.

    Args:
        database: Where.
        name: Of the study; made where it is not there.
        goals: How many values a candidate has.
    """

    def __init__(self, database: Database, name: str, goals: int) -> None:
        self._database = database
        self._last = False
        self._study: optuna.Study = database.call(
            lambda: optuna.create_study(
                study_name=name,
                storage=database.storage,
                directions=["maximize"] * goals,
                load_if_exists=True,
            )
        )

    def measure(
        self, first: int, candidates: Floats, measure: Measure, settings: Settings
    ) -> FaceScores:
        """Scores (n, f) of candidates (n, passes, 13), each measured by one worker or another.

        Args:
            first: Number of the first of them in the study.
            candidates: The same in every worker.
            measure: Measures those of the given rows.
            settings: Their objective says what the database shows as value and constraints.

        Raises:
            InputError: Another worker proposed other candidates under the same name.
        """
        news = time.monotonic()
        waiting = -1
        mine: Sequence[int] = ()
        pause = POLL

        while True:
            slots = self._slots(first, candidates)
            missing = [row for row, slot in enumerate(slots) if slot.state != TrialState.COMPLETE]
            if not missing:
                self._last = bool(mine)  # whoever measured the last of a round begins the next
                tables = np.array([slot.user_attrs["scores"] for slot in slots], np.float32)
                return FaceScores(*tables.transpose(1, 0, 2))

            if len(missing) != waiting:
                news = time.monotonic()
                waiting = len(missing)

            mine = self._claim(slots, missing)
            if not mine and time.monotonic() - news > LEASE:
                # half, not all: the worker that is late may be alive
                mine = missing[: len(missing) // 2 + 1]

            if not mine:
                time.sleep(pause)
                # a slow batch elsewhere is not asked for twenty times a second
                pause = min(1.5 * pause, SLOWEST)
                continue

            pause = POLL
            scores = measure(mine)
            for place, row in enumerate(mine):
                self._complete(slots[row], scores, place, settings)

    def _slots(self, first: int, candidates: Floats) -> list[FrozenTrial]:
        """The trial of each candidate.

        Where several workers made one at the same time, the first of them.
        """
        count = len(candidates)
        # drawn, so that workers that wait do not all begin at once
        begun = time.monotonic() + (0 if self._last else random.uniform(BEGIN, 2 * BEGIN))

        while True:
            found: dict[int, FrozenTrial] = {}
            trials: list[FrozenTrial] = self._database.call(
                lambda: self._study.get_trials(deepcopy=False)
            )
            for trial in trials:
                # the first in the order of the database, which all workers see alike
                found.setdefault(int(trial.user_attrs["candidate"]), trial)

            missing = [row for row in range(count) if first + row not in found]
            if not missing:
                slots = [found[first + row] for row in range(count)]
                self._check(slots, candidates)
                return slots

            if time.monotonic() < begun:
                time.sleep(POLL)
                continue

            for row in missing:
                self._database.call(
                    partial(self._study.add_trial, _waiting(first + row, candidates[row]))
                )

    def _claim(self, slots: Sequence[FrozenTrial], missing: Sequence[int]) -> list[int]:
        """Half of what nobody measures yet, so that the others have something to do."""
        free = [row for row in missing if slots[row].state == TrialState.WAITING]
        claimed = []

        for row in free[: (len(free) + 1) // 2]:
            # another worker may have been quicker
            if self._start(slots[row]):
                claimed.append(row)

        return claimed

    def _start(self, slot: FrozenTrial) -> bool:
        try:
            return bool(
                self._database.call(
                    lambda: self._database.storage.set_trial_state_values(
                        slot._trial_id, TrialState.RUNNING
                    )
                )
            )
        except optuna.exceptions.UpdateFinishedTrialError:
            return False

    def _complete(
        self, slot: FrozenTrial, scores: FaceScores, row: int, settings: Settings
    ) -> None:
        tables = np.stack([getattr(scores, name) for name in FaceScores.__dataclass_fields__])
        verdict = aggregate(settings.objective, FaceScores(*tables[:, [row]]))

        def write() -> None:
            trial = Trial(self._study, slot._trial_id)
            trial.set_user_attr("scores", tables[:, row].astype(float).tolist())
            for number, violation in enumerate(verdict.violations[0]):
                trial.set_constraint(f"constraint_{number}", float(violation))

            self._study.tell(trial, [float(value) for value in verdict.values[0]])

        try:
            with without_warnings():  # that another worker told the same already
                self._database.call(write)
        except (optuna.exceptions.UpdateFinishedTrialError, ValueError):
            return  # another worker measured the same

    def _check(self, slots: Sequence[FrozenTrial], candidates: Floats) -> None:
        for slot, candidate in zip(slots, candidates, strict=True):
            if slot.params != _params(candidate):
                raise InputError(
                    f"study {self._study.study_name}",
                    required="workers that propose the same candidates",
                    found="others: a worker with another version of attrsearch or of its libraries",
                    hint="install the same everywhere, and give --storage another database",
                )


def _params(candidate: Floats) -> dict[str, float]:
    return {name: float(value) for name, value in zip(NAMES, candidate.ravel(), strict=False)}


def _waiting(number: int, candidate: Floats) -> FrozenTrial:
    params = _params(candidate)
    return create_trial(
        state=TrialState.WAITING,
        params=params,
        distributions=dict.fromkeys(params, RANGE),
        user_attrs={"candidate": number},
    )
