"""Train the restoring editor.

Half of a batch restores true faces, the other half paints other people's attributes.

Sources: Sauer et al., "Projected GANs Converge Faster", 2021 (the game on frozen features); Miyato
and Koyama, "cGANs with Projection Discriminator", 2018 (discriminators that are told the
attributes).
"""

import copy
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate, relu, softplus

from attrsearch.core.device import CPU, fast
from attrsearch.core.parallel import in_parallel, one_thread
from attrsearch.core.precision import Precision
from attrsearch.editing.restoring import (
    GROUPS,
    RestoringConfig,
    RestoringNetwork,
    heat_maps,
    reduce_faces,
)
from attrsearch.editing.restoring_file import PARSING, described, packed
from attrsearch.faces.parsing import ParsingNetwork, visible_skin
from attrsearch.training.asked_sets import asked_sets, uniform_sets
from attrsearch.training.dataset import randomness, to_pictures
from attrsearch.training.export import load_trained
from attrsearch.training.identity import TightFaceNet, TightIdentity, TightSFace, worn
from attrsearch.training.image_metrics import hatching
from attrsearch.training.imagenet_features import (
    CHANNELS,
    ImageNetFeatures,
    feature_gaps,
    texture_loss,
)
from attrsearch.training.loss_networks import frozen
from attrsearch.training.occluders import paste_occluder
from attrsearch.training.projected import RGB, WIDTHS, ProjectedDiscriminator, window
from attrsearch.training.restoring_batch import Batch
from attrsearch.training.restoring_recipes import RestoringRecipe
from attrsearch.training.restoring_steps import GenderProbe, fit_gender, learn, people_terms
from attrsearch.training.second_stage import SecondStage
from attrsearch.training.tight_faces import TightFaces, cut, to_network

Pictures = npt.NDArray[np.uint8]
BETAS = (0.0, 0.99)
SHOWN = 12
LIMIT = 5.0
"""Longest gradient of the editor."""
TOLD = [*chain.from_iterable(GROUPS)]
"""Landmarks that the editor is told."""


@dataclass(frozen=True)
class _Begun:
    """One part of a batch after the discriminators looked at it."""

    number: int
    batch: Batch
    edited: Tensor
    real: list[Tensor]
    fake: list[Tensor]
    generator: torch.Generator
    gradients: tuple[Tensor, ...]
    game: float


class RestoringTrainer:
    """One step at a time, each following from the recipe, the faces and the step's number.

    Args:
        recipe: How to train.
        faces: What to train on.
        dtype: What convolutions compute in.
        shown: Faces for the sample sheet; the first of ``faces`` by default.
        device: Where it computes; random numbers are drawn on the processor.
    """

    def __init__(
        self,
        recipe: RestoringRecipe,
        faces: TightFaces,
        dtype: torch.dtype = torch.float32,
        shown: TightFaces | None = None,
        device: torch.device = CPU,
    ) -> None:
        self.recipe = recipe
        self._faces = faces
        self._shown = shown or faces.take(np.arange(min(SHOWN, len(faces))))
        self._dtype = dtype
        self._device = device
        config = RestoringConfig(size=recipe.size, superpixels=recipe.superpixels, rim=recipe.rim)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            generator = RestoringNetwork(config)
            discriminator = ProjectedDiscriminator((RGB, *CHANNELS), WIDTHS)

        if recipe.start:
            load_trained(generator, recipe.start, "editor", PARSING)

        if recipe.discriminators:
            load_trained(discriminator, recipe.discriminators)

        self.generator = generator.to(device).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.discriminator = discriminator.to(device).to(memory_format=torch.channels_last)
        self._features = frozen(ImageNetFeatures()).to(device)

        self._second: SecondStage | None = None
        if recipe.second:
            self._second = SecondStage(recipe.second, recipe.size, dtype, device)

        parsing = ParsingNetwork()
        load_trained(parsing, recipe.parsing)
        self._parsing = frozen(parsing).to(device)

        precision: Precision = "bf16" if dtype is torch.bfloat16 else "fp32"
        self._recognisers: tuple[TightIdentity, ...] = (
            TightSFace(precision, device),
            TightFaceNet(precision, device),
        )

        self._genders: list[GenderProbe | None] = [None] * len(self._recognisers)
        if recipe.losses.gender:
            self._genders = [fit_gender(one, faces, device) for one in self._recognisers]

        self._learnt_g = list(self.generator.parameters())
        self._learnt_d = [value for value in self.discriminator.parameters() if value.requires_grad]
        self._learn_g = torch.optim.Adam(self._learnt_g, recipe.generator_rate, BETAS)
        self._learn_d = torch.optim.Adam(self._learnt_d, recipe.discriminator_rate, BETAS)

    def step(self, number: int) -> dict[str, float]:
        """One step of the discriminators and one of the editor; the losses.

        The batch is divided into parts that run side by side, each on one thread: what comes out
        does not depend on the number of threads, and no thread waits for another within a part.
        """
        with one_thread():
            return self._step(number)

    def _step(self, number: int) -> dict[str, float]:
        self._set_rates(number)
        self.discriminator.renew_norms()
        parts = list(range(self.recipe.parts))
        begun = in_parallel(lambda part: self._begin(number, part), parts)
        learn(self._learn_d, self._learnt_d, [one.gradients for one in begun])

        for value in self._learnt_d:
            value.requires_grad_(False)

        ended = in_parallel(lambda part: self._end(number, begun[part]), parts)

        for value in self._learnt_d:
            value.requires_grad_(True)

        learn(self._learn_g, self._learnt_g, [gradients for gradients, _ in ended], LIMIT)

        keep = min(self.recipe.ema, (number + 1) / (number + 10))
        with torch.no_grad():
            for old, new in zip(self.average.parameters(), self._learnt_g, strict=True):
                old.lerp_(new, 1 - keep)

        found = {"D": sum(one.game for one in begun) / len(parts)}
        for name in ended[0][1]:
            found[name] = sum(terms[name] for _, terms in ended) / len(parts)

        return found

    def _begin(self, number: int, part: int) -> "_Begun":
        """Edit one part of the batch, and what the discriminators learn of it."""
        batch = self._batch(number, part)
        generator = randomness(self.recipe.seed + 2 + part, number)
        edited = self._edit(self.generator, batch)
        place = window(len(edited), batch.faces.shape[-1], generator)

        with torch.no_grad():
            real = self._seen(place.cut(batch.faces))

        fake = self._seen(place.cut(edited))
        with fast(self._device, self._dtype):
            of_real = self.discriminator(real, self._told(batch.labels))
            of_fake = self.discriminator([one.detach() for one in fake], self._told(batch.asked))

        losses = []
        for yes, no in zip(of_real, of_fake, strict=True):
            losses.append(relu(1 - yes.float()).mean() + relu(1 + no.float()).mean())

        loss = torch.stack(losses).mean()
        gradients = torch.autograd.grad(loss, self._learnt_d)
        return _Begun(number, batch, edited, real, fake, generator, gradients, float(loss.detach()))

    def _seen(self, pictures: Tensor) -> list[Tensor]:
        """What the discriminators see of pictures (n, 3, h, w): themselves, and their features."""
        return [pictures, *self._features(pictures)]

    def _end(self, number: int, begun: "_Begun") -> tuple[tuple[Tensor, ...], dict[str, float]]:
        """What the editor learns of one part of the batch."""
        grown = self.recipe.grown(number)
        terms = self._terms(begun, push=grown > 0)
        weights = self.recipe.losses
        total = torch.zeros((), device=self._device)

        for name, value in terms.items():
            slow = grown if name in ("identity", "steering", "spread", "gender") else 1.0
            total = total + getattr(weights, name) * slow * value

        gradients = torch.autograd.grad(total, self._learnt_g)
        return gradients, {name: float(value.detach()) for name, value in terms.items()}

    def state(self) -> dict[str, Any]:
        """Everything a later step depends on."""
        return {
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "learn_g": self._learn_g.state_dict(),
            "learn_d": self._learn_d.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self.generator.load_state_dict(state["generator"])
        self.average.load_state_dict(state["average"])
        self.discriminator.load_state_dict(state["discriminator"])
        self._learn_g.load_state_dict(state["learn_g"])
        self._learn_d.load_state_dict(state["learn_d"])

    def weights(self) -> dict[str, Tensor]:
        """What is shipped: the averaged editor, and the face parsing it was trained with."""
        return packed(self.average.state_dict(), self._parsing.state_dict())

    def beside(self) -> dict[str, dict[str, Tensor]]:
        """The discriminators, for a later training that begins with them."""
        return {"discriminators": self.discriminator.state_dict()}

    def about(self) -> dict[str, object]:
        """What an editor needs to know beside its weights."""
        return described(self.average.config)

    @torch.no_grad()
    def sheet(self) -> Pictures:
        """Rows: the face, what is left of it, restored, and three random sets of the space."""
        random = np.random.default_rng([self.recipe.seed, 0])
        squares = cut(self._shown, np.arange(len(self._shown)), random, 0, 0, 0)
        faces = to_network(squares.pictures).to(self._device)
        labels = torch.from_numpy(squares.attributes) * 2 - 1
        count = len(faces)
        landmarks, visible = self._parsed(faces)
        batch = Batch(faces, landmarks, visible, labels, labels, count, 0, torch.zeros(count))
        reduced = reduce_faces(faces, visible, self.recipe.superpixels)[:, :3]
        rows = [faces, reduced, self._edit(self.average, batch)]

        for draw in range(3):
            asked = uniform_sets(labels, randomness(0, draw))
            shares = torch.full((count,), self.recipe.most if self._second else 0.0)
            edited = Batch(faces, landmarks, visible, labels, asked, 0, 0, shares)
            rows.append(self._edit(self.average, edited))

        return np.concatenate([np.concatenate(list(to_pictures(row)), 1) for row in rows])

    def _set_rates(self, number: int) -> None:
        slower = self.recipe.slower(number)
        for group in self._learn_g.param_groups:
            group["lr"] = self.recipe.generator_rate * slower

        for group in self._learn_d.param_groups:
            group["lr"] = self.recipe.discriminator_rate * slower

    def _batch(self, number: int, part: int) -> Batch:
        """A share of a part of the batch to restore; the others to edit, each in two ways."""
        recipe = self.recipe
        random = np.random.default_rng([recipe.seed, number, part])
        size = recipe.batch // recipe.parts
        own = max(1, round(size * recipe.own))
        pairs = (size - own) // 2
        chosen = random.integers(0, len(self._faces), own + pairs)
        squares = cut(self._faces, chosen, random)
        pictures = []

        for picture, landmarks in zip(squares.pictures, squares.landmarks, strict=True):
            hidden = random.random() < recipe.occluded
            pictures.append(paste_occluder(picture, landmarks, random)[0] if hidden else picture)

        faces = to_network(np.stack(pictures)).to(self._device)
        landmarks, visible = self._parsed(faces)
        visible = visible * (torch.from_numpy(squares.inside)[:, None].to(self._device) / 255)
        labels = torch.from_numpy(squares.attributes) * 2 - 1

        twice = torch.cat([torch.arange(own + pairs), torch.arange(own, own + pairs)])
        labels = labels[twice]
        generator = randomness(recipe.seed + 1000 + part, number)
        rows = random.integers(0, len(self._faces), 4096)
        others = torch.from_numpy(self._faces.attributes[rows]) * 2 - 1
        strength = 0.7 + 0.4 * torch.rand(own, 1, generator=generator)
        asked = torch.cat([labels[:own] * strength, asked_sets(labels[own:], others, generator)])
        shares = torch.zeros(len(asked))
        if self._second is not None:
            shares[own:] = recipe.most * torch.rand(2 * pairs, generator=generator)

        twice = twice.to(self._device)
        return Batch(
            faces[twice], landmarks[twice], visible[twice], labels, asked, own, pairs, shares
        )

    def _told(self, attributes: Tensor) -> Tensor:
        """What the discriminators are told of attributes (n, 13)."""
        attributes = attributes.to(self._device)
        return attributes if self.recipe.told else torch.zeros_like(attributes)

    @torch.no_grad()
    def _parsed(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        with fast(self._device, self._dtype):
            landmarks, logits = self._parsing(faces)

        return landmarks.float(), visible_skin(logits.float(), faces.shape[-1], self.recipe.rim)

    def _edit(self, network: RestoringNetwork, batch: Batch) -> Tensor:
        """Edits as they are laid on the faces (n, 3, s, s)."""
        config = network.config
        reduced = reduce_faces(batch.faces, batch.visible, config.superpixels)
        places = (batch.landmarks + 0.5) / batch.faces.shape[-1]
        heat = heat_maps(places, config.size, config.spread)
        reduced = reduced.contiguous(memory_format=torch.channels_last)
        asked = batch.asked.to(self._device)
        shares = batch.shares.to(self._device)
        with fast(self._device, self._dtype):
            painted = network(reduced, heat, asked * (1 - shares[:, None] / 2)).float()

        if self._second is not None:
            own = batch.own
            shown = torch.lerp(batch.faces[own:], painted[own:], batch.visible[own:])
            both = self._second(painted[own:], shown, asked[own:], shares[own:])
            painted = torch.cat([painted[:own], both])

        return torch.lerp(batch.faces, painted, batch.visible)

    def _terms(self, begun: "_Begun", *, push: bool) -> dict[str, Tensor]:
        """The losses by name; those that push people apart only where ``push`` says so."""
        weights = self.recipe.losses
        batch = begun.batch
        edited = begun.edited
        own = batch.own
        with fast(self._device, self._dtype):
            verdicts = self.discriminator(begun.fake, self._told(batch.asked))

        # A face that already passes for real gains nothing more: without a bound, edits that
        # nothing else holds become whatever excites the frozen features most.
        doubts = [softplus(-one.float()).mean() for one in verdicts]
        terms = {"adversarial": torch.stack(doubts).mean()}
        terms["restoration"] = (edited[:own] - batch.faces[:own]).abs().mean()
        real = begun.real[1:]
        fake = begun.fake[1:]
        gaps = torch.stack([*map(feature_gaps, real, fake)])
        terms["features"] = gaps[:, :own].mean()
        reach = self.recipe.slack * gaps[:, :own].detach().mean(1, keepdim=True)
        terms["anchor"] = relu(gaps[:, own:] - reach).mean()
        fine_real = [one[own:] for one in real[:2]]
        fine_fake = [one[own:] for one in fake[:2]]
        terms["texture"] = texture_loss(fine_real, fine_fake)
        terms["hatch"] = relu(hatching(edited) - hatching(batch.faces)).mean()
        squares = self.recipe.superpixels
        low = interpolate(edited - batch.faces, size=squares, mode="area")
        terms["reduction"] = low.abs().mean()

        if weights.landmarks:
            # Only where a true result holds the edit: without one the network of landmarks is
            # fooled.
            terms["landmarks"] = self._off(edited[:own], batch.landmarks[:own])

        if weights.pose:
            # Seen coarsely, as the recognisers see it: strokes of single pixels fool the network of
            # landmarks, the shape of a mouth does not.
            seen = worn(edited[own:], begun.generator)
            terms["pose"] = self._off(seen, batch.landmarks[own:])

        if push and (weights.identity or weights.steering or weights.spread):
            turn = begun.number % len(self._recognisers)
            recogniser = self._recognisers[turn]
            probe = self._genders[turn]
            terms |= people_terms(
                self.recipe, batch, edited[own:], recogniser, begun.generator, probe
            )

        return terms

    def _off(self, seen: Tensor, landmarks: Tensor) -> Tensor:
        """How far told landmarks of faces (n, 3, s, s) are from theirs (n, 68, 2), in pixels."""
        with fast(self._device, self._dtype):
            found, _ = self._parsing(seen)

        off: Tensor = (found.float()[:, TOLD] - landmarks[:, TOLD]).norm(dim=-1)
        return off.clamp(max=8).mean()
