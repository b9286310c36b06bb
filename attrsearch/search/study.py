"""The search for one person, on one page: ask for candidates, tell what they were worth.

One in-memory Optuna study a person; the person, not the trial, is the unit of retry and resume.
"""

import hashlib
import warnings

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.study import StudyDirection
from optuna.trial import Trial

from attrsearch.recipes import Sampler
from attrsearch.search.objective import Judgement
from attrsearch.search.samplers import IGNORES_CONSTRAINTS, make_sampler
from attrsearch.search.space import PersonSpace

Floats = npt.NDArray[np.float32]


class PersonStudy:
    """Proposes attribute sets for one person.

    Args:
        space: What may be searched.
        sampler: Which Optuna sampler, and how.
        goals: How many values a candidate has.
        trials: How many candidates to propose in all.
        seed: The person's own seed; the same seed proposes the same candidates.
    """

    def __init__(self, space: PersonSpace, sampler: Sampler, goals: int, trials: int, seed: int) -> None:
        self.space = space
        self.remaining = trials
        self._sampler = sampler
        self._distributions: dict[str, BaseDistribution] = {
            name: FloatDistribution(float(low), float(high))
            for name, low, high in zip(space.names, space.low, space.high, strict=True)
        }
        self._study = optuna.create_study(
            directions=[StudyDirection.MAXIMIZE] * goals, sampler=make_sampler(sampler, seed)
        )
        self._asked: list[Trial] = []

    def ask(self) -> Floats:
        """The next candidates, (n, passes, 13), n at most the recipe's ``asks``; none when the study is over."""
        count = min(self._sampler.asks, self.remaining)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about experimental samplers, independent sampling, powers of two
            self._asked = [self._study.ask(self._distributions) for _ in range(count)]
        self.remaining -= count
        points = [[trial.params[name] for name in self.space.names] for trial in self._asked]
        return self.space.attributes(np.array(points).reshape(count, len(self.space.names)))

    def tell(self, judgement: Judgement) -> None:
        """Report the candidates of the last :meth:`ask`, in their order."""
        for i, trial in enumerate(self._asked):
            violations = judgement.violations[i]
            values = judgement.values[i]
            if self._sampler.name in IGNORES_CONSTRAINTS:
                values = values - self._sampler.penalty * np.maximum(violations, 0).sum()
            else:
                for number, violation in enumerate(violations):
                    trial.set_constraint(f"constraint_{number}", float(violation))
            self._study.tell(trial, [float(value) for value in values])
        self._asked = []


def person_seed(seed: int, identity: str) -> int:
    """A person's own seed: the same whatever other people are in the run, and in whatever order.

    >>> person_seed(0, "Some_Person") == person_seed(0, "Some_Person") != person_seed(1, "Some_Person")
    True
    """
    digest = hashlib.sha256(f"{seed}/{identity}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 2**31
