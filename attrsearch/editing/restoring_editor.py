"""The restoring editor.

A face is reduced where its skin is seen, and restored by attributes, in one pass.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.device import device, dtype_on
from attrsearch.core.engine import on_engine
from attrsearch.core.errors import InputError
from attrsearch.core.parallel import network
from attrsearch.core.precision import Precision
from attrsearch.editing.encoded import Encoded
from attrsearch.editing.restoring import heat_maps, reduce_faces
from attrsearch.editing.restoring_file import Restoring
from attrsearch.faces.alignment import CROP_TEMPLATE, similarity
from attrsearch.faces.parsing import SIDE, visible_skin

Floats = npt.NDArray[np.float32]


class RestoringEditor:
    """A restoring network and its face parsing, ready to edit.

    See :class:`attrsearch.editing.editor.Editor`.

    Its encoding holds the reduced picture (n, 7, s, s), of which the last channel is the visible
    skin, and the heat of the landmarks (n, 7, s / 2, s / 2). The face itself is not in it.

    Args:
        restoring: The networks and where they came from.
        precision: ``auto`` uses bfloat16 where the device is faster with it; face parsing is
            always exact.
    """

    def __init__(self, restoring: Restoring, precision: Precision = "auto") -> None:
        config = restoring.network.config
        self.name = restoring.name
        self.sha256 = restoring.sha256
        self.size = config.size
        self._device = device()
        self.dtype = dtype_on(self._device, precision)
        self.from_crop = similarity(CROP_TEMPLATE[None], restoring.template)[0]
        self.passes = 1
        self.matched = True
        self.turned = True
        self._config = config
        painter = restoring.network.to(self._device, self.dtype).to(
            memory_format=torch.channels_last
        )
        parser = restoring.parsing.to(self._device).to(memory_format=torch.channels_last)
        half = self.size // 2
        reduced = torch.zeros(2, 7, self.size, self.size)
        examples = [reduced, torch.zeros(2, 7, half, half), torch.zeros(2, len(ATTRIBUTES))]
        name = f"{self.name}-painter"
        self._network = on_engine(painter, name, self.sha256, examples)
        crops = torch.zeros(2, 3, SIDE, SIDE)
        self._parsing = on_engine(parser, f"{self.name}-parsing", self.sha256, [crops])

    @network
    def encode(self, crops: Tensor) -> Encoded:
        """Parse and reduce crops (n, 3, size, size), RGB from -1 to 1."""
        if len(crops) == 1:  # a batch of one differs in the last bits
            return self.encode(crops.repeat(2, 1, 1, 1)).take([0])

        crops = crops.to(self._device, torch.float32).contiguous(memory_format=torch.channels_last)
        small = crops if self.size == SIDE else interpolate(crops, size=SIDE, mode="area")
        landmarks, logits = self._parsing(small)
        visible = visible_skin(logits, self.size, self._config.rim)
        reduced = reduce_faces(crops, visible, self._config.superpixels)
        heat = heat_maps((landmarks + 0.5) / SIDE, self.size, self._config.spread)

        return Encoded((reduced.contiguous(memory_format=torch.channels_last), heat))

    @network
    def edit(self, encoded: Encoded, attributes: Floats) -> Tensor:
        """Edit n encoded faces by sets (n, 1, 13).

        Returns:
            (n, 3, size, size), float32, RGB from -1 to 1.

        Raises:
            InputError: Sets of two passes.
        """
        if attributes.shape[1] != 1:
            hint = (
                'choose a space with passes = "single" such as one-pass, or an editor of two '
                "passes such as thesis"
            )
            found = f"sets of {attributes.shape[1]} passes"
            raise InputError(self.name, required="sets of one pass", found=found, hint=hint)

        if len(attributes) == 1:
            return self.edit(encoded.take([0, 0]), np.repeat(attributes, 2, 0))[:1]

        values = torch.from_numpy(np.ascontiguousarray(attributes[:, 0])).to(self._device)
        reduced, heat = encoded.features
        edited: Tensor = self._network(reduced, heat, values)
        return edited.float()

    def masks(self, encoded: Encoded) -> Tensor:
        """Where edits are laid on (n, 1, size, size), 0 to 1: where the face's skin is seen."""
        return encoded.features[0][:, 6:]
