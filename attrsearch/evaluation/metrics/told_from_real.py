"""Told from real: can a judge that nothing was trained against tell edited faces from real ones?

A logistic regression on frozen ImageNet features (:mod:`attrsearch.training.imagenet_features`)
is fitted anew for every set of edits and asked about people it was not fitted on.  Both classes
are also shown blurred, sharpened, compressed and reduced, each by draws of its own, so that
sharpness says less about the class; it still says something (docs/results/editor.md).  An AUC of
0.5 is chance, 1 means that every edit is told.  Never train an editor against this regression: it
would say nothing any more.

Sources: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", 2017 (a classifier as the
measure of how far two sets are apart); Binkowski et al., "Demystifying MMD GANs", 2018 (the kernel
distance).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from attrsearch.core.chunks import slices
from attrsearch.core.device import exact_device
from attrsearch.core.errors import InputError
from attrsearch.core.parallel import in_parallel, network
from attrsearch.core.picking import take
from attrsearch.evaluation.metrics.realism import kernel_distance
from attrsearch.evaluation.metrics.verification import Interval
from attrsearch.faces.alignment import WINDOW_SIZE
from attrsearch.training.imagenet_features import ImageNetFeatures

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Pictures = npt.NDArray[np.uint8]

CROP_SIDE = 160
"""Side of the crops around the face: what a viewer sees of it, hair and chin included."""
FOLDS = 5
MIN_PEOPLE = 10
"""Fewer people than this cannot be held apart five times with anything left to learn from."""
PENALTY = 0.01
"""Inverse strength of the regression's penalty: there are more features than faces."""
DRAWS = 1000
SPLITS = 10
"""How often the people are halved for the kernel distance."""
CHUNK = 32


@dataclass(frozen=True)
class ToldFromReal:
    """How well edits are told from real faces.

    Attributes:
        auc: Area under the ROC curve, edits against originals, of people not fitted on.
        judged_real: Mean probability of being real that the judge gives edits; 0.5 at best.
        kid: Kernel distance of edits to originals of other people.
        kid_of_originals: The same of originals to originals of other people: what 0 looks like
            with so few faces.
        people: How many there are.
        faces: Edits that were judged.
    """

    auc: Interval
    judged_real: Interval
    kid: Interval
    kid_of_originals: Interval
    people: int
    faces: int


@dataclass(frozen=True)
class _Scores:
    """Probabilities of being real, each from a judge that knew nobody of the same name.

    Attributes:
        originals: (n,).
        edits: (n,).
    """

    originals: Floats64
    edits: Floats64


def measure_told_from_real(
    originals: Pictures,
    edits: Pictures,
    people: Ints,
    seed: int = 0,
    features: "FeatureReader | None" = None,
) -> ToldFromReal:
    """Judge edits against the pictures they were made from.

    Args:
        originals: (n, h, w, 3), uint8, RGB: crops of real faces, :data:`CROP_SIDE` a side.
        edits: (n, h, w, 3), uint8, RGB, cut at the same places.
        people: (n,), whose face each is; nobody is on both sides of a fold.
        seed: Decides the augmentation, the halves and the bootstrap.
        features: Where a reader is at hand already; loaded here otherwise.

    Raises:
        InputError: Arrays of different shapes, or fewer than :data:`MIN_PEOPLE` people.
        UnavailableError: The extra ``train`` is not installed.
    """
    people = np.asarray(people)
    _check(originals, edits, people)
    reader = features or FeatureReader()
    # each side has a stream of its own: an edit must not be known by its augmentation
    sides = [
        _read_variants(originals, reader, [seed, 0]),
        _read_variants(edits, reader, [seed, 1]),
    ]
    variants = np.stack(sides)
    scores = _cross_validate(variants, people)
    spread = _standardised(variants[:, 0])
    drawn = _drawn_people(people, seed)

    return ToldFromReal(
        auc=_interval(lambda rows: _auc(scores, rows), people, drawn),
        judged_real=_interval(lambda rows: float(scores.edits[rows].mean()), people, drawn),
        kid=_kernel_distance(spread[0], spread[1], people, seed),
        kid_of_originals=_kernel_distance(spread[0], spread[0], people, seed),
        people=len(np.unique(people)),
        faces=len(people),
    )


def face_crops(windows: Pictures) -> Pictures:
    """The inner (n, 160, 160, 3) of windows (n, 192, 192, 3): the face as it stands there."""
    margin = (WINDOW_SIZE - CROP_SIDE) // 2
    return windows[:, margin : margin + CROP_SIDE, margin : margin + CROP_SIDE]


class FeatureReader:
    """Channel means and standard deviations of frozen ImageNet features at strides 4, 8, 16 and 32.

    Raises:
        UnavailableError: The extra ``train`` is not installed.
    """

    def __init__(self) -> None:
        self._device = exact_device()
        network = ImageNetFeatures().eval().to(self._device)
        self._network = network.to(memory_format=torch.channels_last)

    def __call__(self, pictures: Pictures) -> Floats:
        """Features (n, 992) of pictures (n, h, w, 3), uint8, RGB."""
        parts = [pictures[part] for part in slices(len(pictures), CHUNK)]
        return np.concatenate(in_parallel(self._read, parts))

    @network
    def _read(self, pictures: Pictures) -> Floats:
        sent = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device)
        pixels = sent.permute(0, 3, 1, 2).float()
        maps = self._network((pixels / 127.5 - 1).contiguous(memory_format=torch.channels_last))
        columns = []

        for one in maps:
            columns += [one.mean((2, 3)), one.std((2, 3))]

        return np.asarray(torch.cat(columns, 1).cpu().numpy(), np.float32)


def blurred(picture: Pictures, random: np.random.Generator) -> Pictures:
    """A picture (h, w, 3) through a Gaussian of 0.5 to 1.6 pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 1.6)), np.uint8)


def sharpened(picture: Pictures, random: np.random.Generator) -> Pictures:
    """A picture (h, w, 3) through an unsharp mask of random width and strength."""
    return unsharp_masked(picture, random.uniform(0.8, 2.5), random.uniform(0.3, 1.5))


def unsharp_masked(picture: Pictures, width: float, strength: float) -> Pictures:
    """A picture (h, w, 3) with what a Gaussian of that width takes away added, times strength."""
    soft = cv2.GaussianBlur(picture, (0, 0), width)
    return np.asarray(cv2.addWeighted(picture, 1 + strength, soft, -strength, 0), np.uint8)


def compressed(picture: Pictures, random: np.random.Generator) -> Pictures:
    """A picture (h, w, 3) through JPEG at a quality of 40 to 90."""
    quality = int(random.integers(40, 91))
    encoded = cv2.imencode(
        ".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def reduced(picture: Pictures, random: np.random.Generator) -> Pictures:
    """A picture (h, w, 3) reduced to 40 to 80 % of its side and enlarged again."""
    height, width = picture.shape[:2]
    share = random.uniform(0.4, 0.8)
    small = cv2.resize(
        picture, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA
    )

    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


CHANGES: tuple[Callable[[Pictures, np.random.Generator], Pictures], ...] = (
    blurred,
    sharpened,
    compressed,
    reduced,
)
"""What is done to pictures of both classes alike."""


def _check(originals: Pictures, edits: Pictures, people: Ints) -> None:
    if originals.shape != edits.shape or len(people) != len(originals):
        found = f"{originals.shape}, {edits.shape} and {len(people)} people"
        hint = "cut edits where their originals were cut"
        raise InputError(
            "told from real", required="arrays of one shape, a person a row", found=found, hint=hint
        )

    count = len(np.unique(people))
    if count < MIN_PEOPLE:
        hint = "give more people"
        raise InputError(
            "told from real", required=f"{MIN_PEOPLE} people", found=str(count), hint=hint
        )


def _read_variants(pictures: Pictures, reader: FeatureReader, seed: Sequence[int]) -> Floats:
    """Features (1 + changes, n, d): of the pictures as they are, then of each change."""
    tables = [reader(pictures)]
    for number, change in enumerate(CHANGES):
        random = np.random.default_rng([*seed, number])
        tables.append(reader(np.stack([change(picture, random) for picture in pictures])))

    return np.stack(tables)


def _cross_validate(variants: Floats, people: Ints) -> _Scores:
    """Probabilities of being real for the unchanged pictures of variants (2, v, n, d)."""
    originals = np.zeros(len(people))
    edits = np.zeros(len(people))

    for fit, held in GroupKFold(FOLDS).split(people, groups=people):
        # fitted on the changed pictures as well, asked about the unchanged ones alone
        real = variants[0][:, fit].reshape(-1, variants.shape[-1])
        made = variants[1][:, fit].reshape(-1, variants.shape[-1])
        labels = np.repeat([1, 0], [len(real), len(made)])
        judge = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=2000))
        judge.fit(np.concatenate([real, made]), labels)
        originals[held] = judge.predict_proba(variants[0, 0, held])[:, 1]
        edits[held] = judge.predict_proba(variants[1, 0, held])[:, 1]

    return _Scores(originals, edits)


def _auc(scores: _Scores, rows: Ints) -> float:
    labels = np.repeat([1, 0], len(rows))
    return float(
        roc_auc_score(labels, np.concatenate([scores.originals[rows], scores.edits[rows]]))
    )


def _drawn_people(people: Ints, seed: int) -> list[Ints]:
    """Rows of people drawn with replacement, :data:`DRAWS` times."""
    # faces of one person are no independent draws, so that people are drawn
    _, place = np.unique(people, return_inverse=True)
    rows = [np.flatnonzero(place == number) for number in range(place.max() + 1)]
    random = np.random.default_rng(seed)

    draws = []
    for _ in range(DRAWS):
        people_drawn = random.integers(0, len(rows), len(rows))
        draws.append(np.concatenate(take(rows, people_drawn)))

    return draws


def _interval(statistic: Callable[[Ints], float], people: Ints, drawn: list[Ints]) -> Interval:
    low, high = np.quantile([statistic(rows) for rows in drawn], [0.025, 0.975])
    return Interval(statistic(np.arange(len(people))), float(low), float(high))


def _standardised(features: Floats) -> Floats:
    """Features (2, n, d) in standard deviations of the originals', which come first."""
    real = features[0]
    return np.asarray((features - real.mean(0)) / (real.std(0) + 1e-6), np.float32)


def _kernel_distance(first: Floats, second: Floats, people: Ints, seed: int) -> Interval:
    """Kernel distance of ``first`` (n, d) of half of the people, ``second`` of the others.

    The mean over several halvings and over both ways round.  Its interval is that of the halvings.
    """
    names = np.unique(people)
    values = []

    for number in range(SPLITS):
        order = np.random.default_rng([seed, number]).permutation(names)
        chosen = np.isin(people, order[: len(names) // 2])
        values += [
            kernel_distance(first[chosen], second[~chosen]),
            kernel_distance(first[~chosen], second[chosen]),
        ]

    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(np.mean(values)), float(low), float(high))
