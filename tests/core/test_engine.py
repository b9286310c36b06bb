"""ONNX Runtime as the engine: the same results, files that are checked, providers, refusals."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import attrsearch.core.compute as asked
from attrsearch.cli.main import main
from attrsearch.core.compute import compute_with, computed_by, computing, onnx_folder
from attrsearch.core.engine import OnnxNetwork, choose_providers, on_engine
from attrsearch.core.errors import UnavailableError, WeightsError
from attrsearch.editing.editor import load_editor
from attrsearch.editing.realign import SecondAlignment
from attrsearch.faces.attribute_classifier import TraitsClassifier
from attrsearch.faces.dataset import Identity
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.faces.recognition.facenet import FaceNet
from attrsearch.faces.recognition.sface import SFace
from attrsearch.faces.sampling import to_editor
from attrsearch.search.evaluator import Evaluator, Request
from tests.editors import made_up_editor

pytest.importorskip("onnxruntime")

OFFERED = ["CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where networks of this module are kept as ONNX files."""
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture(autouse=True)
def _in_a_folder(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ATTRSEARCH_ONNX", str(kept))
    yield
    compute_with("auto", "torch")


@pytest.mark.parametrize("name", ["anonymiser", "thesis"])
def test_a_search_measures_the_same(people: list[Identity], name: str) -> None:
    """Distances of edits by both engines differ by less than 1e-3, and so does all else."""
    found = []
    for engine in asked.ENGINES:
        compute_with(engine=engine)
        detector = Mtcnn(48)
        realign = SecondAlignment(detector) if name == "thesis" else None
        judges = [
            CalibratedRecogniser(FaceNet(precision="fp32"), load_calibration("facenet")),
            CalibratedRecogniser(SFace("fp32"), load_calibration("sface")),
        ]
        evaluator = Evaluator(load_editor(name, "fp32", realign), detector, judges, critic=Critic())
        rows = []

        for person in people:
            subject, _ = evaluator.prepare(person.faces)
            assert subject is not None
            passes = 1 if name == "anonymiser" else 2
            sets = np.random.default_rng(0).uniform(-1, 1, (2, passes, 13)).astype(np.float32)
            scores = evaluator.evaluate([Request(subject, sets)])[0]
            rows.append(np.stack(list(vars(scores).values())).reshape(-1))
            crops = to_editor([face.crop for face in person.faces])
            rows.append(TraitsClassifier().probabilities(crops).reshape(-1))

        found.append(np.concatenate(rows))

    # the second pass of thesis is aligned anew by what a detector finds, which last bits move
    assert np.abs(found[0] - found[1]).max() < (1e-3 if name == "anonymiser" else 0.05)


def test_a_restoring_editor_edits_the_same(people: list[Identity], tmp_path: Path) -> None:
    file = made_up_editor(tmp_path / "made-up.safetensors")
    crops = to_editor([face.crop for face in people[0].faces])
    sets = np.random.default_rng(0).uniform(-1, 1, (len(crops), 1, 13)).astype(np.float32)
    found = []

    for engine in asked.ENGINES:
        with computed_by(engine):
            editor = load_editor(str(file), "fp32")
            size = (editor.size, editor.size)
            own = torch.nn.functional.interpolate(crops, size=size)
            found.append(editor.edit(editor.encode(own), sets))

    assert torch.allclose(*found, rtol=0, atol=1e-3)


def test_a_network_is_written_once_and_checked(kept: Path) -> None:
    compute_with(engine="onnxruntime")
    layer = torch.nn.Linear(3, 2).eval().requires_grad_(False)
    rows = torch.ones(5, 3)
    network = on_engine(layer, "line", "0" * 64, [torch.zeros(2, 3)])
    assert isinstance(network, OnnxNetwork)
    assert network.providers[-1] == "CPUExecutionProvider"
    assert torch.allclose(network(rows), layer(rows), atol=1e-6)

    path = kept / f"line-{'0' * 12}.onnx"
    written = path.stat().st_mtime_ns
    on_engine(layer, "line", "0" * 64, [torch.zeros(2, 3)])
    assert path.stat().st_mtime_ns == written

    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(WeightsError, match=r"line-0+\.onnx: needs SHA-256 .* remove it"):
        on_engine(layer, "line", "0" * 64, [torch.zeros(2, 3)])

    about = path.with_suffix(".json")
    about.write_text(json.dumps({"sha256": 1}) + "x")
    with pytest.raises(WeightsError, match="needs the hash of line-"):
        OnnxNetwork(path)


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"nothing")
    sha256 = "3ea3b8cc1d4d4d9f1e3e"
    path.with_suffix(".json").write_text(json.dumps({"sha256": sha256}))
    with pytest.raises(WeightsError, match="SHA-256"):
        OnnxNetwork(path)

    from attrsearch.core.weights import file_sha256

    path.with_suffix(".json").write_text(json.dumps({"sha256": file_sha256(path)}))
    with pytest.raises(WeightsError, match="a network that ONNX Runtime can run"):
        OnnxNetwork(path)


def test_torch_stays_torch() -> None:
    layer = torch.nn.Linear(3, 2)
    assert on_engine(layer, "line", "", []) is layer
    with computed_by("onnxruntime"):
        assert computing().engine == "onnxruntime"
    assert computing().engine == "torch"


def test_gradients_are_torchs() -> None:
    """What is exchanged for a loss is torch's network, whatever engine embeds."""
    with computed_by("onnxruntime"):
        recogniser = SFace("fp32")
    assert isinstance(recogniser._network, OnnxNetwork)
    recogniser.replace(lambda network: network)
    faces = torch.zeros(2, 3, 112, 112, requires_grad=True)
    recogniser.embed_aligned(faces).sum().backward()
    assert faces.grad is not None


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("auto", ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("cpu", ["CPUExecutionProvider"]),
        ("cuda", ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("cuda:2", [("CUDAExecutionProvider", {"device_id": 2}), "CPUExecutionProvider"]),
    ],
)
def test_providers(device: str, expected: list[object]) -> None:
    assert choose_providers(device, OFFERED) == expected


def test_a_provider_that_is_not_offered() -> None:
    with pytest.raises(
        UnavailableError, match=r"--device mps: .*which offers CUDAExecutionProvider"
    ):
        choose_providers("mps", OFFERED)


def test_an_engine_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asked, "find_spec", lambda _: None)
    assert main(["bench", "--engine", "onnxruntime"]) == 2
    line = capsys.readouterr().err
    assert "--engine onnxruntime: needs the package onnxruntime, found no such package" in line
    assert "pip install 'attrsearch[onnx]'" in line


def test_where_networks_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert onnx_folder().name.startswith("onnx")
    monkeypatch.delenv("ATTRSEARCH_ONNX")
    monkeypatch.setenv("ATTRSEARCH_HOME", str(tmp_path))
    assert onnx_folder() == tmp_path / "onnx"
    monkeypatch.delenv("ATTRSEARCH_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert onnx_folder() == tmp_path / "attrsearch" / "onnx"


@pytest.mark.slow
def test_everything_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "export", "--out", str(tmp_path), "--editor", "anonymiser"]) == 0
    names = {path.name.rsplit("-", 1)[0] for path in tmp_path.glob("*.onnx")}
    assert {"anonymiser-encoder", "anonymiser-decoder", "facenet", "sface", "pnet"} <= names
    assert "facenet-704afe26766c.onnx" in capsys.readouterr().out
