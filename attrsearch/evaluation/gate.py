"""A gate for production: figures of an evaluation that must be reached.

A TOML file::

    format = "attrsearch/gate"
    version = 1

    [[limits]]
    figure = "rank1"
    judge = "dlib"
    at_most = 0.05

    [[limits]]
    figure = "recall_mtcnn"
    at_least = 0.98
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from attrsearch.core.errors import InputError, did_you_mean
from attrsearch.core.recipes.base import Recipe, load_recipe
from attrsearch.evaluation.metrics.anonymity import Figures


class Limit(Recipe):
    """One limit.

    Attributes:
        figure: Name of a figure, as the evaluation's JSON has it.
        judge: Only this judge; every judge where it is not given. Figures without a judge take
            none.
        at_most: The largest value that passes.
        at_least: The smallest value that passes.
    """

    figure: Annotated[str, Field(min_length=1)]
    judge: str | None = None
    at_most: float | None = None
    at_least: float | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise ValueError("a limit needs at_most or at_least")
        return self


class Gate(Recipe):
    """Limits that every protection must keep."""

    format: Literal["attrsearch/gate"]
    version: Literal[1]
    name: str = ""
    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]


def load_gate(path: Path) -> Gate:
    """Read a gate.

    Raises:
        RecipeError: Not one.
    """
    return load_recipe(Gate, str(path.absolute()), "gates")


def missed(gate: Gate, judged: Sequence[Figures], kept: Sequence[Figures]) -> list[str]:
    """One line for every limit that a protection misses; none where all are kept.

    Args:
        gate: The limits.
        judged: Rows of judges, each of one protection.
        kept: Rows of protections.

    Raises:
        InputError: A figure or judge that the evaluation does not have: a gate that checks nothing
            is no gate.
    """
    lines = []

    for limit in gate.limits:
        rows = [row for row in (*judged, *kept) if limit.figure in row]
        if not rows:
            known: set[str] = set()
            known.update(*judged, *kept)
            hint = did_you_mean(limit.figure, known)
            raise InputError(
                "gate", required="a figure of the evaluation", found=limit.figure, hint=hint
            )

        if limit.judge is not None:
            rows = [row for row in rows if row.get("judge") == limit.judge]
            if not rows:
                hint = did_you_mean(limit.judge, {str(row["judge"]) for row in judged})
                raise InputError(
                    "gate", required="a judge of the evaluation", found=limit.judge, hint=hint
                )

        for row in rows:
            line = _miss(limit, row)
            if line:
                lines.append(line)

    return lines


def _miss(limit: Limit, row: Figures) -> str:
    value = row[limit.figure]
    of = f"{row['protection']}, {row['judge']}" if "judge" in row else str(row["protection"])
    if not isinstance(value, int | float):
        return f"{of}: {limit.figure} was not measured"
    if limit.at_most is not None and value > limit.at_most:
        return f"{of}: {limit.figure} is {value:.4g}, above {limit.at_most:g}"
    if limit.at_least is not None and value < limit.at_least:
        return f"{of}: {limit.figure} is {value:.4g}, below {limit.at_least:g}"

    return ""
