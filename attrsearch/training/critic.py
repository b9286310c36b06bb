"""Train the critic of naturalness: faces of known order, from real ones down to shuffled patches.

No person has graded these faces, so what it learns is an order that everybody agrees on: real
before reconstructed, reconstructed before edited (the more is asked, the worse), edited before
blurred, blurred before shuffled.  ``attrsearch grade`` is for what people think of edits.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, mse_loss

from attrsearch.core.device import CPU
from attrsearch.editing.attgan import Generator
from attrsearch.editing.blending import face_mask
from attrsearch.editing.checkpoints import load_checkpoint
from attrsearch.faces.naturalness import CriticNetwork, calibrated
from attrsearch.training.attribute_sampling import REACH, own
from attrsearch.training.attributes import one_cycle
from attrsearch.training.dataset import FaceSet, randomness, to_network
from attrsearch.training.recipes import CriticRecipe

KINDS = ("real", "reconstructed", "edited", "blurred", "shuffled")
LEVELS = {"real": 1.0, "reconstructed": 0.8, "edited": 0.7, "blurred": 0.2, "shuffled": 0.0}
WORST_EDIT = 0.3
"""What an edit with every attribute at its limit, in two passes, is taught to be worth; others lie
between.
"""
PATCH = 32


class Spoiler:
    """Makes faces of every kind from real ones.

    Args:
        editors: Names or paths; they take turns.
        device: Where it edits, and where the faces are.
    """

    def __init__(self, editors: tuple[str, ...], device: torch.device = CPU) -> None:
        loaded = [load_checkpoint(name).generator for name in editors]
        self._editors = [one.to(device).to(memory_format=torch.channels_last) for one in loaded]
        self._mask = torch.from_numpy(face_mask().copy())[None, None].to(device)

    def __call__(
        self, kind: str, faces: Tensor, labels: Tensor, number: int, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Faces (n, 3, 128, 128) of a kind, and what each is worth (n,).

        Labels and worth on the processor.
        """
        worth = torch.full((len(faces),), LEVELS[kind])

        if kind == "reconstructed":
            faces = self._blended(self._editor(number)(faces, own(labels).to(faces.device)), faces)
        elif kind == "edited":
            strength = torch.rand(len(faces), 1, generator=random)
            faces = self.edited(faces, strength, number, random)
            worth = LEVELS["edited"] - (LEVELS["edited"] - WORST_EDIT) * strength[:, 0]
        elif kind == "blurred":
            faces = blurred(faces, random)
        elif kind == "shuffled":
            faces = shuffled(faces, random)

        return faces, worth

    def edited(
        self, faces: Tensor, strength: Tensor, number: int, random: torch.Generator
    ) -> Tensor:
        """Random edits.

        The sign of every attribute is random, ``strength`` (n, 1) is the share of the limit.
        """
        signs = torch.randint(0, 2, (len(faces), 13), generator=random) * 2.0 - 1
        values = (signs * strength * REACH).to(faces.device)
        editor = self._editor(number)
        first = editor(faces, values)

        # editors are used in one pass and in two: every other batch is of each
        return self._blended(first if number % 2 else editor(first, -values), faces)

    def _editor(self, number: int) -> Generator:
        return self._editors[number % len(self._editors)]

    def _blended(self, edited: Tensor, faces: Tensor) -> Tensor:
        return faces + (edited - faces) * self._mask


def blurred(faces: Tensor, random: torch.Generator) -> Tensor:
    """Faces of which only 10 to 24 pixels a side are left."""
    side = int(torch.randint(10, 25, (), generator=random))
    return interpolate(
        avg_pool2d(interpolate(faces, size=side * 4, mode="area"), 4), size=128, mode="bilinear"
    )


def shuffled(faces: Tensor, random: torch.Generator) -> Tensor:
    """Faces whose 4 x 4 patches have changed places."""
    count = len(faces)
    rows = faces.shape[-1] // PATCH
    patches = (
        faces.unfold(2, PATCH, PATCH)
        .unfold(3, PATCH, PATCH)
        .reshape(count, 3, rows * rows, PATCH, PATCH)
    )
    order = torch.randperm(rows * rows, generator=random)
    mixed = patches[:, :, order].view(count, 3, rows, rows, PATCH, PATCH)

    return mixed.permute(0, 1, 2, 4, 3, 5).reshape(faces.shape)


class CriticTrainer:
    """Each step shows a fifth of the batch of every kind, and asks for what it is worth.

    Args:
        recipe: How to train.
        faces: Real faces with attributes.
        device: Where it computes; random numbers are drawn on the processor.
    """

    def __init__(self, recipe: CriticRecipe, faces: FaceSet, device: torch.device = CPU) -> None:
        self.recipe = recipe
        self._faces = faces
        self._device = device

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.network = CriticNetwork().to(device).to(memory_format=torch.channels_last)

        self._spoiler = Spoiler(recipe.editors, device)
        self._learn = torch.optim.AdamW(self.network.parameters(), recipe.rate, weight_decay=0.02)

    def step(self, number: int) -> dict[str, float]:
        """One step; the mean squared error."""
        recipe = self.recipe
        random = randomness(recipe.seed, number)
        faces, worth = self._faces_of_all_kinds(number, random)

        for group in self._learn.param_groups:
            group["lr"] = recipe.rate * one_cycle(number / recipe.steps)

        loss = mse_loss(self.network.train()(faces), worth)
        self._learn.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._learn.step()

        return {"loss": float(loss.detach())}

    def state(self) -> dict[str, Any]:
        """Everything a later step depends on."""
        return {"network": self.network.state_dict(), "learn": self._learn.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self.network.load_state_dict(state["network"])
        self._learn.load_state_dict(state["learn"])

    def beside(self) -> dict[str, dict[str, Tensor]]:
        """Nothing: what is shipped is all."""
        return {}

    def about(self) -> dict[str, object]:
        """Nothing: the weights tell what they are."""
        return {}

    @torch.no_grad()
    def weights(self) -> dict[str, Tensor]:
        """What is shipped: the network, calibrated on faces it was trained on.

        Its own calibration stays.
        """
        network = CriticNetwork().to(self._device)
        network.load_state_dict(self.network.state_dict())
        network.eval()
        random = randomness(self.recipe.seed, -1 % 2**31)
        faces, labels = self._real(64, random)

        try:
            most = torch.ones(len(labels), 1)
            worst = self._spoiler.edited(faces, most, 0, random)  # the first editor, in two passes
            calibrated(network, network(faces), network(worst))
        except ValueError:  # not yet: a checkpoint of the first steps ships as it is
            return dict(network.state_dict())

        return dict(network.state_dict())

    def sheet(self) -> None:
        """A critic has no pictures to show."""
        return

    def _real(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(0, len(self._faces), (count,), generator=random).numpy()
        labels = torch.from_numpy(self._faces.attributes[chosen])
        return to_network(self._faces.crops[chosen]).to(self._device), labels

    @torch.no_grad()
    def _faces_of_all_kinds(self, number: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        share = max(2, self.recipe.batch // len(KINDS))
        parts = []
        for kind in KINDS:
            faces, labels = self._real(share, random)
            parts.append(self._spoiler(kind, faces, labels, number, random))

        faces, worth = (torch.cat(column) for column in zip(*parts, strict=True))
        moved = torch.roll(
            faces, tuple(torch.randint(-4, 5, (2,), generator=random).tolist()), (2, 3)
        )
        return moved.contiguous(memory_format=torch.channels_last), worth.to(self._device)
