"""What is asked of the editor's results, besides the game with the discriminator.

Source: He et al., "AttGAN", 2019, section 3: the attribute constraint.  Ours: identity, spread,
detection, geometry and tone of finished edits.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from attrsearch.core.device import fast
from attrsearch.core.precision import Precision
from attrsearch.training import losses
from attrsearch.training.attribute_sampling import TargetAttributes
from attrsearch.training.loss_networks import (
    DetectionLossNetwork,
    IdentityLoss,
    frozen,
    geometry_loss,
    load_traits_network,
)
from attrsearch.training.recipes import EditorRecipe


class EditTerms:
    """Losses of edits by frozen networks; only those are loaded that the recipe weighs.

    Args:
        recipe: How to train.
        mask: (1, 1, 128, 128), where an edit can be seen at all.
        dtype: What convolutions compute in.
        device: Where they do.
    """

    def __init__(
        self, recipe: EditorRecipe, mask: Tensor, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._recipe = recipe
        self._mask = mask
        self._dtype = dtype
        self._device = device
        weights = recipe.losses
        precision: Precision = "bf16" if dtype is torch.bfloat16 else "fp32"

        self._traits = None
        if weights.attributes:
            self._traits = frozen(load_traits_network(recipe.traits)).to(device)

        self.identity: IdentityLoss | None = None
        if weights.identity or weights.spread or weights.steering:
            self.identity = IdentityLoss(precision, device)

        self._detection: DetectionLossNetwork | None = None
        if weights.detection or weights.geometry:
            self._detection = DetectionLossNetwork(device)

    def attributes(
        self, judged: Tensor, asked: TargetAttributes, random: torch.Generator
    ) -> dict[str, Tensor]:
        """Whether the classifier sees what was asked for."""
        if self._traits is None:
            return {}

        disturbed = losses.disturbed(judged, random)
        seen = pad(disturbed, (3, 3, 3, 3), mode="reflect")[:, :, 2:130, 4:132]
        with fast(self._device, self._dtype):
            logits = self._traits(seen).float()

        return {"attributes": losses.attribute_loss(logits, asked.target, asked.weight)}

    def finished(
        self, before: Tensor, embeddings: Tensor, after: Tensor, random: torch.Generator
    ) -> dict[str, Tensor]:
        """What is asked of an edit when nothing more comes after it.

        Args:
            before: Untouched faces (n, 3, 128, 128).
            embeddings: Theirs (n, 128).
            after: Their edits.
            random: Draws cuts and disturbances.
        """
        weights = self._recipe.losses
        terms: dict[str, Tensor] = {}

        # where faces are reconstructed, colour is asked of these
        if weights.colour and not weights.reconstruction > 0:
            terms["colour"] = losses.colour_loss(after, before)

        if weights.chroma:
            terms["chroma"] = losses.chroma_loss(after, before)

        if weights.grain:
            terms["grain"] = losses.grain_loss(after, before)

        if weights.hair:
            terms["hair"] = losses.hair_loss(after, before, self._mask)

        if weights.tone:
            terms["tone"] = losses.tone_loss(after, before)

        if self.identity is not None:
            terms |= self._anonymity(self.identity, embeddings, after, random)

        if self._detection is not None:
            cuts = self._detection.cuts(len(before), random)
            sight = self._detection(after, cuts)
            terms["detection"] = -sight.probability.clamp(min=1e-6).log().mean()
            with torch.no_grad():
                untouched = self._detection(before, cuts)

            terms["geometry"] = geometry_loss(sight, untouched)

        return terms

    def _anonymity(
        self, judge: IdentityLoss, before: Tensor, judged: Tensor, random: torch.Generator
    ) -> dict[str, Tensor]:
        """Identity and spread.

        Distances are SFace's own, the recipe's limits on the FaceNet scale.
        """
        recipe = self._recipe
        # softened: identity must lie in the shapes, not in pixels that only this recogniser sees
        after = judge.embed(losses.softened(judged, random), random)
        distance = ((before - after).square().sum(1) + 1e-8).sqrt() * judge.scale
        terms = {
            "identity": losses.identity_loss(distance, recipe.margin, recipe.beyond, recipe.tail),
            "spread": losses.spread_loss(before, after, recipe.kept),
            "distance": distance.detach().mean(),
        }
        if recipe.losses.steering:
            terms["steering"] = losses.steering_loss(after, recipe.apart / judge.scale)

        return terms
