"""The arms of the search study: what is changed in the study recipe for each, and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from attrsearch.core.errors import InputError, did_you_mean
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.study import Sampler, Stopping, Surrogate, load_study
from attrsearch.search.models import Settings

STARTUP = 16
"""Random candidates before a sampler learns: the same in all arms, so that none begins better."""


@dataclass(frozen=True)
class Arm:
    """One way of searching.

    Attributes:
        describes: For the table.
        sampler: Optuna's part.
        surrogate: What predicts, or None.
        objective: Instead of the study's.
        shared: Random candidates shared between the seeds (without replacement), to save
            evaluations.
        stopping: Whether the search may end early.
    """

    describes: str
    sampler: Mapping[str, Any] = field(default_factory=dict)
    surrogate: Surrogate | None = None
    objective: str = ""
    shared: bool = False
    stopping: Stopping | None = None

    def settings(self, settings: Settings) -> Settings:
        """The recipes of this arm."""
        sampler = Sampler.model_validate(
            {"name": "tpe", "startup": STARTUP, "asks": 4, **self.sampler}
        )
        study = load_study(settings.study).model_copy(
            update={"sampler": sampler, "surrogate": self.surrogate, "stopping": self.stopping}
        )
        objective = load_objective(self.objective) if self.objective else settings.objective

        return replace(settings, study=study, objective=objective)


WHOLE = Surrogate()
ALONE = Surrogate(pooled="none", portfolio=0)
TREES = {"start": 24, "refit": 16}
"""Trees and networks need more trials to learn from, and longer to learn."""

ARMS: dict[str, Arm] = {
    "random": Arm("random search", {"name": "random"}, shared=True),
    "qmc": Arm("scrambled Sobol points", {"name": "qmc"}),
    "tpe": Arm("TPE with constraints"),
    "cmaes": Arm("CMA-ES, violation taken off the value", {"name": "cmaes"}),
    "tpe-rejecting": Arm(
        "TPE, the surrogate's share drawn at random from the same pool",
        surrogate=ALONE.model_copy(update={"audit": ALONE.share, "gate": -1.0}),
    ),
    "portfolio": Arm(
        "portfolio, then TPE", surrogate=WHOLE.model_copy(update={"share": 0.0, "audit": 0.0})
    ),
    "local": Arm("TPE and the local surrogate", surrogate=ALONE),
    "pooled": Arm(
        "TPE and the pooled surrogate",
        surrogate=WHOLE.model_copy(update={"portfolio": 0, "local": False}),
    ),
    "all": Arm("portfolio, pooled and local surrogate, TPE", surrogate=WHOLE),
    "all-xgboost": Arm(
        "the same with XGBoost as local surrogate",
        surrogate=WHOLE.model_copy(update={"model": "xgboost", **TREES}),
    ),
    "all-mlp": Arm(
        "the same with the MLP as local surrogate",
        surrogate=WHOLE.model_copy(update={"model": "mlp", **TREES}),
    ),
    "all-stopping": Arm("all together, with stopping", surrogate=WHOLE, stopping=Stopping()),
    "tpe-free": Arm("TPE, not told of constraints", {"constrained": False}),
    "cmaes-free": Arm("CMA-ES, the bare value", {"name": "cmaes", "constrained": False}),
    "gp": Arm("GP with constraints", {"name": "gp"}),
    "gp-free": Arm("GP, not told of constraints", {"name": "gp", "constrained": False}),
    "tpe-pareto": Arm("TPE, three goals", objective="pareto"),
    "nsga2-pareto": Arm(
        "NSGA-II, three goals, with constraints", {"name": "nsga2"}, objective="pareto"
    ),
    "nsga2-pareto-free": Arm(
        "NSGA-II, three goals, not told of constraints",
        {"name": "nsga2", "constrained": False},
        objective="pareto",
    ),
}
"""``random`` and ``qmc`` learn nothing, so that constraints change nothing in them."""


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
