"""Train face parsing.

68 landmarks, and where the skin is visible, on faces with things pasted before them.
"""

import copy
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from attrsearch.core.device import CPU, fast
from attrsearch.faces.parsing import ParsingNetwork
from attrsearch.training.losses import as_numbers
from attrsearch.training.occluders import paste_occluder
from attrsearch.training.restoring_recipes import ParsingRecipe
from attrsearch.training.tight_faces import Cut, TightFaces, cut, to_network

Pictures = npt.NDArray[np.uint8]
SHOWN = 16
RIM = 6.0
"""Landmark errors count in full up to so many pixels of the crop, less beyond: teachers err too."""


class ParsingTrainer:
    """One step at a time.

    Everything it does follows from the recipe, the faces and the step's number.

    Args:
        recipe: How to train.
        faces: What to train on.
        dtype: What convolutions compute in.
        device: Where it computes.
    """

    def __init__(
        self,
        recipe: ParsingRecipe,
        faces: TightFaces,
        dtype: torch.dtype = torch.float32,
        device: torch.device = CPU,
    ) -> None:
        self.recipe = recipe
        self._faces = faces
        self._dtype = dtype
        self._device = device

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            network = ParsingNetwork()

        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), recipe.rate, weight_decay=recipe.weight_decay
        )

    def step(self, number: int) -> dict[str, float]:
        """One step; the losses."""
        for group in self._optimiser.param_groups:
            group["lr"] = self.recipe.rate_at(number)

        random = np.random.default_rng([self.recipe.seed, number])
        chosen = random.integers(0, len(self._faces), self.recipe.batch)
        pictures, landmarks, skin, inside = varied(
            cut(self._faces, chosen, random, 9, 0.1, 5), random
        )
        x = to_network(pictures).to(self._device)
        self.network.train()

        with fast(self._device, self._dtype):
            found, logits = self.network(x)

        error = (found.float() - landmarks.to(self._device)).norm(dim=-1)
        beyond = torch.where(error < RIM, error, RIM * (1 + torch.log(error.clamp(min=RIM) / RIM)))
        target = interpolate(skin.to(self._device), size=64, mode="area")
        weight = interpolate(inside.to(self._device), size=64, mode="area")
        losses = {
            "landmarks": beyond.mean(),
            "visible": binary_cross_entropy_with_logits(logits.float(), target, weight),
        }
        total = losses["landmarks"] * 0.1 + losses["visible"]
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self._optimiser.step()
        keep = min(self.recipe.ema, (number + 1) / (number + 10))

        with torch.no_grad():
            for old, new in zip(
                self.average.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if old.dtype.is_floating_point:
                    old.lerp_(new, 1 - keep)
                else:
                    old.copy_(new)

        return as_numbers(losses)

    def state(self) -> dict[str, Any]:
        """Everything a later step depends on."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])

    def beside(self) -> dict[str, dict[str, Tensor]]:
        """Nothing: what is shipped is all."""
        return {}

    def about(self) -> dict[str, object]:
        """Nothing: the weights tell what they are."""
        return {}

    def weights(self) -> dict[str, Tensor]:
        """What is shipped: the averaged network."""
        return dict(self.average.state_dict())

    @torch.no_grad()
    def sheet(self) -> Pictures:
        """Some faces with what is found on them: landmarks, and the hidden parts darkened."""
        random = np.random.default_rng([self.recipe.seed, 0])
        indices = np.linspace(0, len(self._faces) - 1, SHOWN).astype(np.int64)
        pictures = varied(cut(self._faces, indices, random, 9, 0.1, 5), random)[0]
        found, logits = self.average(to_network(pictures).to(self._device))
        seen = interpolate(
            torch.sigmoid(logits.float()), size=128, mode="bilinear", align_corners=False
        )
        shown = pictures * (0.35 + 0.65 * seen.cpu().permute(0, 2, 3, 1).numpy())
        drawn = np.ascontiguousarray(np.clip(shown, 0, 255).astype(np.uint8))

        for picture, points in zip(drawn, found.cpu().numpy(), strict=True):
            for x, y in points:
                cv2.circle(picture, (round(float(x)), round(float(y))), 1, (0, 255, 0), -1)

        half = SHOWN // 2
        rows = [pictures[:half], drawn[:half], pictures[half:], drawn[half:]]
        return np.concatenate([np.concatenate(list(row), 1) for row in rows])


def varied(squares: Cut, random: np.random.Generator) -> tuple[Pictures, Tensor, Tensor, Tensor]:
    """Faces as footage shows them: things before them, other light, blur, grain and compression.

    Returns:
        Pictures (n, 128, 128, 3), landmarks (n, 68, 2), visible skin (n, 1, 128, 128) and what
        counts of it.
    """
    pictures = []
    skins = []

    for picture, landmarks, skin in zip(
        squares.pictures, squares.landmarks, squares.skin, strict=True
    ):
        changed = picture
        visible = skin * np.float32(1 / 255)
        for _ in range(int(random.choice(3, p=(0.4, 0.5, 0.1)))):
            changed, hidden = paste_occluder(changed, landmarks, random)
            visible = visible * (1 - hidden)

        pictures.append(_degraded(changed, random))
        skins.append(visible)

    inside = torch.from_numpy(squares.inside)[:, None].float() / 255
    return (
        np.stack(pictures),
        torch.from_numpy(squares.landmarks),
        torch.from_numpy(np.stack(skins))[:, None],
        inside,
    )


def _degraded(picture: Pictures, random: np.random.Generator) -> Pictures:
    light = picture.astype(np.float32)
    if random.random() < 0.6:
        light = (light - 128) * np.float32(random.uniform(0.6, 1.25)) + np.float32(
            128 + random.normal(0, 18)
        )
        light = light * random.uniform(0.9, 1.1, 3).astype(np.float32)

    if random.random() < 0.1:
        light = light * random.uniform(0.15, 0.5)

    if random.random() < 0.1:
        light = np.repeat(light.mean(-1, keepdims=True), 3, -1)

    if random.random() < 0.4:
        side = int(random.integers(28, 110))
        small = cv2.resize(light, (side, side), interpolation=cv2.INTER_AREA)
        light = cv2.resize(small, (128, 128), interpolation=cv2.INTER_LINEAR)

    if random.random() < 0.4:
        grain = random.normal(0, random.uniform(1, 10), light.shape)
        light = light + grain.astype(np.float32)

    changed = np.clip(light, 0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))]
        changed = np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", changed, quality)[1], cv2.IMREAD_COLOR), np.uint8
        )

    return changed
