"""Study recipes: how a person's attributes are searched, and who does the work."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from attrsearch.core.errors import RecipeError
from attrsearch.core.picking import without_none
from attrsearch.core.recipes.base import (
    DetectorName,
    PreFilterName,
    Recipe,
    SamplerName,
    load_recipe,
    validate,
)
from attrsearch.core.weights import DEFAULT_EDITOR


class Sampler(Recipe):
    """Which Optuna sampler proposes candidates, and how many it proposes at a time.

    Attributes:
        name: ``tpe``, ``random``, ``qmc``, ``cmaes``, ``gp``, ``nsga2``, or a plug-in's.
        startup: Random trials before the sampler starts to learn (tpe, cmaes, gp).
        asks: Candidates a round; larger batches run faster, smaller ones learn sooner.
        penalty: Weight of the constraint violation taken off the value (cmaes only, which has no
            constraints).
        constrained: Whether the sampler is told of constraints at all (for comparison).
    """

    name: SamplerName = "tpe"
    startup: Annotated[int, Field(ge=1, le=1000)] = 10
    asks: Annotated[int, Field(ge=1, le=64)] = 4
    penalty: Annotated[float, Field(ge=0, le=100)] = 2.0
    constrained: bool = True


class Surrogate(Recipe):
    """How predictions steer the search, and how far they are trusted.

    Attributes:
        pooled: The model learnt from earlier people: ``auto`` (the bundled one that fits), a file,
            or ``none`` (the person's own trials only, as where one is wanted and none fits).
        portfolio: How many sets that worked for earlier people are tried first.
        local: Whether the person's own trials are learnt from.
        model: What learns from them: ``gp`` (a Gaussian process), ``xgboost`` or ``mlp``.
        start: Own trials before that.
        refit: New trials before it learns again.
        share: Share of the candidates that are chosen by prediction; the others are the sampler's.
            0 for none.
        audit: Share that is drawn at random from what was screened out, so that wrong rejections
            are known.
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
    """When a search ends before its last trial, or after it.

    For people without a feasible candidate.

    Attributes:
        tolerance: The search stops when a feasible winner is there and the expected gain is below
            this; never at 0.
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


class Verification(Recipe):
    """What a winner must do besides, and what follows where it fails on the pictures kept back.

    Attributes:
        variations: A candidate that would be the best so far is measured on so many variations of
            each picture, too, and must meet the constraints there, if any candidate does.
        rounds: How often the picture that it fails on worst is searched, too; 0 for never.
        extra: Further trials each time, as a share of ``trials``.
    """

    variations: Annotated[int, Field(ge=0, le=4)] = 0
    rounds: Annotated[int, Field(ge=0, le=100)] = 2
    extra: Annotated[float, Field(ge=0, le=10)] = 0.25


class PreFilter(Recipe):
    """Thesis 3.1.5: take detail away before the edit.

    Attributes:
        kind: ``pixelate`` (size = superpixels across the crop) or ``blur`` (size = Gaussian radius,
            crop pixels), or a plug-in's (size as it says).
    """

    kind: PreFilterName
    size: Annotated[float, Field(gt=0, le=128)]


class Workers(BaseModel):
    """Who does the work of a run; nothing of it changes a result.

    Attributes:
        jobs: Worker processes; of a Dask cluster all where it is 1.
        backend: ``loky`` (processes on this machine) or ``dask`` (a cluster).
        scheduler: Address of the Dask scheduler, such as ``tcp://10.0.0.1:8786``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    jobs: Annotated[int, Field(ge=1, le=10_000)] = 1
    backend: Literal["loky", "dask"] = "loky"
    scheduler: str = ""

    @model_validator(mode="after")
    def _a_cluster_has_an_address(self) -> Self:
        if (self.backend == "dask") != bool(self.scheduler):
            raise ValueError("'scheduler' goes with backend = \"dask\", and is required by it")
        return self


class Study(Recipe):
    """How a person's attributes are searched.

    Attributes:
        ties: Among feasible candidates whose value is short of the best by at most this share of
            it, the one that looks best wins; at 0 the best wins.
    """

    format: Literal["attrsearch/study"]
    version: Literal[1]
    name: str = ""
    description: str = ""
    editor: str = DEFAULT_EDITOR
    space: str = "one-pass"
    objective: str = "utility_product"
    recogniser: str = "auto"
    detector: DetectorName = "mtcnn"
    trials: Annotated[int, Field(ge=1, le=100_000)] = 200
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    heldback: Annotated[float, Field(ge=0, lt=1)] = 0.3
    ties: Annotated[float, Field(ge=0, le=0.1)] = 0.0
    max_faces: Annotated[int, Field(ge=1, le=1000)] = 8
    sampler: Sampler = Sampler()
    surrogate: Surrogate | None = None
    stopping: Stopping | None = None
    verification: Verification | None = None
    workers: Workers = Workers()
    prefilter: PreFilter | None = None
    realign: bool = False


def load_study(name: "str | Study", **changes: object) -> Study:
    """The study recipe of that name or path, or one already loaded, with some values replaced.

    >>> load_study("quick", trials=5).trials
    5

    Raises:
        RecipeError: Unknown name, no such file, not TOML, an unknown key, or a value out of range.
    """
    given = without_none(changes)
    if isinstance(name, Study):
        return validate(Study, Path(name.name), {**name.model_dump(), **given})

    return load_recipe(Study, name, "studies", given)


def workers_of(
    study: Study, jobs: int | None, backend: str | None, scheduler: str | None
) -> Workers:
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
    table = {
        **study.workers.model_dump(),
        **without_none(given),
    }

    try:
        return Workers.model_validate(table)
    except ValidationError as error:
        hint = "add --scheduler tcp://HOST:8786, or leave both out"
        found = f"backend {table['backend']}, scheduler {table['scheduler'] or 'none'}"
        raise RecipeError(
            "--backend", required="a scheduler for dask only", found=found, hint=hint
        ) from error
