"""Table 3.1 and figure 3.4: distances within and between people, untouched."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import Gender
from attrsearch.evaluation.faces import DetectedFaces
from attrsearch.evaluation.metrics.verification import pairwise
from attrsearch.experiments.charts import matrices
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.section import UNSAID, Comparison, Picture, Section, Table, number

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

PEOPLE = (
    ("n00452, female", 0.653),
    ("n00480, female", 0.788),
    ("n00527, male", 0.626),
    ("n00689, male", 0.695),
)
"""The thesis's four and the mean distance of their own pictures."""
STRANGERS = {"men": 1.396, "women": 1.395, "men and women": 1.403}
PICTURES = 90
MEN = 54
WOMEN = 36
EACH = 50
"""People of each gender in the matrix."""


@dataclass(frozen=True)
class Group:
    """Faces between all of which distances are taken.

    Attributes:
        what: In the table.
        thesis: Mean distance there.
        embeddings: Judge to (n, d).
    """

    what: str
    thesis: float
    embeddings: dict[str, Floats]

    def mean(self, judge: str) -> float:
        """Mean raw distance over all pairs."""
        rows = self.embeddings[judge]
        return _mean(pairwise(rows, rows))


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Table 3.1 and figure 3.4."""
    four = _four(lab)
    embedded = _embed(lab, lab.others.look)
    genders: list[Gender] = [lab.gender(lab.others, i) for i in range(len(lab.others.people))]
    men = np.array([i for i, gender in enumerate(genders) if gender == "male"], int)
    women = np.array([i for i, gender in enumerate(genders) if gender == "female"], int)
    chosen = {"men": men[:MEN], "women": women[:WOMEN]}
    chosen["men and women"] = np.concatenate([chosen["men"], chosen["women"]])
    strangers = [
        Group(f"different {what}", STRANGERS[what], _take(embedded, rows))
        for what, rows in chosen.items()
    ]
    panel = [_take(embedded, rows[:EACH])[lab.measure.name] for rows in (women, men)]

    return {"table-3.1": _table(lab, four, strangers), "figure-3.4": _matrices(lab, four, panel)}


def _four(lab: ExperimentContext) -> list[Group]:
    most = lab.options.count(PICTURES, 4)
    read = lab.cohort(frozenset(probe.id for probe in lab.probes), most, "distances: read")
    groups = []
    ordered = sorted(
        lab.probes, key=lambda probe: probe.gender != "female"
    )  # as the thesis lists its four

    for (who, thesis), probe in zip(PEOPLE, ordered, strict=True):
        rows = np.flatnonzero(read.owners == read.people.index(probe.id))
        what = f"one person, {probe.gender} (the thesis: {who})"
        groups.append(Group(what, thesis, _embed(lab, read.look.take(rows))))

    return groups


def _embed(lab: ExperimentContext, look: DetectedFaces) -> dict[str, Floats]:
    return {judge.name: look.embed(judge.recogniser) for judge in lab.judges}


def _take(embedded: dict[str, Floats], rows: Ints) -> dict[str, Floats]:
    return {name: values[rows] for name, values in embedded.items()}


def _table(lab: ExperimentContext, four: Sequence[Group], strangers: Sequence[Group]) -> Section:
    judges = sorted(lab.judges, key=lambda judge: judge.name != lab.measure.name)
    scale = {judge.name: judge.calibration.scale for judge in judges}
    main = lab.measure.name
    groups = [*four, *strangers]
    own = float(np.mean([group.mean(main) for group in four]))
    ratio = own / strangers[-1].mean(main)
    thesis = sum(value for _, value in PEOPLE) / len(PEOPLE) / STRANGERS["men and women"]
    columns = (
        "",
        "pictures",
        *(f"{j.name}, {unit}" for j in judges for unit in ("FaceNet scale", "raw")),
    )
    rows = tuple(
        (
            group.what,
            str(len(group.embeddings[main])),
            *(number(group.mean(j.name) * by, 3) for j in judges for by in (scale[j.name], 1.0)),
        )
        for group in groups
    )

    return Section(
        "table-3.1",
        "distances within and between people",
        "The four people with most pictures (two of each gender where there are), and one picture "
        f"each of others. Mean distance over all pairs by {main}, on the FaceNet scale; genders "
        "by the classifier. Nobody is edited.",
        tuple(
            Comparison(
                group.what, number(group.thesis, 3), number(group.mean(main) * scale[main], 3)
            )
            for group in groups
        ),
        (Table("By every judge, on the scale of FaceNet and as they are:", columns, rows),),
        notes=(
            "Strangers lie near 1.40 by construction, since the FaceNet scale is made of their "
            "distance (that of people who are not held out). That men, women and both come out "
            "alike is a finding, and so is the ratio: a person's own pictures lie at "
            f"{number(ratio)} of a stranger's distance (the thesis: {number(thesis)}).",
        ),
    )


def _matrices(lab: ExperimentContext, four: Sequence[Group], panel: Sequence[Floats]) -> Section:
    name = lab.measure.name
    scale = lab.measure.calibration.scale
    strangers = np.concatenate(panel)
    women = len(panel[0])
    between = pairwise(strangers, strangers) * scale
    rows = [group.embeddings[name] for group in four]
    everyone = np.concatenate(rows)
    people = pairwise(everyone, everyone) * scale
    owners = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    same = owners[:, None] == owners[None]
    off = ~np.eye(len(people), dtype=bool)
    counts = ", ".join(str(len(part)) for part in rows)
    data = matrices(
        "Distance matrices: strangers by gender, and pictures of four people",
        [
            (f"{women} women, then {len(strangers) - women} men", between),
            (f"four people: {counts} pictures", people),
        ],
        1.6,
    )

    return Section(
        "figure-3.4",
        "distance matrix",
        f"Left: one picture each of {len(strangers)} people, women first. Right: all pictures of "
        f"the four people. Distances by {name} on the FaceNet scale; black is 0.",
        (
            Comparison(
                "mean distance among women", "1.358", number(_mean(between[:women, :women]), 3)
            ),
            Comparison(
                "mean distance among men", "1.366", number(_mean(between[women:, women:]), 3)
            ),
            Comparison(
                "mean distance of women to men",
                UNSAID,
                number(_average(between[:women, women:]), 3),
            ),
            Comparison(
                "mean inside the four squares",
                "0.63 to 0.79",
                number(_average(people[same & off]), 3),
            ),
            Comparison("mean outside them", UNSAID, number(_average(people[~same]), 3)),
        ),
        pictures=(
            Picture(
                "figure-3.4",
                "Distances between strangers (left) and between pictures of four people (right), "
                "whose own pictures make dark squares along the diagonal",
                "svg",
                data,
            ),
        ),
    )


def _mean(square: Floats) -> float:
    """Mean over the pairs of a symmetric matrix."""
    return _average(square[np.triu_indices(len(square), 1)])


def _average(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")
