"""What a run is asked for.

:class:`RunConfig` decides the result, :class:`Execution` who does the work.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, cast

from pydantic import AfterValidator, BeforeValidator, Field

from attrsearch.core.attributes import Gender
from attrsearch.core.compute import Engine, read_device
from attrsearch.core.recipes.base import Recipe, validate
from attrsearch.core.recipes.study import (
    Stopping,
    Study,
    Surrogate,
    Verification,
    Workers,
    load_study,
    workers_of,
)
from attrsearch.search.distributed.shards import Shard

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage

    from attrsearch.search.hooks import Callback, SamplerFactory

CALLED = Path("attrsearch.run")
"""What an error about a setting names, since settings come from no file."""


def _read_shard(value: object) -> object:
    """A part as ``--shard`` writes it, or one that was read already."""
    return Shard.parse(value) if isinstance(value, str) else value


class RunConfig(Recipe):
    """Everything that decides what a run finds; where a field is None, the study recipe says it.

    Attributes:
        study: A study recipe by name, path, or loaded.
        objective: Objective recipe.
        space: Search space.
        editor: Editor weights by name or path.
        recogniser: ``auto`` (``facenet``), ``sface``, ``facenet-vggface2``, ``facenet-casia`` or
            ``dlib``.
        detector: ``mtcnn`` or ``yunet``.
        trials: Candidates a person; nobody gets more then, whatever ``[stopping]`` and
            ``[verification]`` of the study allow.
        surrogate: Pooled model: ``auto``, ``none`` or a file.
        seed: Seed of the run; every person's own follows from it.
        people: Only these identities; everybody where it is None.
        genders: Genders given by the user, by identity; the others are guessed.
        cluster: The folder is mixed: find the people in it.
        calibration: Calibration file of the recogniser.
        facenet: FaceNet weights from a path.
        include_originals: Keep untouched pictures for the report.
    """

    study: str | Study = "per_identity"
    objective: str | None = None
    space: str | None = None
    editor: str | None = None
    recogniser: str | None = None
    detector: str | None = None
    trials: int | None = None
    surrogate: str | None = None
    seed: int | None = None
    people: tuple[str, ...] | None = None
    genders: Mapping[str, Gender] | None = None
    cluster: bool = False
    calibration: Path | None = None
    facenet: Path | None = None
    include_originals: bool = False

    def load_study(self) -> Study:
        """The study recipe, with what was asked for instead.

        Raises:
            RecipeError: No such recipe, or a value out of range.
        """
        study = load_study(
            self.study,
            objective=self.objective,
            space=self.space,
            editor=self.editor,
            recogniser=self.recogniser,
            detector=self.detector,
            trials=self.trials,
            seed=self.seed,
        )

        if self.surrogate is not None:
            surrogate = study.surrogate or Surrogate()
            pooled = surrogate.model_copy(update={"pooled": self.surrogate})
            study = study.model_copy(update={"surrogate": pooled})

        # who names a number of candidates wants no more of them for anybody
        return study if self.trials is None else _without_extra(study)


def _without_extra(study: Study) -> Study:
    """The study with as many trials as it says, and nobody given more."""
    changes: dict[str, Stopping | Verification] = {}
    if study.stopping is not None:
        changes["stopping"] = study.stopping.model_copy(update={"extra": 0.0})

    if study.verification is not None:
        changes["verification"] = study.verification.model_copy(update={"extra": 0.0})

    return study.model_copy(update=changes)


class Execution(Recipe):
    """Who does the work of a run, and where; nothing of it changes a result but for its last bits.

    Attributes:
        jobs: Worker processes; the study's where it is None.
        backend: ``loky`` (processes on this machine) or ``dask`` (a cluster); the study's where it
            is None.
        scheduler: Address of a Dask scheduler, such as ``tcp://10.0.0.1:8786``.
        shard: Only this part of the people.
        storage: A database by which all workers share one person's study at a time.
        device: Where networks compute: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``; what was
            asked for last where it is None, ``auto`` at first.
        engine: What runs them: ``torch``, or ``onnxruntime`` (extra ``onnx``), whose distances are
            within 1e-3 of torch's; what was asked for last where it is None.
    """

    jobs: Annotated[int, Field(ge=1, le=10_000)] | None = None
    backend: Literal["loky", "dask"] | None = None
    scheduler: str | None = None
    shard: Annotated[Shard | None, BeforeValidator(_read_shard)] = None
    storage: str = ""
    device: Annotated[str, AfterValidator(read_device)] | None = None
    engine: Engine | None = None

    def workers(self, study: Study) -> Workers:
        """The workers of a study's recipe, with what was asked for instead.

        Raises:
            RecipeError: Dask without an address, or an address without Dask.
        """
        return workers_of(study, self.jobs, self.backend, self.scheduler)


class ConfigOptions(TypedDict, total=False):
    """The fields of :class:`RunConfig` as keywords."""

    study: str | Study
    objective: str | None
    space: str | None
    editor: str | None
    recogniser: str | None
    detector: str | None
    trials: int | None
    surrogate: str | None
    seed: int | None
    people: Sequence[str] | None
    genders: Mapping[str, Gender] | None
    cluster: bool
    calibration: Path | None
    facenet: Path | None
    include_originals: bool


class RunOptions(ConfigOptions, total=False):
    """Keywords of ``attrsearch.run``: the fields of :class:`RunConfig` and :class:`Execution`.

    ``workers`` stands for ``jobs``, ``backend`` and ``scheduler`` together. ``sampler`` and
    ``callbacks`` are Optuna's; ``storage`` is the address of a database by which workers share a
    person's study, or an Optuna storage that keeps everybody's (see
    :mod:`attrsearch.search.hooks`).
    """

    jobs: int | None
    backend: Literal["loky", "dask"] | None
    scheduler: str | None
    shard: Shard | str | None
    storage: "str | BaseStorage"
    device: str | None
    engine: Engine | None
    workers: Workers | None
    sampler: "BaseSampler | SamplerFactory | None"
    callbacks: "Sequence[Callback]"


def _take_fields(given: dict[str, Any], model: type[Recipe]) -> dict[str, Any]:
    """The values of a model's fields, taken out of what was given."""
    taken = {}
    for name in model.model_fields:
        if name in given:
            taken[name] = given.pop(name)

    return taken


def with_options(
    config: RunConfig | None, execution: Execution | None, options: RunOptions
) -> tuple[RunConfig, Execution]:
    """The two with keywords put into their fields.

    >>> config, execution = with_options(None, None, {"trials": 100, "jobs": 2})
    >>> config.trials, execution.jobs
    (100, 2)

    Args:
        config: Whose fields the keywords replace; the default one where it is None.
        execution: As ``config``.
        options: Values by field.

    Raises:
        RecipeError: A value that its field does not take.
        TypeError: A keyword that is no field.
    """
    given = cast("dict[str, Any]", dict(options))
    workers = given.pop("workers", None)

    if workers is not None:
        # before the others are divided up: its fields are those of Execution
        given |= dict(workers)

    deciding = _take_fields(given, RunConfig)
    working = _take_fields(given, Execution)
    # what is left over is no field: said as Python says it
    for name in given:
        raise TypeError(f"run() got an unexpected keyword argument {name!r}")

    return (
        validate(RunConfig, CALLED, dict(config or RunConfig()) | deciding),
        validate(Execution, CALLED, dict(execution or Execution()) | working),
    )
