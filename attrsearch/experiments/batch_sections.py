"""Figures 4.3 and 4.4 and table 4.1: what the ten batches of four people show."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from attrsearch.experiments.batch_totals import Batches, Totals
from attrsearch.experiments.charts import Axis, Series, around, chart
from attrsearch.experiments.context import EditedPerson, ExperimentContext
from attrsearch.experiments.correlation import CRITICAL, Correlation, correlate
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import worded

BINS = ("[-3,-2)", "[-2,-1)", "[-1,+1)", "[1,2)", "[2,3)")
EDGES = (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0)
THESIS_COUNTS = ((5, 1), (17, 16), (20, 125), (1, 33), (0, 2))
"""The thesis's identified and anonymised pictures in each range of table 4.1."""
ANONYMISED = Axis("pictures anonymised (%)", 0, 102)
"""A little beyond 100, so that a point at the top is whole."""


def rates(lab: ExperimentContext, mirrored: Sequence[Batches], own: Sequence[Batches]) -> Section:
    """Figure 4.3: how many are identified, batch by batch."""
    every = np.concatenate([one.anonymised for one in mirrored])
    figures = {
        **_asked(lab),
        "mirrored": asdict(Totals.of(mirrored)),
        "own": asdict(Totals.of(own)),
        "batches": len(every),
        "perfect": int((every == 1).sum()),
        "worst": float(every.min()),
    }

    def draw(caption: str) -> bytes:
        lines = []
        for one in mirrored:
            places = list(range(1, len(one.anonymised) + 1))
            lines.append(Series(_who(one.probe), places, list(100 * one.anonymised)))

        last = len(mirrored[0].anonymised)
        ticks = tuple((float(i), str(i)) for i in range(1, last + 1))
        return chart(caption, lines, Axis("batch", 1, last, ticks), ANONYMISED)

    return worded("figure-4.3", figures, {"figure-4.3": draw})


def correlated(lab: ExperimentContext, runs: Sequence[Batches]) -> Section:
    """Figure 4.4: whether batches of a greater distance hide more."""
    distance = [one.distance for one in runs]
    by_judge: dict[str, Correlation] = {}

    for name in runs[0].hits:
        if name != "either":
            by_judge[name] = correlate(distance, [one.hidden_from(name) for one in runs])

    # the recogniser that measures the distance agrees with itself; another one is the test
    independent = [name for name in by_judge if name != lab.measure.name]
    figures = {
        **_asked(lab),
        **asdict(correlate(distance, [one.anonymised for one in runs])),
        "critical": CRITICAL,
        "judges": {name: asdict(one) for name, one in by_judge.items()},
        "independent": independent[0] if independent else "",
    }

    def draw(caption: str) -> bytes:
        points = []
        for one, x in zip(runs, distance, strict=True):
            points.append(Series(_who(one.probe), list(x), list(100 * one.anonymised), line=False))

        ends = around(list(np.concatenate(distance)), 0.05)
        return chart(
            caption, points, Axis("mean distance of the batch (FaceNet scale)", *ends), ANONYMISED
        )

    return worded("figure-4.4", figures, {"figure-4.4": draw})


def distribution(lab: ExperimentContext, runs: Sequence[Batches]) -> Section:
    """Table 4.1: pictures by distance, of the person who is identified most."""
    one = max(runs, key=lambda run: int(run.hits["either"].sum()))
    found = one.edits.found
    distance = one.edits.distance[found].astype(np.float64)
    hit = one.hits["either"][found]
    # the thesis's ranges are in standard deviations from the person's own mean
    deviations = (distance - distance.mean()) / max(distance.std(), 1e-9)
    bins = np.digitize(deviations, EDGES) - 1
    counted = []

    for i, name in enumerate(BINS):
        inside = bins == i
        counted.append(
            {
                "range": name,
                "thesis": list(THESIS_COUNTS[i]),
                "identified": int((hit & inside).sum()),
                "anonymised": int((~hit & inside).sum()),
            }
        )

    return worded(
        "table-4.1",
        {
            **_asked(lab),
            "person": _who(one.probe),
            "bins": counted,
            "middle": float((bins == 2).sum()) / len(distance),
        },
    )


def _asked(lab: ExperimentContext) -> dict[str, object]:
    """What was measured on, for the sentence that begins each of these sections."""
    return {
        "setting": lab.setting,
        "space": lab.options.space,
        "editor": lab.options.editor,
        "measure": lab.measure.name,
    }


def _who(probe: EditedPerson) -> str:
    return f"person {probe.number + 1} ({probe.gender})"
