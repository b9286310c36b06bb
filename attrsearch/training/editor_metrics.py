"""Measure an editor on held-out faces.

Reconstruction, single edits, searched edits, distinguishability, time.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES, MALE
from attrsearch.core.picking import take
from attrsearch.core.recipes.space import load_space
from attrsearch.editing.attgan import Generator
from attrsearch.editing.blending import face_mask
from attrsearch.faces.attribute_classifier import TraitsNetwork
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.calibration import distances
from attrsearch.search.space import person_space
from attrsearch.training.attribute_sampling import own
from attrsearch.training.dataset import FaceSet, Floats, Pictures, to_network, to_pictures
from attrsearch.training.datasets import probabilities
from attrsearch.training.image_metrics import FeatureDistance, psnr, ssim
from attrsearch.training.losses import cheek_colour

CHUNK = 25
TESTED = 1.0
"""Magnitude of the attribute that is turned; the others stay at AttGAN's 0.5."""


@dataclass(frozen=True)
class Instruments:
    """What measures: loaded once, the same for every editor."""

    detector: Mtcnn
    recognisers: Sequence[CalibratedRecogniser]
    traits: TraitsNetwork
    features: FeatureDistance
    critic: Critic | None


@torch.no_grad()
def reconstruction(generator: Generator, faces: FaceSet, tools: Instruments) -> dict[str, float]:
    """PSNR in dB, SSIM and feature distance of faces asked for their own attributes."""
    rows = []

    for start in range(0, len(faces), CHUNK):
        real, labels = _part(faces, start)
        again = generator(real, own(labels))
        rows.append(
            torch.stack([psnr(again, real), ssim(again, real), tools.features(again, real)])
        )

    mean = torch.cat(rows, 1).mean(1).tolist()
    return dict(zip(("PSNR (dB)", "SSIM", "feature distance"), mean, strict=True))


@torch.no_grad()
def single_edits(generator: Generator, faces: FaceSet, tools: Instruments) -> dict[str, float]:
    """Share of faces on which the classifier sees the one attribute that was turned."""
    seen = np.zeros((len(faces), len(ATTRIBUTES)), bool)

    for start in range(0, len(faces), CHUNK):
        real, labels = _part(faces, start)
        features = generator.encode(real)

        for index in range(len(ATTRIBUTES)):
            values = own(labels)
            # against what the face has: what it has already would be seen without any edit
            values[:, index] = -values[:, index].sign() * TESTED
            edited = to_pictures(generator.decode(features, values))
            found = probabilities(tools.traits, edited)[:, index] > 0.5
            seen[start : start + len(real), index] = found == (values[:, index] > 0).numpy()

    return dict(zip(ATTRIBUTES, seen.mean(0).tolist(), strict=True))


def random_asks(faces: FaceSet, space: str, seed: int = 0) -> Floats:
    """One random candidate a face from a bundled space, (n, passes, 13).

    As a search would begin.
    """
    recipe = load_space(space)
    generator = np.random.default_rng(seed)
    rows = []

    for labels in faces.attributes:
        person = person_space(recipe, "male" if labels[MALE] > 0.5 else "female")
        rows.append(person.attributes(generator.uniform(person.low, person.high)[None])[0])

    return np.stack(rows)


@torch.no_grad()
def edit_all(generator: Generator, faces: FaceSet, asks: Floats) -> Pictures:
    """Edited and blended crops (n, 128, 128, 3)."""
    mask = torch.from_numpy(face_mask().copy())[None, None]
    parts = []

    for start in range(0, len(faces), CHUNK):
        real, _ = _part(faces, start)
        edited = real
        for number in range(asks.shape[1]):
            edited = generator(edited, torch.from_numpy(asks[start : start + CHUNK, number]))

        parts.append(to_pictures(real + (edited - real) * mask))

    return np.concatenate(parts)


def searched_edits(faces: FaceSet, edited: Pictures, tools: Instruments) -> dict[str, float]:
    """What random candidates of the search space come to.

    Detection, IoU, distances, gender, tone, naturalness.
    """
    before = seen(faces.crops, tools.detector)
    after = seen(edited, tools.detector)
    found = np.array([a is not None for a in before])
    kept = np.zeros(len(before), bool)
    pairs = []
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        if a is not None and b is not None:
            kept[i] = True
            pairs.append((a, b))

    # a face that was not found untouched says nothing of the edit
    figures = {"detection": float(kept.sum() / found.sum())}
    figures["IoU"] = float(np.mean([b.nearest(a.boxes[0])[1] for a, b in pairs]))

    for scaled in tools.recognisers:
        first = embed(faces.crops[kept], [a for a, _ in pairs], scaled)
        second = embed(edited[kept], [b for _, b in pairs], scaled)
        raw = distances(first, second)
        figures[f"distance, {scaled.name}"] = float(raw.mean() * scaled.calibration.scale)
        figures[f"still matched, {scaled.name}"] = float(
            (raw < scaled.calibration.verification).mean()
        )

    guessed = probabilities(tools.traits, edited)
    own_guess = probabilities(tools.traits, faces.crops)
    figures["gender kept"] = float(((guessed[:, MALE] > 0.5) == (own_guess[:, MALE] > 0.5)).mean())
    figures["age class kept"] = float(((guessed[:, -1] > 0.5) == (own_guess[:, -1] > 0.5)).mean())
    tone = cheek_colour(to_network(edited)) - cheek_colour(to_network(faces.crops))
    figures["skin tone moved (of 255)"] = float(tone.abs().mean() * 127.5)

    if tools.critic is not None:
        figures["naturalness"] = float(np.mean(_natural(tools.critic, edited)))

    return figures


def steered(first: Pictures, second: Pictures, tools: Instruments) -> dict[str, float]:
    """How much the attributes decide.

    The mean distance between two random candidates of the same face.
    """
    scaled = tools.recognisers[0]
    one = seen(first, tools.detector)
    other = seen(second, tools.detector)
    kept = _in_both(one, other)
    embedded = []
    for crops, found in ((first, one), (second, other)):
        embedded.append(embed(crops[kept], take(found, kept), scaled))

    mean_distance = distances(*embedded).mean() * scaled.calibration.scale

    return {f"two candidates of a face apart, {scaled.name}": float(mean_distance)}


def distinguishability(faces: FaceSet, edited: Pictures, tools: Instruments) -> dict[str, float]:
    """Distance of different people after the edit over before, and linking of one person's edits.

    Rank-1: the share of edited faces, of people with two pictures or more, whose nearest other
    edited face is of the same person.
    """
    scaled = tools.recognisers[0]
    before = seen(faces.crops, tools.detector)
    after = seen(edited, tools.detector)
    kept = _in_both(before, after)
    people = np.array(faces.people)[kept]
    first = embed(faces.crops[kept], take(before, kept), scaled)
    second = embed(edited[kept], take(after, kept), scaled)
    other = people[:, None] != people[None]
    table = np.sqrt(np.maximum(2 - 2 * second @ second.T, 0))
    ratio = table[other].mean() / np.sqrt(np.maximum(2 - 2 * first @ first.T, 0))[other].mean()
    # the nearest to every face is itself
    np.fill_diagonal(table, np.inf)
    several = (~other).sum(1) > 1
    right = people[table.argmin(1)] == people

    return {
        "different people, mean distance after / before": float(ratio),
        "rank-1, edited to edited": float(right[several].mean()),
    }


@torch.no_grad()
def milliseconds(generator: Generator, batch: int, repeats: int = 5) -> float:
    """Time of one edit in a batch: the least of a few, encoding included."""
    faces = torch.zeros(batch, 3, 128, 128)
    values = torch.zeros(batch, len(ATTRIBUTES))
    faces = faces.contiguous(memory_format=torch.channels_last)
    least = float("inf")

    for _ in range(repeats):
        start = time.perf_counter()
        generator(faces, values)
        least = min(least, time.perf_counter() - start)

    return least / batch * 1000


def seen(crops: Pictures, detector: Mtcnn) -> list[Detections | None]:
    """The face found in each crop (n, 128, 128, 3), the one nearest the middle.

    None where none is.
    """
    middle = np.array([34, 29, 94, 117], np.float32)
    result: list[Detections | None] = []

    for found in detector.detect(crops):
        best, _ = found.nearest(middle)
        one = slice(best, best + 1)
        face = Detections(found.boxes[one], found.probabilities[one], found.landmarks[one])
        result.append(face if best >= 0 else None)

    return result


def embed(
    crops: Pictures, found: Sequence[Detections | None], scaled: CalibratedRecogniser
) -> Floats:
    """Unit vectors (n, d) of the faces found."""
    there = [one for one in found if one is not None]
    boxes = np.concatenate([d.boxes for d in there])
    landmarks = np.concatenate([d.landmarks for d in there])

    return scaled.recogniser.embed(np.ascontiguousarray(crops), boxes, landmarks)


def _in_both(
    first: Sequence[Detections | None], second: Sequence[Detections | None]
) -> npt.NDArray[np.int64]:
    """Places where a face was found in both."""
    found = []
    for i, (one, other) in enumerate(zip(first, second, strict=True)):
        if one is not None and other is not None:
            found.append(i)

    return np.array(found, np.int64)


def _natural(critic: Critic, crops: Pictures) -> Floats:
    parts = [critic.scores(to_network(crops[i : i + 64])) for i in range(0, len(crops), 64)]
    return np.concatenate(parts)


def _part(faces: FaceSet, start: int) -> tuple[Tensor, Tensor]:
    part = slice(start, start + CHUNK)
    return to_network(faces.crops[part]), torch.from_numpy(faces.attributes[part])
