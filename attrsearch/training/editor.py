"""Train the editor: AttGAN's generator and discriminator.

Source: He et al., "AttGAN", 2019, section 3: reconstruction, attribute constraint, adversarial
loss.  Ours: the second pass in the loop (``replay``), and what is asked of finished edits.
"""

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.device import CPU, fast
from attrsearch.editing.blending import face_mask
from attrsearch.training import losses
from attrsearch.training.attribute_sampling import (
    Round,
    TargetAttributes,
    ask_back,
    ask_edits,
    ask_one_pass,
    own,
)
from attrsearch.training.dataset import FaceSet, Pictures, randomness, to_network
from attrsearch.training.discriminator import Discriminator, gradient_penalty
from attrsearch.training.editor_terms import EditTerms
from attrsearch.training.generator import average, freeze_norms, load_frozen, make_generator
from attrsearch.training.loss_networks import frozen, load_traits_network
from attrsearch.training.recipes import EditorRecipe
from attrsearch.training.sample_grid import sheet

Indices = npt.NDArray[np.int64] | npt.NDArray[np.bool_]
SHOWN = 8
BETAS = (0.5, 0.99)


class EditorTrainer:
    """One step at a time, each following from the recipe, the faces and the step's number.

    Args:
        recipe: How to train.
        faces: What to train on, with attributes (0 to 1) for every face.
        dtype: What convolutions compute in.
        shown: Faces for the sample sheet; the first of ``faces`` by default.
        device: Where it computes; random numbers are drawn on the processor.
    """

    def __init__(
        self,
        recipe: EditorRecipe,
        faces: FaceSet,
        dtype: torch.dtype = torch.float32,
        shown: FaceSet | None = None,
        device: torch.device = CPU,
    ) -> None:
        self.recipe = recipe
        self._faces = faces
        self._dtype = dtype
        self._device = device
        self._shown = shown or faces.take(np.arange(min(SHOWN, len(faces))))
        self.generator = make_generator(recipe).to(device)
        self.ema = copy.deepcopy(self.generator).eval().requires_grad_(False)
        features = None
        if recipe.discriminator_features:
            features = frozen(load_traits_network(recipe.traits)).to(device)

        # its weights are drawn from torch's own generator, which stays as it was for the caller
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed + 1)
            discriminator = Discriminator(recipe.discriminator_dim, features)
            self.discriminator = discriminator.to(device).to(memory_format=torch.channels_last)

        learnt = [value for value in self.generator.parameters() if value.requires_grad]
        self._learn_g = torch.optim.Adam(learnt, recipe.generator_rate, BETAS)
        self._learn_d = torch.optim.Adam(
            self.discriminator.parameters(), recipe.discriminator_rate, BETAS
        )
        self._mask = torch.from_numpy(np.array(face_mask()))[None, None].to(device)
        self._terms = EditTerms(recipe, self._mask, dtype, device)
        # of every face as it is and mirrored, filled in when it is first drawn
        count = len(faces) if self._terms.identity else 0
        self._embeddings = np.full((count, 2, 128), np.nan, np.float32)

        self._start = None
        if recipe.losses.anchor:
            self._start = make_generator(recipe).to(device).eval().requires_grad_(False)

        self._sparring = load_frozen(recipe.sparring).to(device) if recipe.sparring else None
        # edits of an earlier step, whose second pass is asked for in this one
        again = round(recipe.replay * recipe.batch) if recipe.asks == "edit" else 0
        width = 128 if self._terms.identity else 0
        shapes = ((3, 128, 128), (len(ATTRIBUTES),), (3, 128, 128), (width,))
        self._replay = [torch.zeros(again, *shape, device=device) for shape in shapes]

    def step(self, number: int) -> dict[str, float]:
        """One step of the discriminator and, after the warm-up, one of the generator.

        The losses.
        """
        random = randomness(self.recipe.seed, number)
        real, labels, embeddings = self._batch(random)
        now = self._round(real, labels, embeddings, random)
        labels = labels.to(self._device)
        asked = now.asked
        source = now.source
        # the discriminator learns alone at first, to know what to look for
        warm = number >= self.recipe.warmup
        self._set_rates(number)

        with torch.set_grad_enabled(warm), self._fast():
            encoded = torch.cat([source, real]) if self._reconstructs else source
            features = self.generator.encode(encoded)
            edited = [part[: len(source)] for part in features]
            fake = self.generator.decode(edited, asked.values).float()

            if not warm and self._sparring is not None:
                half = len(source) // 2
                others = self._sparring(source[half:], asked.values[half:]).float()
                fake = torch.cat([fake[:half], others])

        judged = self._judged(fake, now)
        found = {}
        if self._plays:
            found["D"] = self._step_discriminator(real, labels, judged.detach(), number, random)

        if warm:
            since = number - self.recipe.warmup
            grown = min(1.0, (since + 1) / self.recipe.ramp) if self.recipe.ramp else 1.0
            found |= self._step_generator(real, labels, now, features, fake, judged, random, grown)
            average(self.ema, self.generator, self.recipe.ema, since)

        self._remember(fake.detach(), now)
        return found

    def _set_rates(self, number: int) -> None:
        recipe = self.recipe
        slower = recipe.slower(number)
        rates = (
            (self._learn_g, recipe.generator_rate),
            (self._learn_d, recipe.discriminator_rate),
        )
        for learn, rate in rates:
            for group in learn.param_groups:
                group["lr"] = rate * slower

    def state(self) -> dict[str, Any]:
        """Everything a later step depends on."""
        return {
            "generator": self.generator.state_dict(),
            "ema": self.ema.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "learn_g": self._learn_g.state_dict(),
            "learn_d": self._learn_d.state_dict(),
            "replay": list(self._replay),
            "embeddings": torch.from_numpy(self._embeddings.copy()),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        self.generator.load_state_dict(state["generator"])
        self.ema.load_state_dict(state["ema"])
        self.discriminator.load_state_dict(state["discriminator"])
        self._learn_g.load_state_dict(state["learn_g"])
        self._learn_d.load_state_dict(state["learn_d"])
        self._replay = [part.to(self._device) for part in state["replay"]]
        self._embeddings = state["embeddings"].numpy().copy()

    def beside(self) -> dict[str, dict[str, Tensor]]:
        """Nothing: what is shipped is all."""
        return {}

    def about(self) -> dict[str, object]:
        """Nothing: the weights tell what they are."""
        return {}

    def weights(self) -> dict[str, Tensor]:
        """What is shipped: the averaged generator."""
        return dict(self.ema.state_dict())

    @torch.no_grad()
    def sheet(self) -> Pictures:
        """A picture of what the averaged generator does to the shown faces."""
        return sheet(self.ema, self._shown, self.recipe.asks, self._seen)

    @property
    def _reconstructs(self) -> bool:
        return self.recipe.losses.reconstruction > 0

    @property
    def _plays(self) -> bool:
        """Whether there is a game with the discriminator at all."""
        return self.recipe.losses.adversarial > 0 or self.recipe.losses.joint > 0

    @property
    def _seen(self) -> Tensor | None:
        """Where an edit can be seen at all."""
        return self._mask if self.recipe.blend else None

    def _fast(self) -> torch.autocast:
        return fast(self._device, self._dtype)

    def _batch(self, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Faces, attributes (on the processor), and embeddings (n, 128) where identity counts.

        Where edits of one face are held apart, each face stands in the batch twice.
        """
        twice = 2 if self.recipe.losses.steering else 1
        count = self.recipe.batch // twice
        chosen = torch.randint(0, len(self._faces), (count,), generator=random).numpy()
        faces = to_network(self._faces.crops[chosen])
        labels = torch.from_numpy(self._faces.attributes[chosen])
        mirrored = torch.rand(len(chosen), generator=random) < 0.5
        faces = torch.where(mirrored[:, None, None, None], faces.flip(-1), faces).to(self._device)
        known = self._known(faces, chosen, mirrored.numpy())

        faces = faces.repeat(twice, 1, 1, 1).contiguous(memory_format=torch.channels_last)
        return faces, labels.repeat(twice, 1), known.repeat(twice, 1)

    def _known(self, faces: Tensor, chosen: Indices, mirrored: Indices) -> Tensor:
        """Embeddings of untouched faces, computed when a face is first drawn."""
        if self._terms.identity is None:
            return torch.zeros(len(faces), 0, device=self._device)

        new = np.flatnonzero(np.isnan(self._embeddings[chosen, mirrored.astype(int), 0]))
        if len(new):
            with torch.no_grad():
                found = self._terms.identity.embed(faces[torch.from_numpy(new)])

            self._embeddings[chosen[new], mirrored[new].astype(int)] = found.cpu().numpy()

        return torch.from_numpy(self._embeddings[chosen, mirrored.astype(int)]).to(self._device)

    def _round(
        self, real: Tensor, labels: Tensor, embeddings: Tensor, random: torch.Generator
    ) -> Round:
        """What is asked of which faces.

        Of real ones, and of earlier first passes to be turned back.
        """
        if self.recipe.asks == "one-pass":
            asked = ask_one_pass(labels, random).to(self._device)
            return Round(asked, real, real, embeddings, slice(0, None))

        again, values, began, before = self._replay
        first = len(real) - len(again) * bool(values.any())
        asked = ask_edits(labels[:first], random).to(self._device)
        if first == len(real):
            return Round(asked, real, real, embeddings, slice(first, None))

        return Round(
            asked.followed_by(ask_back(values)),
            torch.cat([real[:first], again]),
            torch.cat([real[:first], began]),
            torch.cat([embeddings[:first], before]),
            slice(first, None),
        )

    def _remember(self, fake: Tensor, now: Round) -> None:
        count = len(self._replay[0])
        kept = fake, now.asked.values, now.began, now.embeddings
        self._replay = [part[:count].clone() for part in kept]

    def _judged(self, fake: Tensor, now: Round) -> Tensor:
        """What is looked at: edits as they come, and finished ones as the product blends them."""
        blended = now.began + (fake - now.began) * self._mask
        if self.recipe.blend:
            return blended

        if self.recipe.asks == "one-pass":
            return fake

        return torch.cat([fake[: now.finished.start], blended[now.finished]])

    def _step_discriminator(
        self, real: Tensor, labels: Tensor, fake: Tensor, number: int, random: torch.Generator
    ) -> float:
        recipe = self.recipe
        self._learn_d.zero_grad()
        real, fake = losses.shifted(real, fake, random)
        with self._fast():
            verdict = self.discriminator(torch.cat([real, fake]))

        first = verdict.take(slice(len(real)))
        second = verdict.take(slice(len(real), None))
        game = losses.discriminator_loss(first, second, self._seen)
        loss = game
        if recipe.losses.joint:
            loss = loss + losses.attribute_loss(first.attributes, labels, torch.ones_like(labels))

        # the penalty costs a second gradient: it is asked for seldom, and counts the more then
        if recipe.penalty and number % recipe.penalty_every == 0:
            half = real[: max(2, len(real) // 2)]
            weight = recipe.penalty * recipe.penalty_every
            loss = loss + weight * gradient_penalty(self.discriminator, half)

        loss.backward()  # type: ignore[no-untyped-call]
        self._learn_d.step()
        return float(game.detach())

    def _step_generator(
        self,
        real: Tensor,
        labels: Tensor,
        now: Round,
        features: list[Tensor],
        fake: Tensor,
        judged: Tensor,
        random: torch.Generator,
        grown: float,
    ) -> dict[str, float]:
        weights = self.recipe.losses
        source = now.source
        terms = self._realism(judged, now.asked, random)

        if self._reconstructs:
            whole = [part[len(source) :] for part in features]
            with self._fast():
                again = self.generator.decode(whole, own(labels)).float()

            terms["reconstruction"] = l1_loss(again, real)
            terms["colour"] = losses.colour_loss(again, real)

        if weights.outside:
            terms["outside"] = ((fake - source).abs() * (1 - self._mask)).mean()

        if self._start is not None:
            with torch.no_grad(), self._fast():
                earlier = self._start(source, now.asked.values).float()

            terms["anchor"] = losses.anchor_loss(fake, earlier)

        if len(source[now.finished]):
            began = now.began[now.finished]
            embeddings = now.embeddings[now.finished]
            terms |= self._terms.finished(began, embeddings, judged[now.finished], random)

        weighed = {name: getattr(weights, name, 0.0) for name in terms}
        # the weight of identity grows with the steps: at first there is no face to recognise
        if "identity" in weighed:
            weighed["identity"] *= grown

        total = torch.stack([weighed[name] * value for name, value in terms.items()]).sum()
        self._learn_g.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        # one strange batch must not undo the work of many steps
        torch.nn.utils.clip_grad_norm_(self.generator.parameters(), 20.0)
        self._learn_g.step()
        if self.recipe.frozen_norm:
            freeze_norms(self.generator)
        return losses.as_numbers(terms)

    def _realism(
        self, judged: Tensor, asked: TargetAttributes, random: torch.Generator
    ) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = {}
        if self._plays:
            # what the discriminator would learn here is not wanted, and costs time
            self.discriminator.requires_grad_(False)
            with self._fast():
                verdict = self.discriminator(losses.shifted(judged, judged, random)[0])

            self.discriminator.requires_grad_(True)
            terms["adversarial"] = losses.realism_loss(verdict, self._seen)
            terms["joint"] = losses.attribute_loss(verdict.attributes, asked.target, asked.weight)

        return terms | self._terms.attributes(judged, asked, random)
