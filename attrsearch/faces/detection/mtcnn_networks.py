"""MTCNN's three networks with the weights that facenet-pytorch's wheel carries.

That package is not imported: it imports torchvision, which takes as long as torch itself.

Source: Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", 2016.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from attrsearch.core.errors import WeightsError
from attrsearch.core.wheels import wheel_file


class Stage(nn.Module):
    """One network of the cascade: layers one after another, then heads side by side.

    Its input is (n, 3, h, w), ``(pixel - 127.5) / 128``. Its outputs are those of the heads in
    their order; the last is made probabilities (n, 2, ...): no face, face.
    """

    def __init__(self, trunk: Mapping[str, nn.Module], heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self._trunk = tuple(trunk)
        self._heads = tuple(heads)

        for name, layer in (*trunk.items(), *heads.items()):
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Apply it."""
        for name in self._trunk:
            x = self.get_submodule(name)(x)

        outputs = [self.get_submodule(name)(x) for name in self._heads]
        return (*outputs[:-1], outputs[-1].softmax(1))


class Columns(nn.Module):
    """(n, channels, height, width) as rows, column by column.

    The order in which the weights were trained.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        return x.permute(0, 3, 2, 1).flatten(1)


def load_pnet() -> Stage:
    """The first network, over whole pictures of at least 12 pixels.

    Boxes (n, 4, h', w') and probabilities.
    """
    trunk = {
        "conv1": nn.Conv2d(3, 10, 3),
        "prelu1": nn.PReLU(10),
        "pool1": _pool(2),
        "conv2": nn.Conv2d(10, 16, 3),
        "prelu2": nn.PReLU(16),
        "conv3": nn.Conv2d(16, 32, 3),
        "prelu3": nn.PReLU(32),
    }
    heads = {"conv4_2": nn.Conv2d(32, 4, 1), "conv4_1": nn.Conv2d(32, 2, 1)}
    return _load("pnet", Stage(trunk, heads))


def load_rnet() -> Stage:
    """The second network, over candidates of 24 x 24: boxes (n, 4) and probabilities (n, 2)."""
    trunk = {
        "conv1": nn.Conv2d(3, 28, 3),
        "prelu1": nn.PReLU(28),
        "pool1": _pool(3),
        "conv2": nn.Conv2d(28, 48, 3),
        "prelu2": nn.PReLU(48),
        "pool2": _pool(3),
        "conv3": nn.Conv2d(48, 64, 2),
        "prelu3": nn.PReLU(64),
        "columns": Columns(),
        "dense4": nn.Linear(576, 128),
        "prelu4": nn.PReLU(128),
    }
    heads = {"dense5_2": nn.Linear(128, 4), "dense5_1": nn.Linear(128, 2)}
    return _load("rnet", Stage(trunk, heads))


def load_onet() -> Stage:
    """The last network, over candidates of 48 x 48, frozen and differentiable.

    Its outputs are the box (n, 4), landmarks (n, 10: five x, five y) and probabilities (n, 2: no
    face, face).
    """
    trunk = {
        "conv1": nn.Conv2d(3, 32, 3),
        "prelu1": nn.PReLU(32),
        "pool1": _pool(3),
        "conv2": nn.Conv2d(32, 64, 3),
        "prelu2": nn.PReLU(64),
        "pool2": _pool(3),
        "conv3": nn.Conv2d(64, 64, 3),
        "prelu3": nn.PReLU(64),
        "pool3": _pool(2),
        "conv4": nn.Conv2d(64, 128, 2),
        "prelu4": nn.PReLU(128),
        "columns": Columns(),
        "dense5": nn.Linear(1152, 256),
        "prelu5": nn.PReLU(256),
    }
    heads = {
        "dense6_2": nn.Linear(256, 4),
        "dense6_3": nn.Linear(256, 10),
        "dense6_1": nn.Linear(256, 2),
    }
    return _load("onet", Stage(trunk, heads))


def stage_file(name: str) -> Path:
    """The weights of ``pnet``, ``rnet`` or ``onet``.

    Raises:
        UnavailableError: The package is not installed.
    """
    return wheel_file("facenet_pytorch", f"data/{name}.pt")


def _pool(size: int) -> nn.MaxPool2d:
    # the weights come from Caffe, which rounds up
    return nn.MaxPool2d(size, 2, ceil_mode=True)


def _load(name: str, stage: Stage) -> Stage:
    """Fill a network with its weights, and freeze it."""
    path = stage_file(name)

    try:
        stage.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (
        OSError,
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        AttributeError,
        TypeError,
    ) as error:
        raise WeightsError(
            path,
            required=f"the weights of MTCNN's {name}",
            found=" ".join(str(error).split())[:120],
            hint="pip install --force-reinstall --no-deps facenet-pytorch==2.5.3",
        ) from error

    return stage.eval().requires_grad_(False).to(memory_format=torch.channels_last)
