"""Where networks compute: names, refusals, and every network and tensor on a second device."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

import attrsearch.core.compute as asked
from attrsearch.cli.compute import hand_on
from attrsearch.cli.main import cli, main
from attrsearch.core import device as devices
from attrsearch.core.compute import compute_with, computing, read_device, refuse_absent
from attrsearch.core.device import CPU, batch_size, choose_device, device, dtype_on, exact_device
from attrsearch.core.errors import UnavailableError
from attrsearch.core.parallel import set_threads, threads
from attrsearch.editing.blending import edit_crops
from attrsearch.editing.editor import load_editor
from attrsearch.editing.realign import SecondAlignment
from attrsearch.evaluation.attacks.inversion import train_undo, undo
from attrsearch.faces.alignment import CROP_TEMPLATE, transform
from attrsearch.faces.attribute_classifier import TraitsClassifier
from attrsearch.faces.dataset import Identity
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.recognition.load import load_recogniser
from attrsearch.faces.sampling import to_editor
from attrsearch.search.config import Execution, RunOptions, with_options
from attrsearch.search.evaluator import Evaluator, Request
from tests.pretended import PRETENDED, pretended


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    compute_with("auto")


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """A second device that ``auto`` takes, in this thread only."""
    before = threads()
    set_threads(1)
    monkeypatch.setattr(devices, "choose_device", lambda name: CPU if name == "cpu" else PRETENDED)

    with pretended() as there:
        yield there

    set_threads(before)


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:3", "mps"])
def test_names_of_devices(name: str) -> None:
    assert read_device(name) == name


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:x", "mps:0", "CPU", "cuda:100"])
def test_what_is_no_device(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="auto, cpu, cuda, cuda:N or mps"):
        compute_with(name)

    assert main(["bench", "--device", name]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "auto, cpu, cuda, cuda:N or mps" in lines[0]


def test_absent_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked.sys, "platform", "linux")
    monkeypatch.setattr(asked, "GPU_FILES", ("no-such-gpu",))
    monkeypatch.setattr(asked, "version", lambda _: "2.9.0")
    with pytest.raises(UnavailableError, match=r"--device cuda: .*\(CUDA\), found none on this"):
        refuse_absent("cuda")

    with pytest.raises(UnavailableError, match=r"--device mps: .*Apple.*found none on linux"):
        refuse_absent("mps")

    monkeypatch.setattr(asked, "GPU_FILES", ("null",))
    refuse_absent("cuda:1")
    monkeypatch.setattr(asked, "version", lambda _: "2.9.0+cpu")
    with pytest.raises(UnavailableError, match="built for processors only; type --device cpu"):
        refuse_absent("cuda:1")


def test_a_refused_choice_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked.sys, "platform", "linux")
    compute_with("cpu")
    with pytest.raises(UnavailableError):
        compute_with("mps")

    assert computing().device == "cpu"
    assert compute_with(None).device == "cpu"


def test_a_gpu_that_is_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(UnavailableError, match=r"--device cuda:2: .* found 2 of them"):
        choose_device("cuda:2")


def test_apples_gpus_do_not_get_what_they_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert (device().type, exact_device()) == ("mps", CPU)
    assert dtype_on(device()) is torch.float32
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert (device(), exact_device()) == (CPU, CPU)
    with pytest.raises(UnavailableError, match="needs one of Apple's GPUs"):
        choose_device("mps")


def test_batches_follow_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert batch_size(32, 10**12, CPU) == 32
    monkeypatch.setattr(devices, "threads", lambda: 2)
    for memory, size in ((24 << 30, 128), (1 << 20, 1), (1 << 50, 1024)):
        monkeypatch.setattr(devices, "_memory", lambda _, memory=memory: memory)
        assert batch_size(32, 48_000_000, PRETENDED) == size


def test_every_command_that_computes_has_the_option() -> None:
    without = {
        *("export", "report", "compare", "grade", "check", "merge", "scrub", "plugins"),
        *("completion", "list", "verify", "fetch"),
    }
    waiting = [cli]
    lacking = set()

    while waiting:
        command = waiting.pop()
        inside = getattr(command, "commands", None)
        if inside is not None:
            waiting += inside.values()
        elif not any("--device" in option.opts for option in command.params):
            lacking.add(command.name)

    computing_ones = {"run", "anonymise", "apply", "evaluate", "calibrate", "dashboard", "choose"}
    computing_ones |= {"bench", "demo", "naive", "inversion", "editor", "prepare", "search-study"}
    assert not lacking & computing_ones
    assert without <= lacking


def test_commands_that_a_command_starts_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ATTRSEARCH_DEVICE", "ATTRSEARCH_ENGINE"):
        monkeypatch.setenv(name, "")  # put back afterwards

    compute_with("cpu")
    hand_on()
    compute_with("auto")
    assert main(["apply", "gone", "--attributes", "gone.json", "--out", "new"]) == 2
    assert (computing().device, computing().engine) == ("cpu", "torch")


def test_a_run_has_the_field() -> None:
    options: RunOptions = {"device": "cuda:1"}
    assert with_options(None, None, options)[1] == Execution(device="cuda:1")


@pytest.mark.parametrize("name", ["anonymiser", "thesis"])
def test_a_search_on_a_second_device(
    people: list[Identity], second: torch.device, name: str
) -> None:
    """Everything a search runs is sent there, nothing meets what stayed, and it finds the same."""
    found = []
    for place in ("cpu", "auto"):
        compute_with(place)
        detector = Mtcnn(48)
        realign = SecondAlignment(detector) if name == "thesis" else None
        editor = load_editor(name, "fp32", realign)
        judges = [load_recogniser("sface"), load_recogniser("facenet")]
        evaluator = Evaluator(editor, detector, judges, critic=Critic())
        subject, kept = evaluator.prepare(people[0].faces)
        assert subject is not None
        there = {tensor.device for tensor in (subject.windows, subject.grids, subject.masks)}
        there |= {tensor.device for tensor in subject.encoded.features}
        assert there == {device()}

        passes = 1 if name == "anonymiser" else 2
        sets = np.random.default_rng(0).uniform(-1, 1, (2, passes, 13)).astype(np.float32)
        scores = evaluator.evaluate([Request(subject, sets)])[0]
        crops = to_editor([face.crop for face in people[0].faces])
        traits = TraitsClassifier().probabilities(crops)
        layers = edit_crops(editor, crops, sets[: len(crops)])
        found.append((kept, *vars(scores).values(), traits, *(layer.crop for layer in layers)))

    assert second == PRETENDED
    for here, away in zip(*found, strict=True):
        # a level of 256 at a pixel or two of a crop, as the order of memory differs
        crop = isinstance(here, np.ndarray) and here.dtype == np.uint8
        # aligned anew by what a detector finds: last bits of a first pass move the second by parts
        # of a pixel
        wide = 0.01 if name == "thesis" else 0
        gap = np.abs(np.asarray(here, float) - np.asarray(away, float))
        assert (gap.mean() if name == "thesis" else gap.max()) <= (1 if crop else wide)


def test_networks_are_moved(second: torch.device) -> None:
    networks = [
        load_editor("base")._encode,  # type: ignore[attr-defined]
        load_editor("base")._decode,  # type: ignore[attr-defined]
        load_recogniser("facenet").recogniser._network,  # type: ignore[attr-defined]
        load_recogniser("sface").recogniser._network,  # type: ignore[attr-defined]
        Mtcnn()._pnet,
        Mtcnn()._rnet,
        Mtcnn()._onet,
        Critic()._network,
        TraitsClassifier().network,
    ]
    for network in networks:
        assert {value.device for value in network.state_dict().values()} == {second}


def test_an_attack_on_a_second_device(people: list[Identity], second: torch.device) -> None:
    """Learning to undo edits: networks with gradients, and what they draw, are there, too."""
    crops = to_editor([face.crop for face in people[0].faces])
    windows = np.stack([face.window for face in people[0].faces])
    inside = np.stack([transform(face.crop_to_window, CROP_TEMPLATE) for face in people[0].faces])
    sets = np.zeros((1, 1, 13), np.float32)
    model = train_undo(load_editor("anonymiser", "fp32"), sets, crops, steps=1, batch=2)
    assert {value.device for value in model.parameters()} == {second}
    assert undo(model, windows, inside).shape == windows.shape
