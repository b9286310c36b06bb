"""What an editor keeps of faces so that many attribute sets can be laid on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Encoded:
    """Everything of n faces that no attribute changes, each tensor (n, c, h, w).

    What it means, the editor knows.
    """

    features: tuple[Tensor, ...]

    def take(self, indices: Sequence[int]) -> "Encoded":
        """The chosen faces, in that order, repeats allowed."""
        chosen = torch.as_tensor(indices, device=self.features[0].device)
        return Encoded(tuple(feature.index_select(0, chosen) for feature in self.features))

    @staticmethod
    def join(parts: Sequence["Encoded"]) -> "Encoded":
        """Faces of several encodings, one after another."""
        columns = zip(*(part.features for part in parts), strict=True)
        return Encoded(tuple(torch.cat(column) for column in columns))
