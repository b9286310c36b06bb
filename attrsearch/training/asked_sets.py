"""Attribute sets that a restoring editor is trained with and shown by."""

import torch
from torch import Tensor

from attrsearch.core.attributes import MALE
from attrsearch.training.attribute_sampling import BALD, EYEGLASSES, MUSTACHE, NO_BEARD, PALE, REACH


def asked_sets(labels: Tensor, others: Tensor, generator: torch.Generator) -> Tensor:
    """Attribute sets (n, 13) to edit faces with.

    Three quarters other people's, partly redrawn, one quarter uniform.

    Args:
        labels: (n, 13), the attributes of the faces, from -1 to 1.
        others: (m, 13), those of other people.
        generator: Draws.
    """
    count = len(labels)
    rows = []

    for label in labels:
        same = others[(others[:, MALE] > 0) == (label[MALE] > 0)]
        pool = same if len(same) else others
        rows.append(pool[int(torch.randint(0, len(pool), (1,), generator=generator))])

    strength = 0.5 + (REACH - 0.5) * torch.rand(count, 1, generator=generator)
    values = torch.stack(rows) * strength
    uniform = uniform_sets(labels, generator)
    redrawn = torch.rand(values.shape, generator=generator) < 0.2
    values = torch.where(redrawn, uniform, values)
    whole = (torch.rand(count, 1, generator=generator) < 1 / 4).expand_as(values)
    values = torch.where(whole, uniform, values)
    values[:, MALE] = uniform[:, MALE]
    women = labels[:, MALE] < 0
    values[women, MUSTACHE] = -values[women, MUSTACHE].abs()
    values[women, NO_BEARD] = values[women, NO_BEARD].abs()
    values[:, BALD] = 0
    values[:, EYEGLASSES] = -values[:, EYEGLASSES].abs()

    return values


def uniform_sets(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Sets (n, 13) as the space ``one-pass`` draws them.

    Uniform, the gender kept, no beard for women, no glasses.
    """
    values = (torch.rand(labels.shape, generator=generator) * 2 - 1) * REACH
    gender = torch.where(labels[:, MALE] < 0, -1.0, 1.0)
    values[:, MALE] = gender * (0.1 + (REACH - 0.1) * torch.rand(len(labels), generator=generator))
    women = gender < 0
    values[women, MUSTACHE] = -values[women, MUSTACHE].abs()
    values[women, NO_BEARD] = values[women, NO_BEARD].abs()
    values[:, BALD] = 0
    values[:, EYEGLASSES] = -values[:, EYEGLASSES].abs()
    values[:, PALE] = values[:, PALE].clamp(-0.8, 0.8)

    return values
