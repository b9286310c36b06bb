"""The plug-ins keep the contract of detectors of further classes."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from attrsearch_classes.plates import Plates
from attrsearch_classes.ssd import Ssd
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageFont

from attrsearch import testing
from attrsearch.core.errors import WeightsError

Picture = npt.NDArray[np.uint8]


def drawn_plate() -> Picture:
    """A plate with made-up letters on something dark, (240, 480, 3)."""
    image = Image.new("RGB", (480, 240), (90, 95, 100))
    pen = ImageDraw.Draw(image)
    pen.rectangle((130, 50, 350, 180), fill=(40, 40, 60))
    pen.rectangle((160, 100, 310, 132), fill=(240, 240, 240), outline=(10, 10, 10))
    font = ImageFont.load_default(26)
    pen.text((167, 100), "A 123 BC 77", fill=(10, 10, 10), font=font)
    return np.asarray(image)


def write_network(path: Path) -> Path:
    """An SSD that finds a quarter of the picture where its top left corner is white."""
    row = np.array([[[[0, 1, -2, 0.25, 0.25, 0.5, 0.75]]]], np.float32)
    grey = np.zeros((1, 1, 1, 7), np.float32)
    grey[..., 2] = 3 / 255
    size = np.array([1, 1, 1, 1], np.int64)
    shape = [1, 3, 300, 300]
    nodes = [
        helper.make_node("Slice", ["x", "from", "to"], ["corner"]),
        helper.make_node("Mul", ["corner", "grey"], ["sure"]),
        helper.make_node("Add", ["sure", "row"], ["y"]),
    ]
    constants = [
        numpy_helper.from_array(np.zeros(4, np.int64), "from"),
        numpy_helper.from_array(size, "to"),
        numpy_helper.from_array(grey, "grey"),
        numpy_helper.from_array(row, "row"),
    ]
    graph = helper.make_graph(
        nodes,
        "ssd",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 7])],
        constants,
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


class TestPlates(testing.ClassDetectorContract):
    def make(self) -> Plates:
        return Plates()

    def example(self) -> tuple[Picture, tuple[float, float]]:
        return drawn_plate(), (235, 116)


class TestSsd(testing.ClassDetectorContract):
    @pytest.fixture(autouse=True)
    def network(self, tmp_path: Path) -> None:
        self.path = write_network(tmp_path / "ssd.onnx")

    def make(self) -> Ssd:
        return Ssd(16, self.path)

    def example(self) -> tuple[Picture, tuple[float, float]]:
        picture = np.zeros((200, 400, 3), np.uint8)
        picture[:100, :100] = 255
        return picture, (150, 100)


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "heads.onnx"
    path.write_text("no network")
    with pytest.raises(WeightsError, match="needs a network that OpenCV can read"):
        Ssd(16, path)
