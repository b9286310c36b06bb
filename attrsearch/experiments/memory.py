"""Figures 4.11 and 4.12: the length of the detection memory, on streets of known truth."""

from collections.abc import Sequence

from attrsearch.experiments.charts import Axis, Series, chart
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.memory_study import LENGTHS, MemoryRow, study_memory
from attrsearch.experiments.section import Comparison, Picture, Section, Table, number, percent

STREETS = 8
NAMES = {"stdm": "the thesis's memory", "tracked": "tracked"}
METHOD = (
    "Made-up streets whose faces are known, and a detector that misses at known frames, in three "
    "kinds of motion; no pictures are read. The thesis covered faces in real videos and counted "
    "what a second detector still found."
)
CURVES = (
    "Its mAP and recall are of faces that were left, and fall with length; ours are of faces "
    "covered, and rise."
)


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Figures 4.11 and 4.12."""
    rows = study_memory(
        streets=lab.options.count(STREETS),
        progress=lab.progress,
    )
    return {"figure-4.11": _left(rows), "figure-4.12": _curves(rows)}


def _of(rows: Sequence[MemoryRow], motion: str, method: str) -> list[MemoryRow]:
    return sorted(
        (row for row in rows if (row.motion, row.method) == (motion, method)),
        key=lambda row: row.length,
    )


def _motions(rows: Sequence[MemoryRow]) -> list[str]:
    return list(dict.fromkeys(row.motion for row in rows))


def _left(rows: Sequence[MemoryRow]) -> Section:
    """Faces left uncovered, by length."""
    series = []
    compared = []

    for motion in _motions(rows):
        found = _of(rows, motion, "stdm")
        series.append(
            Series(
                motion,
                [row.length for row in found],
                [100 * (1 - row.scores.recall) for row in found],
            )
        )
        first = found[0].scores
        two = found[2].scores
        last = found[-1].scores
        compared.append(
            Comparison(
                f"{motion} motion: faces left uncovered at length 0, 2, 10",
                "fewer with every length",
                ", ".join(percent(1 - one.recall, 1) for one in (first, two, last)),
            )
        )
        compared.append(
            Comparison(
                f"{motion} motion: precision at length 0, 2, 10",
                "falls rapidly on dynamic videos"
                if motion == "dynamic"
                else "falls when objects move",
                ", ".join(number(one.precision, 3) for one in (first, two, last)),
            )
        )

    high = max(max(one.y) for one in series)
    return Section(
        "figure-4.11",
        "measuring the effect of the short-term detection memory",
        METHOD,
        tuple(compared),
        pictures=(
            Picture(
                "figure-4.11",
                "Faces left uncovered over the length of the thesis's memory, for three kinds of "
                "motion",
                "svg",
                chart(
                    "Faces left uncovered by memory length",
                    series,
                    _axis(),
                    Axis("faces left uncovered (%)", 0, 5 * (high // 5 + 1)),
                ),
            ),
        ),
    )


def _curves(rows: Sequence[MemoryRow]) -> Section:
    compared = []
    pictures = []
    cells = []

    for motion in _motions(rows):
        series = []
        for method, name in NAMES.items():
            found = _of(rows, motion, method)
            best = max(found, key=lambda row: row.scores.average_precision)
            thesis = "2, overall" if method == "stdm" else "tracking was left to future work"
            worth = (
                f"mAP {number(best.scores.average_precision, 3)}, recall "
                f"{number(best.scores.recall, 3)}"
            )
            text = f"{best.length} ({worth})"
            compared.append(
                Comparison(f"{motion} motion, {name}: best length by mAP", thesis, text)
            )
            lengths = [row.length for row in found]

            for what, values in (
                ("recall", [row.scores.recall for row in found]),
                ("mAP", [row.scores.average_precision for row in found]),
            ):
                series.append(Series(f"{what}, {name}", lengths, values))

        low = min(min(one.y) for one in series)
        data = chart(
            f"mAP and recall by memory length, {motion} motion",
            series,
            _axis(),
            Axis("", 0.1 * (low // 0.1), 1),
        )
        pictures.append(
            Picture(
                f"figure-4.12-{motion}",
                f"Recall and mAP over memory length, {motion} motion",
                "svg",
                data,
            )
        )

        for row in (row for row in rows if row.motion == motion):
            s = row.scores
            switches = str(s.switches) if row.method == "tracked" else ""
            cells.append(
                (
                    motion,
                    row.method,
                    str(row.length),
                    *(number(v, 3) for v in (s.recall, s.precision, s.average_precision)),
                    switches,
                )
            )

    columns = ("motion", "method", "length", "recall", "precision", "mAP", "switches")
    return Section(
        "figure-4.12",
        "mAP and recall against memory length",
        f"{METHOD} {CURVES}",
        tuple(compared),
        (Table("Every method and length:", columns, tuple(cells)),),
        tuple(pictures),
    )


def _axis() -> Axis:
    return Axis(
        "memory length (frames)", 0, max(LENGTHS), tuple((float(n), str(n)) for n in LENGTHS)
    )
