"""The discriminator: is this a real face, patch by patch and as a whole, and which attributes has it?

Source: He et al., "AttGAN", 2019, section 3 (adversarial and attribute heads on shared convolutions).  No norm
layers: a lazy gradient penalty (Karras et al., "StyleGAN2", 2020, appendix B) does their work at a lower price.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from attrsearch.attributes import ATTRIBUTES

LAYERS = 5
PATCH_LAYER = 4


class Verdict(NamedTuple):
    """What a discriminator says of n faces: ``whole`` (n,), ``patches`` (n, 8, 8), ``attributes`` (n, 13)."""

    whole: Tensor
    patches: Tensor
    attributes: Tensor


class Discriminator(nn.Module):
    """Judges faces (n, 3, 128, 128), RGB from -1 to 1.

    Args:
        dim: Channels of the first layer; they double up to 512.
    """

    def __init__(self, dim: int = 32) -> None:
        super().__init__()
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
                nn.init.kaiming_normal_(module.weight, 0.2)  # the default shrinks what five layers pass on
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, faces: Tensor) -> Verdict:
        """The verdict on faces."""
        x, patches = faces, faces
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i + 1 == PATCH_LAYER:
                patches = self.patch(x)[:, 0]
        shared = self.shared(x)
        return Verdict(self.whole(shared)[:, 0].float(), patches.float(), self.attributes(shared).float())


def gradient_penalty(discriminator: Discriminator, real: Tensor) -> Tensor:
    """R1: mean squared norm of the gradient of the realness of real faces (Mescheder et al. 2018)."""
    leaf = real.detach().requires_grad_(True)
    verdict = discriminator(leaf)
    realness = verdict.whole.sum() + verdict.patches.mean((1, 2)).sum()
    (gradient,) = torch.autograd.grad(realness, leaf, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()
