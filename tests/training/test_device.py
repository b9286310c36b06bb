"""Trainings on another device.

A pretended one with real numbers everywhere, CUDA where there is a GPU.
"""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import dropout

from attrsearch.cli.main import main
from attrsearch.core.device import CPU, choose_device, dtype_on, fast, seeded
from attrsearch.core.errors import UnavailableError
from attrsearch.training.attributes import AttributesTrainer
from attrsearch.training.checkpoint import TrainingRecipe
from attrsearch.training.critic import CriticTrainer
from attrsearch.training.dataset import FaceSet, randomness
from attrsearch.training.editor import EditorTrainer
from attrsearch.training.loop import Pace, Trainer, train
from attrsearch.training.recipes import AttributesRecipe, CriticRecipe, EditorLosses, EditorRecipe
from tests.pretended import PRETENDED, pretended

HEAD = {"format": "attrsearch/training", "version": 1, "steps": 4, "batch": 4, "precision": "fp32"}
EVERY_TERM = dict.fromkeys(EditorLosses.model_fields, 1.0)
A_SET_A_FACE = EVERY_TERM | {"steering": 0.0}  # steering compares two sets of one face
ATTRIBUTES = AttributesRecipe.model_validate(HEAD | {"kind": "attributes"})
CRITIC = CriticRecipe.model_validate(HEAD | {"kind": "critic", "batch": 10, "editors": ["thesis"]})
EDITOR = EditorRecipe.model_validate(
    HEAD
    | {
        "kind": "editor",
        "enc_dim": 4,
        "dec_dim": 4,
        "discriminator_dim": 4,
        "discriminator_features": True,
    }
    | {
        "warmup": 1,
        "ramp": 2,
        "sparring": "thesis",
        "replay": 0.5,
        "penalty_every": 2,
        "losses": A_SET_A_FACE,
    }
)
ANONYMISER = EDITOR.model_copy(
    update={
        "asks": "one-pass",
        "blend": True,
        "frozen_norm": True,
        "losses": EditorLosses(**EVERY_TERM | {"reconstruction": 0.0}),
    }
)


def make(
    recipe: TrainingRecipe, faces: FaceSet, device: torch.device, dtype: torch.dtype = torch.float32
) -> Trainer:
    if isinstance(recipe, AttributesRecipe):
        return AttributesTrainer(recipe, faces, dtype, device=device)
    if isinstance(recipe, CriticRecipe):
        return CriticTrainer(recipe, faces, device)
    return EditorTrainer(recipe, faces, dtype, faces.take(np.arange(1)), device)


every_training = pytest.mark.parametrize(
    "recipe",
    [EDITOR, ANONYMISER, ATTRIBUTES, CRITIC],
    ids=["editor", "anonymiser", "attributes", "critic"],
)


@every_training
def test_trainings_go_from_device_to_device(
    tmp_path: Path, prepared: FaceSet, recipe: TrainingRecipe
) -> None:
    """Two steps here and two there lose what four in one place lose, but for rounding."""
    train(make(recipe, prepared, CPU), recipe, tmp_path / "here", Pace(2))
    shutil.copytree(tmp_path / "here", tmp_path / "away")
    expected = train(
        make(recipe, prepared, CPU), recipe, tmp_path / "here", Pace(4), resume=True
    ).losses
    with pretended() as device:
        trainer = make(recipe, prepared, device)
        assert {value.device for value in tensors(trainer.weights())} == {device}
        train(trainer, recipe, tmp_path / "home", Pace(2))
        away = train(
            make(recipe, prepared, device), recipe, tmp_path / "away", Pace(4), resume=True
        ).losses
    home = train(
        make(recipe, prepared, CPU), recipe, tmp_path / "home", Pace(4), resume=True
    ).losses
    assert away == pytest.approx(expected, rel=1e-3)
    assert home == pytest.approx(expected, rel=1e-3)


def tensors(state: object) -> list[Tensor]:
    if isinstance(state, dict):
        return [value for part in state.values() for value in tensors(part)]
    return [state] if isinstance(state, Tensor) else []


@pytest.mark.parametrize(
    "left", ["_mask", "_replay", "_traits", "_start", "_sparring", "identity", "_detection"]
)
def test_what_stays_behind_is_noticed(prepared: FaceSet, left: str) -> None:
    """The pretended device is one: whatever of a trainer is left on the processor ends a step."""
    with pretended() as device:
        trainer = EditorTrainer(EDITOR, prepared, device=device)
        other = EditorTrainer(EDITOR, prepared)
        other._replay[1].fill_(0.5)  # there were first passes before
        holder, source = (
            (trainer, other) if hasattr(other, left) else (trainer._terms, other._terms)
        )
        setattr(holder, left, getattr(source, left))
        with pytest.raises(RuntimeError, match="all tensors to be on the same device"):
            list(map(trainer.step, range(2)))


def test_the_pretended_device_refuses_what_a_gpu_would() -> None:
    here = torch.ones(2, 3)
    with pretended() as device:
        there = here.to(device)
        for wrong in (
            lambda: there + here,
            lambda: here.add_(there),
            lambda: torch.cat([there, here]),
            lambda: here[torch.zeros(1, dtype=torch.long, device=device)],
            lambda: torch.randn(2, generator=randomness(0, 0), device=device),
            there.numpy,
            lambda: torch.stack([there.sum(), here.sum()]),
        ):
            with pytest.raises(RuntimeError, match=r"device|subclasses"):
                wrong()
        assert (there.device, there.cpu().device) == (PRETENDED, CPU)
        assert float((there * here.sum())[torch.tensor([1])].sum()) == 18
        leaf = there.clone().requires_grad_(True)
        (leaf * 2).square().sum().backward()
        assert leaf.grad is not None
        assert leaf.grad.device == device
        assert leaf.grad.tolist() == [[8.0] * 3] * 2


def test_a_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [choose_device(name).type for name in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]
    for able, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda able=able, **_: able)
        assert dtype_on(torch.device("cuda")) is dtype
        assert dtype_on(torch.device("cuda"), "fp32") is torch.float32
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == CPU
    with pytest.raises(
        UnavailableError,
        match=r"--device cuda: needs a GPU \(CUDA\), found none .*; type --device cpu",
    ):
        choose_device("cuda")


@pytest.mark.parametrize("kind", ["attributes", "editor", "critic"])
def test_a_gpu_that_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert (
        main(["train", kind, str(tmp_path), "--out", str(tmp_path / "out"), "--device", "cuda"])
        == 2
    )
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "--device cuda: needs a GPU (CUDA), found none" in lines[0]
    assert not list(tmp_path.iterdir())


def test_layers_that_draw_are_seeded_and_the_caller_is_not() -> None:
    before, faces = torch.random.get_rng_state(), torch.ones(50)
    drawn = []
    for seed in (1, 1, 2):
        with seeded(CPU, seed):
            drawn.append(dropout(faces))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_convolutions_compute_in_the_dtype() -> None:
    layer, faces = torch.nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8)
    for dtype in (torch.float32, torch.bfloat16):
        with fast(CPU, dtype):
            assert layer(faces).dtype is dtype


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU (CUDA)")
@every_training
def test_on_a_gpu(tmp_path: Path, prepared: FaceSet, recipe: TrainingRecipe) -> None:
    """Steps on the GPU in its own precision, taken up on the processor.

    The first one in float32 is nearly the same.
    """
    device = choose_device("cuda")
    reached = train(make(recipe, prepared, device, dtype_on(device)), recipe, tmp_path, Pace(3))
    assert all(map(math.isfinite, reached.losses.values()))
    assert train(make(recipe, prepared, CPU), recipe, tmp_path, Pace(4), resume=True).step == 4
    if recipe is not ATTRIBUTES:  # its dropout draws on the GPU
        assert make(recipe, prepared, device).step(0) == pytest.approx(
            make(recipe, prepared, CPU).step(0), rel=0.05
        )
