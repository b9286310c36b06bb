"""The AttGAN editor: attribute sets onto faces, in one pass or two.

Source: thesis 3.1.2, ``G(G(x, a), b)``. The encoding of the untouched face is the same for every
candidate, so it is computed once a face and given to :meth:`AttganEditor.edit`.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.compute import computing
from attrsearch.core.device import device, dtype_on
from attrsearch.core.engine import on_engine
from attrsearch.core.parallel import network
from attrsearch.core.precision import Precision
from attrsearch.editing.attgan import Decoder, Encoder
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
        precision: ``auto`` uses bfloat16 where the device is faster with it.
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
        self._device = device()
        self.dtype = dtype_on(self._device, precision)
        self.from_crop = zoom(self.size)
        self.passes = 2
        self.matched = False
        self.turned = False
        self._realign = realign
        generator = checkpoint.generator.to(self._device, self.dtype).to(
            memory_format=torch.channels_last
        )
        example = torch.zeros(2, 3, self.size, self.size, dtype=self.dtype, device=self._device)
        sets = torch.zeros(2, len(ATTRIBUTES), dtype=self.dtype, device=self._device)
        name = f"{self.name}-encoder"
        self._encode = on_engine(Encoder(generator), name, self.sha256, [example])
        features = self._features(example) if computing().engine != "torch" else ()
        name = f"{self.name}-decoder"
        self._decode = on_engine(Decoder(generator), name, self.sha256, [sets, *features])

    @network
    def encode(self, crops: Tensor) -> Encoded:
        """Encode crops (n, 3, size, size), RGB from -1 to 1."""
        if len(crops) == 1:  # a batch of one differs in the last bits
            return self.encode(crops.repeat(2, 1, 1, 1)).take([0])

        sent = crops.to(self._device, self.dtype, memory_format=torch.channels_last)
        return Encoded(self._features(sent))

    @network
    def edit(self, encoded: Encoded, attributes: Floats) -> Tensor:
        """Edit encoded faces.

        Args:
            encoded: n faces.
            attributes: (n, passes, 13); one set a face, one or two passes.

        Returns:
            (n, 3, size, size), float32, RGB from -1 to 1.
        """
        values = torch.from_numpy(np.ascontiguousarray(attributes))
        values = values.to(self._device, self.dtype)
        if len(values) == 1:
            return self.edit(encoded.take([0, 0]), np.repeat(attributes, 2, 0))[:1]

        edited: Tensor = self._decode(values[:, 0], *encoded.features)
        if values.shape[1] == 1:
            return edited.float()
        if self._realign is None:
            return self._again(edited, values[:, 1])

        aligned, back = self._realign(edited.float())
        second = self._again(aligned.to(self._device, self.dtype), values[:, 1])
        return _return(edited.float().to(back.device), second.to(back.device), back)

    def _features(self, crops: Tensor) -> tuple[Tensor, ...]:
        """What the decoder reads, of crops as the network takes them."""
        found: Tensor | tuple[Tensor, ...] = self._encode(crops)
        return found if isinstance(found, tuple) else (found,)

    def _again(self, faces: Tensor, values: Tensor) -> Tensor:
        """A further pass over edited faces by sets (n, 13), float32."""
        edited: Tensor = self._decode(values, *self._features(faces))
        return edited.float()

    def masks(self, encoded: Encoded) -> Tensor:
        """Where edits are laid on (n, 1, size, size), 0 to 1: the same for every face."""
        mask = torch.from_numpy(np.array(face_mask(self.size))).to(self._device)
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
