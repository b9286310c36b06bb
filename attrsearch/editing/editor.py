"""The editor: attribute sets onto faces, in one pass or two, in batches.

Source: thesis 3.1.2, ``G(G(x, a), b)``.  The encoding of the untouched face is the same for every
candidate, so it is computed once a face and given to :meth:`Editor.edit`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.parallel import network
from attrsearch.core.precision import Precision, choose_dtype
from attrsearch.editing.attgan import Generator
from attrsearch.editing.checkpoints import Checkpoint, load_checkpoint

Floats = npt.NDArray[np.float32]


class Realigner(Protocol):
    """The thesis's second alignment (4.2): align the face anew between the passes."""

    def __call__(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Aligned faces (n, 3, s, s) for the second pass, and grids (n, s, s, 2) that lead back."""
        ...


@dataclass(frozen=True)
class Encoded:
    """What the decoder needs of encoded faces.

    The outputs of the last encoder layers, each (n, c, h, w).
    """

    features: tuple[Tensor, ...]

    def take(self, indices: Sequence[int]) -> "Encoded":
        """The chosen faces, in that order, repeats allowed."""
        chosen = torch.as_tensor(indices)
        return Encoded(tuple(feature.index_select(0, chosen) for feature in self.features))

    @staticmethod
    def join(parts: Sequence["Encoded"]) -> "Encoded":
        """Faces of several encodings, one after another."""
        columns = zip(*(part.features for part in parts), strict=True)
        return Encoded(tuple(torch.cat(column) for column in columns))


class Editor:
    """An AttGAN generator, ready to edit.

    Args:
        checkpoint: The generator and where it came from.
        precision: ``auto`` uses bfloat16 where the processor is faster with it.
        realign: Align anew between the passes; None keeps the first alignment.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        precision: Precision = "auto",
        realign: Realigner | None = None,
    ) -> None:
        self.name = checkpoint.name
        self.sha256 = checkpoint.sha256
        self.size = checkpoint.generator.config.img_size
        self.dtype = choose_dtype(precision)
        self._realign = realign
        self._generator: Generator = checkpoint.generator.to(self.dtype).to(
            memory_format=torch.channels_last
        )
        self._tail = 1 + self._generator.shortcut_layers

    @network
    def encode(self, crops: Tensor) -> Encoded:
        """Encode crops (n, 3, size, size), RGB from -1 to 1."""
        if len(crops) == 1:  # a batch of one differs in the last bits
            return self.encode(crops.repeat(2, 1, 1, 1)).take([0])
        features = self._generator.encode(crops.to(self.dtype, memory_format=torch.channels_last))
        return Encoded(tuple(features[-self._tail :]))

    @network
    def edit(self, encoded: Encoded, attributes: Floats) -> Tensor:
        """Edit encoded faces.

        Args:
            encoded: n faces.
            attributes: (n, passes, 13); one set a face, one or two passes.

        Returns:
            (n, 3, size, size), float32, RGB from -1 to 1.
        """
        values = torch.from_numpy(np.ascontiguousarray(attributes)).to(self.dtype)
        if len(values) == 1:
            return self.edit(encoded.take([0, 0]), np.repeat(attributes, 2, 0))[:1]
        edited = self._generator.decode(list(encoded.features), values[:, 0])
        if values.shape[1] == 1:
            return edited.float()
        if self._realign is None:
            return self._generator(edited, values[:, 1]).float()  # type: ignore[no-any-return]
        aligned, back = self._realign(edited.float())
        second = self._generator(aligned.to(self.dtype), values[:, 1]).float()
        return _return(edited.float(), second, back)


def load_editor(name: str = "anonymiser", precision: Precision = "auto") -> Editor:
    """The editor of that bundled name (``base``, ``anonymiser``) or path.

    >>> load_editor("base").size
    128

    Raises:
        WeightsError: Unknown, damaged or foreign weights.
    """
    return Editor(load_checkpoint(name), precision)


def _return(first: Tensor, second: Tensor, back: Tensor) -> Tensor:
    """Lay a realigned second pass over the first.

    What the second does not reach keeps the first.
    """
    sampled = torch.nn.functional.grid_sample(
        second, back, padding_mode="border", align_corners=False
    )
    outside = (back.abs() > 1).any(-1)[:, None]
    return torch.where(outside, first, sampled)
