"""Objective recipes: what a search maximises."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from attrsearch.core.recipes.base import (
    AggregationName,
    Finite,
    Recipe,
    ReductionName,
    TermName,
    load_recipe,
)


class Aggregation(Recipe):
    """How a term measured on every face of a person becomes one number.

    Attributes:
        aggregate: ``mean``, ``min``, ``quantile``, or a plug-in's.
        quantile: The quantile from 0 to 1, for ``quantile`` only.
        cap: Values above it count as it (so that more earns nothing); applied to the aggregate.
    """

    aggregate: AggregationName = "mean"
    quantile: Annotated[float, Field(ge=0, le=1)] | None = None
    cap: Finite | None = None

    @model_validator(mode="after")
    def _quantile_given(self) -> Self:
        if (self.aggregate == "quantile") != (self.quantile is not None):
            raise ValueError("'quantile' goes with aggregate = \"quantile\", and is required by it")
        return self


class Goal(Recipe):
    """One value to maximise: the product of aggregated terms."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    product: Annotated[tuple[TermName, ...], Field(min_length=1)]


class Constraint(Recipe):
    """What a candidate must satisfy: the aggregated term lies above a limit.

    Attributes:
        above: A number, or ``verification``: the recogniser's distance threshold at FAR 1e-3.
    """

    term: TermName
    aggregate: ReductionName = "mean"
    above: Finite | Literal["verification"]

    @model_validator(mode="after")
    def _verification_is_a_distance(self) -> Self:
        if self.above == "verification" and self.term != "distance":
            raise ValueError("above = \"verification\" is a limit on the term 'distance' only")
        return self


class Objective(Recipe):
    """What a search maximises, and the constraints that mean *anonymised*."""

    format: Literal["attrsearch/objective"]
    version: Literal[1]
    name: str = ""
    description: str = ""
    ensemble: bool = False
    maximise: Annotated[tuple[Goal, ...], Field(min_length=1, max_length=4)]
    terms: dict[TermName, Aggregation] = {}  # noqa: RUF012 - pydantic copies it
    constraints: tuple[Constraint, ...] = ()

    @model_validator(mode="after")
    def _goals_differ(self) -> Self:
        names = [goal.name for goal in self.maximise]
        if len(set(names)) != len(names):
            raise ValueError(f"goals need different names, found {names}")
        return self

    @property
    def maximised(self) -> list[str]:
        """Names of the terms of all goals."""
        names: list[str] = []
        for goal in self.maximise:
            names += goal.product

        return names

    def uses(self, term: TermName) -> bool:
        """Whether a goal or a constraint asks for a term."""
        constrained = [constraint.term for constraint in self.constraints]
        return term in self.maximised or term in constrained


def load_objective(name: str) -> Objective:
    """The objective recipe of that name or path.

    >>> load_objective("utility_product").maximise[0].product
    ('detection', 'iou', 'distance')
    """
    return load_recipe(Objective, name, "objectives")
