"""Inception-ResNet-v1, the network of FaceNet.

Its batch norms and residual scales are folded into its convolutions.

Source: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
Learning", 2017, in the dimensions of Sandberg's FaceNet. Names of layers are facenet-pytorch's, so
that its published weights load; what a search runs thousands of times has no layer left that a
convolution can do as well.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

SIDE = 160
OUTPUTS = 512
EPSILON = 1e-3
"""Added to the variance in every batch norm of the network."""

Size = int | tuple[int, int]

RESIDUAL_SCALES = {"repeat_1": 0.17, "repeat_2": 0.10, "repeat_3": 0.20, "block8": 1.0}
"""What the branches of a residual block are multiplied by before they are added."""


class Inception(nn.Module):
    """The network up to its embedding, which is not normalised.

    Input (n, 3, 160, 160), RGB, ``(pixel - 127.5) / 128``; output (n, 512).
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1a = Unit(3, 32, 3, stride=2)
        self.conv2d_2a = Unit(32, 32, 3)
        self.conv2d_2b = Unit(32, 64, 3, padding=1)
        self.maxpool_3a = nn.MaxPool2d(3, stride=2)
        self.conv2d_3b = Unit(64, 80, 1)
        self.conv2d_4a = Unit(80, 192, 3)
        self.conv2d_4b = Unit(192, 256, 3, stride=2)
        self.repeat_1 = nn.Sequential(*(_block_35() for _ in range(5)))
        self.mixed_6a = _mixed_6a()
        self.repeat_2 = nn.Sequential(*(_block_17() for _ in range(10)))
        self.mixed_7a = _mixed_7a()
        self.repeat_3 = nn.Sequential(*(_block_8() for _ in range(5)))
        self.block8 = _block_8(last=True)
        self.last_linear = nn.Linear(1792, OUTPUTS)

    def forward(self, faces: Tensor) -> Tensor:
        """Embed standardised faces."""
        x = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(faces)))
        x = self.conv2d_3b(self.maxpool_3a(x))
        x = self.conv2d_4b(self.conv2d_4a(x))
        x = self.mixed_6a(self.repeat_1(x))
        x = self.mixed_7a(self.repeat_2(x))
        x = self.block8(self.repeat_3(x))
        embedded: Tensor = self.last_linear(x.mean((2, 3)))

        return embedded


class Unit(nn.Module):
    """A convolution with its bias, and what is below zero cut off."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Size, stride: int = 1, padding: Size = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        return torch.relu_(self.conv(x))


class Branches(nn.Module):
    """Several paths from one input, their outputs one after another along the channels."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self._names = tuple(f"branch{number}" for number in range(len(branches)))
        for name, branch in zip(self._names, branches, strict=True):
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        """Apply them."""
        return torch.cat([self.get_submodule(name)(x) for name in self._names], 1)


class Residual(Branches):
    """Branches brought back to the channels of the input by a convolution, and added to it.

    Args:
        branches: The paths.
        width: Channels that the branches have together.
        channels: Of the input and the output.
        last: Whether negative values stay.
    """

    def __init__(self, *branches: nn.Module, width: int, channels: int, last: bool = False) -> None:
        super().__init__(*branches)
        self.conv2d = nn.Conv2d(width, channels, 1)
        self._last = last

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        total: Tensor = self.conv2d(super().forward(x)).add_(x)
        return total if self._last else torch.relu_(total)


def fold(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of :class:`Inception` from a state of facenet-pytorch's ``InceptionResnetV1``.

    Args:
        state: Convolutions ``X.conv.weight``, batch norms ``X.bn.*``; the classifier ``logits`` is
            left out.

    Raises:
        KeyError: A part is missing.
    """
    folded: dict[str, Tensor] = {}

    for name, weight in state.items():
        if not name.endswith(".conv.weight"):
            continue

        layer = name.removesuffix(".conv.weight")
        factor, offset = _norm(state, f"{layer}.bn")
        folded[name] = weight * factor[:, None, None, None]
        folded[f"{layer}.conv.bias"] = offset

    for name, value in state.items():
        if ".conv2d." in name:
            folded[name] = value * RESIDUAL_SCALES[name.split(".")[0]]

    factor, offset = _norm(state, "last_bn")
    folded["last_linear.weight"] = state["last_linear.weight"] * factor[:, None]
    folded["last_linear.bias"] = offset
    return folded


def build(folded: Mapping[str, Tensor]) -> Inception:
    """The network with the given weights, frozen, in evaluation mode.

    Raises:
        RuntimeError: Weights are missing, too many, or of another shape.
    """
    with torch.device("meta"):  # random starting values would take longer than everything else here
        network = Inception()

    network.load_state_dict(dict(folded), strict=True, assign=True)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _norm(state: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """A batch norm as what its input is multiplied by and what is added."""
    factor = state[f"{name}.weight"] / torch.sqrt(state[f"{name}.running_var"] + EPSILON)
    return factor, state[f"{name}.bias"] - state[f"{name}.running_mean"] * factor


def _chain(channels: Sequence[int], kernels: Sequence[Size], last_stride: int = 1) -> nn.Sequential:
    """Convolutions one after another that keep the size, but for the last where it has a stride."""
    units: list[nn.Module] = []

    for number, kernel in enumerate(kernels):
        reduces = last_stride > 1 and number == len(kernels) - 1
        padding = (0, 0) if reduces else _same(kernel)
        stride = last_stride if reduces else 1
        units.append(Unit(channels[number], channels[number + 1], kernel, stride, padding))

    return nn.Sequential(*units)


def _same(kernel: Size) -> tuple[int, int]:
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    return height // 2, width // 2


def _block_35() -> Residual:
    return Residual(
        Unit(256, 32, 1),
        _chain((256, 32, 32), (1, 3)),
        _chain((256, 32, 32, 32), (1, 3, 3)),
        width=96,
        channels=256,
    )


def _mixed_6a() -> Branches:
    return Branches(
        Unit(256, 384, 3, stride=2),
        _chain((256, 192, 192, 256), (1, 3, 3), last_stride=2),
        nn.MaxPool2d(3, stride=2),
    )


def _block_17() -> Residual:
    return Residual(
        Unit(896, 128, 1),
        _chain((896, 128, 128, 128), (1, (1, 7), (7, 1))),
        width=256,
        channels=896,
    )


def _mixed_7a() -> Branches:
    return Branches(
        _chain((896, 256, 384), (1, 3), last_stride=2),
        _chain((896, 256, 256), (1, 3), last_stride=2),
        _chain((896, 256, 256, 256), (1, 3, 3), last_stride=2),
        nn.MaxPool2d(3, stride=2),
    )


def _block_8(last: bool = False) -> Residual:
    return Residual(
        Unit(1792, 192, 1),
        _chain((1792, 192, 192, 192), (1, (1, 3), (3, 1))),
        width=384,
        channels=1792,
        last=last,
    )
