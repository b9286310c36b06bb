"""Thesis 4.1.1: ten random attribute sets on every picture of four people.

Figures 3.1 and 4.1 to 4.4, and table 4.1, are of this one experiment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import pearsonr

from attrsearch.core.progress import Step
from attrsearch.experiments.charts import Axis, Series, around, chart
from attrsearch.experiments.context import EditedPerson, ExperimentContext
from attrsearch.experiments.edits import Edits, draw, edit_faces, render
from attrsearch.experiments.face_grid import Shown, photographs
from attrsearch.experiments.section import (
    UNSAID,
    Comparison,
    Picture,
    Section,
    Table,
    number,
    percent,
)

Flags = npt.NDArray[np.bool_]
Floats64 = npt.NDArray[np.float64]

BATCHES = 10
TICKS = tuple((float(i), str(i)) for i in range(1, BATCHES + 1))
LIMIT = 1.0
"""The thesis's range of attributes in this experiment."""
CRITICAL = 0.325
"""The correlation above which the thesis called it significant (alpha 0.05, from a table for 35
degrees of freedom).
"""
BINS = ("[-3,-2)", "[-2,-1)", "[-1,+1)", "[1,2)", "[2,3)")
EDGES = (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Batches:
    """One person's ten batches; a batch is one attribute set on all of the pictures.

    Attributes:
        probe: The person.
        edits: (batches, pictures).
        hits: Judge, or ``either``, to (batches, pictures): identified.
        sure: The same by either, where only matches that would verify count.
        chance: How often a picture is taken for a given other person.
    """

    probe: EditedPerson
    edits: Edits
    hits: dict[str, Flags]
    sure: Flags
    chance: float

    @property
    def anonymised(self) -> Floats64:
        """Share of each batch (n,) that neither judge identifies."""
        return np.asarray(1 - self.hits["either"].mean(1), np.float64)


@dataclass(frozen=True)
class Correlation:
    """Pearson's r of distance and anonymisation over batches; NaN where one of them never varies.

    Attributes:
        r: Over all batches.
        p: Two-sided.
        batches: How many.
        within: The same with each person's means taken off: not moved by who is easy to hide.
    """

    r: float
    p: float
    batches: int
    within: float


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Figures 3.1 and 4.1 to 4.4, and table 4.1."""
    free = lab.space.model_copy(update={"passes": "free"})
    mirrored, own = [], []
    for place, probe in enumerate(lab.probes):
        mirrored.append(
            _run(lab, probe, draw(lab.space, probe.gender, BATCHES, LIMIT, lab.random(probe.id)))
        )
        lab.progress(Step(stage="batches", count=2 * place + 1, total=2 * len(lab.probes)))
        own.append(
            _run(
                lab, probe, draw(free, probe.gender, BATCHES, LIMIT, lab.random(f"free {probe.id}"))
            )
        )
        lab.progress(Step(stage="batches", count=2 * place + 2, total=2 * len(lab.probes)))
    return {
        "figure-3.1": _sets(lab),
        "figure-4.1": _faces(lab),
        "figure-4.2": _samples(lab, mirrored),
        "figure-4.3": _rates(lab, mirrored, own),
        "figure-4.4": _correlated(lab, mirrored),
        "table-4.1": _bins(lab, mirrored),
    }


def correlate(distance: Sequence[Floats64], anonymised: Sequence[Floats64]) -> Correlation:
    """Correlation over the batches of several people.

    Args:
        distance: Of each person, mean distance of the batches (n,).
        anonymised: Of each person, share of each batch (n,) not identified.

    >>> found = correlate([np.array([1.0, 1.1, 1.2, 1.3])], [np.array([0.2, 0.5, 0.6, 1.0])])
    >>> round(found.r, 2), found.batches
    (0.98, 4)
    """
    x, y = np.concatenate(distance), np.concatenate(anonymised)
    known = np.isfinite(x)
    r, p = _pearson(x[known], y[known])
    flat = [_centred(values) for values in distance], [_centred(values) for values in anonymised]
    within, _ = _pearson(np.concatenate(flat[0])[known], np.concatenate(flat[1])[known])
    return Correlation(r, p, int(known.sum()), within)


def _centred(values: Floats64) -> Floats64:
    return values - np.nanmean(values) if np.isfinite(values).any() else values


def _pearson(x: Floats64, y: Floats64) -> tuple[float, float]:
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan"), float("nan")
    found = pearsonr(x, y)
    return float(found.statistic), float(found.pvalue)


def _run(
    lab: ExperimentContext, probe: EditedPerson, attributes: npt.NDArray[np.float32]
) -> Batches:
    edits = edit_faces(
        lab.evaluator(), probe.faces, probe.look, attributes, lab.measure, lab.judges
    )
    rows, number_ = edits.embeddings, probe.number
    sure = lab.identified(rows, number_, sure=True)["either"]
    return Batches(probe, edits, lab.identified(rows, number_), sure, lab.chance(rows, number_))


def _method(lab: ExperimentContext) -> str:
    return (
        f"{lab.setting} Attributes are drawn from {lab.options.space} within -1 to 1, the editor "
        f"is {lab.options.editor}, and distance is by {lab.measure.name} on the FaceNet scale."
    )


@dataclass(frozen=True)
class Totals:
    """What all people's batches come to.

    Attributes:
        pictures: Edited.
        hits: How many of them each judge, and either, identified.
        recall: Share in which the face is found.
        distance: Mean of the batches' mean distances.
        highest: The greatest of them.
        sure: How many of them either judge identified and would verify.
        chance: How often a picture is taken for a given other person.
        repeats: In how many batches the picture identified most often was identified.
    """

    pictures: int
    hits: dict[str, int]
    recall: float
    distance: float
    highest: float
    sure: int
    chance: float
    repeats: int

    @classmethod
    def of(cls, runs: Sequence[Batches]) -> "Totals":
        """Of the batches of several people."""
        distance = np.concatenate([one.edits.mean_distance for one in runs])
        return cls(
            pictures=sum(one.hits["either"].size for one in runs),
            hits={name: sum(int(one.hits[name].sum()) for one in runs) for name in runs[0].hits},
            recall=float(np.concatenate([one.edits.found.ravel() for one in runs]).mean()),
            distance=float(np.nanmean(distance)),
            highest=float(np.nanmax(distance)),
            sure=sum(int(one.sure.sum()) for one in runs),
            chance=float(np.mean([one.chance for one in runs])),
            repeats=max(int(one.hits["either"].sum(0).max()) for one in runs),
        )


def _rates(lab: ExperimentContext, mirrored: Sequence[Batches], own: Sequence[Batches]) -> Section:
    first, second = Totals.of(mirrored), Totals.of(own)
    rates = np.concatenate([one.anonymised for one in mirrored])
    judged = ", ".join(f"{hits} by {name}" for name, hits in first.hits.items())
    worst = percent(float(rates.min()))
    caption = (
        "Share of each person's pictures that no judge identifies, batch by batch; the worst "
        f"batch hides {worst}"
    )
    lines = [
        Series(_who(one.probe), list(range(1, BATCHES + 1)), list(100 * one.anonymised))
        for one in mirrored
    ]
    data = chart(
        caption, lines, Axis("batch", 1, BATCHES, TICKS), Axis("pictures anonymised (%)", 0, 102)
    )
    return Section(
        "figure-4.3",
        "anonymisation success rate through the ten batches",
        _method(lab),
        (
            Comparison("edited pictures", "980", str(first.pictures)),
            Comparison("of them identified", "62 (Yandex)", judged),
            Comparison(
                "  and verified at a false-accept rate of 1e-3", UNSAID, f"{first.sure} by either"
            ),
            Comparison(
                "  by chance: taken for a given other person", UNSAID, percent(first.chance, 1)
            ),
            Comparison(
                "batches in which nobody is identified",
                "some",
                f"{int((rates == 1).sum())} of {len(rates)}",
            ),
            Comparison("the worst batch: anonymised", "40 %", worst),
            Comparison("faces found", "100 %", percent(first.recall, 1)),
            Comparison("mean distance", "1.18", number(first.distance)),
            Comparison("highest mean distance of a batch", "1.34", number(first.highest)),
            Comparison(
                "pictures identified most often", "6 of ten times", f"{first.repeats} of ten times"
            ),
            Comparison(
                "second pass with a set of its own: identified",
                "distinctly fewer",
                f"{second.hits['either']} of {second.pictures} (mirrored: {first.hits['either']} "
                f"of {first.pictures})",
            ),
            Comparison(
                "  pictures identified most often",
                "1 of ten times",
                f"{second.repeats} of ten times",
            ),
            Comparison("  mean distance", "about the same", number(second.distance)),
            Comparison("  faces found", "100 %", percent(second.recall, 1)),
        ),
        pictures=(Picture("figure-4.3", caption, "svg", data),),
    )


def _correlated(lab: ExperimentContext, runs: Sequence[Batches]) -> Section:
    distance = [one.edits.mean_distance.astype(np.float64) for one in runs]
    found = correlate(distance, [one.anonymised for one in runs])
    by_judge = {
        name: correlate(distance, [1 - one.hits[name].mean(1) for one in runs])
        for name in runs[0].hits
        if name != "either"
    }
    verdict = "above it" if found.r > CRITICAL else "not above it"
    independent = [name for name in by_judge if name != lab.measure.name]
    notes = [
        f"Within a person (each person's means taken off) r is {number(found.within)}; some "
        "people are easier to hide than others at the same distance, which the r over all batches "
        "cannot tell apart."
    ]
    if independent:
        notes.append(
            f"{lab.measure.name} measures the distance and is a judge, too; {independent[0]} is "
            "the independent one."
        )
    caption = f"A point for each batch: share anonymised over mean distance, r = {number(found.r)}"
    points = [
        Series(_who(one.probe), list(x), list(100 * one.anonymised), line=False)
        for one, x in zip(runs, distance, strict=True)
    ]
    across = Axis(
        "mean distance of the batch (FaceNet scale)", *around(list(np.concatenate(distance)), 0.05)
    )
    data = chart(caption, points, across, Axis("pictures anonymised (%)", 0, 102))
    return Section(
        "figure-4.4",
        "distance and anonymisation",
        _method(lab),
        (
            Comparison("Pearson's r of distance and anonymisation rate", "0.53", number(found.r)),
            Comparison("batches", "40", str(found.batches)),
            Comparison("critical r at alpha 0.05", "0.325", f"0.325, r is {verdict}"),
            Comparison("two-sided p", "below 0.05", f"{found.p:.2g}"),
            *(
                Comparison(f"  r by {name} alone", UNSAID, f"{number(one.r)} (p {one.p:.2g})")
                for name, one in by_judge.items()
            ),
        ),
        pictures=(Picture("figure-4.4", caption, "svg", data),),
        notes=tuple(notes),
    )


def _bins(lab: ExperimentContext, runs: Sequence[Batches]) -> Section:
    one = max(runs, key=lambda run: int(run.hits["either"].sum()))
    found, distance = one.edits.found, one.edits.distance[one.edits.found].astype(np.float64)
    hit = one.hits["either"][found]
    places = (distance - distance.mean()) / max(distance.std(), 1e-9)
    number_of = np.digitize(places, EDGES) - 1
    counts = [
        (int((hit & (number_of == i)).sum()), int((~hit & (number_of == i)).sum()))
        for i in range(len(BINS))
    ]
    thesis = ((5, 1), (17, 16), (20, 125), (1, 33), (0, 2))
    middle = sum(counts[2]) / len(distance)
    return Section(
        "table-4.1",
        "distance distribution of the person who is identified most",
        f"{_method(lab)} This is {_who(one.probe)}, identified most often, as 6011 was.",
        (
            *(
                Comparison(
                    f"success rate at {bin_} standard deviations", _success(*said), _success(*ours)
                )
                for bin_, said, ours in zip(BINS, thesis, counts, strict=True)
            ),
            Comparison("share within one standard deviation", "65.9 %", percent(middle, 1)),
        ),
        (
            Table(
                "Pictures by distance from the mean, in standard deviations:",
                ("range", *BINS),
                (
                    ("identified", *(str(a) for a, _ in counts)),
                    ("anonymised", *(str(b) for _, b in counts)),
                    ("success rate", *(_success(*pair) for pair in counts)),
                ),
            ),
        ),
    )


def _success(identified: int, anonymised: int) -> str:
    """A success rate and of how many.

    >>> _success(17, 16), _success(0, 0)
    ('48 % of 33', 'none')
    """
    total = identified + anonymised
    return f"{percent(anonymised / total)} of {total}" if total else "none"


def _sets(lab: ExperimentContext) -> Section:
    rows = []
    for probe in lab.probes:
        sets = draw(lab.space, probe.gender, 7, LIMIT, lab.random(f"examples {probe.id}"))
        windows = render(lab.evaluator(), probe.faces[:1], sets)[:, 0]
        rows.append(("", [Shown(probe.look.windows[0]), *(Shown(window) for window in windows)]))
    return photographs(
        "figure-3.1",
        "multiple anonymisation results",
        rows,
        "Untouched on the left, then seven random sets each.",
    )


def _faces(lab: ExperimentContext) -> Section:
    row = [Shown(probe.look.windows[0], text=probe.gender) for probe in lab.probes]
    return photographs(
        "figure-4.1",
        "faces used for anonymisation",
        [("", row)],
        "One picture of each of the four people.",
    )


def _samples(lab: ExperimentContext, runs: Sequence[Batches]) -> Section:
    rows = []
    for one in runs:
        faces = one.probe.faces[:6]
        windows = render(lab.evaluator(), faces, one.edits.attributes[:2])
        for batch in range(2):
            boxes, found = one.edits.boxes[batch], one.edits.found[batch]
            row = [
                Shown(windows[batch, i], boxes[i] if found[i] else None) for i in range(len(faces))
            ]
            rows.append((f"batch {batch + 1}", row))
    return photographs(
        "figure-4.2",
        "anonymisation using random attributes",
        rows,
        "Two batches of each person, a batch a row; a white box where the face is found.",
    )


def _who(probe: EditedPerson) -> str:
    return f"person {probe.number + 1} ({probe.gender})"
