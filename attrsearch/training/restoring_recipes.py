"""Training recipes of face parsing and of the restoring editor."""

import math
from typing import Annotated, Literal

from pydantic import Field

from attrsearch.core.picking import without_none
from attrsearch.core.recipes.base import Finite, Recipe, Share, load_recipe
from attrsearch.training.recipes import FOLDER, Rate, Weight, _Training


class ParsingRecipe(_Training):
    """How face parsing is trained.

    Attributes:
        rate: Highest learning rate; it rises over the first hundredth and falls to nothing as a
            cosine.
        weight_decay: Of AdamW.
        ema: Decay of the average of the weights that is shipped.
    """

    kind: Literal["parsing"]
    rate: Rate = 3e-3
    weight_decay: Share = 0.01
    ema: Share = 0.998

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        done = min(1.0, step / self.steps)
        rise = min(1.0, (step + 1) / max(1.0, self.steps * 0.01))
        return self.rate * rise * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-6


class RestoringLosses(Recipe):
    """Weights of the terms of the restoring editor's loss; a term of weight 0 is not computed.

    Attributes:
        adversarial: Realism, by discriminators on the picture and on frozen ImageNet features.
        restoration: L1 to the true face, where its own attributes are asked.
        features: Distance of ImageNet features to those of the true face, where its own attributes
            are asked.
        anchor: How much further from the true face, to ImageNet features, edits by others'
            attributes are than ``slack`` times restored faces.
        reduction: L1 between edit and picture, both reduced to superpixels: light and tone.
        texture: Means and spreads of fine ImageNet features away from the face's own, where others'
            attributes are asked.
        hatch: Chequered detail of single pixels beyond the true face's: strides of the ImageNet
            network skip it, so the game does not see it.
        landmarks: Distance of eyes, mouth, nose and chin by face parsing, in pixels of the crop,
            where its own attributes are asked.
        pose: The same where others' attributes are asked, of edits seen coarsely.
        identity: The embedding's distance short of ``margin``, by SFace and FaceNet in turn.
        steering: Two edits of one face nearer to each other than ``apart``.
        gender: Edits whose gender, read linearly from the recogniser's embeddings, is not clearly
            the face's own.
        spread: Edits of different people nearer to each other than ``kept`` of their distance
            before.
    """

    adversarial: Weight = 3.0
    restoration: Weight = 4.0
    features: Weight = 1.0
    anchor: Weight = 3.0
    reduction: Weight = 8.0
    texture: Weight = 3.0
    hatch: Weight = 20.0
    landmarks: Weight = 0.3
    pose: Weight = 0.0
    identity: Weight = 0.5
    gender: Weight = 0.0
    steering: Weight = 0.2
    spread: Weight = 0.5


class RestoringRecipe(_Training):
    """How the restoring editor is trained.

    Attributes:
        parsing: Weights of face parsing, a bundled name or a path.
        start: Weights of a restoring editor to begin with, a bundled name or a path; empty begins
            anew.
        discriminators: Path of the discriminators to begin with, as an earlier training wrote them;
            empty begins anew, and takes about a thousand steps until they see much.
        size: Side of the crop.
        superpixels: Squares across the crop that the face is reduced to.
        rim: How far beyond the visible skin is drawn, as a share of the crop's side.
        parts: Parts that a batch is divided into, each on a thread of its own.
        generator_rate: Learning rate of the editor.
        discriminator_rate: Of the discriminators.
        calm: First steps, in which identity, steering and spread are left out: what pushes a
            recogniser away before the editor can paint a face teaches it to fool the recogniser.
        ramp: Steps after these, in which identity, steering and spread grow from nothing.
        cooldown: Last steps, over which both rates fall to a twentieth.
        own: Share of a batch that is restored by its own attributes.
        told: Whether the discriminators are told the attributes.
        slack: What distances of restored faces are multiplied by for those of edits by others'
            attributes.
        ema: Decay of the average of the weights that is shipped.
        occluded: Share of the faces with something pasted before them.
        second: A frozen AttGAN editor, a bundled name or a path: what it changes is laid over edits
            as the second of two stages does, a share of it drawn for each; attributes are asked of
            the first at 1 less half of that. Empty trains the editor for itself.
        most: The largest share of that change, 0 to 1.
        margin: Distance the identity is pushed to, on the FaceNet scale.
        kept: Share of the distance of different people that their edits keep.
        apart: Distance of two edits of one face by different attributes, on the FaceNet scale.
    """

    kind: Literal["restoring"]
    parsing: str = "parsing"
    start: str = ""
    discriminators: str = ""
    second: str = ""
    most: Share = 1.0
    size: Annotated[int, Field(ge=64, le=512)] = 128
    superpixels: Annotated[int, Field(ge=4, le=64)] = 16
    rim: Annotated[Finite, Field(ge=0, le=0.25)] = 0.0
    parts: Annotated[int, Field(ge=1, le=64)] = 2
    generator_rate: Rate = 2e-4
    discriminator_rate: Rate = 2e-4
    calm: Annotated[int, Field(ge=0)] = 0
    ramp: Annotated[int, Field(ge=0)] = 600
    cooldown: Annotated[int, Field(ge=0)] = 0
    own: Share = 0.5
    told: bool = True
    slack: Finite = 1.25
    ema: Share = 0.998
    occluded: Share = 0.25
    margin: Finite = 1.45
    kept: Share = 0.97
    apart: Finite = 0.6
    losses: RestoringLosses = RestoringLosses()

    def grown(self, step: int) -> float:
        """What identity, steering and spread are multiplied by at a step."""
        after = step + 1 - self.calm
        if after <= 0:
            return 0.0

        return min(1.0, after / self.ramp) if self.ramp else 1.0

    def slower(self, step: int) -> float:
        """What both rates are multiplied by at a step: 1, and less in the last steps."""
        left = (self.steps - step) / self.cooldown if self.cooldown else 1.0
        return 0.05 + 0.95 * min(1.0, left)


def load_parsing_recipe(name: str, **changes: object) -> ParsingRecipe:
    """The recipe of face parsing by name or path.

    Errors as :func:`attrsearch.recipes.load_recipe`.
    """
    given = without_none(changes)
    return load_recipe(ParsingRecipe, name, FOLDER, given)


def load_restoring_recipe(name: str, **changes: object) -> RestoringRecipe:
    """The recipe of a restoring editor by name or path.

    Errors as :func:`attrsearch.recipes.load_recipe`.
    """
    given = without_none(changes)
    return load_recipe(RestoringRecipe, name, FOLDER, given)
