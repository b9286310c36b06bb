"""Discriminators on pictures and their frozen features, told the attributes (projection)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample
from torch.nn.utils import parametrize

from attrsearch.core.attributes import ATTRIBUTES

RGB = 3
WIDTHS = (24, 32, 64, 96, 128)
"""Channels of the discriminators: of the picture itself, whose grain and sharpness the ImageNet
features do not show, and of the features from the finest."""
SEEN = 96
"""Side of what the discriminators look at: a window of the crop, or the whole crop made smaller."""


class ProjectedDiscriminator(nn.Module):
    """One small discriminator a level of features.

    An asked attribute must look like people who have it.

    Args:
        channels: Of the features, from the finest.
        widths: Channels after the fixed random mixing of each level.
    """

    def __init__(self, channels: Sequence[int], widths: Sequence[int] = (32, 64, 96, 128)) -> None:
        super().__init__()
        normed = nn.utils.parametrizations.spectral_norm
        self.mix = nn.ModuleList()
        self.body = nn.ModuleList()
        self.verdict = nn.ModuleList()
        self.told = nn.ModuleList()

        for count, width in zip(channels, widths, strict=True):
            mix = nn.Conv2d(count, width, 1)
            nn.init.kaiming_normal_(mix.weight)
            nn.init.zeros_(mix.bias)  # type: ignore[arg-type]
            self.mix.append(mix.requires_grad_(False))
            self.body.append(
                nn.Sequential(
                    normed(nn.Conv2d(width, width, 3, 1, 1)),
                    nn.LeakyReLU(0.2),
                    normed(nn.Conv2d(width, 2 * width, 4, 2, 1)),
                    nn.LeakyReLU(0.2),
                )
            )
            # Not normed: with small differences between real and made, a verdict bounded like the
            # layers before it never gets near the margins of the game.
            self.verdict.append(nn.Conv2d(2 * width, 1, 3, 1, 1))
            self.told.append(normed(nn.Linear(len(ATTRIBUTES), 2 * width)))

    def forward(self, features: Sequence[Tensor], attributes: Tensor) -> list[Tensor]:
        """Verdicts (n, 1, h, w) of each level, positive for real."""
        found = []
        levels = zip(self.mix, self.body, self.verdict, self.told, features, strict=True)

        for mix, body, verdict, told, part in levels:
            seen = body(mix(part))
            match = (seen * told(attributes)[:, :, None, None]).sum(1, keepdim=True)
            found.append(verdict(seen) + match / seen.shape[1] ** 0.5)

        return found

    @torch.no_grad()
    def renew_norms(self) -> None:
        """One power iteration of every spectral norm; between two of these they do not change."""
        self.train()
        for module in self.modules():
            if parametrize.is_parametrized(module, "weight"):
                _ = module.weight

        self.eval()


@dataclass(frozen=True)
class Window:
    """Where the discriminators look, and in what light.

    Attributes:
        grid: (n, 96, 96, 2), where each pixel is read.
        contrast: (n, 1, 1, 1), what levels are multiplied by.
        light: (n, 1, 1, 1), what is added to them.
    """

    grid: Tensor
    contrast: Tensor
    light: Tensor

    def cut(self, faces: Tensor) -> Tensor:
        """What is seen (n, 3, 96, 96) of crops (n, 3, s, s)."""
        grid = self.grid.to(faces.device)
        seen = grid_sample(faces, grid, padding_mode="reflection", align_corners=False)
        return seen * self.contrast.to(faces.device) + self.light.to(faces.device)


def window(count: int, side: int, generator: torch.Generator) -> Window:
    """Places drawn for one step, the same for real and edited faces (differentiable augmentation).

    A third of the faces is seen whole, made smaller; of the others a window in full resolution.
    """
    whole = torch.rand(count, generator=generator) < 1 / 3
    reach = torch.where(whole, torch.full((count,), 1.0), torch.full((count,), SEEN / side))
    shift = (torch.rand(count, 2, generator=generator) * 2 - 1) * (1 - reach)[:, None]
    shift = torch.where(
        whole[:, None], (torch.rand(count, 2, generator=generator) - 0.5) * 0.1, shift
    )
    mirrored = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    place = (torch.arange(SEEN) + 0.5) / SEEN * 2 - 1
    x = place[None] * (reach * mirrored)[:, None] + shift[:, :1]
    y = place[None] * reach[:, None] + shift[:, 1:]
    grid = torch.stack([x[:, None, :].expand(-1, SEEN, -1), y[:, :, None].expand(-1, -1, SEEN)], -1)
    contrast = 1 + 0.2 * (torch.rand(count, 1, 1, 1, generator=generator) - 0.5)
    light = 0.2 * (torch.rand(count, 1, 1, 1, generator=generator) - 0.5)

    return Window(grid, contrast, light)
