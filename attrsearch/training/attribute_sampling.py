"""What is asked of the editor while it trains: attributes as the search will ask for them."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES, MALE

REACH = 1.1
"""Largest magnitude asked for: the bound of the bundled search spaces."""
OWN = 0.5
"""Magnitude of a face's own attributes when it is to be reconstructed (AttGAN)."""

TURNED_COUNTS = 6.0
"""Weight of the one attribute that is turned, beside those that stay."""

_index = ATTRIBUTES.index
BALD = _index("Bald")
YOUNG = _index("Young")
EYEGLASSES = _index("Eyeglasses")
MUSTACHE = _index("Mustache")
NO_BEARD = _index("No_Beard")
PALE = _index("Pale_Skin")
HAIR = tuple(map(_index, ("Bald", "Bangs", "Black_Hair", "Blond_Hair", "Brown_Hair")))

TURNED = torch.ones(len(ATTRIBUTES))
"""How often each attribute is the one that is turned: oftener those that change most of a face."""
TURNED[MALE] = 4.0
TURNED[EYEGLASSES] = 4.0


@dataclass(frozen=True)
class TargetAttributes:
    """What is asked of n faces; each (n, 13).

    Attributes:
        values: The attributes given to the editor.
        target: What a classifier should then see, 0 to 1.
        weight: How much each counts; nothing is expected of a value near 0.
    """

    values: Tensor
    target: Tensor
    weight: Tensor

    def to(self, device: torch.device) -> "TargetAttributes":
        """The same on a device."""
        return TargetAttributes(*(value.to(device) for value in vars(self).values()))

    def followed_by(self, other: "TargetAttributes") -> "TargetAttributes":
        """What is asked of these faces and of further ones."""
        parts = zip(vars(self).values(), vars(other).values(), strict=True)
        return TargetAttributes(*(torch.cat(pair) for pair in parts))


class Round(NamedTuple):
    """What one step edits.

    Attributes:
        asked: What is asked.
        source: Faces (n, 3, 128, 128) that are edited: real ones, and first passes that are to be
            turned back.
        began: The real faces they began as.
        embeddings: Theirs, (n, 128), or (n, 0) where the identity does not count.
        finished: The edits after which nothing more comes: all in one pass, the second passes in
            two.
    """

    asked: TargetAttributes
    source: Tensor
    began: Tensor
    embeddings: Tensor
    finished: slice


def own(labels: Tensor) -> Tensor:
    """The attributes (n, 13) that ask for a face as it is, from its labels 0 to 1."""
    return (labels.round() * 2 - 1) * OWN


def ask_edits(labels: Tensor, generator: torch.Generator) -> TargetAttributes:
    """First passes of the thesis, and edits as AttGAN learns them.

    One third is random with the gender turned, as a search begins; one third turns a single
    attribute of the face's own; one third asks for all of another face's.  Values are drawn up to
    ``REACH``, since a search asks for all of them.  The random ones come first: they are what a
    second pass follows.
    """
    count = len(labels)
    strength = 0.25 + (REACH - 0.25) * torch.rand(count, 1, generator=generator)
    other = (labels[torch.randperm(count, generator=generator)].round() * 2 - 1) * strength
    searched = _gendered(
        _uniform(labels.shape, generator), -(labels[:, MALE].round() * 2 - 1), generator
    )
    turned = torch.multinomial(TURNED, max(count, 1), replacement=True, generator=generator)[
        :count, None
    ]
    one = own(labels)
    one.scatter_(1, turned, -one.gather(1, turned).sign() * strength.clamp(min=0.5))
    part = (torch.arange(count) * 3 // max(count, 1))[:, None]
    values = torch.where(part == 0, searched, torch.where(part == 1, one, other))
    weight = _weight(values)
    emphasis = torch.ones_like(weight).scatter_(1, turned, TURNED_COUNTS)

    return TargetAttributes(
        values, (values > 0).float(), torch.where(part == 1, weight * emphasis, weight)
    )


def ask_back(values: Tensor) -> TargetAttributes:
    """Second passes of the thesis.

    The first one's attributes (n, 13) negated, the gender back with them.
    """
    turned = -values
    return TargetAttributes(turned, (turned > 0).float(), _of_a_blend(_weight(turned)))


def ask_one_pass(labels: Tensor, generator: torch.Generator, groups: int = 2) -> TargetAttributes:
    """One pass of the anonymiser.

    Random attributes in the bounds of the space ``one-pass``, gender kept.

    Faces share one draw in ``groups`` groups, so that different people are edited by the same
    attributes: only what the editor makes of each then keeps them apart.  The second half of the
    faces has draws of its own, so that a face that stands in both is edited in two ways.  Where
    little is asked of the age, it stays; glasses stay as they are, since half-drawn ones are the
    ugliest of flaws.
    """
    draws = _uniform((2 * groups, len(ATTRIBUTES)), generator)
    place = torch.arange(len(labels))
    values = draws[place % groups + groups * (place * 2 >= len(labels))].clone()
    gender = labels[:, MALE].round() * 2 - 1
    values = _gendered(values, gender, generator, free_for_men=True)
    values[:, BALD] = 0
    values[:, EYEGLASSES] = -values[:, EYEGLASSES].abs()
    values[:, PALE] = values[:, PALE].clamp(-0.8, 0.8)
    target = (values > 0).float()
    weight = _weight(values)
    young = values[:, YOUNG].abs() < 0.5
    target[:, YOUNG] = torch.where(young, labels[:, YOUNG], target[:, YOUNG])
    weight[:, YOUNG] = torch.where(young, torch.ones(len(labels)), weight[:, YOUNG])
    target[:, EYEGLASSES] = labels[:, EYEGLASSES]
    weight[:, EYEGLASSES] = 1.0

    return TargetAttributes(values, target, _of_a_blend(weight))


def _uniform(shape: tuple[int, ...] | torch.Size, generator: torch.Generator) -> Tensor:
    return (torch.rand(shape, generator=generator) * 2 - 1) * REACH


def _gendered(
    values: Tensor, gender: Tensor, generator: torch.Generator, free_for_men: bool = False
) -> Tensor:
    """Values of gender ``gender`` (n,), 1 male and -1 female, with a beard that goes with it."""
    values = values.clone()
    values[:, MALE] = gender * (0.1 + (REACH - 0.1) * torch.rand(len(values), generator=generator))

    for index, sign in ((MUSTACHE, gender), (NO_BEARD, -gender)):
        bound = values[:, index].abs() * sign
        values[:, index] = (
            torch.where(gender > 0, values[:, index], bound) if free_for_men else bound
        )

    return values


def _weight(values: Tensor) -> Tensor:
    return ((values.abs() - 0.15) / 0.35).clamp(0, 1)


def _of_a_blend(weight: Tensor) -> Tensor:
    """Weights (n, 13) for edits that are seen blended.

    Gender counts more, hair, which hardly shows, less.
    """
    weight[:, MALE] = 3.0
    weight[:, list(HAIR)] *= 0.1
    return weight
