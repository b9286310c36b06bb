"""Thesis 4.3.1 and 4.3.2: can the look of an edit be told from its attributes?

Table 4.5, figures 4.7 and 4.8.

The thesis graded 2,000 edits by eye.  Where a run has grades (``attrsearch grade``) they are learnt
from; otherwise the critic's naturalness stands in for the eye, cut so that as many edits are bad,
OK and good as in the thesis.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from attrsearch.core.attributes import Gender
from attrsearch.core.errors import InputError
from attrsearch.core.progress import Step
from attrsearch.evaluation.faces import Cohort, DetectedFaces
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.edits import Edits, draw, edit_faces, render
from attrsearch.experiments.face_grid import Shown, photographs
from attrsearch.experiments.learning import BAD, Learnt, grade, learn_good, thresholds
from attrsearch.experiments.look_attributes import attribute_lines
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import worded
from attrsearch.faces.dataset import AlignedFace
from attrsearch.report.grading.grades import GRADES, all_grades, edits_of
from attrsearch.report.grading.look import learn_look
from attrsearch.search.space import PersonSpace, person_space

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

EDITS = 2000
AGAIN = 1000
BOTH = 1000
LIMIT = 1.1
LOOKED_AT = 24
"""People among whom two of one gender are looked for."""
MAX_DRAWN = 100
"""Sets drawn for every one that is wanted, before the network is taken to refuse everything."""


@dataclass(frozen=True)
class Sitter:
    """One picture of a person, edited in many ways."""

    gender: Gender
    faces: tuple[AlignedFace, ...]
    look: DetectedFaces


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Table 4.5, figures 4.7 and 4.8."""
    person, other = _two(lab)
    space = person_space(lab.space, person.gender)
    count = lab.options.count(EDITS, 40)
    sets = draw(lab.space, person.gender, count, LIMIT, lab.random("look"))
    first = _edit(lab, person, sets)
    lab.progress(Step(stage="look", count=1, total=3))
    cuts = thresholds(_scores(first))
    grades = grade(_scores(first), cuts)
    learnt = learn_good(space.values(first.attributes), grades == 2, lab.options.seed)
    wanted = lab.options.count(AGAIN, 20)
    chosen, drawn = _accepted(lab, person, space, learnt.network, wanted)
    second = _edit(lab, person, chosen) if len(chosen) else None
    lab.progress(Step(stage="look", count=2, total=3))
    both = lab.options.count(BOTH, 20)
    theirs = _scores(_edit(lab, other, first.attributes[:both]))
    # by cuts of its own: the critic may like one face less than another whatever the edit
    agreed = grade(theirs, thresholds(theirs))
    lab.progress(Step(stage="look", count=3, total=3))

    return {
        "table-4.5": _table(lab, Findings(first, grades, cuts, learnt, second, drawn, agreed)),
        "figure-4.7": attribute_lines(space, first, grades),
        "figure-4.8": _examples(lab, person, first),
    }


def _two(lab: ExperimentContext) -> tuple[Sitter, Sitter]:
    """One picture each of two people of one gender.

    Raises:
        InputError: There are not two.
    """
    names = [person.id for person in lab.listed[:LOOKED_AT]]
    read = lab.cohort(frozenset(names), 1, "look: read")
    # a cohort is in the order of the folder; those with most pictures are to come first again
    order = sorted(range(len(read.people)), key=lambda i: names.index(read.people[i]))
    genders = [lab.gender(read, i) for i in order]

    for gender in dict.fromkeys(genders):
        rows = [i for i, its in zip(order, genders, strict=True) if its == gender]
        if len(rows) >= 2:
            return _sitter(read, rows[0], gender), _sitter(read, rows[1], gender)

    hint = "give a folder of more people"
    raise InputError(
        lab.faces, required="two people of one gender", found=f"{len(order)} people", hint=hint
    )


def _sitter(read: Cohort, row: int, gender: Gender) -> Sitter:
    return Sitter(gender, (read.faces[row],), read.look.take(np.array([row])))


def _edit(lab: ExperimentContext, sitter: Sitter, attributes: Floats) -> Edits:
    return edit_faces(
        lab.evaluator(), sitter.faces, sitter.look, attributes, lab.measure, critic=lab.critic
    )


def _scores(edits: Edits) -> Floats:
    """Naturalness (n,); a face that is not found any more is worse than any that is."""
    scores = edits.natural[:, 0]
    return np.where(edits.found[:, 0], scores, scores.min() - 1)


def _accepted(
    lab: ExperimentContext, sitter: Sitter, space: PersonSpace, network: Pipeline, wanted: int
) -> tuple[Floats, int]:
    """Random sets that the network calls good, and how many were drawn for them."""
    random = lab.random("accepted")
    drawn = 0
    found: list[Floats] = []

    while sum(map(len, found)) < wanted and drawn < MAX_DRAWN * wanted:
        part = draw(lab.space, sitter.gender, wanted, LIMIT, random)
        found.append(part[np.asarray(network.predict(space.values(part)), bool)])
        drawn += len(part)

    every = np.concatenate(found)
    # the last draw gives more than is wanted: what was drawn for the wanted ones alone is reported
    share = len(every) / drawn
    return every[:wanted], round(min(len(every), wanted) / share) if share else drawn


@dataclass(frozen=True)
class Findings:
    """What the experiment gave.

    Attributes:
        first: The edits that are learnt from, (n, 1).
        grades: Their grades (n,).
        cuts: The scores between the grades.
        learnt: The network.
        second: Edits by sets that it accepts; None where it accepts none.
        drawn: How many sets were drawn for them.
        other: Grades of another face under the first of the same sets, (m,).
    """

    first: Edits
    grades: Ints
    cuts: tuple[float, float]
    learnt: Learnt
    second: Edits | None
    drawn: int
    other: Ints

    @property
    def bad(self) -> float:
        """Share of bad edits before the network chooses."""
        return float((self.grades == 0).mean())

    def disagreement(self) -> tuple[int, float]:
        """How many shared sets are bad on the first face, and how many of those on one only."""
        bad = self.grades[: len(self.other)] == 0
        return int(bad.sum()), float((self.other[bad] > 0).mean()) if bad.any() else float("nan")


@dataclass(frozen=True)
class Graded:
    """What a person's grades teach the network.

    Attributes:
        run: Its name.
        counts: Bad, OK and good.
        accuracy: Share of grades told rightly, by a person who was not learnt from.
        chance: Share that always saying the commonest would tell rightly.
    """

    run: str
    counts: tuple[int, ...]
    accuracy: float
    chance: float


def learn_grades(run: Path | None) -> Graded | None:
    """Learn a person's grades, where a run has some."""
    if run is None:
        return None

    edits = edits_of(run)
    grades = all_grades(run, edits)
    found = learn_look(edits, grades)
    values = list(grades.values())
    counts = tuple(values.count(name) for name in GRADES)
    return Graded(run.name, counts, found.accuracy, found.chance)


def _table(lab: ExperimentContext, found: Findings) -> Section:
    both, differ = found.disagreement()
    learnt = found.learnt
    graded = learn_grades(lab.options.grades)
    figures = {
        "limit": LIMIT,
        "space": lab.options.space,
        "editor": lab.options.editor,
        "graded": asdict(graded) if graded else None,
        "counts": np.bincount(found.grades, minlength=3).tolist(),
        "accuracy": learnt.accuracy,
        "majority": learnt.majority,
        "precision": learnt.precision,
        "base": learnt.base,
        "bad": found.bad,
        "drawn": found.drawn,
        "again": _again(found, found.second) if found.second else None,
        "both": both,
        "differ": differ,
        "differ_by_chance": 1 - BAD,
    }
    return worded("table-4.5", figures)


def _again(found: Findings, second: Edits) -> dict[str, object]:
    """How edits by sets that the network accepts differ from those by random ones."""
    grades = grade(_scores(second), found.cuts)
    return {
        "edits": len(grades),
        "bad": int((grades == 0).sum()),
        "good": int((grades == 2).sum()),
        "recall": [found.first.recall, second.recall],
        "overlap": [float(found.first.overlap.mean()), float(second.overlap.mean())],
    }


def _examples(lab: ExperimentContext, sitter: Sitter, edits: Edits) -> Section:
    order = np.argsort(_scores(edits), kind="stable")
    rows: list[tuple[str, Sequence[Shown]]] = []
    middle = len(order) // 2

    shown = {
        "bad": order[:8],
        "middle": order[middle - 4 : middle + 4],
        "good": order[-8:][::-1],
    }
    for label, places in shown.items():
        windows = render(lab.evaluator(), sitter.faces, edits.attributes[places])[:, 0]
        scores = edits.natural[places, 0]
        row = [Shown(w, text=f"{s:.2f}") for w, s in zip(windows, scores, strict=True)]
        rows.append((label, row))

    return photographs(
        "figure-4.8",
        "classification examples of bad and good",
        rows,
        "The worst, the middle and the best edits of one picture by the critic, with its score "
        "(1: as a real face).",
    )
