"""Embedders from ONNX files: small networks that the tests write themselves."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from attrsearch.core.errors import InputError, WeightsError
from attrsearch.faces.alignment import SFACE_SIZE, SFACE_TEMPLATE
from attrsearch.faces.recognition.onnx import OnnxEmbedder


def write_network(
    path: Path, shape: list[int | str], outputs: int = 4, weights: np.ndarray | None = None
) -> Path:
    """Averages over quarters of the picture, then a linear layer."""
    side = next(size for size in shape[1:] if size != 3)
    assert isinstance(side, int)
    nodes = []
    name = "faces"
    if shape[3] == 3:
        nodes.append(helper.make_node("Transpose", [name], ["turned"], perm=[0, 3, 1, 2]))
        name = "turned"
    half = side // 2
    nodes.append(
        helper.make_node(
            "AveragePool", [name], ["pooled"], kernel_shape=[half, half], strides=[half, half]
        )
    )
    nodes.append(helper.make_node("Flatten", ["pooled"], ["flat"], axis=1))
    nodes.append(helper.make_node("Gemm", ["flat", "weight"], ["vector"]))
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(12, outputs)).astype(np.float32) if weights is None else weights
    graph = helper.make_graph(
        nodes,
        "embedder",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [shape[0], outputs])],
        [numpy_helper.from_array(matrix, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


@pytest.fixture
def faces() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three pictures whose faces lie exactly where the template has them."""
    pictures = (
        np.random.default_rng(1).integers(0, 256, (3, SFACE_SIZE, SFACE_SIZE, 3)).astype(np.uint8)
    )
    landmarks = np.repeat(SFACE_TEMPLATE[None], 3, 0)
    return pictures, np.tile(np.float32([20, 20, 90, 110]), (3, 1)), landmarks


def quarters(pictures: np.ndarray) -> np.ndarray:
    """What the network pools, (n, 12), channels first."""
    half = SFACE_SIZE // 2
    parts = pictures.astype(np.float64).reshape(-1, 2, half, 2, half, 3).mean((2, 4))
    return parts.transpose(0, 3, 1, 2).reshape(-1, 12)


@pytest.mark.parametrize("shape", [["n", 3, 112, 112], [1, 3, 112, 112], ["n", 112, 112, 3]])
def test_it_gives_what_the_network_gives(
    tmp_path: Path, faces: tuple[np.ndarray, ...], shape: list[int | str]
) -> None:
    embedder = OnnxEmbedder(write_network(tmp_path / "one.onnx", shape))
    found = embedder.embed(*faces)
    matrix = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    expected = ((quarters(faces[0]) - 127.5) / 127.5) @ matrix
    assert np.allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-3)
    assert embedder.name == "one"
    assert embedder.embed(faces[0][:0], faces[1][:0], faces[2][:0]).shape[0] == 0


def test_pixels_are_what_the_json_beside_it_says(
    tmp_path: Path, faces: tuple[np.ndarray, ...]
) -> None:
    path = write_network(tmp_path / "own.onnx", ["n", 3, 112, 112])
    path.with_suffix(".json").write_text(json.dumps({"mean": 0, "scale": 255, "channels": "bgr"}))
    matrix = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    expected = quarters(faces[0][..., ::-1]) / 255 @ matrix
    found = OnnxEmbedder(path).embed(*faces)
    assert np.allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-3)


@pytest.mark.parametrize("value", [0.0, np.inf])
def test_a_network_that_says_the_same_of_everybody_is_no_judge(
    tmp_path: Path, faces: tuple[np.ndarray, ...], value: float
) -> None:
    path = write_network(
        tmp_path / "dead.onnx", ["n", 3, 112, 112], weights=np.full((12, 4), value, np.float32)
    )
    with (
        np.errstate(all="ignore"),
        pytest.raises(WeightsError, match=r"a vector a face.*dead\.json beside it"),
    ):
        OnnxEmbedder(path).embed(*faces)


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    path = write_network(tmp_path / "own.onnx", ["n", 3, 112, 112])
    path.with_suffix(".json").write_text(json.dumps({"means": 0}))
    with pytest.raises(InputError, match="mean, scale and channels"):
        OnnxEmbedder(path)


def test_what_is_no_embedder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(WeightsError, match="no ONNX file"):
        OnnxEmbedder(tmp_path / "text.onnx")
    with pytest.raises(InputError, match="no such file"):
        OnnxEmbedder(tmp_path / "missing.onnx")
    node = helper.make_node("Identity", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 7]) for name in "xy"]
    onnx.save(
        helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:])),
        str(tmp_path / "flat.onnx"),
    )
    with pytest.raises(WeightsError, match=r"an input of \[1, 7\]"):
        OnnxEmbedder(tmp_path / "flat.onnx")
