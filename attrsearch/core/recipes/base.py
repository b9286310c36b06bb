"""What every recipe shares: TOML that is checked on load, with errors that name the key.

Data only: nothing in a recipe is executed, unknown keys are refused, and every bound is checked.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from attrsearch.core.bundled import find_recipe
from attrsearch.core.errors import RecipeError
from attrsearch.core.plugins import name_of
from attrsearch.core.toml import parse_toml

MAX_BYTES = 100_000

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
DETECTORS = ("mtcnn", "yunet")
TERM_NAMES = ("detection", "iou", "distance", "naturalness")
SAMPLER_NAMES = ("tpe", "random", "qmc", "cmaes", "gp", "nsga2")
PREFILTERS = ("pixelate", "blur")
REDUCTIONS = ("mean", "min")

if TYPE_CHECKING:
    DetectorName = str
    TermName = str
    SamplerName = str
    PreFilterName = str
    AggregationName = str
    ReductionName = str
else:
    DetectorName = name_of("detector", DETECTORS)
    TermName = name_of("term", TERM_NAMES)
    SamplerName = name_of("sampler", SAMPLER_NAMES)
    PreFilterName = name_of("prefilter", PREFILTERS)
    AggregationName = name_of("aggregation", (*REDUCTIONS, "quantile"))
    ReductionName = name_of("aggregation", REDUCTIONS)


class Recipe(BaseModel):
    """What every recipe shares: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Loaded = TypeVar("Loaded", bound=Recipe)


def load_recipe(
    kind: type[Loaded], name: str, folder: str, changes: dict[str, Any] | None = None
) -> Loaded:
    """A recipe of any kind by name or path, with some of its values replaced.

    Args:
        kind: What it is read into.
        name: A bare name (bundled) or a path.
        folder: The bundled folder it is looked for in.
        changes: Values that replace the file's.

    Raises:
        RecipeError: Unknown name, no such file, not TOML, an unknown key, or a value out of range.
    """
    return read_recipe(kind, find_recipe(name, folder), changes)


def read_recipe(kind: type[Loaded], path: Path, changes: dict[str, Any] | None = None) -> Loaded:
    """A recipe of any kind from its file, with some of its values replaced.

    Raises:
        RecipeError: No such file, not TOML, an unknown key, or a value out of range.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise RecipeError(
                path, required=f"at most {MAX_BYTES} bytes", found=f"{size}", hint="check the path"
            )

        table = parse_toml(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecipeError(
            path, required="valid TOML", found=str(error), hint="mend that line"
        ) from error
    except OSError as error:
        raise RecipeError(
            path, required="a readable file", found=str(error), hint="check the path"
        ) from error

    return validate(kind, path, {"name": path.stem, **table, **(changes or {})})


def validate(kind: type[Loaded], path: Path, table: dict[str, Any]) -> Loaded:
    """A recipe of this kind made of a table.

    Raises:
        RecipeError: An unknown key, or a value out of range; the first complaint, with the key.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise _explain(path, error, kind) from error


def _explain(path: Path, error: ValidationError, kind: type[Recipe]) -> RecipeError:
    """The first complaint of pydantic as one line that names the key."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"])) or "the recipe"

    if first["type"] == "extra_forbidden":
        return RecipeError(
            path,
            required=f"only known keys ({', '.join(kind.model_fields)})",
            found=f"unknown key '{key}'",
            hint="remove it or mend its spelling",
        )

    found = "nothing" if first["type"] == "missing" else repr(first["input"])[:80]
    message = first["msg"].removeprefix("Value error, ")
    return RecipeError(
        f"{path}, {key}", required=f"a valid value ({message})", found=found, hint="mend it"
    )
