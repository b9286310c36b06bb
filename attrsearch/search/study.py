"""The search for one person, on one page: ask for candidates, tell what they were worth.

One in-memory Optuna study a person; the person, not the trial, is the unit of retry and resume.
Candidates that a screener proposes are told to the sampler once they are measured, as any other;
what was screened out never is.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, create_trial

from attrsearch.core.parallel import without_warnings
from attrsearch.core.picking import take
from attrsearch.core.recipes.study import Sampler, Stopping
from attrsearch.search.hooks import NO_HOOKS, Hooks, stoppable
from attrsearch.search.objective import CandidateResults
from attrsearch.search.samplers import ignores_constraints, make_sampler
from attrsearch.search.space import PersonSpace
from attrsearch.search.stopping import EarlyStopping
from attrsearch.search.surrogate.acquisition import Proposal, Screener

Floats = npt.NDArray[np.float32]

WIDER = " (wider)"
"""Ends the name of the study of somebody who is searched on in a wider space."""
SEARCHED_ON = " (searched on {})"
"""Ends the name of a study that goes on with a picture more, the first, second and so on time."""


class PersonStudy:
    """Proposes attribute sets for one person.

    Args:
        space: What may be searched.
        sampler: Which Optuna sampler, and how.
        goals: How many values a candidate has.
        trials: How many candidates to propose in all.
        seed: The person's own seed; the same seed proposes the same candidates.
        screener: Proposes candidates by prediction; the sampler goes alone where it is None.
        stopping: When to end before the last trial, and what becomes of someone without a feasible
            candidate.
        expanded_screener: Makes what proposes in the expanded space of that allowance, and in a
            search that goes on, from that person's own trials alone; the sampler goes alone there,
            too, where it is None.

    Attributes:
        space: What is searched; wider than at first once the allowance of ``stopping`` has begun,
            if that says so.
        remaining: Candidates still to be proposed.
        proposals: Every candidate so far in order, the sample of what was screened out among them.
        hooks: What a user of Optuna gave, set by :meth:`attach`.
    """

    def __init__(
        self,
        space: PersonSpace,
        sampler: Sampler,
        goals: int,
        trials: int,
        seed: int,
        screener: Screener | None = None,
        stopping: Stopping | None = None,
        expanded_screener: Callable[[PersonSpace], Screener | None] | None = None,
    ) -> None:
        self.space = space
        self.remaining = trials
        self.proposals: list[Proposal] = []
        self.screener = screener
        self._stopper = EarlyStopping(stopping, trials) if stopping else None
        self._expansion = stopping.widen if stopping else 1.0
        self._expanded_screener = expanded_screener
        self._lessons: list[tuple[npt.NDArray[np.float64], CandidateResults]] = []
        self._sampler = sampler
        self._goals = goals
        self._seed = seed
        self.hooks: Hooks = NO_HOOKS
        self._stopped = False
        self._searched_on = 0
        self._opened: optuna.Study | None = None
        self._asked: list[tuple[Trial | None, npt.NDArray[np.float64]]] = []

    def attach(self, hooks: Hooks) -> None:
        """Use a user's sampler, callbacks and storage; before the first :meth:`ask`.

        Raises:
            InputError: The sampler is none, or the storage has another study of this name.
        """
        self.hooks = hooks
        self._opened = self._begin()

    @property
    def _study(self) -> optuna.Study:
        """The Optuna study, opened when it is first wanted."""
        if self._opened is None:
            self._opened = self._begin()

        return self._opened

    def _begin(self, earlier: Sequence[FrozenTrial] = (), suffix: str = "") -> optuna.Study:
        """Open an Optuna study over the space, which knows of earlier trials.

        Args:
            earlier: These.
            suffix: Ends its name in a user's storage.
        """
        self._distributions = distributions(self.space)
        sampler = self._own_sampler()
        directions = [StudyDirection.MAXIMIZE] * self._goals
        study = self.hooks.create_study(directions, sampler, suffix)

        for trial in earlier:
            study.add_trial(
                create_trial(
                    values=trial.values,
                    params=trial.params,
                    distributions=self._distributions,
                    constraints=trial.constraints,
                )
            )

        return study

    def _own_sampler(self) -> BaseSampler:
        if self._opened is not None and isinstance(self.hooks.sampler, BaseSampler):
            # Another copy of it would begin with the same candidates again.
            return self._opened.sampler

        return self.hooks.make_sampler(self._seed) or make_sampler(self._sampler, self._seed)

    def ask(self) -> Floats:
        """The next candidates, (n, passes, 13), n at most the recipe's ``asks``.

        None when the study is over.
        """
        count = min(self._sampler.asks, self.remaining)
        planned = self.screener.propose(count) if self.screener else [Proposal("sampler")] * count
        self._asked = []

        for proposal in planned:
            trial = None
            point = proposal.point
            if point is None:
                trial, point = self._ask_sampler()

            self.proposals.append(replace(proposal, point=point))
            if proposal.evaluated:
                self._asked.append((trial, point))

        self.remaining -= count
        points = np.array([point for _, point in self._asked])
        return self.space.attributes(points.reshape(count, len(self.space.names)))

    def tell(self, results: CandidateResults) -> None:
        """Report the candidates of the last :meth:`ask`, in their order."""
        for i, (trial, point) in enumerate(self._asked):
            values, constraints = self._result(results, i)
            if trial is None:
                self._add(point, values, constraints)
                if self.hooks.callbacks:
                    self._called(self._study.get_trials(deepcopy=False)[-1])

                continue

            for name, violation in constraints.items():
                trial.set_constraint(name, violation)

            self._called(self._study.tell(trial, values))

        if self._asked:
            lesson = np.array([point for _, point in self._asked]), results
            self._lessons += [lesson] if self._expansion > 1 else []
            if self.screener:
                self.screener.observe(*lesson)

        if self._stopper:
            expected_improvement = self.screener.expected_improvement if self.screener else np.inf
            self.remaining = self._stopper.remaining(
                self.remaining, results.feasible, expected_improvement
            )
            if self._stopper.extended and self._expansion > 1:
                self._expand_space()

        if self._stopped:
            self.remaining = 0

        self._asked = []

    def _called(self, trial: FrozenTrial) -> None:
        """Give a finished trial to the callbacks; one of them may stop the study."""
        self._stopped = stoppable(self._study, self.hooks.callbacks, trial) or self._stopped

    def search_on(self, results: CandidateResults, trials: int) -> None:
        """Search on after the end, with everything that was measured judged anew.

        Args:
            results: Of all candidates so far, in their order.
            trials: How many more to propose; no fewer, whatever was to stop the search before.
        """
        measured = [proposal.point for proposal in self.proposals if proposal.evaluated]
        points = np.array(measured, np.float64)
        self.remaining = 0 if self._stopped else trials
        # it has decided already, by what was measured before the new picture came in
        self._stopper = None

        # Another seed, or a sampler that draws at random would begin with the same candidates.
        self._seed += 1
        self._searched_on += 1
        self._opened = self._begin(suffix=SEARCHED_ON.format(self._searched_on))

        for i, point in enumerate(points):
            self._add(point, *self._result(results, i))

        self._learn_from([(points, results)])

    def _expand_space(self) -> None:
        """Search on in a wider space, knowing what was measured in the first."""
        self.space = self.space.expanded(self._expansion)
        # once: the wider space is not widened again
        self._expansion = 1.0
        self._opened = self._begin(self._study.get_trials(deepcopy=False), WIDER)
        self._learn_from(self._lessons)

    def _learn_from(
        self, lessons: Sequence[tuple[npt.NDArray[np.float64], CandidateResults]]
    ) -> None:
        """Exchange what proposes by prediction for one that knows the person's own trials only."""
        first = self.screener
        make = self._expanded_screener
        self.screener = make(self.space) if make is not None else None

        if self.screener:
            for points, results in lessons:
                self.screener.observe(points, results)

            self.screener.screened_out = first.screened_out if first else 0
            self.screener.seconds += first.seconds if first else 0.0

        self._lessons = []

    def _add(
        self, point: npt.NDArray[np.float64], values: list[float], constraints: dict[str, float]
    ) -> None:
        """Tell the sampler of a candidate that it did not propose."""
        params = {name: float(value) for name, value in zip(self.space.names, point, strict=True)}
        self._study.add_trial(
            create_trial(
                values=values,
                params=params,
                distributions=self._distributions,
                constraints=constraints,
            )
        )

    def _ask_sampler(self) -> tuple[Trial, npt.NDArray[np.float64]]:
        # samplers warn that they are experimental, sample independently, or want powers of two
        with without_warnings():
            trial = self._study.ask(self._distributions)

        # Optuna copies them at every call
        params = trial.params
        return trial, np.array(take(params, self.space.names), np.float64)

    def _result(self, results: CandidateResults, i: int) -> tuple[list[float], dict[str, float]]:
        return told(results, i, self._sampler, ignores_constraints(self._study.sampler))


def told(
    results: CandidateResults, i: int, recipe: Sampler, penalised: bool
) -> tuple[list[float], dict[str, float]]:
    """Values and constraints of a candidate as a sampler is told them.

    Args:
        results: What candidates are worth.
        i: Which one.
        recipe: Says whether constraints are told at all.
        penalised: The violation is taken off the values, for a sampler that ignores constraints.
    """
    values = results.values[i]
    violations = results.violations[i] if recipe.constrained else results.violations[i][:0]

    if penalised:
        # CMA-ES knows no constraints: a violated one is made to cost
        values = values - recipe.penalty * np.maximum(violations, 0).sum()
        violations = violations[:0]

    constraints = {f"constraint_{number}": float(value) for number, value in enumerate(violations)}
    return [float(value) for value in values], constraints


def distributions(space: PersonSpace) -> dict[str, BaseDistribution]:
    """The free values of a space as Optuna has them, by name."""
    bounds = zip(space.names, space.low, space.high, strict=True)
    return {name: FloatDistribution(float(low), float(high)) for name, low, high in bounds}


def person_seed(seed: int, identity: str) -> int:
    """A person's own seed: the same whatever other people are in the run, and in whatever order.

    >>> person_seed(0, "Ann") == person_seed(0, "Ann") != person_seed(1, "Ann")
    True
    """
    digest = hashlib.sha256(f"{seed}/{identity}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 2**31
