"""A Darknet YOLOv3 network through OpenCV equals a plain reference of layers and boxes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from attrsearch.core.errors import WeightsError
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.yolo import Yolo, decode, read_input_size, suppress

SIDE = 64
ANCHORS = ((10, 14), (23, 27), (37, 58))
CONFIG = f"""
# a small network with every kind of layer a YOLOv3 has
[net]
batch=1
width={SIDE}   # of the input
height={SIDE}
channels=3

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky

[convolutional]
batch_normalize=1
filters=8
size=3
stride=1
pad=1
activation=leaky

[shortcut]
from=-2
activation=linear

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky

[upsample]
stride=2

[route]
layers=-1,2

[convolutional]
filters=18
size=1
stride=1
pad=1
activation=linear

[yolo]
mask=0,1,2
anchors={", ".join(f"{w},{h}" for w, h in ANCHORS)}
classes=1
num=3
ignore_thresh=.5
truth_thresh=1
random=0
"""
LAYERS = ((3, 8, 3, True), (8, 8, 3, True), (8, 8, 3, True), (16, 18, 1, False))


def make_weights(path: Path, seed: int = 0) -> list[dict[str, np.ndarray]]:
    """Random weights in Darknet's order: bias, scale, mean, variance, kernel.

    The header is major, minor, revision.
    """
    random = np.random.default_rng(seed)
    layers = []
    with path.open("wb") as file:
        np.array([0, 2, 0], np.int32).tofile(file)
        np.array([0], np.int64).tofile(file)
        for inputs, outputs, size, normed in LAYERS:
            layer = {"bias": random.normal(0, 0.3, outputs)}
            if normed:
                layer |= {
                    "scale": random.uniform(0.5, 1.5, outputs),
                    "mean": random.normal(0, 0.2, outputs),
                    "variance": random.uniform(0.5, 1.5, outputs),
                }
            layer["kernel"] = random.normal(
                0, 1.2 / np.sqrt(inputs * size * size), (outputs, inputs, size, size)
            )
            for name in ("bias", "scale", "mean", "variance", "kernel"):
                if name in layer:
                    layer[name] = layer[name].astype(np.float32)
                    layer[name].tofile(file)
            layers.append(layer)
    return layers


@pytest.fixture(scope="module")
def network(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path, list[dict[str, np.ndarray]]]:
    folder = tmp_path_factory.mktemp("yolo")
    (folder / "face.cfg").write_text(CONFIG)
    return folder / "face.cfg", folder / "face.weights", make_weights(folder / "face.weights")


def convolve(
    x: torch.Tensor, layer: dict[str, np.ndarray], stride: int, leaky: bool
) -> torch.Tensor:
    kernel = torch.from_numpy(layer["kernel"])
    x = functional.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)
    column = {
        name: torch.from_numpy(values)[None, :, None, None]
        for name, values in layer.items()
        if name != "kernel"
    }
    if "scale" in layer:
        x = (x - column["mean"]) / torch.sqrt(column["variance"] + 1e-6) * column["scale"]
    x = x + column["bias"]
    return functional.leaky_relu(x, 0.1) if leaky else x


def reference(
    picture: Picture, layers: list[dict[str, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes in pixels and probabilities of every cell and anchor, as the paper has them."""
    height, width = picture.shape[:2]
    assert (width, height) == (SIDE, SIDE)  # so that nothing is resized
    x = torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255)
    first = convolve(x, layers[0], 2, True)
    second = convolve(first, layers[1], 1, True) + first
    third = convolve(second, layers[2], 2, True)
    joined = torch.cat([functional.interpolate(third, scale_factor=2, mode="nearest"), second], 1)
    out = convolve(joined, layers[3], 1, False)[0].numpy()
    cells = out.shape[1]
    boxes, scores = [], []
    for anchor, (w, h) in enumerate(ANCHORS):
        tx, ty, tw, th, objectness, face = out[6 * anchor : 6 * anchor + 6]
        for row in range(cells):
            for column in range(cells):
                sigmoid = 1 / (
                    1 + np.exp(-np.array([v[row, column] for v in (tx, ty, objectness, face)]))
                )
                cx, cy = (column + sigmoid[0]) / cells * SIDE, (row + sigmoid[1]) / cells * SIDE
                bw, bh = w * np.exp(tw[row, column]), h * np.exp(th[row, column])
                boxes.append((cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2))
                scores.append(sigmoid[2] * sigmoid[3])
    return np.array(boxes, np.float32), np.array(scores, np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_layers_and_boxes_equal_the_reference(
    network: tuple[Path, Path, list[dict[str, np.ndarray]]], seed: int
) -> None:
    config, weights, layers = network
    picture = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    boxes, scores = reference(picture, layers)
    kept = (scores >= 0.3) & (boxes[:, 2] - boxes[:, 0] >= 8)
    boxes, scores = suppress(boxes[kept], scores[kept])
    assert len(boxes) > 3
    (found,) = Yolo(config, weights, score=0.3, landmarks=False).detect(picture[None])
    assert np.allclose(found.probabilities, scores, atol=1e-3)
    assert np.allclose(found.boxes, boxes, atol=0.05)
    assert np.isnan(found.landmarks).all()
    assert (np.diff(found.probabilities) <= 0).all()


def test_a_picture_of_another_size_gives_boxes_in_its_own_pixels(
    network: tuple[Path, Path, list[dict[str, np.ndarray]]],
) -> None:
    config, weights, _ = network
    yolo = Yolo(config, weights, score=0.3, min_face=0, landmarks=False)
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    wide = np.repeat(np.repeat(picture, 2, 0), 4, 1)  # 256 x 128: four and two times
    import cv2

    assert np.array_equal(cv2.resize(wide, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), picture)
    (small,), (large,) = yolo.detect(picture[None]), yolo.detect(wide[None])
    top = small.boxes[0] * np.float32([4, 2, 4, 2])
    assert np.allclose(large.boxes[0], top, atol=0.2)
    assert large.probabilities[0] == pytest.approx(small.probabilities[0], abs=1e-4)


def test_min_face_and_no_pictures(network: tuple[Path, Path, list[dict[str, np.ndarray]]]) -> None:
    config, weights, _ = network
    picture = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3)).astype(np.uint8)
    (found,) = Yolo(config, weights, score=0.1, min_face=30, landmarks=False).detect(picture)
    assert (found.boxes[:, 2] - found.boxes[:, 0] >= 30).all()
    assert Yolo(config, weights, landmarks=False).detect(picture[:0]) == []


def test_landmarks_are_looked_for_in_every_box(
    network: tuple[Path, Path, list[dict[str, np.ndarray]]],
    astronaut: Picture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config, weights, _ = network
    yolo = Yolo(config, weights)
    row = np.float32([[0.5, 0.51, 0.42, 0.55, 0.9, 0.9], [0.1, 0.1, 0.15, 0.15, 0.8, 0.8]])

    class Net:
        def setInput(self, blob: object) -> None:  # noqa: N802
            return None

        def forward(self, names: object) -> list[np.ndarray]:
            return [row]

    monkeypatch.setattr(yolo, "_net", Net())
    (found,) = yolo.detect(astronaut[None])
    assert len(found) == 2
    eyes, mouth = found.landmarks[0, :2], found.landmarks[0, 3:]
    assert np.abs(eyes - [[103, 109], [151, 112]]).max() < 12
    assert eyes[:, 1].max() < mouth[:, 1].min()
    assert np.isnan(found.landmarks[1]).all()  # no face there


def test_boxes_are_decoded_and_thinned_out() -> None:
    boxes, scores = decode(np.float32([[0.5, 0.5, 0.2, 0.4, 0.9, 0.1, 0.7]]), 200, 100)
    assert np.allclose(boxes, [[80, 30, 120, 70]])
    assert scores[0] == pytest.approx(0.7)
    assert decode(np.float32([[0.5, 0.5, 0.2, 0.4, 0.9]]), 200, 100)[1][0] == pytest.approx(0.9)
    three = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10]])
    kept, left = suppress(three, np.float32([0.5, 0.9, 0.7]))
    assert kept.tolist() == [[1, 0, 11, 10], [30, 0, 40, 10]]
    assert np.allclose(left, [0.9, 0.7])
    assert len(suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))[0]) == 0


def test_the_input_size_is_that_of_the_net_section(tmp_path: Path) -> None:
    config = tmp_path / "a.cfg"
    config.write_text(
        "[net]\n# width=1\n width = 416 # wide\nheight=320\n[crop]\nwidth=5\nheight=5\n"
    )
    assert read_input_size(config) == (416, 320)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            "no cfg",
            "face.cfg: needs a Darknet network, found no such file; give both files: --yolo",
        ),
        (
            "no weights",
            "face.weights: needs a Darknet network, found no such file; give both files: --yolo",
        ),
        (
            "no size",
            "face.cfg: needs width and height in its [net] section, found {}; give the .cfg",
        ),
        (
            "no network",
            "face.cfg: needs width and height in its [net] section, found {}; give the .cfg",
        ),
        ("unknown layer", "face.cfg: needs a Darknet network, found "),
        ("short weights", "face.weights: needs weights of face.cfg"),
        ("long weights", "face.weights: needs weights of face.cfg"),
        ("empty weights", "face.weights: needs weights of face.cfg"),
    ],
)
def test_bad_networks_are_one_clear_line(tmp_path: Path, change: str, line: str) -> None:
    config, weights = tmp_path / "face.cfg", tmp_path / "face.weights"
    config.write_text(CONFIG)
    make_weights(weights)
    whole = weights.read_bytes()
    if change == "no cfg":
        config.unlink()
    elif change == "no weights":
        weights.unlink()
    elif change == "no size":
        config.write_text(CONFIG.replace(f"width={SIDE}", "").replace(f"height={SIDE}", ""))
    elif change == "no network":
        config.write_text("this is no network")
    elif change == "unknown layer":
        config.write_text(CONFIG.replace("[upsample]", "[dreaming]"))
    else:
        weights.write_bytes(
            {"short": whole[:-400], "long": whole + b"\0" * 400, "empty": b""}[
                change.split(maxsplit=1)[0]
            ]
        )
    with pytest.raises(WeightsError) as error:
        Yolo(config, weights)
    assert line in str(error.value)
    assert "\n" not in str(error.value)
