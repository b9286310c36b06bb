"""A frozen AttGAN editor as the second of two stages, while the first is trained."""

import torch
from torch import Tensor

from attrsearch.core.device import fast
from attrsearch.editing.crossing import Crossing
from attrsearch.faces.alignment import CROP_TEMPLATE, TIGHT_TEMPLATE, similarity, transform, zoom
from attrsearch.training.generator import load_frozen


class SecondStage:
    """Lays what a frozen AttGAN editor changes over what a restoring editor painted.

    Gradients reach the first stage on both ways: past the second, and through it.

    Args:
        name: The AttGAN editor, a bundled name or a path.
        size: Side of the restoring editor's crop, in pixels.
        dtype: What convolutions compute in.
        device: Where it computes.
    """

    def __init__(self, name: str, size: int, dtype: torch.dtype, device: torch.device) -> None:
        self._network = load_frozen(name).eval().to(device)
        side = self._network.config.img_size
        template = transform(zoom(size), TIGHT_TEMPLATE)
        first = similarity(CROP_TEMPLATE[None], template)[0]
        self._crossing = Crossing(first, size, zoom(side), side, device)
        self._dtype = dtype
        self._device = device

    def __call__(self, painted: Tensor, shown: Tensor, asked: Tensor, shares: Tensor) -> Tensor:
        """Edits of both stages (n, 3, size, size), RGB from -1 to 1.

        Args:
            painted: What the first stage gave (n, 3, size, size).
            shown: The same, laid on the faces: what the second stage sees.
            asked: (n, 13), the attributes asked of the second stage.
            shares: (n,), how much of its change is laid on.
        """
        seen = self._crossing.there(shown).contiguous(memory_format=torch.channels_last)
        with fast(self._device, self._dtype):
            edited = self._network(seen, asked).float()

        return self._crossing.laid(painted, seen, edited, shares[:, None, None, None]).clamp(-1, 1)
