"""Train the classifier of the 13 attributes.

Sources: mixed faces and labels: Zhang et al., "mixup", 2018; unlabelled faces with the guesses of
earlier classifiers: Xie et al., "Self-training with noisy student", 2020.
"""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import (
    affine_grid,
    binary_cross_entropy_with_logits,
    grid_sample,
    interpolate,
)

from attrsearch.core.device import CPU, fast, seeded
from attrsearch.faces.attribute_classifier import TraitsNetwork
from attrsearch.training.dataset import FaceSet, randomness, to_network
from attrsearch.training.generator import average
from attrsearch.training.loss_networks import load_traits_network
from attrsearch.training.recipes import AttributesRecipe

REACH = 5
"""Pixels a face is moved by at most."""


class AttributesTrainer:
    """One cycle of the learning rate over all steps; faces varied, covered in part and mixed.

    Weights averaged.

    Args:
        recipe: How to train.
        faces: Labelled faces.
        dtype: What convolutions compute in.
        device: Where it computes; faces are varied on the processor.
        taught: Faces no table speaks of, with the teachers' guesses for labels.
    """

    def __init__(
        self,
        recipe: AttributesRecipe,
        faces: FaceSet,
        dtype: torch.dtype = torch.float32,
        device: torch.device = CPU,
        taught: FaceSet | None = None,
    ) -> None:
        self.recipe = recipe
        self._dtype = dtype
        self._device = device
        count = round(recipe.batch * recipe.taught) if taught is not None else 0
        self._sources = [
            (faces, recipe.batch - count),
            *([(taught, count)] if taught is not None else []),
        ]

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.network = load_traits_network(recipe.start) if recipe.start else TraitsNetwork()

        self.network = (
            self.network.train()
            .requires_grad_(True)
            .to(device)
            .to(memory_format=torch.channels_last)
        )
        self.ema = copy.deepcopy(self.network).eval().requires_grad_(False)
        self._learn = torch.optim.AdamW(
            self.network.parameters(), recipe.rate, weight_decay=recipe.weight_decay
        )

    def step(self, number: int) -> dict[str, float]:
        """One step; the loss and the share of attributes seen right."""
        recipe = self.recipe
        random = randomness(recipe.seed, number)
        faces, labels = self._batch(random)

        for group in self._learn.param_groups:
            group["lr"] = recipe.rate * one_cycle(number / recipe.steps)

        faces = faces.to(self._device)
        labels = labels.to(self._device)
        with seeded(self._device, random.initial_seed()), fast(self._device, self._dtype):
            logits = self.network(faces).float()

        soft = labels * (1 - recipe.smoothing) + recipe.smoothing / 2
        loss = binary_cross_entropy_with_logits(logits, soft)
        self._learn.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._learn.step()
        average(self.ema, self.network, recipe.ema, number)
        right = ((logits > 0) == (labels > 0.5)).float().mean()

        return {"loss": float(loss.detach()), "right": float(right)}

    def state(self) -> dict[str, Any]:
        """Everything a later step depends on."""
        return {
            "network": self.network.state_dict(),
            "ema": self.ema.state_dict(),
            "learn": self._learn.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self.network.load_state_dict(state["network"])
        self.ema.load_state_dict(state["ema"])
        self._learn.load_state_dict(state["learn"])

    def beside(self) -> dict[str, dict[str, Tensor]]:
        """Nothing: what is shipped is all."""
        return {}

    def about(self) -> dict[str, object]:
        """Nothing: the weights tell what they are."""
        return {}

    def weights(self) -> dict[str, Tensor]:
        """What is shipped: the average."""
        return dict(self.ema.state_dict())

    def sheet(self) -> None:
        """A classifier has no pictures to show."""
        return

    def _batch(self, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Varied, covered and mixed faces, and their labels from 0 to 1."""
        parts = []

        for source, count in self._sources:
            chosen = torch.randint(0, len(source), (count,), generator=random).numpy()
            parts.append(
                (to_network(source.crops[chosen]), torch.from_numpy(source.attributes[chosen]))
            )

        faces, labels = (torch.cat(column) for column in zip(*parts, strict=True))
        faces = covered(varied(faces, random), self.recipe.covered, random)
        return mixed(faces, labels, self.recipe.mixup, random)


def one_cycle(progress: float) -> float:
    """Share of the highest rate at a point of the training, 0 to 1 (Smith and Topin 2018).

    >>> one_cycle(0.0), one_cycle(0.3), round(one_cycle(1.0), 3)
    (0.05, 1.0, 0.001)
    """
    if progress < 0.3:
        return 0.05 + 0.95 * progress / 0.3

    rest = (1 - min(progress, 1.0)) / 0.7
    return 0.001 + 0.999 * rest * rest * (3 - 2 * rest)


def varied(faces: Tensor, random: torch.Generator) -> Tensor:
    """Faces as other cameras would show them.

    What a classifier learns from a small set must not hang on these.
    """
    mirrored = torch.rand(len(faces), generator=random) < 0.5
    faces = torch.where(mirrored[:, None, None, None], faces.flip(-1), faces)
    down, right = torch.randint(-REACH, REACH + 1, (2,), generator=random).tolist()
    faces = _leant(torch.roll(faces, (down, right), (2, 3)), random)
    blur, share = torch.rand(2, generator=random).tolist()

    if blur < 0.5:
        small = interpolate(
            faces, size=int(faces.shape[-1] * (0.4 + 0.6 * share)), mode="bilinear", antialias=True
        )
        faces = interpolate(small, size=faces.shape[-1], mode="bilinear")

    contrast = 1 + 0.2 * torch.randn(len(faces), 1, 1, 1, generator=random)
    light = 0.15 * torch.randn(len(faces), 3, 1, 1, generator=random)
    return (faces * contrast + light).clamp(-1, 1)


def _leant(faces: Tensor, random: torch.Generator) -> Tensor:
    """Faces turned by some degrees and a little larger or smaller."""
    angle = torch.randn(len(faces), generator=random) * 0.08
    size = 1 + torch.randn(len(faces), generator=random) * 0.05
    cos = size * angle.cos()
    sin = size * angle.sin()
    none = torch.zeros(len(faces))
    matrices = torch.stack([cos, -sin, none, sin, cos, none], 1).view(-1, 2, 3)
    grid = affine_grid(matrices, list(faces.shape), align_corners=False)

    return grid_sample(faces, grid, padding_mode="reflection", align_corners=False)


def covered(faces: Tensor, share: float, random: torch.Generator) -> Tensor:
    """A grey rectangle, 1/8 to 7/16 a side, over a ``share`` of the faces."""
    count = len(faces)
    side = faces.shape[-1]
    extent = torch.randint(side // 8, side * 7 // 16, (count, 2), generator=random)
    corner = (torch.rand(count, 2, generator=random) * (side - extent)).long()
    chosen = torch.rand(count, generator=random) < share
    place = torch.arange(side)
    end = corner + extent
    rows = (place >= corner[:, 0, None]) & (place < end[:, 0, None])
    columns = (place >= corner[:, 1, None]) & (place < end[:, 1, None])
    hidden = (rows[:, :, None] & columns[:, None, :])[:, None] & chosen[:, None, None, None]

    return faces.masked_fill(hidden, 0.0).contiguous(memory_format=torch.channels_last)


def mixed(
    faces: Tensor, labels: Tensor, alpha: float, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Each face and its labels mixed with another of the batch.

    All are mixed by one share, drawn from a beta distribution.

    >>> same = mixed(torch.ones(2, 3, 4, 4), torch.tensor([[0.0], [1.0]]), 0.0, torch.Generator())
    >>> same[1].tolist()
    [[0.0], [1.0]]
    """
    if not alpha:
        return faces, labels

    # torch's beta distribution takes no generator; a seed drawn from it resumes to the same
    seed = int(torch.randint(0, 2**31, (), generator=random))
    share = float(np.random.default_rng(seed).beta(alpha, alpha))
    other = torch.randperm(len(faces), generator=random)
    return faces * share + faces[other] * (1 - share), labels * share + labels[other] * (1 - share)
