"""Table 3.1 and figure 3.4: distances within and between people, untouched."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.evaluation.faces import DetectedFaces
from attrsearch.evaluation.metrics.verification import pairwise
from attrsearch.experiments.charts import matrices
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import worded

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
BRIGHTEST = 1.6
"""Distance drawn brightest: a little above that of strangers, which is 1.4 on the FaceNet scale."""


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
    genders = np.array([lab.gender(lab.others, i) for i in range(len(lab.others.people))], object)
    # one picture a person, so that every pair is of two strangers
    men = np.flatnonzero(genders == "male")
    women = np.flatnonzero(genders == "female")
    chosen = {"men": men[:MEN], "women": women[:WOMEN]}
    chosen["men and women"] = np.concatenate([chosen["men"], chosen["women"]])
    strangers = []
    for what, rows in chosen.items():
        strangers.append(Group(f"different {what}", STRANGERS[what], _take(embedded, rows)))

    panel = [_take(embedded, rows[:EACH])[lab.measure.name] for rows in (women, men)]

    return {"table-3.1": _table(lab, four, strangers), "figure-3.4": _matrices(lab, four, panel)}


def _four(lab: ExperimentContext) -> list[Group]:
    most = lab.options.count(PICTURES, 4)
    read = lab.cohort(frozenset(probe.id for probe in lab.probes), most, "distances: read")
    groups = []
    # women first, as the thesis lists its four
    ordered = sorted(lab.probes, key=lambda probe: probe.gender != "female")

    for (who, thesis), probe in zip(PEOPLE, ordered, strict=True):
        rows = np.flatnonzero(read.owners == read.people.index(probe.id))
        what = f"one person, {probe.gender} (the thesis: {who})"
        groups.append(Group(what, thesis, _embed(lab, read.look.take(rows))))

    return groups


def _embed(lab: ExperimentContext, look: DetectedFaces) -> dict[str, Floats]:
    return look.embed_by(lab.judges)


def _take(embedded: dict[str, Floats], rows: Ints) -> dict[str, Floats]:
    return {name: values[rows] for name, values in embedded.items()}


def _table(lab: ExperimentContext, four: Sequence[Group], strangers: Sequence[Group]) -> Section:
    # the judge that the section speaks of stands first in its table
    judges = sorted(lab.judges, key=lambda judge: judge.name != lab.measure.name)
    main = lab.measure.name
    groups = []

    for group in (*four, *strangers):
        means = []
        for judge in judges:
            raw = group.mean(judge.name)
            means.append({"scaled": raw * judge.calibration.scale, "raw": raw})

        count = len(group.embeddings[main])
        groups.append(
            {"what": group.what, "thesis": group.thesis, "pictures": count, "means": means}
        )

    own = float(np.mean([group.mean(main) for group in four]))
    # the thesis says by how much strangers differ more than pictures of one person
    thesis = sum(value for _, value in PEOPLE) / len(PEOPLE) / STRANGERS["men and women"]
    return worded(
        "table-3.1",
        {
            "judges": [judge.name for judge in judges],
            "groups": groups,
            "ratio": own / strangers[-1].mean(main),
            "thesis_ratio": thesis,
        },
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
    # a picture's distance to itself is 0 and would lower the mean
    same = owners[:, None] == owners[None]
    off = ~np.eye(len(people), dtype=bool)
    women_rows = between[:women, :women]
    men_rows = between[women:, women:]
    figures = {
        "measure": name,
        "strangers": len(strangers),
        "among_women": _mean(women_rows),
        "among_men": _mean(men_rows),
        "women_to_men": _average(between[:women, women:]),
        "own": _average(people[same & off]),
        "others": _average(people[~same]),
    }

    def draw(_: str) -> bytes:
        counts = ", ".join(str(len(part)) for part in rows)
        panels = [
            (f"{women} women, then {len(strangers) - women} men", between),
            (f"four people: {counts} pictures", people),
        ]
        title = "Distance matrices: strangers by gender, and pictures of four people"
        return matrices(title, panels, BRIGHTEST)

    return worded("figure-3.4", figures, {"figure-3.4": draw})


def _mean(square: Floats) -> float:
    """Mean over the pairs of a symmetric matrix."""
    return _average(square[np.triu_indices(len(square), 1)])


def _average(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")
