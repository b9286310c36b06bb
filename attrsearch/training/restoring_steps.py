"""Parts of a step of the restoring editor that need no networks of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import relu

from attrsearch.core.attributes import MALE
from attrsearch.training.identity import TightIdentity
from attrsearch.training.restoring_batch import Batch
from attrsearch.training.restoring_recipes import RestoringRecipe
from attrsearch.training.tight_faces import TightFaces, cut, to_network

SHORT = 0.15
"""An edit that falls short of the margin by more than this is pushed three times as hard."""

PROBED = 1536
"""Faces that the direction of gender is fitted to."""
RIDGE = 1.0
SURE = 0.8
"""How far on its own side an edit's gender must lie; true faces lie at 1 on average."""


@dataclass(frozen=True)
class GenderProbe:
    """Gender, read linearly from a recogniser's embeddings: 1 is male, -1 female.

    Attributes:
        direction: (d,).
        offset: What is added.
    """

    direction: Tensor
    offset: Tensor

    def read(self, embeddings: Tensor) -> Tensor:
        """The gender (n,) of embeddings (n, d)."""
        return embeddings @ self.direction + self.offset


@torch.no_grad()
def fit_gender(recogniser: TightIdentity, faces: TightFaces, device: torch.device) -> GenderProbe:
    """Ridge regression of the gender of the first faces on their embeddings."""
    spaced = np.linspace(0, len(faces) - 1, min(PROBED, len(faces))).astype(int)
    random = np.random.default_rng(0)
    embeddings = []
    labels = []

    for start in range(0, len(spaced), 32):
        squares = cut(faces, spaced[start : start + 32], random, 0, 0, 0)
        pictures = to_network(squares.pictures).to(device)
        landmarks = torch.from_numpy(squares.landmarks).to(device)
        embeddings.append(recogniser.embed(pictures, landmarks).float().cpu())
        labels.append(torch.from_numpy(squares.attributes)[:, MALE] * 2 - 1)

    known = torch.cat(embeddings).double()
    wanted = torch.cat(labels).double()
    middle = known.mean(0)
    centred = known - middle
    square = centred.T @ centred + RIDGE * torch.eye(centred.shape[1], dtype=torch.double)
    direction = torch.linalg.solve(square, centred.T @ (wanted - wanted.mean()))
    offset = wanted.mean() - middle @ direction

    return GenderProbe(direction.float().to(device), offset.float().to(device))


def people_terms(
    recipe: RestoringRecipe,
    batch: Batch,
    edited: Tensor,
    recogniser: TightIdentity,
    generator: torch.Generator,
    probe: GenderProbe | None = None,
) -> dict[str, Tensor]:
    """Away from the person, apart from each other, two edits of one face apart, the gender kept.

    Args:
        recipe: Has the distances, on the FaceNet scale.
        batch: The faces.
        edited: The edits (2 n, 3, s, s) of those that are not restored, each in two ways.
        recogniser: Measures them.
        generator: Draws disturbances.
        probe: Reads the gender, where that counts.
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

    if probe is not None:
        gender = torch.where(batch.labels[batch.own :, MALE] > 0, 1.0, -1.0).to(after.device)
        terms["gender"] = relu(SURE - gender * probe.read(after)).mean()

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
