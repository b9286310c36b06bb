"""The objective of one person's search, as Optuna calls it."""

from collections.abc import Sequence
from threading import Lock
from typing import cast

import numpy as np
import numpy.typing as npt
import optuna
from optuna.pruners import NopPruner
from optuna.trial import BaseTrial, FrozenTrial, Trial, TrialState

from attrsearch.core.attributes import AttributeSet
from attrsearch.core.errors import InputError
from attrsearch.core.parallel import without_warnings
from attrsearch.core.picking import take
from attrsearch.search.evaluator import Evaluator, Request, Subject
from attrsearch.search.hooks import Callback, stoppable
from attrsearch.search.lockstep import PreparedPerson
from attrsearch.search.models import Settings
from attrsearch.search.objective import CandidateResults, aggregate
from attrsearch.search.samplers import ignores_constraints
from attrsearch.search.study import distributions, told
from attrsearch.search.terms import FaceScores

Floats = npt.NDArray[np.float32]

CONSTRAINTS = "constraints"
"""User attribute of a trial with its constraint values; feasible where all are 0 or below."""
MEASURED = ("detection", "iou", "distance", "distance_raw", "worst_distance", "utility")


def constraints_of(trial: FrozenTrial) -> Sequence[float]:
    """The ``constraints_func`` of a sampler.

    What the trial's candidate misses, 0 or below if nothing.

    Samplers of Optuna 5 need none: the objective sets every trial's constraints.
    """
    return cast("list[float]", trial.user_attrs[CONSTRAINTS])


class PersonObjective:
    """Measures a trial's candidate on one person's faces.

    Every measured trial gets its constraints (but for CMA-ES, which has none), and the user
    attributes ``detection``, ``iou``, ``distance``, ``distance_raw``, ``worst_distance``,
    ``utility`` (means over the faces), ``feasible`` and ``constraints``.

    Args:
        person: Whose faces.
        settings: The recipes.
        evaluator: Measures.

    Attributes:
        person: Whose faces.
        distributions: The free values, by name.
    """

    def __init__(self, person: PreparedPerson, settings: Settings, evaluator: Evaluator) -> None:
        self.person = person
        self.distributions = distributions(person.space)
        self._settings = settings
        self._evaluator = evaluator
        self._lock = Lock()  # the evaluator divides a batch among threads itself

    def __repr__(self) -> str:
        faces = len(self.person.subject)
        goals = ", ".join(goal.name for goal in self._settings.objective.maximise)
        free = len(self.distributions)
        return f"PersonObjective({self.person.identity.id}: {faces} faces, {free} values, {goals})"

    def __call__(self, trial: BaseTrial) -> float | Sequence[float]:
        """Suggest, measure and judge one candidate.

        Returns:
            What the recipe maximises: one value, or one for each goal.

        Raises:
            optuna.TrialPruned: The study's pruner gave it up.
        """
        point: list[float] = []

        with without_warnings(optuna.exceptions.ExperimentalWarning):
            for name in self.person.space.names:
                low = self.person.space.low[len(point)]
                high = self.person.space.high[len(point)]
                point.append(trial.suggest_float(name, float(low), float(high)))

        candidate = self.person.space.attributes([point])
        if self._prunes(trial):
            results = self._face_by_face(cast("Trial", trial), candidate)
        else:
            results = self.measure(candidate)

        values = self._note(trial, results, 0)
        return values if len(values) > 1 else values[0]

    def optimise_batched(
        self,
        study: optuna.Study,
        n_trials: int,
        batch: int | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        """As ``study.optimize``, several candidates measured at once, which is faster.

        Args:
            study: Whose sampler proposes; nothing is pruned.
            n_trials: Candidates in all.
            batch: Candidates asked for before any of them is measured; the recipe's ``asks`` by
                default.
            callbacks: Called after each trial; one that calls ``study.stop()`` ends it after the
                batch.

        Raises:
            InputError: No candidate, or no batch.
        """
        size = batch or self._settings.study.sampler.asks
        if n_trials < 1 or size < 1:
            found = f"n_trials = {n_trials}, batch = {batch}"
            hint = "give for example n_trials=100, batch=4"
            raise InputError("optimise_batched", required="1 or more", found=found, hint=hint)

        left = n_trials
        while left > 0:
            trials = []
            with without_warnings():  # experimental samplers, independent sampling
                for _ in range(min(size, left)):
                    trials.append(study.ask(self.distributions))

            left -= len(trials)
            try:
                results = self.measure(np.concatenate([self._candidate(each) for each in trials]))
            except BaseException:
                for trial in trials:
                    # else they would stay "running" in a storage for ever
                    study.tell(trial, state=TrialState.FAIL)

                raise

            stopped = False
            for number, trial in enumerate(trials):
                finished = study.tell(trial, self._note(trial, results, number))
                # in this order: every callback hears of every trial, also after one has stopped the
                # study
                stopped = stoppable(study, callbacks, finished) or stopped

            if stopped:
                return

    def measure(self, candidates: Floats) -> CandidateResults:
        """What candidates (n, passes, 13) are worth on the searched faces."""
        return aggregate(self._settings.objective, self._scores(self.person.subject, candidates))

    def verify(self, trial: FrozenTrial) -> CandidateResults | None:
        """A trial's candidate on the faces kept from the search; None where there are none."""
        subject, _ = self._evaluator.prepare(self.person.held) if self.person.held else (None, [])
        if subject is None:
            return None

        scores = self._scores(subject, self._candidate(trial))
        return aggregate(self._settings.objective, scores)

    def attributes(self, trial: BaseTrial) -> AttributeSet:
        """The attribute set of a trial, for ``attrsearch.edit``."""
        return AttributeSet.from_passes(self._candidate(trial)[0])

    def render(self, trial: BaseTrial) -> npt.NDArray[np.uint8]:
        """The edited faces of a trial as they were measured, (f, 192, 192, 3), RGB."""
        request = Request(self.person.subject, self._candidate(trial))
        with self._lock:
            return np.asarray(self._evaluator.render(request)[0], np.uint8)

    def _candidate(self, trial: BaseTrial) -> Floats:
        """Attributes (1, passes, 13) of a trial.

        Raises:
            InputError: It is a trial of another space.
        """
        params = trial.params
        missing = [name for name in self.person.space.names if name not in params]

        if missing:
            found = f"none of {missing[0]}"
            hint = "give a trial of a study of this objective"
            raise InputError("trial", required="every free value", found=found, hint=hint)

        return self.person.space.attributes([take(params, self.person.space.names)])

    def _scores(self, subject: Subject, candidates: Floats) -> FaceScores:
        with self._lock:
            return self._evaluator.evaluate([Request(subject, candidates)])[0]

    def _note(self, trial: BaseTrial, results: CandidateResults, i: int) -> list[float]:
        """Set what a trial's candidate was measured to be; returns its values."""
        penalised = isinstance(trial, Trial) and ignores_constraints(trial.study.sampler)
        recipe = self._settings.study.sampler
        values, constraints = told(results, i, recipe, penalised)

        for name, violation in constraints.items():
            trial.set_constraint(name, violation)

        for name in MEASURED:
            trial.set_user_attr(name, round(float(getattr(results, name)[i]), 6))

        trial.set_user_attr("feasible", bool(results.feasible[i]))
        trial.set_user_attr(CONSTRAINTS, results.violations[i].tolist())
        return values

    def _prunes(self, trial: BaseTrial) -> bool:
        if not isinstance(trial, Trial) or len(self._settings.objective.maximise) > 1:
            return False
        return not isinstance(trial.study.pruner, NopPruner) and len(self.person.subject) > 1

    def _face_by_face(self, trial: Trial, candidate: Floats) -> CandidateResults:
        """Measure a candidate on one face after another, until the pruner gives it up."""
        scores: FaceScores | None = None

        for face in range(len(self.person.subject)):
            own = self._scores(self.person.subject.take([face]), candidate)
            scores = own if scores is None else scores.beside(own)
            results = aggregate(self._settings.objective, scores)

            if face + 1 < len(self.person.subject):
                trial.report(float(results.values[0, 0]), face)
                if trial.should_prune():
                    # what is known of it, although it was given up
                    self._note(trial, results, 0)
                    raise optuna.TrialPruned(f"after {face + 1} faces")

        return results
