"""Face parsing: 68 landmarks of a tightly aligned face, and where its skin can be seen.

The landmarks follow the 68-point scheme of iBUG 300-W: jaw 0 to 16, brows 17 to 26, nose 27 to 35,
left eye (as seen) 36 to 41, right eye 42 to 47, outer lips 48 to 59, inner lips 60 to 67.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

LANDMARKS = 68
SIDE = 128
"""Side of the crops that are parsed, in pixels."""
GAP = 0.1
"""Half the width of the widest gap in the skin that counts as something before the face."""
CELLS = 32
"""Side of the heat maps that landmarks are read from."""


class ParsingNetwork(nn.Module):
    """A small U-Net.

    Crops (n, 3, 128, 128), RGB from -1 to 1, to heat maps and a visibility map.
    """

    def __init__(self, widths: tuple[int, int, int, int, int] = (32, 64, 96, 128, 128)) -> None:
        super().__init__()
        self.stem = _unit(3, widths[0], 1)
        self.down = nn.ModuleList()
        for before, after in pairwise(widths):
            self.down.append(nn.Sequential(_unit(before, after, 2), _unit(after, after, 1)))

        self.side = nn.ModuleList(_unit(width, 64, 1, 1) for width in (*widths[1:], widths[-1]))
        self.up = nn.ModuleList(_unit(64, 64, 1) for _ in range(4))
        self.heat = nn.Conv2d(64, LANDMARKS, 1)
        self.visible = nn.Conv2d(64, 4, 3, padding=1)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Landmarks (n, 68, 2) in pixels of the crop, and logits of visible skin (n, 1, 64, 64)."""
        # at half the size: skin and landmarks need no pores, and it takes a quarter of the time
        x = self.stem(avg_pool2d(crops, 2))
        levels = []

        for down in self.down:
            x = down(x)
            levels.append(x)

        x = self.side[4](levels[-1])
        for level, side, up in zip(reversed(levels), reversed(self.side[:4]), self.up, strict=True):
            if level.shape[-1] != x.shape[-1]:
                x = interpolate(x, scale_factor=2.0, mode="nearest")

            x = up(x + side(level))

        landmarks = expected_position(self.heat(x))
        # four channels become 2 x 2 pixels: the border of skin is finer than the heat maps
        visible = nn.functional.pixel_shuffle(self.visible(x), 2)
        return landmarks, visible


def expected_position(heat: Tensor) -> Tensor:
    """The mean position (n, k, 2), pixels of a crop of 128, by heat maps (n, k, 32, 32)."""
    count, kinds, height, width = heat.shape
    share = torch.softmax(heat.float().view(count, kinds, -1), -1).view(count, kinds, height, width)
    # a cell of the map stands for several pixels, and its place is their middle
    step = SIDE / width
    place = torch.arange(width, dtype=torch.float32, device=heat.device) * step + (step - 1) / 2
    across = (share.sum(2) * place).sum(-1)
    down = (share.sum(3) * place).sum(-1)

    return torch.stack([across, down], -1)


def _unit(channels: int, out: int, stride: int, kernel: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU())


def visible_skin(logits: Tensor, side: int, rim: float = 0.0) -> Tensor:
    """Where a face is drawn on (n, 1, side, side), 0 to 1, of the network's logits (n, 1, 64, 64).

    The edge is as soft as the network is unsure, and nothing is drawn at the border of the crop.

    Args:
        logits: Of the network.
        side: Of the crop that is drawn on, in pixels.
        rim: How far beyond the skin is drawn, as a share of the crop's side: the jaw's edge and the
            hairline tell people apart, too.
    """
    share = _with_rim(torch.sigmoid(logits), rim)
    share = interpolate(share, size=side, mode="bilinear", align_corners=False)
    skin = ((share - 0.3) / 0.4).clamp(0, 1)
    place = torch.arange(side, dtype=torch.float32, device=logits.device)
    # faded out over a thirty-second of the side, so that the crop's edge leaves no line
    border = (torch.minimum(place, side - 1 - place) / (side / 32)).clamp(0, 1)

    return skin * border[:, None] * border


def _with_rim(share: Tensor, rim: float) -> Tensor:
    """Shares of skin (n, 1, s, s) with a rim round the face, but not over what is before it.

    Gaps up to :data:`GAP` of the side, as a hand or a microphone leaves, count as face here and get
    no rim of their own.
    """
    cells = share.shape[-1]
    reach = round(rim * cells)
    if not reach:
        return share

    gap = round(GAP * cells)
    face = _eroded(_dilated(share, gap), gap)
    # one cell of overlap, so that no seam is left between skin and rim
    outside = 1 - _eroded(face, 1)
    return torch.maximum(share, torch.minimum(_dilated(face, reach), outside))


def _dilated(share: Tensor, reach: int) -> Tensor:
    return max_pool2d(share, 2 * reach + 1, 1, reach)


def _eroded(share: Tensor, reach: int) -> Tensor:
    return 1 - _dilated(1 - share, reach)
