"""Recipes: TOML files that say what is maximised (objectives), over what (spaces) and how (studies).

Data only: nothing in a recipe is executed, unknown keys are refused, and every bound is checked on load.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from attrsearch.attributes import ATTRIBUTES, LIMIT, Gender
from attrsearch.bounded import parse_toml
from attrsearch.bundled import find_recipe
from attrsearch.errors import RecipeError
from attrsearch.team import Workers as Workers  # noqa: PLC0414 - a part of study recipes

MAX_BYTES = 100_000

Finite = Annotated[float, Field(allow_inf_nan=False)]
Bound = Annotated[float, Field(ge=-LIMIT, le=LIMIT)]
Bounds = tuple[Bound, Bound]
TermName = Literal["detection", "iou", "distance", "naturalness"]


class Recipe(BaseModel):
    """What every recipe shares: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Aggregation(Recipe):
    """How a term measured on every face of a person becomes one number.

    Attributes:
        aggregate: ``mean``, ``min`` or ``quantile``.
        quantile: The quantile from 0 to 1, for ``quantile`` only.
        cap: Values above it count as it (so that more earns nothing); applied to the aggregate.
    """

    aggregate: Literal["mean", "min", "quantile"] = "mean"
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
    aggregate: Literal["mean", "min"] = "mean"
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
    terms: dict[TermName, Aggregation] = {}
    constraints: tuple[Constraint, ...] = ()

    @model_validator(mode="after")
    def _goals_differ(self) -> Self:
        names = [goal.name for goal in self.maximise]
        if len(set(names)) != len(names):
            raise ValueError(f"goals need different names, found {names}")
        return self

    def uses(self, term: TermName) -> bool:
        """Whether a goal or a constraint asks for a term."""
        asked = [name for goal in self.maximise for name in goal.product]
        return term in asked or any(constraint.term == term for constraint in self.constraints)


class Space(Recipe):
    """Bounds of every attribute for a person of each gender, and how the second pass follows.

    Attributes:
        passes: ``mirrored`` (second = -first), ``free`` (searched too, in the mirrored bounds) or ``single``.
        male: Bounds of pass one for a man, attribute to (low, high); equal bounds fix the value.
        female: The same for a woman.
    """

    format: Literal["attrsearch/space"]
    version: Literal[1]
    name: str = ""
    description: str = ""
    passes: Literal["mirrored", "free", "single"]
    male: dict[str, Bounds]
    female: dict[str, Bounds]

    @model_validator(mode="after")
    def _bounds_are_complete(self) -> Self:
        for gender, bounds in (("male", self.male), ("female", self.female)):
            if set(bounds) != set(ATTRIBUTES):
                missing, unknown = (
                    sorted(set(ATTRIBUTES) - set(bounds)),
                    sorted(set(bounds) - set(ATTRIBUTES)),
                )
                raise ValueError(f"[{gender}] needs the 13 attributes; missing {missing}, unknown {unknown}")
            for name, (low, high) in bounds.items():
                if low > high:
                    raise ValueError(f"[{gender}] {name}: the low bound {low} is above the high bound {high}")
        return self

    def bounds(self, gender: Gender) -> tuple[Bounds, ...]:
        """Bounds of pass one in attribute order."""
        chosen = self.male if gender == "male" else self.female
        return tuple(chosen[name] for name in ATTRIBUTES)


class Sampler(Recipe):
    """Which Optuna sampler proposes candidates, and how many it proposes at a time.

    Attributes:
        name: ``tpe``, ``random``, ``qmc``, ``cmaes``, ``gp`` or ``nsga2``.
        startup: Random trials before the sampler starts to learn (tpe, cmaes, gp).
        asks: Candidates a round; larger batches run faster, smaller ones learn sooner.
        penalty: Weight of the constraint violation taken off the value (cmaes only, which has no constraints).
        constrained: Whether the sampler is told of constraints at all (for comparison).
    """

    name: Literal["tpe", "random", "qmc", "cmaes", "gp", "nsga2"] = "tpe"
    startup: Annotated[int, Field(ge=1, le=1000)] = 10
    asks: Annotated[int, Field(ge=1, le=64)] = 4
    penalty: Annotated[float, Field(ge=0, le=100)] = 2.0
    constrained: bool = True


class Surrogate(Recipe):
    """How predictions steer the search, and how far they are trusted.

    Attributes:
        pooled: The model learnt from earlier people: ``auto`` (the bundled one that fits), a file, or ``none`` (the
            person's own trials only). Where one is wanted and none fits, the sampler goes alone.
        portfolio: How many sets that worked for earlier people are tried first.
        local: Whether the person's own trials are learnt from.
        model: What learns from them: ``gp`` (a Gaussian process), ``xgboost`` or ``mlp``.
        start: Own trials before that.
        refit: New trials before it learns again.
        share: Share of the candidates that are chosen by prediction; the others are the sampler's. 0 for none.
        audit: Share that is drawn at random from what was screened out, so that wrong rejections are known.
        gate: Least rank correlation with the person's own trials for predictions to be used.
        pool: Candidates scored a round.
    """

    pooled: str = "auto"
    portfolio: Annotated[int, Field(ge=0, le=64)] = 4
    local: bool = True
    model: Literal["gp", "xgboost", "mlp"] = "gp"
    start: Annotated[int, Field(ge=4, le=1000)] = 4
    refit: Annotated[int, Field(ge=1, le=1000)] = 4
    share: Annotated[float, Field(ge=0, le=1)] = 0.85
    audit: Annotated[float, Field(ge=0, le=1)] = 0.04
    gate: Annotated[float, Field(ge=-1, le=1)] = 0.2
    pool: Annotated[int, Field(ge=16, le=65536)] = 512

    @model_validator(mode="after")
    def _audit_is_part_of_the_share(self) -> Self:
        if self.audit > self.share:
            raise ValueError("'audit' is a part of 'share' and cannot be larger")
        return self


class Stopping(Recipe):
    """When a search ends before its last trial, or after it: for people without a feasible candidate.

    Attributes:
        tolerance: The search stops when a feasible winner is there and the expected gain is below this; never at 0.
        patience: For so many rounds on end.
        least: Never before so many trials.
        extra: Further trials for a person without a feasible candidate, as a share of ``trials``.
        widen: By how much the outer bounds of the space are multiplied for those; signs stay.
    """

    tolerance: Annotated[float, Field(ge=0, le=1)] = 0.002
    patience: Annotated[int, Field(ge=1, le=1000)] = 3
    least: Annotated[int, Field(ge=1, le=100_000)] = 60
    extra: Annotated[float, Field(ge=0, le=10)] = 0.5
    widen: Annotated[float, Field(ge=1, le=2)] = 1.0


class PreFilter(Recipe):
    """Thesis 3.1.5: take detail away before the edit.

    Attributes:
        kind: ``pixelate`` (size = superpixels across the crop) or ``blur`` (size = Gaussian radius, crop pixels).
    """

    kind: Literal["pixelate", "blur"]
    size: Annotated[float, Field(gt=0, le=128)]


class Study(Recipe):
    """How a person's attributes are searched."""

    format: Literal["attrsearch/study"]
    version: Literal[1]
    name: str = ""
    description: str = ""
    editor: str = "anonymiser"
    space: str = "one-pass"
    objective: str = "utility_product"
    recogniser: str = "auto"
    detector: Literal["mtcnn", "yunet"] = "mtcnn"
    trials: Annotated[int, Field(ge=1, le=100_000)] = 200
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    heldback: Annotated[float, Field(ge=0, lt=1)] = 0.3
    max_faces: Annotated[int, Field(ge=1, le=1000)] = 8
    sampler: Sampler = Sampler()
    surrogate: Surrogate | None = None
    stopping: Stopping | None = None
    workers: Workers = Workers()
    prefilter: PreFilter | None = None
    realign: bool = False


Loaded = TypeVar("Loaded", bound=Recipe)


def load_objective(name: str) -> Objective:
    """The objective recipe of that name or path.

    >>> load_objective("utility_product").maximise[0].product
    ('detection', 'iou', 'distance')
    """
    return load_recipe(Objective, name, "objectives")


def load_space(name: str) -> Space:
    """The search-space recipe of that name or path (bundled ones are in ``studies/spaces``).

    >>> load_space("thesis10").bounds("male")[7]
    (-1.1, -0.1)
    """
    return load_recipe(Space, name, "studies/spaces")


def load_study(name: "str | Study", **changes: object) -> Study:
    """The study recipe of that name or path (or one already loaded), with some of its values replaced.

    >>> load_study("quick", trials=5).trials
    5

    Raises:
        RecipeError: Unknown name, no such file, not TOML, an unknown key, or a value out of range.
    """
    given = {key: value for key, value in changes.items() if value is not None}
    if isinstance(name, Study):
        return _validate(Study, Path(name.name), {**name.model_dump(), **given})
    return load_recipe(Study, name, "studies", given)


def load_recipe(kind: type[Loaded], name: str, folder: str, changes: dict[str, Any] | None = None) -> Loaded:
    """A recipe of any kind by name or path, with some of its values replaced.

    Args:
        kind: What it is read into.
        name: A bare name (bundled) or a path.
        folder: The bundled folder it is looked for in.
        changes: Values that replace the file's.

    Raises:
        RecipeError: Unknown name, no such file, not TOML, an unknown key, or a value out of range.
    """
    path = find_recipe(name, folder)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise RecipeError(path, required=f"at most {MAX_BYTES} bytes", found=f"{size}", hint="check the path")
        table = parse_toml(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecipeError(path, required="valid TOML", found=str(error), hint="mend that line") from error
    except OSError as error:
        raise RecipeError(path, required="a readable file", found=str(error), hint="check the path") from error
    return _validate(kind, path, {"name": path.stem, **table, **(changes or {})})


def _validate(kind: type[Loaded], path: Path, table: dict[str, Any]) -> Loaded:
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise _explain(path, error, kind) from error


def _explain(path: Path, error: ValidationError, kind: type[Recipe]) -> RecipeError:
    """The first complaint of pydantic as one line that names the key."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the recipe"
    if first["type"] == "extra_forbidden":
        return RecipeError(
            path,
            required=f"only known keys ({', '.join(kind.model_fields)})",
            found=f"unknown key '{key}'",
            hint="remove it or mend its spelling",
        )
    found = "nothing" if first["type"] == "missing" else repr(first["input"])[:80]
    message = first["msg"].removeprefix("Value error, ")
    return RecipeError(f"{path}, {key}", required=f"a valid value ({message})", found=found, hint="mend it")


def workers_of(study: Study, jobs: int | None, backend: str | None, scheduler: str | None) -> Workers:
    """A study's workers, with some of the values replaced; an address of a scheduler means Dask.

    >>> workers_of(load_study("quick"), 2, None, None).jobs
    2

    Raises:
        RecipeError: Dask without an address, or an address without Dask.
    """
    chosen = backend or ("dask" if scheduler else None)
    given = {
        "jobs": jobs,
        "backend": chosen,
        "scheduler": "" if backend == "loky" and not scheduler else scheduler,
    }
    table = {**study.workers.model_dump(), **{key: value for key, value in given.items() if value is not None}}
    try:
        return Workers.model_validate(table)
    except ValidationError as error:
        hint = "add --scheduler tcp://HOST:8786, or leave both out"
        found = f"backend {table['backend']}, scheduler {table['scheduler'] or 'none'}"
        raise RecipeError("--backend", required="a scheduler for dask only", found=found, hint=hint) from error
