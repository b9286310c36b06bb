"""Training recipes: TOML files that say how a classifier, an editor or a critic is trained."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from attrsearch.core.picking import without_none
from attrsearch.core.recipes.base import Finite, Recipe, Share, load_recipe

FOLDER = "models/recipes"

Steps = Annotated[int, Field(ge=1, le=10_000_000)]
Batch = Annotated[int, Field(ge=2, le=1024)]
Rate = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[Finite, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class _Training(Recipe):
    format: Literal["attrsearch/training"]
    version: Literal[1]
    name: str = ""
    description: str = ""
    steps: Steps
    batch: Batch
    seed: Seed = 0
    precision: Literal["auto", "fp32", "bf16"] = "auto"


class AttributesRecipe(_Training):
    """How the attribute classifier is trained.

    Attributes:
        start: Weights to start from, a bundled name or a path; empty for random ones.
        rate: Highest learning rate of one cycle.
        smoothing: How far labels are drawn towards one half.
        mixup: Parameter of the beta distribution by which faces are mixed; 0 leaves them.
        covered: Share of the faces of which a rectangle is covered.
        ema: Decay of the average of the weights that is shipped.
        teachers: Classifiers whose mean guess labels the faces no table speaks of, bundled names or
            paths; without any, those faces are left out.
        taught: Share of the batch that such faces are.
    """

    kind: Literal["attributes"]
    start: str = ""
    rate: Rate = 4e-3
    weight_decay: Share = 0.02
    smoothing: Share = 0.06
    mixup: Weight = 0.0
    covered: Share = 0.0
    ema: Share = 0.998
    teachers: tuple[str, ...] = ()
    taught: Share = 0.5


class EditorLosses(Recipe):
    """Weights of the terms of the generator's loss; a term of weight 0 is not computed.

    Attributes:
        adversarial: Realism, as the discriminator sees it.
        attributes: The asked attributes, by the frozen classifier through augmentations.
        joint: The asked attributes, by the head the discriminator learns beside it (AttGAN's own
            constraint).
        reconstruction: L1 to the picture itself, asked for its own attributes.
        colour: L1 of means over 16 pixels: light and skin tone.
        outside: L1 outside the blend mask.
        hair: L1 where hair, a hat or a band covers the forehead.
        identity: The embedding's distance short of the margin, by SFace (and a fifth of it beyond
            ``beyond``).
        steering: Two edits of one face, by different attributes, nearer to each other than
            ``apart``.
        spread: Different people's edits nearer to each other than ``kept`` of their distance
            before.
        detection: Minus the log-probability of a face by MTCNN's last network.
        geometry: Change of that network's box and landmarks.
        tone: Change of the mean skin colour.
        chroma: L1 of colour without light, means over 4 pixels: what forbids fringes of colour.
        grain: Detail beyond the picture's own nearby: what forbids grids and blots on smooth skin.
        anchor: L1 to what ``start`` makes of the same face and attributes, fine detail counted
            eightfold: what keeps a short fine-tuning from painting the texture that a judge is
            fooled by.
    """

    adversarial: Weight = 1.0
    attributes: Weight = 2.0
    joint: Weight = 1.0
    reconstruction: Weight = 0.0
    colour: Weight = 0.0
    outside: Weight = 0.0
    hair: Weight = 0.0
    identity: Weight = 0.0
    spread: Weight = 0.0
    steering: Weight = 0.0
    detection: Weight = 0.0
    geometry: Weight = 0.0
    tone: Weight = 0.0
    chroma: Weight = 0.0
    grain: Weight = 0.0
    anchor: Weight = 0.0


class EditorRecipe(_Training):
    """How an editor is trained.

    Attributes:
        start: Editor to start from, a bundled name or a path; empty for random weights.
        traits: The classifier that fills attributes in and holds the asked ones, a bundled name or
            a path.
        asks: ``edit`` (two passes: any attributes, gender turned and turned back) or ``one-pass``.
        blend: Judge the edit as it is blended into the picture, not the whole crop.
        discriminator_features: The discriminator judges features of ``traits`` too, which teaches
            it sooner.
        frozen_norm: Keep the statistics of the batch norms of ``start``.
        frozen_layers: Layers that stay as ``start`` has them, by the beginning of their names: with
            the last ones of the decoder kept, an editor cannot paint what the start could not.
        warmup: Steps in which only the discriminator learns.
        sparring: Editor whose edits are half of what the discriminator sees in the warm-up, a
            bundled name or a path: one with plain flaws teaches it what to look for.
        ramp: Steps after the warm-up in which the weight of the identity grows from nothing.
        cooldown: Last steps, over which both rates fall to a twentieth.
        replay: Share of the batch that is the second pass over an earlier first one.
        ema: Decay of the average of the weights that is shipped.
        penalty: Weight of the gradient penalty on real faces (R1), applied every ``penalty_every``
            steps.
        margin: Distance the identity is pushed to, on the FaceNet scale.
        beyond: Distance past which it is pulled back.
        tail: Weight of the squared shortfall, beside the shortfall itself.
        kept: Share of the distance of different people that their edits keep.
        apart: Distance of two edits of one face by different attributes, on the FaceNet scale.
    """

    kind: Literal["editor"]
    start: str = ""
    traits: str = "traits"
    asks: Literal["edit", "one-pass"] = "edit"
    blend: bool = False
    frozen_norm: bool = False
    frozen_layers: tuple[str, ...] = ()
    enc_dim: Annotated[int, Field(ge=4, le=128)] = 32
    dec_dim: Annotated[int, Field(ge=4, le=128)] = 32
    shortcut_layers: Annotated[int, Field(ge=0, le=4)] = 1
    inject_layers: Annotated[int, Field(ge=0, le=4)] = 1
    discriminator_features: bool = False
    discriminator_dim: Annotated[int, Field(ge=4, le=128)] = 32
    warmup: Annotated[int, Field(ge=0)] = 0
    sparring: str = ""
    ramp: Annotated[int, Field(ge=0)] = 0
    cooldown: Annotated[int, Field(ge=0)] = 0
    replay: Share = 0.25
    generator_rate: Rate = 2e-4
    discriminator_rate: Rate = 4e-4
    ema: Share = 0.998
    penalty: Weight = 0.02
    penalty_every: Annotated[int, Field(ge=1)] = 16
    margin: Finite = 1.45
    beyond: Finite = 1.55
    tail: Weight = 0.0
    kept: Share = 0.95
    apart: Finite = 0.8
    losses: EditorLosses = EditorLosses()

    def slower(self, step: int) -> float:
        """What both rates are multiplied by at a step: 1, and less in the last steps."""
        left = (self.steps - step) / self.cooldown if self.cooldown else 1.0
        return 0.05 + 0.95 * min(1.0, left)

    @model_validator(mode="after")
    def _identity_of_finished_edits(self) -> Self:
        if self.asks == "edit" and not self.replay and (self.losses.identity or self.losses.spread):
            raise ValueError(
                'the losses identity and spread need a replay above 0, or asks = "one-pass"'
            )
        if self.losses.steering and (self.asks == "edit" or self.batch % 2):
            raise ValueError('the loss steering needs asks = "one-pass" and an even batch')
        return self


class CriticRecipe(_Training):
    """How the critic of naturalness is trained.

    Attributes:
        editors: Editors whose edits it learns to tell from real faces, bundled names or paths.
        rate: Highest learning rate of one cycle.
    """

    kind: Literal["critic"]
    editors: Annotated[tuple[str, ...], Field(min_length=1)] = ("thesis", "anonymiser")
    rate: Rate = 2e-3


def load_attributes_recipe(name: str, **changes: object) -> AttributesRecipe:
    """The recipe of a classifier by name or path.

    Errors as :func:`attrsearch.core.recipes.base.load_recipe`.

    >>> load_attributes_recipe("traits", steps=5).steps
    5
    """
    return load_recipe(AttributesRecipe, name, FOLDER, _given(changes))


def load_editor_recipe(name: str, **changes: object) -> EditorRecipe:
    """The recipe of an editor by name or path.

    Errors as :func:`attrsearch.core.recipes.base.load_recipe`.

    >>> load_editor_recipe("anonymiser").asks
    'one-pass'
    """
    return load_recipe(EditorRecipe, name, FOLDER, _given(changes))


def load_critic_recipe(name: str, **changes: object) -> CriticRecipe:
    """The recipe of a critic by name or path.

    Errors as :func:`attrsearch.core.recipes.base.load_recipe`.

    >>> load_critic_recipe("critic").kind
    'critic'
    """
    return load_recipe(CriticRecipe, name, FOLDER, _given(changes))


def _given(changes: dict[str, object]) -> dict[str, object]:
    return without_none(changes)
