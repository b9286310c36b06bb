"""Thesis 4.1.1: ten random attribute sets on every picture of four people.

Figures 3.1 and 4.1 to 4.4, and table 4.1, are of this one experiment.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from attrsearch.core.progress import Step
from attrsearch.core.recipes.space import Space
from attrsearch.experiments.batch_sections import correlated, distribution, rates
from attrsearch.experiments.batch_totals import Batches
from attrsearch.experiments.context import EditedPerson, ExperimentContext
from attrsearch.experiments.edits import draw, edit_faces, render
from attrsearch.experiments.face_grid import Shown, photographs
from attrsearch.experiments.section import Section

BATCHES = 10
LIMIT = 1.0
"""The thesis's range of attributes in this experiment."""
EXAMPLES = 7
"""Sets beside the untouched face in figure 3.1."""
SAMPLED = 6
"""Pictures of a person in figure 4.2."""


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Figures 3.1 and 4.1 to 4.4, and table 4.1."""
    # the thesis's second pass repeats the first one's set; it asks what a set of its own would do
    free = lab.space.model_copy(update={"passes": "free"})
    mirrored: list[Batches] = []
    own: list[Batches] = []
    steps = 2 * len(lab.probes)

    for probe in lab.probes:
        mirrored.append(_run(lab, probe, lab.space, probe.id))
        lab.progress(Step(stage="batches", count=len(mirrored) + len(own), total=steps))
        own.append(_run(lab, probe, free, f"free {probe.id}"))
        lab.progress(Step(stage="batches", count=len(mirrored) + len(own), total=steps))

    return {
        "figure-3.1": _sets(lab),
        "figure-4.1": _faces(lab),
        "figure-4.2": _samples(lab, mirrored),
        "figure-4.3": rates(lab, mirrored, own),
        "figure-4.4": correlated(lab, mirrored),
        "table-4.1": distribution(lab, mirrored),
    }


def _run(lab: ExperimentContext, probe: EditedPerson, space: Space, stream: str) -> Batches:
    attributes = draw(space, probe.gender, BATCHES, LIMIT, lab.random(stream))
    edits = edit_faces(
        lab.evaluator(), probe.faces, probe.look, attributes, lab.measure, lab.judges
    )
    rows = edits.embeddings

    return Batches(
        probe=probe,
        edits=edits,
        hits=lab.identified(rows, probe.number),
        sure=lab.identified(rows, probe.number, sure=True)["either"],
        chance=lab.chance(rows, probe.number),
    )


def _sets(lab: ExperimentContext) -> Section:
    rows = []

    for probe in lab.probes:
        random = lab.random(f"examples {probe.id}")
        sets = draw(lab.space, probe.gender, EXAMPLES, LIMIT, random)
        edited = render(lab.evaluator(), probe.faces[:1], sets)[:, 0]
        windows = [probe.look.windows[0], *edited]
        rows.append(("", [Shown(window) for window in windows]))

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
        windows = render(lab.evaluator(), one.probe.faces[:SAMPLED], one.edits.attributes[:2])
        for batch in range(2):
            rows.append((f"batch {batch + 1}", _row(one, batch, windows[batch])))

    return photographs(
        "figure-4.2",
        "anonymisation using random attributes",
        rows,
        "Two batches of each person, a batch a row; a white box where the face is found.",
    )


def _row(one: Batches, batch: int, windows: npt.NDArray[np.uint8]) -> list[Shown]:
    """The pictures of a batch, with a box where the face is found."""
    row = []
    for i, window in enumerate(windows):
        box = one.edits.boxes[batch][i] if one.edits.found[batch][i] else None
        row.append(Shown(window, box))

    return row
