"""Does the critic agree that real > reconstructed > edited > blurred > shuffled?"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.stats import spearmanr

from attrsearch.core.picking import take
from attrsearch.faces.naturalness import CriticNetwork
from attrsearch.training.critic import KINDS, Spoiler
from attrsearch.training.dataset import FaceSet, Floats, randomness, to_network

CHUNK = 20


@dataclass(frozen=True)
class Truths:
    """How a critic orders held-out faces.

    Attributes:
        means: Mean score of each kind, before it is cut to 0 to 1.
        correlation: Spearman's rank correlation of score and kind, over all faces of all kinds.
        strength: Spearman's rank correlation of the score of an edit and how little it asks for.
        pairs: Share of faces on which each kind scores above the next one.
    """

    means: dict[str, float]
    correlation: float
    strength: float
    pairs: dict[str, float]


@torch.no_grad()
def truths(
    network: CriticNetwork, editors: tuple[str, ...], faces: FaceSet, seed: int = 1
) -> Truths:
    """Score every face as each of the five kinds.

    Args:
        network: The critic.
        editors: Editors that make the reconstructions and edits; they take turns.
        faces: Held-out faces with attributes.
        seed: Decides edits, blurs and shuffles.
    """
    spoil = Spoiler(editors)
    columns: dict[str, list[Floats]] = {kind: [] for kind in KINDS}
    worths = []

    for number, start in enumerate(range(0, len(faces), CHUNK)):
        part = slice(start, start + CHUNK)
        real = to_network(faces.crops[part])
        labels = torch.from_numpy(faces.attributes[part])
        random = randomness(seed, number)

        for kind in KINDS:
            made, worth = spoil(kind, real, labels, number, random)
            columns[kind].append(network(made).numpy())
            worths += [worth.numpy()] if kind == "edited" else []

    scores = {kind: np.concatenate(parts) for kind, parts in columns.items()}
    ranks = np.repeat(np.arange(len(KINDS))[::-1], len(faces))
    everything = np.concatenate(take(scores, KINDS))
    return Truths(
        means={kind: float(values.mean()) for kind, values in scores.items()},
        correlation=float(spearmanr(everything, ranks).statistic),
        strength=float(spearmanr(scores["edited"], np.concatenate(worths)).statistic),
        pairs={f"{a} > {b}": float((scores[a] > scores[b]).mean()) for a, b in pairwise(KINDS)},
    )
