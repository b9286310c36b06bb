"""Non-maximum suppression by torchvision's compiled operator, without importing torchvision.

The package takes as long to import as torch itself; its operators are one library, which torch
loads in a millisecond.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from attrsearch.core.errors import UnavailableError
from attrsearch.core.wheels import wheel_file

LIBRARIES = ("_C_stable.so", "_C.so")
"""What torchvision calls its operators, newest first."""
ONE_BY_ONE = 1000
"""Beyond this many boxes, comparing only those of one group is faster than moving the groups
apart."""


def suppress(boxes: Tensor, scores: Tensor, group: Tensor, threshold: float) -> Tensor:
    """Of boxes of one group that overlap, keep the one with the highest score.

    Args:
        boxes: (n, 4), left, top, right, bottom.
        scores: (n,).
        group: (n,), whole numbers; boxes of different groups never suppress one another.
        threshold: Intersection over union beyond which the lower score goes.

    Returns:
        Indices of the boxes kept, highest score first.
    """
    nms = _operator()
    if not len(boxes):
        return torch.zeros(0, dtype=torch.long)

    if len(boxes) <= ONE_BY_ONE:
        # moved so far apart that boxes of two groups cannot overlap: one call for all
        apart = group.to(boxes) * (boxes.max() + 1)
        kept: Tensor = nms(boxes + apart[:, None], scores, threshold)
        return kept

    mask = torch.zeros(len(boxes), dtype=torch.bool)
    for number in torch.unique(group):
        members = torch.where(group == number)[0]
        mask[members[nms(boxes[members], scores[members], threshold)]] = True

    chosen = torch.where(mask)[0]
    return chosen[scores[chosen].sort(descending=True)[1]]


@cache
def _operator() -> Any:
    """``nms`` of (boxes, scores, threshold)."""
    for name in LIBRARIES:
        try:
            path = wheel_file("torchvision", name)
        except UnavailableError:
            continue

        torch.ops.load_library(path)  # type: ignore[no-untyped-call]
        return torch.ops.torchvision.nms

    from torchvision.ops import nms  # noqa: PLC0415 - a build whose library goes by another name

    return nms
