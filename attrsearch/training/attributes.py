"""Train the classifier of the 13 attributes."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from attrsearch.faces.traits import TraitsNetwork
from attrsearch.training.dataset import FaceSet, randomness, to_network
from attrsearch.training.device import CPU, fast, seeded
from attrsearch.training.judges import load_traits_network
from attrsearch.training.recipes import AttributesRecipe

REACH = 5
"""Pixels a face is moved by at most."""


class AttributesTrainer:
    """One cycle of the learning rate over all steps; faces moved, mirrored, blurred, dimmed and made noisy.

    Args:
        recipe: How to train.
        faces: Labelled faces.
        dtype: What convolutions compute in.
        device: Where it computes; faces are varied on the processor.
    """

    def __init__(
        self,
        recipe: AttributesRecipe,
        faces: FaceSet,
        dtype: torch.dtype = torch.float32,
        device: torch.device = CPU,
    ) -> None:
        self.recipe, self._faces, self._dtype, self._device = recipe, faces, dtype, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.network = load_traits_network(recipe.start) if recipe.start else TraitsNetwork()
        self.network = self.network.train().requires_grad_(True).to(device).to(memory_format=torch.channels_last)
        self._learn = torch.optim.AdamW(self.network.parameters(), recipe.rate, weight_decay=recipe.weight_decay)

    def step(self, number: int) -> dict[str, float]:
        """One step; the loss and the share of attributes seen right."""
        recipe = self.recipe
        random = randomness(recipe.seed, number)
        chosen = torch.randint(0, len(self._faces), (recipe.batch,), generator=random).numpy()
        faces, labels = to_network(self._faces.crops[chosen]), torch.from_numpy(self._faces.attributes[chosen])
        for group in self._learn.param_groups:
            group["lr"] = recipe.rate * one_cycle(number / recipe.steps)
        faces, labels = varied(faces, random).to(self._device), labels.to(self._device)
        with seeded(self._device, random.initial_seed()), fast(self._device, self._dtype):
            logits = self.network(faces).float()
        soft = labels * (1 - recipe.smoothing) + recipe.smoothing / 2
        loss = binary_cross_entropy_with_logits(logits, soft)
        self._learn.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._learn.step()
        right = ((logits > 0) == (labels > 0.5)).float().mean()
        return {"loss": float(loss.detach()), "right": float(right)}

    def state(self) -> dict[str, Any]:
        """Everything a later step depends on."""
        return {"network": self.network.state_dict(), "learn": self._learn.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self.network.load_state_dict(state["network"])
        self._learn.load_state_dict(state["learn"])

    def weights(self) -> dict[str, Tensor]:
        """What is shipped."""
        return dict(self.network.state_dict())

    def sheet(self) -> None:
        """A classifier has no pictures to show."""
        return


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
    """Faces as other cameras would show them: what a classifier learns from a small set must not hang on these."""
    mirrored = torch.rand(len(faces), generator=random) < 0.5
    faces = torch.where(mirrored[:, None, None, None], faces.flip(-1), faces)
    down, right = torch.randint(-REACH, REACH + 1, (2,), generator=random).tolist()
    faces = torch.roll(faces, (down, right), (2, 3))
    blur, share = torch.rand(2, generator=random).tolist()
    if blur < 0.5:
        small = interpolate(
            faces, size=int(faces.shape[-1] * (0.4 + 0.6 * share)), mode="bilinear", antialias=True
        )
        faces = interpolate(small, size=faces.shape[-1], mode="bilinear")
    contrast = 1 + 0.2 * torch.randn(len(faces), 1, 1, 1, generator=random)
    light = 0.15 * torch.randn(len(faces), 3, 1, 1, generator=random)
    return (faces * contrast + light).clamp(-1, 1)
