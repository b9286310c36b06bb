"""Parts of a step of the restoring editor that need no networks of their own."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import relu

from attrsearch.training.identity import TightIdentity
from attrsearch.training.restoring_batch import Batch
from attrsearch.training.restoring_recipes import RestoringRecipe

SHORT = 0.15
"""An edit that falls short of the margin by more than this is pushed three times as hard."""


def people_terms(
    recipe: RestoringRecipe,
    batch: Batch,
    edited: Tensor,
    recogniser: TightIdentity,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Away from the person, apart from each other, and two edits of one face apart.

    Args:
        recipe: Has the distances, on the FaceNet scale.
        batch: The faces.
        edited: The edits (2 n, 3, s, s) of those that are not restored, each in two ways.
        recogniser: Measures them.
        generator: Draws disturbances.
    """
    scale = recogniser.scale
    pairs = batch.pairs
    landmarks = batch.landmarks[batch.own :]
    with torch.no_grad():
        before = recogniser.embed(batch.faces[batch.own :][:pairs], landmarks[:pairs])

    after = recogniser.embed(edited, landmarks, generator)
    far = (after - torch.cat([before, before])).norm(dim=1) * scale
    short = relu(recipe.margin - far) + 2 * relu(recipe.margin - SHORT - far)
    two = (after[:pairs] - after[pairs:]).norm(dim=1) * scale
    terms = {"identity": short.mean(), "steering": relu(recipe.apart - two).mean()}

    if pairs > 1:
        between = ((after[:pairs, None] - after[None, :pairs]).square().sum(2) + 1e-6).sqrt()
        natural = (before[:, None] - before[None]).square().sum(2).sqrt()
        close = relu(recipe.kept * natural - between)
        terms["spread"] = close.sum() / (pairs * (pairs - 1))

    return terms


def learn(
    optimiser: torch.optim.Optimizer,
    values: Sequence[Tensor],
    parts: Sequence[tuple[Tensor, ...]],
    limit: float | None = None,
) -> None:
    """One step along the mean of the parts' gradients."""
    for value, *gradients in zip(values, *parts, strict=True):
        value.grad = torch.stack(gradients).mean(0)

    if limit is not None:
        torch.nn.utils.clip_grad_norm_(values, limit)

    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
