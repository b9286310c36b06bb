"""The table of an editor against another, on the same held-out faces, and a sheet of both."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from attrsearch.core.errors import UnavailableError, WeightsError
from attrsearch.core.picking import take
from attrsearch.editing.attgan import Generator
from attrsearch.editing.checkpoints import load_checkpoint
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.recognition.load import load_recogniser
from attrsearch.training import editor_metrics
from attrsearch.training.attribute_sampling import own
from attrsearch.training.dataset import (
    FaceSet,
    Floats,
    Pictures,
    load_face_set,
    to_network,
    to_pictures,
)
from attrsearch.training.datasets import filled
from attrsearch.training.image_metrics import FeatureDistance
from attrsearch.training.loss_networks import load_traits_network

SMALLEST_FACE = 32.0
SHOWN = 8


@dataclass(frozen=True)
class EditorComparison:
    """A figure of every editor, row by row, and pictures.

    Untouched faces, then each editor's edits of them.
    """

    editors: tuple[str, ...]
    rows: dict[str, tuple[float, ...]]
    sheet: Pictures


def load_instruments(traits: str = "traits") -> editor_metrics.Instruments:
    """Detector, recognisers (dlib where installed), classifier and critic (where there is one)."""
    recognisers = [load_recogniser("sface")]
    with contextlib.suppress(UnavailableError):
        recognisers.append(load_recogniser("dlib"))

    try:
        critic: Critic | None = Critic()
    except WeightsError:
        critic = None

    network = load_traits_network(traits)
    return editor_metrics.Instruments(
        Mtcnn(SMALLEST_FACE), recognisers, network, FeatureDistance(), critic
    )


def compare(
    editors: Sequence[str],
    faces: Path,
    people: Path | None = None,
    *,
    space: str = "thesis10",
    limit: int = 500,
    traits: str = "traits",
    progress: Callable[[str], None] = lambda _: None,
) -> EditorComparison:
    """Measure editors.

    Args:
        editors: Bundled names or paths.
        faces: Prepared held-out faces with attributes, for reconstruction and edits.
        people: Prepared held-out people, for distinguishability; left out where not given.
        space: The search space random candidates come from.
        limit: Use at most this many faces of each set.
        traits: The classifier that judges attributes, a bundled name or a path: one that trained no
            editor is the stricter judge.
        progress: Called with a line about what is measured.
    """
    tools = load_instruments(traits)
    chosen = filled(_first(load_face_set(faces), limit), tools.traits)
    others = (
        filled(_several(load_face_set(people), limit), tools.traits) if people is not None else None
    )
    columns: list[dict[str, float]] = []
    shown = chosen.take(np.linspace(0, len(chosen) - 1, min(SHOWN, len(chosen))).astype(np.int64))
    pictures: list[Pictures] = [shown.crops]

    for name in editors:
        generator = load_checkpoint(name).generator.to(memory_format=torch.channels_last)
        progress(f"{name}: reconstruction and single edits of {len(chosen)} faces")
        column = editor_metrics.reconstruction(generator, chosen, tools)
        single = editor_metrics.single_edits(generator, chosen, tools)
        column |= {f"edit {key}": value for key, value in single.items()}
        column["edit, mean of 13"] = float(np.mean(list(single.values())))
        progress(f"{name}: random candidates of {space}")
        asks = editor_metrics.random_asks(chosen, space)
        first = editor_metrics.edit_all(generator, chosen, asks)
        column |= editor_metrics.searched_edits(chosen, first, tools)
        second = editor_metrics.edit_all(
            generator, chosen, editor_metrics.random_asks(chosen, space, seed=1)
        )
        column |= editor_metrics.steered(first, second, tools)

        if others is not None:
            progress(f"{name}: distinguishability of {len(set(others.people))} people")
            asks = _same_for_a_person(others, space)
            edited = editor_metrics.edit_all(generator, others, asks)
            column |= editor_metrics.distinguishability(others, edited, tools)

        for batch in (1, 32):
            took = editor_metrics.milliseconds(generator, batch)
            column[f"ms an edit, batch {batch}"] = took

        columns.append(column)
        pictures += _shown(generator, shown, space)

    rows = {}
    for key in columns[0]:
        rows[key] = tuple(column[key] for column in columns)

    sheet = np.concatenate([np.concatenate(list(row), 1) for row in pictures])
    return EditorComparison(tuple(editors), rows, sheet)


def markdown(names: Sequence[str], rows: Mapping[str, Sequence[float]]) -> str:
    """Figures as a Markdown table, a column for each of ``names``.

    >>> print(markdown(("models/a.safetensors", "b"), {"SSIM": (0.5, 0.75)}))
    | | a | b |
    |---|---|---|
    | SSIM | 0.500 | 0.750 |
    """
    head = [
        "| | " + " | ".join(Path(name).stem for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    lines = []
    for key, values in rows.items():
        cells = [f"{value:.3f}" for value in values]
        lines.append(f"| {' | '.join([key, *cells])} |")

    return "\n".join(head + lines)


def _first(faces: FaceSet, limit: int) -> FaceSet:
    return faces.take(np.arange(min(limit, len(faces))))


def _several(faces: FaceSet, limit: int) -> FaceSet:
    """At most two pictures of each person, people with two first, up to the limit."""
    found: dict[str, list[int]] = {}
    for index, person in enumerate(faces.people):
        found.setdefault(person, []).append(index)

    # what tells people apart needs two pictures of one; a sort keeps the order of the others
    order = sorted(found.values(), key=lambda indices: len(indices) < 2)
    pairs = chain.from_iterable(indices[:2] for indices in order)
    return faces.take(np.array([*pairs][:limit]))


def _same_for_a_person(faces: FaceSet, space: str) -> Floats:
    """Random candidates, one a person.

    The same attributes on all pictures of one, as the product edits.
    """
    people = list(dict.fromkeys(faces.people))
    index = np.array([faces.people.index(person) for person in people])
    asks = dict(zip(people, editor_metrics.random_asks(faces.take(index), space), strict=True))

    return np.stack(take(asks, faces.people))


def _shown(generator: Generator, shown: FaceSet, space: str) -> list[Pictures]:
    """Reconstructions, and edits by two random candidates, blended."""
    labels = torch.from_numpy(shown.attributes)
    with torch.no_grad():
        again = to_pictures(generator(to_network(shown.crops), own(labels)))

    asks = [editor_metrics.random_asks(shown, space, seed) for seed in (1, 2)]
    return [again, *(editor_metrics.edit_all(generator, shown, one) for one in asks)]
