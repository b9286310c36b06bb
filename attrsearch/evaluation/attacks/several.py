"""Attacks that use several protected faces of one person.

Averaging them, and linking two sets of them.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.errors import InputError
from attrsearch.evaluation.attacks.scene import Scene, row
from attrsearch.evaluation.metrics.anonymity import Figures, identification_figures
from attrsearch.evaluation.metrics.identification import Gallery, identify, person_distances, score
from attrsearch.evaluation.metrics.utility import crops_of
from attrsearch.evaluation.metrics.verification import pairwise
from attrsearch.faces.alignment import CROP_TEMPLATE
from attrsearch.faces.recognition.base import Recogniser

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CROP_BOX = np.array([26.5, 19, 101.5, 129], np.float32)
"""About the face's box in an aligned crop."""
MAX_OTHERS = 40
"""Pictures of one person that are averaged, at most, evenly spaced: neighbouring frames tell little
more.
"""


def averaging(scene: Scene) -> list[Figures]:
    """The attacker averages the protected faces of one person: of a track, or of an album.

    Every original is looked for in turn.  The gallery then holds that one original of its person,
    and the probe is made of all *other* protected faces of the person: one by one (``single``),
    their mean embedding, and the embedding of their mean picture.
    """
    cases = _cases(scene)

    if not cases:
        hint = "give people with two protected pictures or more, or a video with tracks"
        found = "one a person"
        raise InputError(
            "averaging", required="several protected faces of a person", found=found, hint=hint
        )

    crops = crops_of(scene.look)
    result = []

    for judge in scene.judges:
        one = scene.embeddings[judge.name]
        targets: list[int] = []
        places: list[int] = []
        means = []
        pictures = []
        for target, others in cases:
            targets += [target] * len(others)
            places += others
            means.append(_unit(one[others].mean(0)))
            pictures.append(crops[others].mean(0))

        wanted = np.array([target for target, _ in cases])
        single = one[places]
        mean = np.stack(means)
        picture = _embed_crops(torch.stack(pictures), judge.recogniser)

        for variant, probes, aims in (
            ("single", single, np.array(targets)),
            ("mean embedding", mean, wanted),
            ("mean picture", picture, wanted),
        ):
            figures = _identify_originals(scene, judge.name, probes, aims)
            result.append(row(scene, "averaging", variant, judge, figures))

    return result


def _cases(scene: Scene) -> list[tuple[int, list[int]]]:
    """Originals, each with the protected faces of its person that were not made from it."""
    cases = []

    for target in scene.rows:
        person = scene.cohort.owners[target]
        others = np.flatnonzero((scene.owners == person) & (scene.rows != target))
        if len(others) > MAX_OTHERS:
            others = others[np.arange(MAX_OTHERS) * len(others) // MAX_OTHERS]

        if len(others):
            cases.append((int(target), others.tolist()))

    return cases


def _identify_originals(scene: Scene, judge: str, probes: Floats, targets: Ints) -> Figures:
    standard = scene.standards[judge]
    gallery = Gallery(standard.embeddings, standard.owners).with_distractors(standard.distractors)
    table = person_distances(probes, gallery)
    owners = standard.owners[targets]
    # of the person, the gallery holds this one original alone: the others were what was averaged
    own = pairwise(probes, standard.embeddings)[np.arange(len(probes)), targets]
    table[np.arange(len(probes)), np.searchsorted(gallery.people, owners)] = own

    return identification_figures("", score(table, owners, gallery.people))


def _embed_crops(crops: Tensor, recogniser: Recogniser) -> Floats:
    """Embeddings (n, d) of aligned crops (n, 3, 128, 128) from -1 to 1."""
    pictures = (
        ((crops.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    )
    boxes = np.broadcast_to(CROP_BOX, (len(pictures), 4))
    return recogniser.embed(pictures, boxes, np.broadcast_to(CROP_TEMPLATE, (len(pictures), 5, 2)))


def linking(first: Scene, second: Scene | None = None) -> list[Figures]:
    """The attacker links two protected sets by who they show, without ever seeing an original.

    Args:
        first: One set; its protected faces are the probes.
        second: Another with the same names of people in it; the other half of the first set where
            there is none.

    Raises:
        InputError: No person in both.
    """
    variant = "two halves of one set" if second is None else f"with {second.protection.name}"
    a, b = _halves(first) if second is None else _common(first, second)

    if not len(a[1]) or not len(b[1]):
        hint = "give sets that show the same people under the same names"
        raise InputError("linking", required="people who are in both sets", found="none", hint=hint)

    result = []
    for judge in first.judges:
        probes = first.embeddings[judge.name][a[0]]
        gallery = Gallery((second or first).embeddings[judge.name][b[0]], b[1])
        figures = identification_figures("", identify(probes, a[1], gallery))
        result.append(row(first, "linking", variant, judge, figures))

    return result


Chosen = tuple[Ints, Ints]
"""Indices of protected faces, and the people they are of."""


def _halves(scene: Scene) -> tuple[Chosen, Chosen]:
    """The first and the second half of every person's protected faces.

    Nobody with only one is in them.
    """
    first = []
    second = []

    for person in np.unique(scene.owners):
        mine = np.flatnonzero(scene.owners == person)
        if len(mine) > 1:
            first += mine[: len(mine) // 2].tolist()
            second += mine[len(mine) // 2 :].tolist()

    one = np.array(first, np.int64)
    two = np.array(second, np.int64)
    return (one, scene.owners[one]), (two, scene.owners[two])


def _common(first: Scene, second: Scene) -> tuple[Chosen, Chosen]:
    """Faces of people who are in both; numbers of people are the first's."""
    known = {name: number for number, name in enumerate(first.cohort.people)}
    # people are numbered anew in every cohort: only their names are the same in both
    numbers = np.array([known.get(name, -1) for name in second.cohort.people], np.int64)
    theirs = numbers[second.owners]
    inside = np.flatnonzero(np.isin(theirs, first.owners))
    mine = np.flatnonzero(np.isin(first.owners, theirs))

    return (mine, first.owners[mine]), (inside, theirs[inside])


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
