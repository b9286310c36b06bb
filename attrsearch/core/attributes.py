"""The 13 facial attributes of AttGAN, and one chosen set of them.

Source: He et al., "AttGAN: Facial Attribute Editing by Only Changing What You Want", 2019; thesis
3.1.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import InputError
from attrsearch.core.picking import take

ATTRIBUTES = (
    "Bald",
    "Bangs",
    "Black_Hair",
    "Blond_Hair",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Eyeglasses",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "No_Beard",
    "Pale_Skin",
    "Young",
)
"""Names in AttGAN's order; every attribute vector in attrsearch has this order."""

MALE = ATTRIBUTES.index("Male")

LIMIT = 2.0
"""Largest magnitude an attribute may be asked for; AttGAN is trained within 1."""

Gender = Literal["male", "female"]
GENDERS: tuple[Gender, ...] = get_args(Gender)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, repr=False)
class AttributeSet:
    """What to edit: one vector for each pass through the editor.

    Attributes:
        first: Pass one, float32 of shape (13,).
        second: Pass two, float32 of shape (13,); None for an edit in a single pass.

    Raises:
        InputError: A vector has the wrong shape, or a value that is not finite or beyond ``LIMIT``.
    """

    first: Floats
    second: Floats | None = None

    def __post_init__(self) -> None:
        for name, vector in (("first pass", self.first), ("second pass", self.second)):
            if vector is None:
                continue

            shape = np.shape(vector)
            if shape != (len(ATTRIBUTES),) or not np.all(np.abs(vector) <= LIMIT):
                raise InputError(
                    f"attribute set, {name}",
                    required=f"{len(ATTRIBUTES)} finite values within {-LIMIT} to {LIMIT}",
                    found=f"{np.asarray(vector).tolist()}",
                    hint="export the run again",
                )

    def __repr__(self) -> str:
        strongest = sorted(range(len(ATTRIBUTES)), key=lambda i: -abs(float(self.first[i])))[:3]
        words = ", ".join(f"{ATTRIBUTES[i]} {self.first[i]:+.2f}" for i in strongest)
        return (
            f"AttributeSet({words}, …)"
            if self.second is None
            else f"AttributeSet({words}, …; 2 passes)"
        )

    @property
    def passes(self) -> Floats:
        """The passes as one array of shape (1, 13) or (2, 13), as the editor takes them."""
        rows = [self.first] if self.second is None else [self.first, self.second]
        return np.stack(rows).astype(np.float32)

    @classmethod
    def from_passes(cls, passes: Floats) -> "AttributeSet":
        """Inverse of ``passes``.

        >>> one = AttributeSet.from_passes(np.zeros((1, 13), np.float32))
        >>> one.second is None
        True
        """
        return cls(passes[0], passes[1] if len(passes) > 1 else None)


def named(vector: Floats) -> dict[str, float]:
    """An attribute vector of shape (13,) as a dictionary, rounded to six decimals.

    >>> named(np.zeros(13, np.float32))["Male"]
    0.0
    """
    return {name: round(float(value), 6) for name, value in zip(ATTRIBUTES, vector, strict=True)}


def from_named(values: Mapping[str, float]) -> Floats:
    """The vector of shape (13,) for a dictionary that names all 13 attributes and nothing else.

    >>> from_named(named(np.full(13, 0.5, np.float32)))[0]
    np.float32(0.5)

    Raises:
        InputError: A name is missing or unknown.
    """
    if set(values) != set(ATTRIBUTES):
        missing = sorted(set(ATTRIBUTES) - set(values))
        unknown = sorted(set(values) - set(ATTRIBUTES))
        raise InputError(
            "attribute set",
            required="exactly the 13 attributes of AttGAN",
            found=f"missing {missing or 'none'}, unknown {unknown or 'none'}",
            hint="export the run again",
        )

    return np.array(take(values, ATTRIBUTES), np.float32)
