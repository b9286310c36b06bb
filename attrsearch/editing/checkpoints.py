"""Find editors by name or path; load AttGAN generators.

Ours, or published AttGAN-PyTorch checkpoints.
"""

import json
import pickle
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import WeightsError
from attrsearch.core.weights import load_tensors
from attrsearch.editing.attgan import Activation, Generator, GeneratorConfig, Norm
from attrsearch.editing.installed import Located, locate


@dataclass(frozen=True)
class Checkpoint:
    """A generator in evaluation mode and where it came from."""

    name: str
    sha256: str
    generator: Generator


def load_checkpoint(name: str) -> Checkpoint:
    """Load an AttGAN generator by a name or path that :func:`installed.locate` takes.

    A file is a ``.safetensors`` with our keys, or ``weights.N.pth`` of AttGAN-PyTorch beside its
    ``setting.txt``, holding ``{"G": state_dict}``.

    Raises:
        WeightsError: Unknown name, hash mismatch, a pickle that holds more than tensors, or another
            network.
    """
    return attgan_of(locate(name))


def attgan_of(where: Located) -> Checkpoint:
    """The AttGAN generator of a file.

    Raises:
        WeightsError: As :func:`load_checkpoint`.
    """
    path = where.path

    if path.suffix in (".pth", ".pt"):
        generator = _build(path, _published_state(path), _published_config(path))
    else:
        state = load_tensors(path)
        generator = _build(path, state, _infer_config(path, state))

    return Checkpoint(where.name, where.sha256, generator)


def _build(path: Path, state: dict[str, Tensor], config: GeneratorConfig) -> Generator:
    generator = Generator(config)
    try:
        generator.load_state_dict({key: value.float() for key, value in state.items()})
    except RuntimeError as error:
        raise WeightsError(
            path,
            required=f"the weights of an AttGAN generator ({config})",
            found=str(error).splitlines()[1].strip() if "\n" in str(error) else str(error),
            hint="check that weights and settings belong together",
        ) from error

    return generator.eval().requires_grad_(False)


def _infer_config(path: Path, state: dict[str, Tensor]) -> GeneratorConfig:
    """Read the shape of one of our own generators (five layers, batch norm) off its tensors.

    Our networks are trained at 128 px; the layers are convolutional, so the size is not in the
    tensors.
    """
    try:
        first = state["enc_layers.0.layers.0.weight"]
        last = state["enc_layers.4.layers.0.weight"]
        widths = [state[f"dec_layers.{i}.layers.0.weight"].shape for i in range(5)]
    except KeyError as error:
        restoring = "enter.weight" in state
        found = "a restoring editor" if restoring else f"no tensor {error}"
        hint = "give an AttGAN editor such as base" if restoring else "check the path"
        raise WeightsError(path, required="an AttGAN generator", found=found, hint=hint) from error

    shortcut = inject = 0
    extra = widths[0][0] - last.shape[0]
    for i in range(1, 5):
        more = widths[i][0] - widths[i - 1][1]
        shortcut += more >= widths[i - 1][1] // 2
        inject += more in (extra, widths[i - 1][1] // 2 + extra)

    return GeneratorConfig(
        enc_dim=first.shape[0],
        dec_dim=widths[3][1] // 2,
        shortcut_layers=shortcut,
        inject_layers=inject,
    )


def _published_state(path: Path) -> dict[str, Tensor]:
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsError(
            path,
            required="a checkpoint that holds tensors only",
            found=str(error).splitlines()[0][:120],
            hint="a checkpoint with code in it is never opened",
        ) from error

    state = loaded.get("G") if isinstance(loaded, dict) else None
    if not isinstance(state, dict):
        found = (
            f"the keys {sorted(loaded)[:5]}" if isinstance(loaded, dict) else type(loaded).__name__
        )
        raise WeightsError(
            path, required="a generator under the key 'G'", found=found, hint="check the path"
        )

    return state


def _published_config(path: Path) -> GeneratorConfig:
    settings = path.with_name("setting.txt")
    if not settings.is_file():  # the published zips keep checkpoints in a sub-folder
        settings = path.parent.parent / "setting.txt"

    try:
        values = json.loads(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            settings,
            required="setting.txt of AttGAN-PyTorch (JSON) beside the checkpoint",
            found=str(error),
            hint="put it there",
        ) from error

    names = {field.name for field in fields(GeneratorConfig)}
    config = GeneratorConfig(**{key: values[key] for key in names & set(values)})
    attributes = values.get("attrs", list(ATTRIBUTES))
    activations = {config.enc_acti, config.dec_acti} - set(get_args(Activation))
    norms = {config.enc_norm, config.dec_norm} - set(get_args(Norm))
    problem = (
        f"the attributes {attributes}"
        if tuple(attributes) != ATTRIBUTES
        else f"img_size {config.img_size}"
        if config.img_size not in range(32, 513, 32)
        else f"{activations | norms}"
        if activations | norms
        else f"{config.enc_layers} and {config.dec_layers} layers"
        if config.enc_layers != config.dec_layers
        else ""
    )

    if problem:
        required = (
            "the 13 usual attributes, a size of 32 to 512, known norms and activations, equal "
            "depths"
        )
        raise WeightsError(
            settings, required=required, found=problem, hint="use another checkpoint"
        )

    return config
