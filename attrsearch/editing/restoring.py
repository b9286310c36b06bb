"""The restoring editor's network.

A face reduced to superpixels and landmarks, restored by 13 attributes.

What tells people apart is taken away before the network sees the face: where the skin is visible,
the picture is reduced to ``superpixels`` squares across the crop. The landmarks of eyes, mouth,
nose and chin, blurred, say how the head is turned and what it does; the attributes say whose face
of the many plausible ones is painted.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pixel_shuffle, pixel_unshuffle, relu

from attrsearch.core.attributes import ATTRIBUTES

GROUPS: tuple[tuple[int, ...], ...] = (
    (8,),
    (27,),
    (30,),
    tuple(range(36, 42)),
    tuple(range(42, 48)),
    tuple(range(48, 60)),
    tuple(range(60, 68)),
)
"""Landmarks of chin, bridge and tip of the nose, left eye, right eye, outer lips and inner lips.

One heat map each.  They tell how the head is turned and what eyes and mouth do.  The shapes of jaw,
brows and nose are not among them, so that another person's can be painted.
"""


@dataclass(frozen=True)
class RestoringConfig:
    """What stands in an editor's file beside its weights.

    Attributes:
        size: Side of the crop, in pixels; a multiple of 16.
        superpixels: Squares across the crop that the face is reduced to.
        spread: Standard deviation of a landmark's heat, as a share of the crop's side.
        widths: Channels of the levels of the U-Net, from the finest.
        condition: Channels of the embedded attributes.
        rim: How far beyond the visible skin is drawn, as a share of the crop's side.
    """

    size: int = 128
    superpixels: int = 16
    spread: float = 0.016
    widths: tuple[int, ...] = (48, 96, 160, 192)
    condition: int = 128
    rim: float = 0.0


class _Block(nn.Module):
    """A residual block whose features are scaled and shifted by the attributes (FiLM)."""

    def __init__(self, channels: int, out: int, condition: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, out, 3, 1, 1)
        self.second = nn.Conv2d(out, out, 3, 1, 1)
        self.skip = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()
        self.film = nn.Linear(condition, 2 * out)
        nn.init.normal_(self.film.weight, std=0.02)
        nn.init.zeros_(self.film.bias)
        nn.init.normal_(self.second.weight, std=2e-3)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Features (n, out, h, w) of features (n, channels, h, w) and a condition (n, c)."""
        scale, shift = _by_rows(self.film, condition)[:, :, None, None].chunk(2, 1)
        h = torch.addcmul(shift, self.first(relu(x)), 1 + scale)
        return self.second(h.relu_()).add_(self.skip(x))  # type: ignore[no-any-return]


def _by_rows(layer: nn.Module, rows: Tensor) -> Tensor:
    """A layer of rows (n, c), each by itself where nothing is learnt.

    Else the last bits depend on a row's place.
    """
    if torch.is_grad_enabled():
        return layer(rows)  # type: ignore[no-any-return]
    return torch.cat([layer(row) for row in rows[:, None]])


def _merged(layer: nn.Conv2d, below: Tensor, level: Tensor, *, enlarge: bool) -> Tensor:
    """A layer of single pixels over two sets of channels, without writing them side by side.

    What comes from below goes through it before it is enlarged, which gives the same and is a
    quarter of the work.
    """
    width = below.shape[1]
    coarse = conv2d(below, layer.weight[:, :width])

    if enlarge:
        coarse = interpolate(coarse, scale_factor=2.0, mode="nearest")

    return conv2d(level, layer.weight[:, width:], layer.bias).add_(coarse)


class RestoringNetwork(nn.Module):
    """A U-Net at half the crop's resolution, between pixel-unshuffle and pixel-shuffle."""

    def __init__(self, config: RestoringConfig = RestoringConfig()) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.embed = nn.Sequential(
            nn.Linear(len(ATTRIBUTES), config.condition),
            nn.SiLU(),
            nn.Linear(config.condition, config.condition),
            nn.SiLU(),
        )
        self.enter = nn.Conv2d(7 * 4 + len(GROUPS), widths[0], 3, 1, 1)
        self.down = nn.ModuleList()
        before = widths[0]

        for width in widths:
            self.down.append(_Block(before, width, config.condition))
            before = width

        self.middle = _Block(before, before, config.condition)
        self.merge = nn.ModuleList()
        self.up = nn.ModuleList()

        for width in reversed(widths):
            self.merge.append(nn.Conv2d(before + width, width, 1))
            self.up.append(_Block(width, width, config.condition))
            before = width

        self.leave = nn.Conv2d(before, 64, 3, 1, 1)
        self.fine = nn.Conv2d(16 + 7, 16, 3, 1, 1)
        self.paint = nn.Conv2d(16, 3, 3, 1, 1)
        nn.init.normal_(self.paint.weight, std=1e-2)
        nn.init.zeros_(self.paint.bias)  # type: ignore[arg-type]

    def forward(self, reduced: Tensor, heat: Tensor, attributes: Tensor) -> Tensor:
        """Restored crops.

        Args:
            reduced: (n, 7, s, s), what :func:`reduce_faces` gives.
            heat: (n, 7, s / 2, s / 2), what :func:`heat_maps` gives.
            attributes: (n, 13).

        Returns:
            (n, 3, s, s), RGB from -1 to 1.
        """
        kind = (
            self.enter.weight.dtype
        )  # what is read off the picture stays exact until it enters a layer
        condition = _by_rows(self.embed, attributes.to(kind))
        x = self.enter(torch.cat([pixel_unshuffle(reduced.to(kind), 2), heat.to(kind)], 1))
        levels = []

        for depth, block in enumerate(self.down):
            if depth:
                x = nn.functional.avg_pool2d(x, 2)

            x = block(x, condition)
            levels.append(x)

        x = self.middle(x, condition)
        steps = zip(self.merge, self.up, reversed(levels), strict=True)
        for depth, (merge, block, level) in enumerate(steps):
            merged = _merged(merge, x, level, enlarge=depth > 0)  # type: ignore[arg-type]
            x = block(merged, condition)

        fine = pixel_shuffle(self.leave(relu(x)), 2)
        fine = relu(self.fine(torch.cat([fine, reduced.to(fine.dtype)], 1)))
        return torch.tanh(self.paint(fine) + reduced[:, 3:6])


def reduce_faces(faces: Tensor, visible: Tensor, superpixels: int) -> Tensor:
    """What is left of faces before they are restored.

    Args:
        faces: (n, 3, s, s), RGB from -1 to 1.
        visible: (n, 1, s, s), 0 to 1: where the face's skin is seen, and so where it is reduced.
        superpixels: Squares across the crop.

    Returns:
        (n, 7, s, s): the picture with the face reduced, the reduced picture alone, and where it was
        reduced.
    """
    side = faces.shape[-1]
    low = interpolate(faces, size=superpixels, mode="area")
    smooth = interpolate(low, size=side, mode="bicubic", align_corners=False).clamp(-1, 1)
    hidden = (visible > 0).to(faces.dtype)
    mixed = torch.lerp(faces, smooth, hidden)

    return torch.cat([mixed, smooth, visible], 1)


def heat_maps(landmarks: Tensor, side: int, spread: float) -> Tensor:
    """Blurred landmarks as pictures at half the crop's resolution.

    Args:
        landmarks: (n, 68, 2), as shares of the crop's side: 0 is the left or upper edge, 1 the
            other.
        side: Of the crop, in pixels.
        spread: Standard deviation of each landmark's heat, as a share of the side.

    Returns:
        (n, 7, side / 2, side / 2), 0 to 1: one map a group of :data:`GROUPS`, the hottest landmark
        at each place.
    """
    cells = side // 2
    place = (torch.arange(cells, dtype=torch.float32, device=landmarks.device) + 0.5) / cells
    distance = (landmarks.float()[..., None] - place) / spread
    weight = torch.exp(-0.5 * distance**2)
    across = weight[:, :, 0]
    down = weight[:, :, 1]
    maps = []

    for group in GROUPS:
        points = list(group)
        heat = down[:, points, :, None] * across[:, points, None, :]
        maps.append(heat.amax(1))

    return torch.stack(maps, 1)
