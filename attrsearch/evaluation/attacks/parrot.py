"""Parrot attacks: the attacker protects the gallery too, so that like is compared with like.

Named after the attack of Newton, Sweeney and Malin ("Preserving Privacy by De-identifying Face
Images", 2005).
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, silent, staged
from attrsearch.core.recipes.space import Space
from attrsearch.evaluation.attacks.editing import Attacker, random_sets
from attrsearch.evaluation.attacks.scene import Scene, row
from attrsearch.evaluation.metrics.anonymity import Figures, identification_figures
from attrsearch.evaluation.metrics.identification import (
    Gallery,
    Identification,
    identify,
    person_distances,
    score,
)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

RANDOM = 3
"""Random sets each gallery face is edited with."""
PROBED = 20
"""People whose set is tried on the whole gallery, at most."""


def parrot(
    scene: Scene,
    attacker: Attacker,
    space: Space,
    *,
    probed: int = PROBED,
    seed: int = 0,
    progress: Progress[Step] = silent,
) -> list[Figures]:
    """All four, in a gallery without distractors (which the attacker's file says nothing of).

    - ``unedited gallery``: what the naive attack finds in this smaller gallery.
    - ``random sets``: every gallery face edited with sets drawn at random: no file, only the
    program.
    - ``same set``: the probe's own set, which the attacker somehow knows, on the whole gallery.
    - ``exported file``: every person's gallery faces edited with that person's set.
    - ``classifier``: a linear classifier of embeddings, trained on untouched, randomly edited and
    exported edits of the
      gallery, and tested on faces made from pictures it has not seen.

    Args:
        scene: Originals and protected faces.
        attacker: Owns the export.
        space: What random sets are drawn from.
        probed: People whose set is tried on the whole gallery, at most.
        seed: Of the random sets.
        progress: Told of the stage ``attack``, by steps.
    """
    records = attacker.records(scene.cohort)
    mine = np.isin(scene.owners, list(records))
    tell = staged(progress, "attack", len(records) + min(probed, len(records)))
    # the attacker has the program and the file, so the gallery is edited by the same editor
    own = _Edits()
    drawn = _Edits()
    generator = np.random.default_rng(seed)

    for done, (person, record) in enumerate(records.items()):
        rows = np.flatnonzero(scene.cohort.owners == person)
        faces = take(scene.cohort.faces, rows)
        chosen = record.attributes.passes[None]
        sets = np.concatenate([chosen, random_sets(space, record.gender, RANDOM, generator)])
        windows, kept = attacker.edit(faces, sets)
        own.add(scene, windows[:1], rows[kept])
        drawn.add(scene, windows[1:], rows[kept])
        tell(done + 1)

    result = []
    for judge in scene.judges:
        name = judge.name
        owners = scene.cohort.owners
        probes = scene.embeddings[name][mine]
        persons = scene.owners[mine]
        made_from = scene.rows[mine]
        known = np.flatnonzero(np.isin(owners, list(records)))
        plain = Gallery(scene.standards[name].embeddings[known], owners[known], known)
        galleries = {
            "unedited gallery": plain,
            "random sets": drawn.gallery(name, owners),
            "exported file": own.gallery(name, owners),
        }

        for variant, gallery in galleries.items():
            figures = identification_figures("", identify(probes, persons, gallery, made_from))
            result.append(row(scene, "parrot", variant, judge, figures))

        lessons = [plain, drawn.gallery(name, owners), own.gallery(name, owners)]
        figures = identification_figures("", classify(probes, persons, made_from, lessons))
        result.append(row(scene, "parrot", "classifier", judge, figures))

    return result + _same_set(
        scene, attacker, list(records)[:probed], lambda n: tell(len(records) + n)
    )


class _Edits:
    """Embeddings of edited gallery faces, and the originals they were made from."""

    def __init__(self) -> None:
        self._rows: list[Ints] = []
        self._found: dict[str, list[Floats]] = {}

    def add(self, scene: Scene, windows: npt.NDArray[np.uint8], rows: Ints) -> None:
        """Add windows (k, f, …) of originals (f,)."""
        sources = np.tile(rows, len(windows))
        if not len(sources):
            return

        self._rows.append(sources)
        for name, found in scene.embed(windows.reshape(-1, *windows.shape[2:]), sources).items():
            self._found.setdefault(name, []).append(found)

    def gallery(self, judge: str, owners: Ints) -> Gallery:
        sources = np.concatenate(self._rows)
        return Gallery(np.concatenate(self._found[judge]), owners[sources], sources)


def classify(
    probes: Floats, owners: Ints, made_from: Ints, lessons: list[Gallery]
) -> Identification:
    """Identify probes with a linear classifier of embeddings.

    Each person's pictures are numbered; probes made from pictures number i are classified by what
    was learnt from all the others.

    Args:
        probes: (n, d).
        owners: (n,).
        made_from: (n,), their pictures.
        lessons: What is learnt from.
    """
    rows = np.concatenate([lesson.embeddings for lesson in lessons])
    labels = np.concatenate([lesson.owners for lesson in lessons])
    pictures = np.concatenate([lesson.pictures for lesson in lessons])
    people = np.unique(labels)
    table = np.full((len(probes), len(people)), np.inf, np.float32)
    number = _numbers(pictures, labels)

    # a picture's edits are never in what is learnt when its own probe is asked about
    for fold in sorted({number[picture] for picture in made_from.tolist()}):
        taught = np.array([number[picture] != fold for picture in pictures.tolist()])
        asked = np.array([number[picture] == fold for picture in made_from.tolist()])
        if len(np.unique(labels[taught])) < 2:
            continue

        model = LogisticRegression(C=10.0, max_iter=300).fit(rows[taught], labels[taught])
        columns = np.searchsorted(people, model.classes_)
        table[np.ix_(asked, columns)] = -model.predict_log_proba(probes[asked])

    return score(table, owners, people)


def _numbers(pictures: Ints, owners: Ints) -> Mapping[int, int]:
    """Picture to its number among those of its person."""
    number: dict[int, int] = {}
    for person in np.unique(owners):
        for i, picture in enumerate(np.unique(pictures[owners == person]).tolist()):
            number[picture] = i

    return number


def _same_set(
    scene: Scene, attacker: Attacker, probed: list[int], progress: Callable[[int], None]
) -> list[Figures]:
    """One person's set on one picture of everybody.

    That person's probes are of their other pictures.
    """
    owners = scene.cohort.owners
    _, firsts = np.unique(owners, return_index=True)
    faces = take(scene.cohort.faces, firsts)
    tables: dict[str, list[tuple[Floats, Ints, Gallery]]] = {}

    for done, person in enumerate(probed):
        record = attacker.records(scene.cohort)[person]
        windows, kept = attacker.edit(faces, record.attributes.passes[None])
        found = scene.embed(windows[0], firsts[kept])
        asked = np.flatnonzero((scene.owners == person) & ~np.isin(scene.rows, firsts))

        for name, rows in found.items():
            gallery = Gallery(rows, owners[firsts[kept]], firsts[kept])
            case = (scene.embeddings[name][asked], scene.owners[asked], gallery)
            tables.setdefault(name, []).append(case)

        progress(done + 1)

    result = []
    for judge in scene.judges:
        people = np.unique(owners)
        distances = []
        asked_of = []
        for probes, wanted, gallery in tables.get(judge.name, ()):
            distances.append(_full(probes, gallery, people))
            asked_of.append(wanted)

        # somebody of one picture has no other one to be asked about
        if sum(map(len, distances)):
            persons = np.concatenate(asked_of)
            figures = identification_figures("", score(np.concatenate(distances), persons, people))
            result.append(row(scene, "parrot", "same set", judge, figures))

    return result


def _full(probes: Floats, gallery: Gallery, people: Ints) -> Floats:
    """Distances (n, p) to all people, infinite to those who are not in the gallery."""
    table = np.full((len(probes), len(people)), np.inf, np.float32)
    if len(probes):
        table[:, np.searchsorted(people, gallery.people)] = person_distances(probes, gallery)

    return table
