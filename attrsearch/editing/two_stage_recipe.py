"""The file of an editor of two stages: a recipe that names two others; read without torch."""

from pathlib import Path
from typing import Literal, NoReturn

from attrsearch.core.errors import WeightsError
from attrsearch.core.recipes.base import Recipe, Share, read_recipe
from attrsearch.editing.installed import Located, locate
from attrsearch.editing.kinds import Kind, kind_of

SUFFIX = ".toml"
"""How the file of an editor of two stages ends."""


class TwoStageRecipe(Recipe):
    """The file of a two-stage editor.

    Attributes:
        first: The restoring editor, by name or path; a path is seen from the file's folder.
        second: The AttGAN editor, likewise.
        ease: What attributes are multiplied by for the first stage: near those that real people
            have, a restoring editor paints best.
        strength: How much of the second stage is laid over the first, 0 to 1.
    """

    format: Literal["attrsearch/editor"]
    version: Literal[1]
    name: str = ""
    description: str = ""
    first: str
    second: str
    ease: Share = 0.5
    strength: Share = 0.9


def read_two_stage(where: Located) -> TwoStageRecipe:
    """The recipe of a file; its parts are named as :func:`locate` takes them.

    Raises:
        RecipeError: Not a recipe of two editors.
        WeightsError: A part that is not there, that is not of its kind, or that is a recipe itself:
            one that named itself would never end.
    """
    recipe = read_recipe(TwoStageRecipe, where.path)
    first = _part(where, recipe.first, "a restoring editor")
    second = _part(where, recipe.second, "an AttGAN editor")
    return recipe.model_copy(update={"first": first, "second": second})


def _part(where: Located, name: str, wanted: Kind) -> str:
    """The name of a part as :func:`locate` takes it, checked."""
    is_path = "/" in name or "\\" in name or Path(name).suffix != ""
    seen_from_here = str(where.path.parent / name) if is_path else name
    part = locate(seen_from_here)

    if part.path.suffix == SUFFIX:
        _refuse(where, f"{name}, which has two stages itself", "name its parts")

    kind = kind_of(part)
    if kind != wanted:
        place = "first" if wanted == "a restoring editor" else "second"
        _refuse(where, f"{name}, {kind}, as the {place}", "exchange the two, or name others")

    return seen_from_here


def _refuse(where: Located, found: str, hint: str) -> NoReturn:
    raise WeightsError(
        where.path,
        required="a restoring editor first and an AttGAN editor second",
        found=found,
        hint=hint,
    )
