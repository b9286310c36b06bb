"""The search space of one person: a recipe's bounds for the person's gender, as vectors.

Source: thesis 3.1.3 (gender-synchronised attributes) and 4.1.1 (asymmetric attributes).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import ATTRIBUTES, GENDERS, LIMIT, Gender
from attrsearch.core.recipes.space import Space
from attrsearch.faces.attribute_classifier import MIN_CERTAINTY

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PersonSpace:
    """What may be searched for one person.

    Attributes:
        names: Names of the free values, ``first_Bangs`` and so on, ``second_…`` where pass two is
            free.
        low: Their lower bounds, (d,).
        high: Their upper bounds, (d,).
        fixed: Values of pass one that are not free, (13,); what is free is 0 here.
        passes: ``mirrored``, ``free`` or ``single``.
    """

    names: tuple[str, ...]
    low: Floats64
    high: Floats64
    fixed: Floats
    passes: str

    def attributes(self, values: npt.ArrayLike) -> Floats:
        """Attribute vectors of points of the space.

        Args:
            values: (n, d), in the order of ``names``.

        Returns:
            (n, 1, 13) for a single pass, otherwise (n, 2, 13).
        """
        points = np.asarray(values, np.float32).reshape(-1, len(self.names))
        passes = np.zeros(
            (len(points), 1 if self.passes == "single" else 2, len(ATTRIBUTES)), np.float32
        )
        passes[:, 0] = self.fixed

        if self.passes != "single":
            # pass two goes the other way, also where nothing is searched
            passes[:, 1] = -self.fixed

        for column, name in enumerate(self.names):
            which, attribute = name.split("_", 1)
            passes[:, int(which == "second"), ATTRIBUTES.index(attribute)] = points[:, column]
            if self.passes == "mirrored":
                passes[:, 1, ATTRIBUTES.index(attribute)] = -points[:, column]

        return passes

    def values(self, attributes: Floats) -> Floats64:
        """Inverse of :meth:`attributes`.

        The free values (n, d) of attribute vectors (n, passes, 13).
        """
        picked = []
        for column in self.names:
            which, name = column.split("_", 1)
            picked.append(attributes[:, int(which == "second"), ATTRIBUTES.index(name)])

        # a space without a free attribute has no columns to stack
        return np.stack(picked, 1).astype(np.float64) if picked else np.zeros((len(attributes), 0))

    def expanded(self, factor: float) -> "PersonSpace":
        """The same space with its outer bounds multiplied, up to what an editor is ever given.

        >>> from attrsearch.core.recipes.space import load_space
        >>> person_space(load_space("one-pass"), "female").expanded(1.5).high.round(2).tolist()
        [1.65, 1.65, 1.65, 1.65, 1.65, 0.0, -0.1, 1.65, 0.0, 1.65, 1.2, 1.65]
        """
        low = np.where(self.low < 0, np.maximum(self.low * factor, -LIMIT), self.low)
        high = np.where(self.high > 0, np.minimum(self.high * factor, LIMIT), self.high)
        return replace(self, low=low, high=high)


def person_space(space: Space, gender: Gender, certainty: float = 1.0) -> PersonSpace:
    """The space of a recipe for a person of that gender.

    Where the gender is a guess that may be wrong (``certainty`` below ``MIN_CERTAINTY``), an
    attribute stays where the bounds of both genders overlap, if they do: who may be a woman is
    given no beard.

    >>> from attrsearch.core.recipes.space import load_space
    >>> len(person_space(load_space("thesis10"), "female").names)
    10
    """
    bounds = np.array(space.bounds(gender), np.float64)

    if certainty < MIN_CERTAINTY:
        both = np.array([space.bounds(each) for each in GENDERS], np.float64)
        low = both[:, :, 0].max(0)
        high = both[:, :, 1].min(0)
        bounds = np.where((low <= high)[:, None], np.stack([low, high], 1), bounds)

    free = bounds[:, 0] < bounds[:, 1]
    names = [f"first_{name}" for name, is_free in zip(ATTRIBUTES, free, strict=True) if is_free]
    low = bounds[free, 0]
    high = bounds[free, 1]

    if space.passes == "free":
        names += [name.replace("first_", "second_") for name in names]
        # pass two goes the other way: its bounds are mirrored
        low, high = np.concatenate([low, -high]), np.concatenate([high, -low])

    fixed = np.where(free, 0.0, bounds[:, 0]).astype(np.float32)
    return PersonSpace(tuple(names), low, high, fixed, space.passes)
