"""The file of an editor of two stages: a recipe that names two others; read without torch."""

from pathlib import Path
from typing import Literal

from attrsearch.core.errors import WeightsError
from attrsearch.core.recipes.base import Recipe, Share, read_recipe
from attrsearch.editing.installed import Located, locate

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
        WeightsError: A part that is not there, or that is a recipe itself: one that named itself
            would never end.
    """
    recipe = read_recipe(TwoStageRecipe, where.path)
    names = []

    for name in (recipe.first, recipe.second):
        is_path = "/" in name or "\\" in name or Path(name).suffix != ""
        names.append(str(where.path.parent / name) if is_path else name)
        if locate(names[-1]).path.suffix == SUFFIX:
            raise WeightsError(
                where.path,
                required="a restoring editor first and an AttGAN editor second",
                found=f"{name}, which has two stages itself",
                hint="name its parts",
            )

    return recipe.model_copy(update={"first": names[0], "second": names[1]})
