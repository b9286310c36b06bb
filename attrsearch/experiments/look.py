"""Thesis 4.3.1 and 4.3.2: can the look of an edit be told from its attributes?

Table 4.5, figures 4.7 and 4.8.

The thesis graded 2,000 edits by eye.  Where a run has grades (``attrsearch grade``) they are learnt
from; otherwise the critic's naturalness stands in for the eye, cut so that as many edits are bad,
OK and good as in the thesis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from attrsearch.core.attributes import Gender
from attrsearch.core.errors import InputError
from attrsearch.core.progress import Step
from attrsearch.evaluation.faces import DetectedFaces
from attrsearch.experiments.charts import Axis, Series, chart
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.edits import Edits, draw, edit_faces, render
from attrsearch.experiments.face_grid import Shown, photographs
from attrsearch.experiments.learning import BAD, Learnt, grade, learn_good, thresholds
from attrsearch.experiments.section import UNSAID, Comparison, Picture, Section, number, percent
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
SHOWN = 10
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
    first = _edit(
        lab,
        person,
        draw(lab.space, person.gender, lab.options.count(EDITS, 40), LIMIT, lab.random("look")),
    )
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
    agreed = grade(theirs, thresholds(theirs))
    lab.progress(Step(stage="look", count=3, total=3))

    return {
        "table-4.5": _table(lab, Findings(first, grades, cuts, learnt, second, drawn, agreed)),
        "figure-4.7": _lines(space, first, grades),
        "figure-4.8": _examples(lab, person, first),
    }


def _two(lab: ExperimentContext) -> tuple[Sitter, Sitter]:
    """One picture each of two people of one gender.

    Raises:
        InputError: There are not two.
    """
    names = [person.id for person in lab.listed[:LOOKED_AT]]
    read = lab.cohort(frozenset(names), 1, "look: read")
    order = sorted(range(len(read.people)), key=lambda i: names.index(read.people[i]))
    genders = [lab.gender(read, i) for i in order]

    for gender in dict.fromkeys(genders):
        rows = [i for i, its in zip(order, genders, strict=True) if its == gender][:2]
        if len(rows) == 2:
            sitters = [
                Sitter(gender, (read.faces[i],), read.look.take(np.array([i]))) for i in rows
            ]
            return sitters[0], sitters[1]

    hint = "give a folder of more people"
    raise InputError(
        lab.faces, required="two people of one gender", found=f"{len(order)} people", hint=hint
    )


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

    while sum(len(part) for part in found) < wanted and drawn < MAX_DRAWN * wanted:
        part = draw(lab.space, sitter.gender, wanted, LIMIT, random)
        found.append(part[np.asarray(network.predict(space.values(part)), bool)])
        drawn += len(part)

    every = np.concatenate(found)
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


def _table(lab: ExperimentContext, found: Findings) -> Section:
    counts = ", ".join(str(count) for count in np.bincount(found.grades, minlength=3))
    learnt = found.learnt
    (both, differ) = found.disagreement()
    graded, line = _human(lab.options.grades)
    compared = (
        *graded,
        Comparison(
            "edits; bad, OK, good",
            "2000; 212, 1118, 670",
            f"{len(found.grades)}; {counts} (shares set)",
        ),
        Comparison(
            "good or not, on the 30 % not learnt from",
            "77 %",
            f"{percent(learnt.accuracy)} (always *not good*: {percent(learnt.majority)})",
        ),
        Comparison(
            "good among those called good",
            UNSAID,
            f"{percent(learnt.precision)} (of all: {percent(learnt.base)})",
        ),
        *_accepted_rows(found),
        Comparison(
            "bad on one face, OK or good on another",
            "14 %",
            f"{percent(differ)} of {both} (by chance {percent(1 - BAD)})",
        ),
    )

    return Section(
        "table-4.5",
        "learning parameters: the look of an edit from its attributes",
        f"One picture, {len(found.grades)} random sets within -{LIMIT:g} to {LIMIT:g} "
        f"({lab.options.space}, editor {lab.options.editor}); a second picture, of another person "
        "of the same gender, is edited by the same sets. The critic's naturalness stands in for "
        "the thesis's eye, cut so that the shares of bad, OK and good are the thesis's: the "
        f"counts are no finding, what follows from them is. {line}",
        compared,
        notes=(
            "The thesis widened Pale_Skin in its second batch; here nothing but the network "
            "changes. The critic orders kinds of pictures well and mild from strong edits badly, "
            "so what is learnt here is what the critic sees, which need not be what a person sees.",
        ),
    )


def _accepted_rows(found: Findings) -> tuple[Comparison, ...]:
    """How edits by sets that the network accepts differ from those by random ones."""
    first = found.first
    second = found.second
    what = "sets drawn for one that is accepted"
    if second is None:
        return (Comparison(what, "3.1", f"none accepted of {found.drawn}"),)

    again = grade(_scores(second), found.cuts)
    bad = int((again == 0).sum())
    good = int((again == 2).sum())
    overlap = [number(float(edits.overlap.mean()), 3) for edits in (first, second)]

    return (
        Comparison(what, "3.1", number(found.drawn / len(again), 1)),
        Comparison(
            "bad among edits by accepted sets",
            "29 of 1000 (before: 10.6 %)",
            f"{bad} of {len(again)} (before: {percent(found.bad, 1)})",
        ),
        Comparison(
            "good among them",
            UNSAID,
            f"{good} of {len(again)} (before: {percent(found.learnt.base, 1)})",
        ),
        Comparison(
            "faces found, before and after",
            "99.2 %, 99.7 %",
            f"{percent(first.recall, 1)}, {percent(second.recall, 1)}",
        ),
        Comparison("mean IoU, before and after", "not improved", ", ".join(overlap)),
    )


def _human(run: Path | None) -> tuple[list[Comparison], str]:
    """What a person's grades teach the network, where a run has some."""
    if run is None:
        return [], "Grades by a person: --grades RUN, after attrsearch grade RUN."

    edits = edits_of(run)
    grades = all_grades(run, edits)
    found = learn_look(edits, grades)
    values = list(grades.values())
    counts = ", ".join(str(values.count(name)) for name in GRADES)

    return (
        [
            Comparison(
                "graded by a person; bad, OK, good",
                "2000; 212, 1118, 670",
                f"{len(values)}; {counts}",
            ),
            Comparison(
                "the grade, on edits not learnt from (by a person)",
                "77 % (good or not)",
                f"{percent(found.accuracy)} (always the commonest: {percent(found.chance)})",
            ),
        ],
        f"The first two rows are of the grades in {run.name}: many people, and three grades told "
        "apart instead of two.",
    )


def _lines(space: PersonSpace, edits: Edits, grades: Ints) -> Section:
    """Attributes and distance of a few bad and a few good edits, a line each."""
    values = space.values(edits.attributes)
    names = [name.removeprefix("first_").removeprefix("second_") for name in space.names]
    ticks = tuple(
        (float(i), text.replace("_", " "))
        for i, text in enumerate([*map(_short, names), "distance"])
    )
    pictures = []
    rows = []

    for which, name in ((0, "bad"), (2, "good")):
        picked = np.flatnonzero((grades == which) & edits.found[:, 0])[: 3 * SHOWN]
        series = [
            Series(
                "",
                list(range(len(ticks))),
                [*values[i], float(edits.distance[i, 0])],
                dots=False,
                colour=1 if which == 0 else 0,
                faint=True,
            )
            for i in picked
        ]
        every = (grades == which) & edits.found[:, 0]
        mean = (
            [*values[every].mean(0), float(edits.distance[every, 0].mean())]
            if every.any()
            else [float("nan")] * len(ticks)
        )
        series.append(Series("", list(range(len(ticks))), mean, colour=1 if which == 0 else 0))
        text = (
            f"{len(picked)} {name} edits, a thin line each; the thick line is the mean of all "
            f"{int(every.sum())}"
        )
        data = chart(
            text, series, Axis("", 0, len(ticks) - 1, ticks), Axis("attribute, distance", -1.2, 1.8)
        )
        pictures.append(Picture(f"figure-4.7-{name}", text, "svg", data))
        rows.append(mean)

    gaps = np.abs(np.array(rows[0]) - np.array(rows[1]))[:-1]
    order = np.argsort(-np.nan_to_num(gaps))[:3]
    telling = ", ".join(
        f"{names[i]} ({rows[0][i]:+.2f} bad, {rows[1][i]:+.2f} good)" for i in order
    )
    return Section(
        "figure-4.7",
        "attributes and distance of bad and good edits",
        "The attributes that vary and, on the right, the distance; the grades are those of table "
        "4.5.",
        (
            Comparison(
                "mean distance of bad and of good edits",
                "–",
                f"{number(rows[0][-1])}, {number(rows[1][-1])}",
            ),
            Comparison("attributes in which they differ most, on average", "–", telling),
        ),
        pictures=tuple(pictures),
    )


def _short(name: str) -> str:
    """An attribute's name as it fits under an axis.

    >>> _short("Mouth_Slightly_Open"), _short("Pale_Skin")
    ('Mouth', 'Pale')
    """
    parts = name.split("_")
    return (
        "No Beard"
        if name == "No_Beard"
        else parts[0]
        if len(name) > 8 or parts[0] == "Pale"
        else name
    )


def _examples(lab: ExperimentContext, sitter: Sitter, edits: Edits) -> Section:
    order = np.argsort(_scores(edits), kind="stable")
    rows: list[tuple[str, Sequence[Shown]]] = []
    middle = len(order) // 2

    for label, places in (
        ("bad", order[:8]),
        ("middle", order[middle - 4 : middle + 4]),
        ("good", order[-8:][::-1]),
    ):
        windows = render(lab.evaluator(), sitter.faces, edits.attributes[places])[:, 0]
        scores = edits.natural[places, 0]
        rows.append(
            (label, [Shown(w, text=f"{s:.2f}") for w, s in zip(windows, scores, strict=True)])
        )

    return photographs(
        "figure-4.8",
        "classification examples of bad and good",
        rows,
        "The worst, the middle and the best edits of one picture by the critic, with its score "
        "(1: as a real face).",
    )
