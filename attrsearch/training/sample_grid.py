"""The sample sheet of a checkpoint.

What the editor does to a few faces, one row an attribute set.
"""

import numpy as np
import torch
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES, MALE
from attrsearch.editing.attgan import Generator
from attrsearch.training.attribute_sampling import ask_edits, ask_one_pass, own
from attrsearch.training.dataset import FaceSet, Pictures, randomness, to_network, to_pictures

SINGLE = (
    "Bangs",
    "Blond_Hair",
    "Bushy_Eyebrows",
    "Eyeglasses",
    "Male",
    "Mouth_Slightly_Open",
    "Young",
)
DRAWS = 4


@torch.no_grad()
def sheet(generator: Generator, shown: FaceSet, asks: str, mask: Tensor | None = None) -> Pictures:
    """A contact sheet (rows * 128, faces * 128, 3), uint8.

    Args:
        generator: In evaluation mode.
        shown: The faces, with attributes.
        asks: ``edit``: untouched, reconstructed, single attributes turned, first and second passes
            of random sets; ``one-pass``: untouched, then random sets in one pass.
        mask: (1, 1, 128, 128), where the generator is; shows edits as they are blended.
    """
    device = next(generator.parameters()).device
    faces = to_network(shown.crops).to(device)
    labels = torch.from_numpy(np.nan_to_num(shown.attributes, nan=0.5))
    rows = [faces]

    def edit(source: Tensor, values: Tensor) -> Tensor:
        edited: Tensor = generator(source, values.to(device))
        return edited if mask is None else source + (edited - source) * mask

    if asks == "edit":
        rows.append(edit(faces, own(labels)))
        for name in SINGLE:
            values = own(labels)
            values[:, ATTRIBUTES.index(name)] *= -1
            rows.append(edit(faces, values))

    for draw in range(DRAWS):
        random = randomness(0, draw)
        if asks == "edit":
            asked = ask_edits(labels, random).values
            asked[:, MALE] = -own(labels)[:, MALE]
            first = edit(faces, asked)
            rows += [first, edit(first, -asked)]
        else:
            rows.append(edit(faces, ask_one_pass(labels, random, groups=1).values))

    return np.concatenate([np.concatenate(list(to_pictures(row)), 1) for row in rows])
