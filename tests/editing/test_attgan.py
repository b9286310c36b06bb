"""The generator: published checkpoints load and give the picture of a plain forward pass."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import save_file
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import WeightsError
from attrsearch.core.weights import manifest
from attrsearch.editing.attgan import Generator, GeneratorConfig
from attrsearch.editing.attgan_editor import AttganEditor
from attrsearch.editing.checkpoints import load_checkpoint
from attrsearch.editing.editor import load_editor

PUBLISHED = {
    "128_shortcut1_inject0": GeneratorConfig(
        img_size=128, enc_dim=8, dec_dim=8, shortcut_layers=1, inject_layers=0
    ),
    "128_shortcut1_inject1": GeneratorConfig(
        img_size=128, enc_dim=8, dec_dim=8, shortcut_layers=1, inject_layers=1
    ),
    "256_shortcut1_inject1": GeneratorConfig(
        img_size=256, enc_dim=8, dec_dim=8, shortcut_layers=1, inject_layers=1
    ),
    "384_shortcut4_inject4": GeneratorConfig(
        img_size=384, enc_dim=4, dec_dim=4, shortcut_layers=4, inject_layers=4
    ),
    "128_shortcut0_inject0_none": GeneratorConfig(
        img_size=128, enc_dim=8, dec_dim=8, enc_norm="none", dec_norm="none", shortcut_layers=0
    ),
}


def randomised(config: GeneratorConfig, seed: int = 0) -> Generator:
    torch.manual_seed(seed)
    generator = Generator(config).eval()
    for name, value in generator.state_dict().items():
        if value.is_floating_point():
            noise = torch.randn_like(value) * 0.1
            value.copy_(
                noise.abs() + 0.5 if "running_var" in name or name.endswith("1.weight") else noise
            )
    return generator


def reference(state: dict[str, Tensor], config: GeneratorConfig, x: Tensor, a: Tensor) -> Tensor:
    """AttGAN's forward pass written out with functions, from the paper and the layer names."""

    def block(x: Tensor, name: str, up: bool, last: bool = False) -> Tensor:
        bias = state.get(f"{name}.layers.0.bias")
        convolve = F.conv_transpose2d if up else F.conv2d
        x = convolve(x, state[f"{name}.layers.0.weight"], bias, stride=2, padding=1)
        if f"{name}.layers.1.running_mean" in state:
            keys = ("running_mean", "running_var", "weight", "bias")
            x = F.batch_norm(x, *(state[f"{name}.layers.1.{key}"] for key in keys))
        if last:
            return torch.tanh(x)
        return F.relu(x) if up else F.leaky_relu(x, 0.01)

    def tiled(a: Tensor, side: int) -> Tensor:
        return a.view(len(a), -1, 1, 1).repeat(1, 1, side, side)

    codes = []
    for i in range(5):
        x = block(x, f"enc_layers.{i}", up=False)
        codes.append(x)
    side = config.img_size // 32
    z = torch.cat([codes[-1], tiled(a, side)], 1)
    for i in range(5):
        z = block(z, f"dec_layers.{i}", up=True, last=i == 4)
        if config.shortcut_layers > i and i < 4:
            z = torch.cat([z, codes[3 - i]], 1)
        if config.inject_layers > i and i < 4:
            z = torch.cat([z, tiled(a, side * 2 ** (i + 1))], 1)
    return z


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_checkpoint_gives_the_reference_picture(tmp_path: Path, name: str) -> None:
    config = PUBLISHED[name]
    state = randomised(config).state_dict()
    folder = tmp_path / name / "checkpoint"
    folder.mkdir(parents=True)
    torch.save({"G": state}, folder / "weights.149.pth")
    settings = vars(config) | {"attrs": list(ATTRIBUTES), "dis_dim": 64, "gpu": True}
    (folder.parent / "setting.txt").write_text(json.dumps(settings))
    x = torch.rand(2, 3, config.img_size, config.img_size) * 2 - 1
    a = torch.rand(2, 13) * 2 - 1
    loaded = load_checkpoint(str(folder / "weights.149.pth"))
    assert loaded.name == "weights.149"
    assert (loaded.generator(x, a) - reference(state, config, x, a)).abs().max() < 1e-5
    assert AttganEditor(loaded).size == config.img_size


def write_published(folder: Path, payload: object, **settings: object) -> str:
    torch.save(payload, folder / "weights.1.pth")
    (folder / "setting.txt").write_text(json.dumps(settings))
    return str(folder / "weights.1.pth")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"attrs": ["Bald", "Young"]}, "needs the 13 usual attributes"),
        ({"img_size": 100}, "found img_size 100"),
        ({"enc_norm": "switchnorm"}, "switchnorm"),
        ({"enc_layers": 4}, "4 and 5 layers"),
        ({"enc_dim": 16}, "size mismatch"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, settings: dict[str, object], line: str) -> None:
    state = randomised(PUBLISHED["128_shortcut1_inject0"]).state_dict()
    path = write_published(tmp_path, {"G": state}, **({"enc_dim": 8, "dec_dim": 8} | settings))
    with pytest.raises(WeightsError, match=line):
        load_checkpoint(path)


def test_checkpoints_that_are_something_else(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="needs a generator under the key 'G', found the keys"):
        load_checkpoint(write_published(tmp_path, {"D": {}}))
    (tmp_path / "weights.1.pth").write_bytes(b"nothing of the kind")
    with pytest.raises(WeightsError, match="needs a checkpoint that holds tensors only"):
        load_checkpoint(str(tmp_path / "weights.1.pth"))
    (tmp_path / "setting.txt").unlink()
    torch.save({"G": {}}, tmp_path / "weights.1.pth")
    with pytest.raises(
        WeightsError, match=r"setting.txt of AttGAN-PyTorch \(JSON\) beside the checkpoint"
    ):
        load_checkpoint(str(tmp_path / "weights.1.pth"))
    with pytest.raises(WeightsError, match="No such file"):
        load_checkpoint(str(tmp_path / "gone.pth"))


def test_a_checkpoint_never_runs_code(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "ran"),))  # type: ignore[return-value]

    with pytest.raises(WeightsError, match="a checkpoint with code in it is never opened"):
        load_checkpoint(write_published(tmp_path, {"G": Trap()}))
    assert not (tmp_path / "ran").exists()


def test_a_pickle_where_safetensors_were_expected(tmp_path: Path) -> None:
    torch.save({"x": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(
        WeightsError,
        match="needs a safetensors file, found a pickle or zip archive; pickles are not",
    ):
        load_checkpoint(str(tmp_path / "w.safetensors"))
    save_file({"x": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="needs an AttGAN generator, found no tensor"):
        load_checkpoint(str(tmp_path / "w.safetensors"))


@pytest.mark.parametrize(
    "config", [c for c in PUBLISHED.values() if c.img_size == 128 and c.enc_norm == "batchnorm"]
)
def test_the_shape_is_read_off_our_own_weights(tmp_path: Path, config: GeneratorConfig) -> None:
    save_file(randomised(config).state_dict(), tmp_path / "w.safetensors")
    assert load_checkpoint(str(tmp_path / "w.safetensors")).generator.config == config


def test_damaged_bundled_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from attrsearch.core import weights

    good = manifest()["base"]
    data = bytearray(good.path.read_bytes())
    data[-1] ^= 1
    bad = tmp_path / good.path.name
    bad.write_bytes(data)
    monkeypatch.setattr(weights, "manifest", lambda: {"base": replace(good, path=bad)})
    with pytest.raises(
        WeightsError, match=r"needs SHA-256 \w+…, found \w+…; install attrsearch again"
    ):
        load_checkpoint("base")


def test_unknown_weights() -> None:
    with pytest.raises(WeightsError, match="did you mean base"):
        load_editor("bas")


def crops(count: int) -> Tensor:
    return torch.rand(count, 3, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1


def attributes(count: int, passes: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (count, passes, 13)).astype(np.float32)


def test_two_passes_are_one_after_the_other() -> None:
    exact = load_editor("base", "fp32")
    values = attributes(2, 2)
    first = exact.edit(exact.encode(crops(2)), values[:, :1])
    second = exact.edit(exact.encode(first), values[:, 1:])
    assert torch.allclose(exact.edit(exact.encode(crops(2)), values), second, atol=1e-5)


def test_bfloat16_is_close_to_float32() -> None:
    values = attributes(4, 2)
    exact, fast = (load_editor("base", precision) for precision in ("fp32", "bf16"))
    difference = exact.edit(exact.encode(crops(4)), values) - fast.edit(
        fast.encode(crops(4)), values
    )
    assert difference.abs().mean() < 0.02
