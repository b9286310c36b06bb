"""Losses: small pure functions of pictures (n, 3, 128, 128), -1 to 1, logits and embeddings."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import (
    adaptive_avg_pool2d,
    avg_pool2d,
    binary_cross_entropy_with_logits,
    interpolate,
    l1_loss,
    max_pool2d,
    pad,
    relu,
    softplus,
)

from attrsearch.training.discriminator import Verdict

CHEEKS = (slice(74, 92), slice(40, 88))
"""Rows and columns of the crop where skin shows on nearly every face: under the eyes, beside the
nose.
"""
BROWS = 58
"""The row of the crop above which there is forehead, and what covers it."""


def as_numbers(terms: Mapping[str, Tensor]) -> dict[str, float]:
    """Losses by name as plain numbers, without the graph behind them."""
    return {name: float(value.detach()) for name, value in terms.items()}


def discriminator_loss(real: Verdict, fake: Verdict, mask: Tensor | None = None) -> Tensor:
    """Logistic loss of telling real faces from edits, whole and by patches.

    Source: Goodfellow et al., 2014.

    Args:
        real: The verdict on real faces.
        fake: The verdict on edits.
        mask: (1, 1, 128, 128), where an edit can be seen: patches elsewhere say nothing and do not
            count.
    """
    return realism_loss(real, mask) + _mean_softplus(fake, 1, mask)


def realism_loss(fake: Verdict, mask: Tensor | None = None) -> Tensor:
    """Non-saturating loss of passing for real; ``mask`` as in :func:`discriminator_loss`."""
    return _mean_softplus(fake, -1, mask)


def _mean_softplus(verdict: Verdict, sign: int, mask: Tensor | None) -> Tensor:
    """Over the whole, the patches, and the levels of the features where there are any."""
    terms = softplus(sign * verdict.whole).mean() + _mean_where(
        softplus(sign * verdict.patches), mask
    )
    levels = [_mean_where(softplus(sign * level[:, 0]), mask) for level in verdict.levels]
    return terms + torch.stack(levels).mean() * 2 if levels else terms


def _mean_where(values: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of maps (n, h, w), weighted by a mask of any size."""
    if mask is None:
        return values.mean()

    weight = adaptive_avg_pool2d(mask, (values.shape[-2], values.shape[-1]))[0]
    return (values * weight).mean() / weight.mean()


def attribute_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean cross-entropy of attributes; logits, targets 0 to 1 and weights are (n, 13)."""
    losses = binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (losses * weight).sum() / weight.sum().clamp(min=1e-6)


def colour_loss(edited: Tensor, original: Tensor) -> Tensor:
    """L1 between means over squares of 16 pixels: light and tone may not drift, detail may."""
    return l1_loss(avg_pool2d(edited, 16), avg_pool2d(original, 16))


def chroma_loss(edited: Tensor, original: Tensor) -> Tensor:
    """L1 between colours without their light over squares of 4 pixels.

    No fringe of colour may be painted.
    """
    return l1_loss(avg_pool2d(chroma(edited), 4), avg_pool2d(chroma(original), 4))


def chroma(faces: Tensor) -> Tensor:
    """What a grey picture lacks: red and blue less the light (Rec. 601), (n, 2, h, w)."""
    return faces[:, ::2] - brightness(faces)


def brightness(faces: Tensor) -> Tensor:
    """Brightness (Rec. 601), (n, 1, h, w)."""
    return 0.299 * faces[:, :1] + 0.587 * faces[:, 1:2] + 0.114 * faces[:, 2:]


def tone_loss(edited: Tensor, original: Tensor) -> Tensor:
    """L1 between the mean colours of the cheeks."""
    return l1_loss(cheek_colour(edited), cheek_colour(original))


def cheek_colour(faces: Tensor) -> Tensor:
    """Mean colour (n, 3) of the cheeks, RGB from -1 to 1."""
    return faces[:, :, CHEEKS[0], CHEEKS[1]].mean((2, 3))


def hair_loss(edited: Tensor, original: Tensor, mask: Tensor) -> Tensor:
    """L1 where the picture shows hair, a hat or a band above the brows.

    What is not the face stays as it was.

    Args:
        edited: Edited faces.
        original: The same faces before.
        mask: (1, 1, 128, 128), where an edit can be seen.
    """
    hair = hair_mask(original) * mask
    return ((edited - original).abs() * hair).mean() / hair.mean().clamp(min=0.01)


def hair_mask(faces: Tensor) -> Tensor:
    """Where faces have another colour than their cheeks, above the brows.

    (n, 1, 128, 128), 0 to 1.
    """
    seen = avg_pool2d(
        torch.cat([brightness(faces), chroma(faces)], 1), 3, 1, 1, count_include_pad=False
    )
    skin = seen[:, :, CHEEKS[0], CHEEKS[1]].flatten(2)
    middle = skin.median(2).values
    # evenly lit skin varies so little that its own shading would count as hair
    least = faces.new_tensor([0.1, 0.03, 0.03])
    spread = torch.maximum(2 * (skin - middle[..., None]).abs().median(2).values, least)
    unlike = (
        ((seen - middle[..., None, None]) / spread[..., None, None])
        .square()
        .sum(1, keepdim=True)
        .sqrt()
    )
    rows = torch.arange(faces.shape[2], dtype=faces.dtype, device=faces.device)[:, None]
    above = ((BROWS - rows) / 8).clamp(0, 1)

    return torch.sigmoid((unlike - 4) * 1.5) * above


def anchor_loss(edited: Tensor, earlier: Tensor) -> Tensor:
    """L1 to an earlier editor's result, and eight times that of what a 3 x 3 mean removes."""
    return l1_loss(edited, earlier) + 8 * l1_loss(fine_detail(edited), fine_detail(earlier))


def fine_detail(faces: Tensor) -> Tensor:
    """What a mean over 3 x 3 pixels takes away."""
    return faces - avg_pool2d(faces, 3, 1, 1, count_include_pad=False)


def grain_loss(edited: Tensor, original: Tensor, allowed: float = 0.01) -> Tensor:
    """Detail of the light beyond what the original has within 8 to 16 pixels.

    No grid, blot or scar on smooth skin.

    Details of one, two and four pixels are judged by themselves, each over squares of 8 pixels.
    """
    before = original.mean(1, keepdim=True)
    after = edited.mean(1, keepdim=True)
    excess = []

    for size in (1, 2, 4):
        # detail may move a little with a feature of the face: the neighbourhood's most is allowed
        known = max_pool2d(_detail(before, size), 3, 1, 1)
        excess.append(relu(_detail(after, size) - known - allowed).mean())

    return torch.stack(excess).sum()


def _detail(light: Tensor, size: int) -> Tensor:
    """Mean absolute detail of ``size`` pixels over squares of 8 pixels."""
    return avg_pool2d(fine_detail(avg_pool2d(light, size)).abs(), 8 // size)


def identity_loss(distance: Tensor, margin: float, beyond: float, tail: float) -> Tensor:
    """How far distances (n,) fall short of the margin, and a fifth of how far they lie beyond.

    A shortfall s costs s + tail s²: the few people far from it count for more than the many who
    nearly arrive.

    >>> round(identity_loss(torch.tensor([1.0, 1.5, 2.0]), 1.4, 1.6, tail=0.0).item(), 4)
    0.16
    >>> round(identity_loss(torch.tensor([1.0, 1.5, 2.0]), 1.4, 1.6, tail=3.0).item(), 4)
    0.32
    """
    shortfall = relu(margin - distance)
    return (shortfall + tail * shortfall.square() + 0.2 * relu(distance - beyond)).mean()


def spread_loss(before: Tensor, after: Tensor, kept: float) -> Tensor:
    """How much nearer different people lie after the edit than ``kept`` of their distance before.

    One face has nobody to be told from: 0.

    Args:
        before: Unit vectors (n, d) of n different people.
        after: Unit vectors (n, d) of their edits.
        kept: Share of the distance to keep.
    """
    if len(before) < 2:
        return after.new_zeros(())

    first, second = torch.triu_indices(len(before), len(before), 1, device=before.device)
    wanted = kept * (before[first] - before[second]).norm(dim=1)
    # a root has no gradient at 0, where two people look exactly alike
    found = ((after[first] - after[second]).square().sum(1) + 1e-8).sqrt()
    return relu(wanted - found).mean()


def steering_loss(after: Tensor, min_distance: Tensor | float) -> Tensor:
    """How much nearer than ``min_distance`` two edits of one face lie.

    Args:
        after: Unit vectors (2 n, d): n faces edited in one way, then the same in another.
        min_distance: The distance to keep.
    """
    first, second = after.chunk(2)
    return relu(min_distance - ((first - second).square().sum(1) + 1e-8).sqrt()).mean()


def disturbed(faces: Tensor, generator: torch.Generator) -> Tensor:
    """Faces blurred or reduced and noisy, so that networks judge shapes, not pixels."""
    choice, side = torch.rand(2, generator=generator).tolist()

    # the rest, two fifths, stay as sharp as they are
    if choice < 0.35:
        faces = avg_pool2d(pad(faces, (1, 1, 1, 1), mode="reflect"), 3, 1)
    elif choice < 0.6:
        small = interpolate(faces, size=72 + int(side * 40), mode="bilinear", antialias=True)
        faces = interpolate(small, size=faces.shape[-1], mode="bilinear")

    return faces + _noise(faces, generator)


def softened(faces: Tensor, generator: torch.Generator) -> Tensor:
    """Faces blurred (a standard deviation of 0.8 to 1.4 pixels) and with noise.

    Identity must lie in the shapes.
    """
    for _ in range(int(torch.randint(1, 4, (1,), generator=generator))):
        faces = avg_pool2d(pad(faces, (1, 1, 1, 1), mode="replicate"), 3, 1)

    return faces + _noise(faces, generator)


def _noise(faces: Tensor, generator: torch.Generator) -> Tensor:
    """Drawn on the processor, so that a step is the same on every device."""
    return 0.02 * torch.randn(faces.shape, generator=generator).to(faces.device)


def shifted(
    first: Tensor, second: Tensor, generator: torch.Generator, reach: int = 6
) -> tuple[Tensor, Tensor]:
    """Real faces and edits, each moved by up to ``reach`` pixels.

    Augmentation against a small data set.
    """
    return _shift(first, generator, reach), _shift(second, generator, reach)


def _shift(faces: Tensor, generator: torch.Generator, reach: int) -> Tensor:
    x, y = torch.randint(0, 2 * reach + 1, (2,), generator=generator).tolist()
    side = faces.shape[-1]
    return pad(faces, (reach, reach, reach, reach), mode="reflect")[
        :, :, y : y + side, x : x + side
    ]
