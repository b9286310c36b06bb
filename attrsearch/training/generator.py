"""The generator to be trained.

Started from weights, its shortcut widened, its batch norms frozen or not.
"""

import torch
from torch import Tensor, nn

from attrsearch.core.errors import RecipeError
from attrsearch.editing.attgan import Generator, GeneratorConfig
from attrsearch.editing.checkpoints import load_checkpoint
from attrsearch.training.recipes import EditorRecipe


def make_generator(recipe: EditorRecipe) -> Generator:
    """A generator as the recipe says, in training mode and channels last.

    Raises:
        RecipeError: ``start`` is a network of another width or depth.
        WeightsError: ``start`` is unknown or damaged.
    """
    config = GeneratorConfig(
        enc_dim=recipe.enc_dim,
        dec_dim=recipe.dec_dim,
        shortcut_layers=recipe.shortcut_layers,
        inject_layers=recipe.inject_layers,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        generator = Generator(config)

    if recipe.start:
        start = load_checkpoint(recipe.start).generator
        generator.load_state_dict(widened(start, config, recipe.name))

    generator = generator.train().requires_grad_(True).to(memory_format=torch.channels_last)
    for name, value in generator.named_parameters():
        value.requires_grad_(not name.startswith(recipe.frozen_layers))

    return freeze_norms(generator) if recipe.frozen_norm else generator


def load_frozen(name: str) -> Generator:
    """A frozen editor by name or path, channels last; errors as :func:`load_checkpoint`."""
    generator = load_checkpoint(name).generator
    return generator.requires_grad_(False).to(memory_format=torch.channels_last)


def widened(start: Generator, config: GeneratorConfig, name: str = "recipe") -> dict[str, Tensor]:
    """Weights of ``start`` for a generator with more shortcuts: the new channels begin at zero.

    The wider generator gives the same pictures as ``start``.

    Raises:
        RecipeError: More than the shortcuts differs.
    """
    old = start.config
    state = dict(start.state_dict())

    if (old.enc_dim, old.dec_dim, old.inject_layers) != (
        config.enc_dim,
        config.dec_dim,
        config.inject_layers,
    ) or (old.shortcut_layers > config.shortcut_layers):
        raise RecipeError(
            f"{name}, start",
            required=(
                f"weights of {config.enc_dim} and {config.dec_dim} channels, at most as many "
                "shortcuts"
            ),
            found=f"{old.enc_dim} and {old.dec_dim} channels, {old.shortcut_layers} shortcuts",
            hint="change enc_dim, dec_dim, inject_layers or shortcut_layers",
        )

    for i in range(old.shortcut_layers, config.shortcut_layers):
        weight = state[f"dec_layers.{i + 1}.layers.0.weight"]
        out = state[f"dec_layers.{i}.layers.0.weight"].shape[1]
        zeros = torch.zeros(out // 2, *weight.shape[1:])
        state[f"dec_layers.{i + 1}.layers.0.weight"] = torch.cat(
            [weight[:out], zeros, weight[out:]]
        )

    return state


def freeze_norms(generator: Generator) -> Generator:
    """Put the batch norms into evaluation mode: training and use then see the same network."""
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()

    return generator


@torch.no_grad()
def average(ema: nn.Module, current: nn.Module, decay: float, step: int) -> None:
    """Move the average of the weights towards the current ones, quickly in the first steps."""
    keep = min(decay, (1 + step) / (10 + step))

    for mean, value in zip(ema.state_dict().values(), current.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - keep)
        else:
            mean.copy_(value)
