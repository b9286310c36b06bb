"""From one editor's crop to another's and back: how the second stage of two is laid on the first's.

Pictures are (n, 3, s, s), RGB from -1 to 1; what lies outside of one repeats its border.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from attrsearch.core.device import CPU
from attrsearch.editing.blending import face_mask
from attrsearch.faces.alignment import compose, invert
from attrsearch.faces.sampling import sampling_grid

Floats = npt.NDArray[np.float32]


class Crossing:
    """Resamples between the crops of two editors.

    Args:
        first: Transform (2, 3) from the usual crop of 128 pixels to the first editor's.
        first_size: Side of the first editor's crop, in pixels.
        second: The same of the second editor.
        second_size: Side of its crop.
        where: Device that resamples.
    """

    def __init__(
        self,
        first: Floats,
        first_size: int,
        second: Floats,
        second_size: int,
        where: torch.device = CPU,
    ) -> None:
        to_first = compose(first, invert(second))
        self._there = _grid(to_first, second_size, first_size, where)
        self._back = _grid(invert(to_first), first_size, second_size, where)
        placed = torch.from_numpy(np.array(face_mask(second_size)))[None, None].to(where)
        self._mask = grid_sample(placed, self._back, align_corners=False)

    def there(self, pictures: Tensor) -> Tensor:
        """Crops of the first editor as the second cuts them."""
        return _resampled(pictures, self._there)

    def laid(self, painted: Tensor, before: Tensor, after: Tensor, share: Tensor | float) -> Tensor:
        """The first stage's pictures with what the second changed laid over them.

        Its change and not what it gave: resampled twice, that would be soft.

        Args:
            painted: What the first stage gave.
            before: What the second stage was shown, in its own crop.
            after: What it made of that.
            share: How much of the change is laid on, 0 to 1; a number, or (n, 1, 1, 1).
        """
        change = _resampled(after - before, self._back)
        return painted + self._mask * share * change


def _grid(inverse: Floats, size: int, source: int, where: torch.device) -> Tensor:
    """Where pixels of a crop are read in the other: (1, size, size, 2)."""
    matrix = torch.from_numpy(inverse[None]).to(where)
    return sampling_grid(matrix, size, (source, source))


def _resampled(pictures: Tensor, grid: Tensor) -> Tensor:
    whole = grid.expand(len(pictures), -1, -1, -1)
    return grid_sample(pictures, whole, "bilinear", "border", False)
