"""Figures 4.11 and 4.12: the length of the detection memory, on streets of known truth."""

from collections.abc import Sequence

from attrsearch.experiments.charts import Axis, Series, chart
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.memory_study import LENGTHS, MemoryRow, study_memory
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import Draw, worded

STREETS = 8
METHODS = {"stdm": "the thesis's memory", "tracked": "tracked"}
SHOWN = (0, 2, -1)
"""Lengths that figure 4.11 names: none, the thesis's best, and the longest."""


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Figures 4.11 and 4.12."""
    rows = study_memory(streets=lab.options.count(STREETS), progress=lab.progress)
    return {"figure-4.11": _left(rows), "figure-4.12": _curves(rows)}


def _of(rows: Sequence[MemoryRow], motion: str, method: str) -> list[MemoryRow]:
    found = [row for row in rows if (row.motion, row.method) == (motion, method)]
    return sorted(found, key=lambda row: row.length)


def _motions(rows: Sequence[MemoryRow]) -> list[str]:
    return list(dict.fromkeys(row.motion for row in rows))


def _figures(row: MemoryRow) -> dict[str, object]:
    return {
        "motion": row.motion,
        "method": row.method,
        "length": row.length,
        "recall": row.scores.recall,
        "precision": row.scores.precision,
        "map": row.scores.average_precision,
        # only a tracker gives names, which can be mixed up
        "switches": row.scores.switches if row.method == "tracked" else None,
    }


def _left(rows: Sequence[MemoryRow]) -> Section:
    """Faces left uncovered, by length."""
    shown = {}
    series = []

    for motion in _motions(rows):
        found = _of(rows, motion, "stdm")
        shown[motion] = [_figures(found[place]) for place in SHOWN]
        left = [100 * (1 - row.scores.recall) for row in found]
        series.append(Series(motion, [row.length for row in found], left))

    def draw(_: str) -> bytes:
        high = max(max(one.y) for one in series)
        up = Axis("faces left uncovered (%)", 0, 5 * (high // 5 + 1))
        return chart("Faces left uncovered by memory length", series, _axis(), up)

    return worded("figure-4.11", {"motions": shown}, {"figure-4.11": draw})


def _curves(rows: Sequence[MemoryRow]) -> Section:
    best = []
    charts: dict[str, Draw] = {}

    for motion in _motions(rows):
        series = []
        for method, name in METHODS.items():
            found = _of(rows, motion, method)
            best.append(_figures(max(found, key=lambda row: row.scores.average_precision)))
            lengths = [row.length for row in found]
            recalls = [row.scores.recall for row in found]
            precisions = [row.scores.average_precision for row in found]
            series.append(Series(f"recall, {name}", lengths, recalls))
            series.append(Series(f"mAP, {name}", lengths, precisions))

        charts[f"figure-4.12-{motion}"] = _drawer(motion, series)

    # a sort keeps the order of rows of one motion
    ordered = sorted(rows, key=lambda row: _motions(rows).index(row.motion))
    figures = {
        "motions": _motions(rows),
        "methods": METHODS,
        "best": best,
        "rows": [_figures(row) for row in ordered],
    }
    return worded("figure-4.12", figures, charts)


def _drawer(motion: str, series: Sequence[Series]) -> Draw:
    low = min(min(one.y) for one in series)
    up = Axis("", 0.1 * (low // 0.1), 1)
    title = f"mAP and recall by memory length, {motion} motion"
    return lambda _: chart(title, series, _axis(), up)


def _axis() -> Axis:
    ticks = tuple((float(n), str(n)) for n in LENGTHS)
    return Axis("memory length (frames)", 0, max(LENGTHS), ticks)
