"""The AttGAN editor: attribute sets onto faces, in one pass or two.

Source: thesis 3.1.2, ``G(G(x, a), b)``. The encoding of the untouched face is the same for every
candidate, so it is computed once a face and given to :meth:`AttganEditor.edit`.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.parallel import network
from attrsearch.core.precision import Precision, choose_dtype
from attrsearch.editing.attgan import Generator
from attrsearch.editing.blending import face_mask
from attrsearch.editing.checkpoints import Checkpoint
from attrsearch.editing.encoded import Encoded
from attrsearch.faces.alignment import zoom

Floats = npt.NDArray[np.float32]


class Realigner(Protocol):
    """The thesis's second alignment (4.2): align the face anew between the passes."""

    def __call__(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Aligned faces (n, 3, s, s) for the second pass, and grids (n, s, s, 2) that lead back."""
        ...


class AttganEditor:
    """An AttGAN generator, ready to edit; see :class:`attrsearch.editing.editor.Editor`.

    Its encoding holds the outputs of the last encoder layers, as the decoder needs them.

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
        self.from_crop = zoom(self.size)
        self.passes = 2
        self.matched = False
        self.turned = False
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

    def masks(self, encoded: Encoded) -> Tensor:
        """Where edits are laid on (n, 1, size, size), 0 to 1: the same for every face."""
        mask = torch.from_numpy(np.array(face_mask(self.size)))
        return mask.expand(len(encoded.features[0]), 1, -1, -1)


def _return(first: Tensor, second: Tensor, back: Tensor) -> Tensor:
    """Lay a realigned second pass over the first.

    What the second does not reach keeps the first.
    """
    sampled = torch.nn.functional.grid_sample(
        second, back, padding_mode="border", align_corners=False
    )
    outside = (back.abs() > 1).any(-1)[:, None]
    return torch.where(outside, first, sampled)
