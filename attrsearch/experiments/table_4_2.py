"""Table 4.2: one picture edited a thousand ways, identified in five ranges of the distance."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from attrsearch.core.progress import Step
from attrsearch.experiments.charts import Axis, Series, around, chart
from attrsearch.experiments.context import EditedPerson, ExperimentContext
from attrsearch.experiments.edits import draw, edit_faces
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import worded

Ints = npt.NDArray[np.int64]

EDITS = 1000
OTHERS = 400
"""Edits of the first picture, and of each of the three others that the thesis did not have."""
BATCH = 30
THESIS = ((1.06, 10), (1.19, 8), (1.25, 8), (1.32, 1), (1.56, 1))
"""Mean distance and identifications of the thesis's five batches of 30."""
LIMIT = 1.1


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Table 4.2."""
    counts = []
    for place in range(len(lab.probes)):
        wanted = EDITS if place == 0 else OTHERS
        counts.append(lab.options.count(wanted, 2 * len(THESIS)))

    # every picture's batches are as large as those of the picture with fewest edits allow
    size = min(BATCH, min(counts) // len(THESIS))
    tables = []

    for place, probe in enumerate(lab.probes):
        tables.append(_one_face(lab, probe, counts[place], size))
        lab.progress(Step(stage="edits", count=place + 1, total=len(lab.probes)))

    return {"table-4.2": _section(lab, tables, counts, size)}


def _section(
    lab: ExperimentContext,
    tables: Sequence[npt.NDArray[np.float64]],
    counts: Sequence[int],
    size: int,
) -> Section:
    pooled = np.mean(tables, axis=0)
    batches = []
    for i, (distance, identified) in enumerate(THESIS):
        batches.append(
            {
                "thesis": {"distance": distance, "hidden": 1 - identified / BATCH},
                "first": _rate(tables[0][i], size),
                "four": _rate(pooled[i], size),
            }
        )

    pictures = []
    for probe, table in zip(lab.probes, tables, strict=True):
        pictures.append({"gender": probe.gender, "batches": [_rate(row, size) for row in table]})

    figures = {
        "setting": lab.setting,
        "counts": list(counts),
        "limit": LIMIT,
        "size": size,
        "batches": batches,
        "pictures": pictures,
        "highest": max(float(table[-1, 2]) for table in tables),
    }
    return worded("table-4.2", figures, {"table-4.2": lambda _: _chart(lab, tables, size)})


def _rate(row: npt.NDArray[np.float64], size: int) -> dict[str, float]:
    """Mean distance and shares anonymised of a batch, one row of :func:`_one_face`."""
    return {
        "distance": float(row[0]),
        "hidden": float(1 - row[1] / size),
        "hidden_from_sure": float(1 - row[3] / size),
    }


def _chart(lab: ExperimentContext, tables: Sequence[npt.NDArray[np.float64]], size: int) -> bytes:
    distances = [distance for distance, _ in THESIS]
    hidden = [100 * (1 - identified / BATCH) for _, identified in THESIS]
    series = [Series("thesis", distances, hidden, colour=5)]
    ends = list(distances)

    for place, (probe, table) in enumerate(zip(lab.probes, tables, strict=True)):
        label = f"picture {place + 1} ({probe.gender})"
        shares = list(100 * (1 - table[:, 1] / size))
        series.append(Series(label, list(table[:, 0]), shares, colour=place))
        ends += list(table[:, 0])

    return chart(
        "Anonymised share over mean distance",
        series,
        Axis("mean distance of the batch (FaceNet scale)", *around(ends, 0.1)),
        Axis("edits anonymised (%)", 0, 102),
    )


def places(count: int, batches: int, size: int) -> list[Ints]:
    """Consecutive places of evenly spaced batches in an order of ``count``.

    >>> [part.tolist() for part in places(10, 3, 2)]
    [[0, 1], [4, 5], [8, 9]]
    """
    starts = np.round(np.linspace(0, max(0, count - size), batches)).astype(int)
    return [np.arange(start, min(start + size, count)) for start in starts]


def _one_face(
    lab: ExperimentContext, probe: EditedPerson, count: int, size: int
) -> npt.NDArray[np.float64]:
    """Of each batch, mean distance, identifications, greatest distance, sure ones: (5, 4)."""
    sets = draw(lab.space, probe.gender, count, LIMIT, lab.random(f"thousand {probe.id}"))
    faces = probe.faces[:1]
    before = probe.look.take(np.array([0]))
    edits = edit_faces(lab.evaluator(), faces, before, sets, lab.measure)
    # a picture without a face is anonymised trivially: the thesis's batches have none
    order = np.flatnonzero(edits.found[:, 0])
    order = order[np.argsort(edits.distance[order, 0], kind="stable")]
    chosen = [order[part] for part in places(len(order), len(THESIS), size)]
    # only the chosen ones are shown to the judges, as the thesis uploaded only these
    again = edit_faces(
        lab.evaluator(), faces, before, sets[np.concatenate(chosen)], lab.measure, lab.judges
    )
    hits = []
    for sure in (False, True):
        hits.append(lab.identified(again.embeddings, probe.number, sure)["either"][:, 0])

    ends = np.cumsum([len(part) for part in chosen])[:-1]
    rows = []

    for part, batch in zip(chosen, np.split(np.stack(hits, 1), ends), strict=True):
        distance = edits.distance[part, 0]
        rows.append((distance.mean(), batch[:, 0].sum(), distance.max(), batch[:, 1].sum()))

    return np.array(rows)
