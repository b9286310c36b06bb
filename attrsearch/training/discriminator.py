"""The discriminator: is a face real, patch by patch and whole, and which attributes has it?

Source: He et al., "AttGAN", 2019, section 3 (adversarial and attribute heads on shared
convolutions).  No norm layers: a lazy gradient penalty (Karras et al., "StyleGAN2", 2020, appendix
B) does their work at a lower price.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.faces.attribute_classifier import TraitsNetwork

LAYERS = 5
PATCH_LAYER = 4
"""Layer whose places are judged by themselves: one sees 78 pixels of 128, most of a face."""
HEAD = 64
TAPS = (2, 8, 14, 20)
"""Layers of the frozen network that are judged: 64, 32, 16 and 8 pixels across."""


class Verdict(NamedTuple):
    """What a discriminator says of n faces.

    Attributes:
        whole: (n,).
        patches: (n, 8, 8).
        attributes: (n, 13).
        levels: Maps (n, 1, h, w) of the heads on a frozen network's features; none where there is
            no such network.
    """

    whole: Tensor
    patches: Tensor
    attributes: Tensor
    levels: tuple[Tensor, ...] = ()

    def take(self, part: slice) -> "Verdict":
        """The verdict on some of the faces."""
        levels = tuple(level[part] for level in self.levels)
        return Verdict(self.whole[part], self.patches[part], self.attributes[part], levels)


class Discriminator(nn.Module):
    """Judges faces (n, 3, 128, 128), RGB from -1 to 1.

    Args:
        dim: Channels of the first layer; they double up to 512.
        frozen: A frozen classifier whose features are judged too.
    """

    def __init__(self, dim: int = 32, frozen: TraitsNetwork | None = None) -> None:
        super().__init__()
        # in a list, where torch does not look: none of its weights are learnt or kept
        self._frozen = [frozen] if frozen is not None else []
        widths = frozen.widths(TAPS) if frozen is not None else []
        self.heads = nn.ModuleList(map(_head, widths))
        self.layers = nn.ModuleList()
        channels = 3

        for i in range(LAYERS):
            out = min(dim * 2**i, 512)
            self.layers.append(nn.Sequential(nn.Conv2d(channels, out, 4, 2, 1), nn.LeakyReLU(0.2)))
            channels = out

            if i + 1 == PATCH_LAYER:
                self.patch = nn.Conv2d(out, 1, 3, 1, 1)

        self.shared = nn.Sequential(nn.Flatten(), nn.Linear(channels * 16, 256), nn.LeakyReLU(0.2))
        self.whole = nn.Linear(256, 1)
        self.attributes = nn.Linear(256, len(ATTRIBUTES))

        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                # the default shrinks what five layers pass on
                nn.init.kaiming_normal_(module.weight, 0.2)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, faces: Tensor) -> Verdict:
        """The verdict on faces."""
        x = faces
        patches = faces

        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i + 1 == PATCH_LAYER:
                patches = self.patch(x)[:, 0]

        shared = self.shared(x)
        levels = tuple(self._levels(faces)) if self._frozen else ()
        return Verdict(
            self.whole(shared)[:, 0].float(),
            patches.float(),
            self.attributes(shared).float(),
            levels,
        )

    def _levels(self, faces: Tensor) -> Iterator[Tensor]:
        heads = iter(self.heads)
        x = faces
        for i, layer in enumerate(self._frozen[0].layers[: TAPS[-1] + 1]):
            x = layer(x)
            if i in TAPS:
                yield next(heads)(x).float()


def _head(width: int) -> nn.Sequential:
    """From features to one logit a place."""
    return nn.Sequential(
        nn.Conv2d(width, HEAD, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(HEAD, HEAD, 3, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(HEAD, 1, 3, 1, 1),
    )


def gradient_penalty(discriminator: Discriminator, real: Tensor) -> Tensor:
    """R1: mean squared norm of the gradient of the realness of real faces.

    Source: Mescheder et al., 2018.
    """
    leaf = real.detach().requires_grad_(True)
    verdict = discriminator(leaf)
    realness = verdict.whole.sum() + verdict.patches.mean((1, 2)).sum()
    (gradient,) = torch.autograd.grad(realness, leaf, create_graph=True)

    return gradient.square().sum((1, 2, 3)).mean()
