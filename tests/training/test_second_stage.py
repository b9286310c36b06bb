"""A second stage in training is the one that the two-stage editor ships."""

from pathlib import Path

import numpy as np
import torch

from attrsearch.core.device import CPU
from attrsearch.editing.editor import load_editor
from attrsearch.training.second_stage import SecondStage
from tests.editors import made_up_editor

RECIPE = """\
format = "attrsearch/editor"
version = 1
first = "first.safetensors"
second = "anonymiser"
ease = 0.5
strength = 0.9
"""


def test_it_lays_on_what_the_editor_of_two_stages_does(tmp_path: Path) -> None:
    made_up_editor(tmp_path / "first.safetensors")
    (tmp_path / "both.toml").write_text(RECIPE, encoding="utf-8")
    editor = load_editor(str(tmp_path / "both.toml"), precision="fp32")
    first = load_editor(str(tmp_path / "first.safetensors"), precision="fp32")
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, 16, 16, generator=generator) * 2 - 1
    crops = torch.nn.functional.interpolate(coarse, size=first.size, mode="bilinear")
    asked = np.random.default_rng(0).uniform(-1, 1, (2, 1, 13)).astype(np.float32)

    encoded = first.encode(crops)
    masks = first.masks(encoded)
    painted = first.edit(encoded, asked * np.float32(0.5))
    shown = torch.lerp(encoded.features[0][:, :3], painted, masks)
    second = SecondStage("anonymiser", first.size, torch.float32, CPU)
    laid = second(painted, shown, torch.from_numpy(asked[:, 0]), torch.full((2,), 0.9))

    wanted = editor.edit(editor.encode(crops), asked)
    changed = (wanted - painted).abs().max()
    assert changed > 0.05
    assert (laid - wanted).abs().max() < 1e-3


def test_a_share_of_nothing_leaves_what_was_painted() -> None:
    second = SecondStage("anonymiser", 128, torch.float32, CPU)
    painted = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1
    shares = torch.tensor([0.0, 0.5])
    laid = second(painted, painted, torch.zeros(2, 13), shares)
    assert torch.equal(laid[0], painted[0])
    assert not torch.equal(laid[1], painted[1])
