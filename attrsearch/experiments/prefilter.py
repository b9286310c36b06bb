"""Thesis 4.1.3: pixelation before the edit.  Table 4.3, figures 3.2 and 4.5."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.core.progress import Step
from attrsearch.editing.filters import pixelate
from attrsearch.experiments.baselines import PREFILTERS, prefiltered
from attrsearch.experiments.context import EditedPerson, ExperimentContext
from attrsearch.experiments.edits import Edits, draw, edit_faces, render
from attrsearch.experiments.face_grid import Shown, photographs
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import worded
from attrsearch.faces.dataset import AlignedFace

Flags = npt.NDArray[np.bool_]

SETS = 4
PICTURES = 22
NONE = 128
"""Superpixels across the crop that leave it as it is."""
LIMIT = 1.0
THESIS = ((26, 15, 0.80), (38, 25, 0.98))
"""Identifications at 29 and at 16, and faces found at 16, of the thesis's woman and man."""
MIN_CASES = 10
"""Identifications from which on a reduction is a percentage."""


@dataclass(frozen=True)
class Filtered:
    """One person's pictures behind one filter size.

    Attributes:
        edits: (sets, pictures).
        counts: (sets, pictures), how many judges identify it: a picture found by both counts twice,
            as in the thesis.
    """

    edits: Edits
    counts: npt.NDArray[np.int64]


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Table 4.3, figures 3.2 and 4.5."""
    two = _pair(lab.probes)
    sizes = (NONE, *PREFILTERS)
    found: list[dict[int, Filtered]] = []
    done = 0

    for probe in two:
        behind: dict[int, Filtered] = {}
        for size in sizes:
            behind[size] = _filtered(lab, probe, size)
            done += 1
            lab.progress(Step(stage="pre-filter", count=done, total=len(two) * len(sizes)))

        found.append(behind)

    return {
        "figure-3.2": _steps(lab, two[0]),
        "figure-4.5": _examples(lab, two),
        "table-4.3": _table(lab, two, found),
    }


def _pair(probes: Sequence[EditedPerson]) -> tuple[EditedPerson, EditedPerson]:
    """A woman and a man, as in the thesis, or the first two people."""
    women = [probe for probe in probes if probe.gender == "female"]
    men = [probe for probe in probes if probe.gender == "male"]
    return (women[0], men[0]) if women and men else (probes[0], probes[1])


def _sets(lab: ExperimentContext, probe: EditedPerson) -> npt.NDArray[np.float32]:
    return draw(lab.space, probe.gender, SETS, LIMIT, lab.random(f"pre-filter {probe.id}"))


def _pixelated(faces: Sequence[AlignedFace], size: int) -> list[AlignedFace]:
    """Faces of so many superpixels a side."""
    return [prefiltered(face, pixelate, size) for face in faces]


def _filtered(lab: ExperimentContext, probe: EditedPerson, size: int) -> Filtered:
    count = min(PICTURES, len(probe.faces))
    faces = _pixelated(probe.faces[:count], size)
    before = probe.look.take(np.arange(count))
    edits = edit_faces(lab.evaluator(), faces, before, _sets(lab, probe), lab.measure, lab.judges)
    hits = lab.identified(edits.embeddings, probe.number)

    return Filtered(edits, np.sum([hits[judge.name] for judge in lab.judges], 0))


def reduction(
    before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], counted: Flags
) -> tuple[int, int, float]:
    """Identifications before and after over the samples that count, and by what share they fall.

    >>> reduction(np.array([2, 1, 0]), np.array([1, 0, 1]), np.array([True, True, False]))
    (3, 1, 0.6666666666666667)
    """
    first = int(before[counted].sum())
    second = int(after[counted].sum())
    return first, second, 1 - second / first if first else float("nan")


def _table(
    lab: ExperimentContext, two: Sequence[EditedPerson], found: Sequence[dict[int, Filtered]]
) -> Section:
    people = []

    for probe, behind, (before, after, recall) in zip(two, found, THESIS, strict=True):
        weak = behind[PREFILTERS[0]]
        strong = behind[PREFILTERS[-1]]
        every = np.ones_like(strong.edits.found)
        # the thesis left out what was not identified at 29, and faces that were lost at 16
        counted = (weak.counts > 0) & strong.edits.found
        people.append(
            {
                "gender": probe.gender,
                "thesis": {"fall": (before, after, 1 - after / before), "recall": recall},
                "fall": reduction(weak.counts, strong.counts, counted),
                "all_samples": reduction(weak.counts, strong.counts, every),
                "no_filter": reduction(behind[NONE].counts, strong.counts, every),
                "recall": strong.edits.recall,
                "sizes": [_size(size, one) for size, one in behind.items()],
            }
        )

    figures = {
        "setting": lab.setting,
        "samples": found[0][NONE].counts.size,
        "people": people,
        "min_cases": MIN_CASES,
    }
    return worded("table-4.3", figures)


def _size(size: int, one: Filtered) -> dict[str, object]:
    """The figures of one filter size; no size where there is no filter."""
    return {
        "size": None if size == NONE else size,
        "recall": one.edits.recall,
        "distance": float(np.nanmean(one.edits.mean_distance)),
        "identifications": int(one.counts.sum()),
        "identified": float((one.counts > 0).mean()),
    }


def _steps(lab: ExperimentContext, probe: EditedPerson) -> Section:
    """Full resolution, pixelated, and edited after it, for a few pictures of a person."""
    size = PREFILTERS[-1]
    count = min(4, len(probe.faces))
    sets = _sets(lab, probe)[:1]
    rows = []
    faces = _pixelated(probe.faces[:count], size)
    windows = render(lab.evaluator(), faces, sets)[0]

    for i, face in enumerate(probe.faces[:count]):
        crop = pixelate(face.crop, size)
        rows.append(("", [Shown(face.crop), Shown(crop), Shown(windows[i])]))

    text = f"The aligned crop, the same at {size} superpixels, and the face edited after that."
    return photographs("figure-3.2", "preprocessing by pixelating", rows, text)


def _examples(lab: ExperimentContext, two: Sequence[EditedPerson]) -> Section:
    rows = []
    for probe in two:
        for size in (NONE, *PREFILTERS):
            faces = _pixelated(probe.faces[:6], size)
            windows = render(lab.evaluator(), faces, _sets(lab, probe)[:1])[0]
            label = "none" if size == NONE else str(size)
            rows.append((label, [Shown(window) for window in windows]))

    text = (
        "The same edit of six pictures behind no filter, and behind 29, 25, 20 and 16 superpixels."
    )
    return photographs("figure-4.5", "pre-filter with pixelation", rows, text)
