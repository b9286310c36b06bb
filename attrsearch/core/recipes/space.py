"""Space recipes: the bounds of what is searched."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from attrsearch.core.attributes import ATTRIBUTES, LIMIT, Gender
from attrsearch.core.picking import take
from attrsearch.core.recipes.base import Recipe, load_recipe

Bound = Annotated[float, Field(ge=-LIMIT, le=LIMIT)]
Bounds = tuple[Bound, Bound]


class Space(Recipe):
    """Bounds of every attribute for a person of each gender, and how the second pass follows.

    Attributes:
        passes: ``mirrored`` (second = -first), ``free`` (searched too, in the mirrored bounds) or
            ``single``.
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
                missing = sorted(set(ATTRIBUTES) - set(bounds))
                unknown = sorted(set(bounds) - set(ATTRIBUTES))
                raise ValueError(
                    f"[{gender}] needs the 13 attributes; missing {missing}, unknown {unknown}"
                )

            for name, (low, high) in bounds.items():
                if low > high:
                    raise ValueError(
                        f"[{gender}] {name}: the low bound {low} is above the high bound {high}"
                    )

        return self

    def bounds(self, gender: Gender) -> tuple[Bounds, ...]:
        """Bounds of pass one in attribute order."""
        chosen = self.male if gender == "male" else self.female
        return tuple(take(chosen, ATTRIBUTES))


def load_space(name: str) -> Space:
    """The search-space recipe of that name or path (bundled ones are in ``studies/spaces``).

    >>> load_space("thesis10").bounds("male")[7]
    (-1.1, -0.1)
    """
    return load_recipe(Space, name, "studies/spaces")
