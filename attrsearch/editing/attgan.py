"""The AttGAN generator: an encoder, and a decoder conditioned on 13 attributes.

Source: He et al., "AttGAN", 2019.  Layer names and arithmetic are those of the published
AttGAN-PyTorch generator, so that its checkpoints load unchanged and give the same picture.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from attrsearch.core.attributes import ATTRIBUTES

MAX_CHANNELS = 1024
Norm = Literal["batchnorm", "instancenorm", "none"]
Activation = Literal["relu", "lrelu", "tanh", "none"]


@dataclass(frozen=True)
class GeneratorConfig:
    """The shape of a generator, in the words of AttGAN-PyTorch's ``setting.txt``.

    Attributes:
        img_size: Side of the square picture in pixels, 128 to 384.
        enc_dim: Channels after the first encoder layer; they double up to 1,024.
        shortcut_layers: How many decoder layers are given the encoder's output of their size.
        inject_layers: How many decoder layers after the first are given the attributes again.
    """

    img_size: int = 128
    enc_dim: int = 64
    enc_layers: int = 5
    enc_norm: Norm = "batchnorm"
    enc_acti: Activation = "lrelu"
    dec_dim: int = 64
    dec_layers: int = 5
    dec_norm: Norm = "batchnorm"
    dec_acti: Activation = "relu"
    shortcut_layers: int = 1
    inject_layers: int = 0


class Block(nn.Module):
    """A convolution, its normalisation and its activation, named ``layers.0`` to ``layers.2``."""

    def __init__(
        self, convolution: nn.Module, channels: int, norm: Norm, activation: Activation
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(convolution, *_norm(norm, channels), *_activation(activation))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layers in order."""
        return self.layers(x)  # type: ignore[no-any-return]


class Generator(nn.Module):
    """G: a picture (n, 3, size, size), -1 to 1, and attributes (n, 13) to an edited picture."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        attributes = len(ATTRIBUTES)
        self.shortcut_layers = min(config.shortcut_layers, config.dec_layers - 1)
        self.inject_layers = min(config.inject_layers, config.dec_layers - 1)
        self.enc_layers = nn.ModuleList()
        channels = 3

        for i in range(config.enc_layers):
            out = min(config.enc_dim * 2**i, MAX_CHANNELS)
            down = nn.Conv2d(channels, out, 4, 2, 1, bias=config.enc_norm == "none")
            self.enc_layers.append(Block(down, out, config.enc_norm, config.enc_acti))
            channels = out

        self.dec_layers = nn.ModuleList()
        channels += attributes

        for i in range(config.dec_layers - 1):
            out = min(config.dec_dim * 2 ** (config.dec_layers - i - 1), MAX_CHANNELS)
            up = nn.ConvTranspose2d(channels, out, 4, 2, 1, bias=config.dec_norm == "none")
            self.dec_layers.append(Block(up, out, config.dec_norm, config.dec_acti))
            channels = out + (out // 2 if self.shortcut_layers > i else 0)
            channels += attributes if self.inject_layers > i else 0

        self.dec_layers.append(Block(nn.ConvTranspose2d(channels, 3, 4, 2, 1), 3, "none", "tanh"))

    def encode(self, x: Tensor) -> list[Tensor]:
        """The output of every encoder layer, coarsest last."""
        features = []
        for layer in self.enc_layers:
            x = layer(x)
            features.append(x)

        return features

    def decode(self, features: list[Tensor], attributes: Tensor) -> Tensor:
        """The picture (n, 3, size, size) from -1 to 1 for encoded features and attributes (n, 13).

        Of the features only the last one and those given to shortcut layers are read.
        """
        x = torch.cat([features[-1], _tile(attributes, features[-1])], 1)

        for i, layer in enumerate(self.dec_layers):
            x = layer(x)
            if self.shortcut_layers > i:
                x = torch.cat([x, features[-2 - i]], 1)

            if self.inject_layers > i:
                x = torch.cat([x, _tile(attributes, x)], 1)

        return x

    def forward(self, x: Tensor, attributes: Tensor) -> Tensor:
        """Edit pictures (n, 3, size, size) towards attributes (n, 13)."""
        return self.decode(self.encode(x), attributes)


class Encoder(nn.Module):
    """The first half of a generator: pictures to the outputs of its last layers, coarsest last."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        self._tail = 1 + generator.shortcut_layers
        self.train(generator.training)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The features that :class:`Decoder` reads."""
        return tuple(self.generator.encode(x)[-self._tail :])


class Decoder(nn.Module):
    """The second half: attributes (n, 13) and features to edited pictures."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        self.train(generator.training)

    def forward(self, attributes: Tensor, *features: Tensor) -> Tensor:
        """The pictures (n, 3, size, size)."""
        return self.generator.decode(list(features), attributes)


def _tile(attributes: Tensor, like: Tensor) -> Tensor:
    return attributes[:, :, None, None].expand(-1, -1, like.shape[2], like.shape[3])


def _norm(name: Norm, channels: int) -> list[nn.Module]:
    if name == "batchnorm":
        return [nn.BatchNorm2d(channels)]
    return [nn.InstanceNorm2d(channels, affine=True)] if name == "instancenorm" else []


def _activation(name: Activation) -> list[nn.Module]:
    kinds: dict[Activation, list[nn.Module]] = {
        "relu": [nn.ReLU()],
        "lrelu": [nn.LeakyReLU()],
        "tanh": [nn.Tanh()],
        "none": [],
    }
    return kinds[name]
