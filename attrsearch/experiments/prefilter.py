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
from attrsearch.experiments.section import Comparison, Section, Table, number, percent

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

    for place, probe in enumerate(two):
        found.append({})
        for step, size in enumerate(sizes):
            found[-1][size] = _filtered(lab, probe, size)
            lab.progress(
                Step(
                    stage="pre-filter",
                    count=place * len(sizes) + step + 1,
                    total=len(two) * len(sizes),
                )
            )

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


def _filtered(lab: ExperimentContext, probe: EditedPerson, size: int) -> Filtered:
    count = min(PICTURES, len(probe.faces))
    faces = [prefiltered(face, pixelate, size) for face in probe.faces[:count]]
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
    compared = []
    rows = []

    for probe, sizes, (before, after, recall) in zip(two, found, THESIS, strict=True):
        weak = sizes[PREFILTERS[0]]
        strong = sizes[PREFILTERS[-1]]
        counted = (weak.counts > 0) & strong.edits.found
        thesis = (before, after, 1 - after / before)
        measured = reduction(weak.counts, strong.counts, counted)
        everything = reduction(weak.counts, strong.counts, np.ones_like(counted))
        control = reduction(sizes[NONE].counts, strong.counts, np.ones_like(counted))
        compared += [
            Comparison(
                f"{probe.gender}: identifications at 29 and 16", _fall(*thesis), _fall(*measured)
            ),
            Comparison("  all samples, not only those identified at 29", "–", _fall(*everything)),
            Comparison("  all samples, no pre-filter and 16", "–", _fall(*control)),
            Comparison("  faces found at 16", percent(recall), percent(strong.edits.recall)),
        ]
        rows += [
            (
                probe.gender,
                "none" if size == NONE else str(size),
                percent(one.edits.recall, 1),
                number(float(np.nanmean(one.edits.mean_distance))),
                str(int(one.counts.sum())),
                percent(float((one.counts > 0).mean())),
            )
            for size, one in sizes.items()
        ]

    samples = found[0][NONE].counts.size
    return Section(
        "table-4.3",
        "face identification count using pre-processing",
        f"{lab.setting} Pictures of two of them ({samples} edits of the first behind each filter) "
        "are pixelated to 29, 25, 20 and 16 superpixels across the crop and then edited, the same "
        "random sets behind each filter. A picture identified by both judges counts twice, as one "
        "found by both search engines did.",
        tuple(compared),
        (
            Table(
                "Every filter size:",
                (
                    "person",
                    "superpixels",
                    "found",
                    "distance",
                    "identifications",
                    "pictures identified",
                ),
                tuple(rows),
            ),
        ),
        notes=(
            "The thesis counts only samples that were identified at 29: by chance alone some of "
            "them are not identified a second time, so its reduction is too large. The second row "
            "of each person counts all samples, and the third starts from no filter at all.",
        ),
    )


def _fall(before: int, after: int, share: float) -> str:
    """Two counts and, where there are enough to tell, the reduction.

    >>> _fall(26, 15, 11 / 26)
    '26 to 15 (42 % fewer)'
    >>> _fall(1, 2, -1.0)
    '1 to 2'
    """
    if np.isnan(share) or before < MIN_CASES:
        return f"{before} to {after}"
    return f"{before} to {after} ({percent(abs(share))} {'fewer' if share >= 0 else 'more'})"


def _steps(lab: ExperimentContext, probe: EditedPerson) -> Section:
    """Full resolution, pixelated, and edited after it, for a few pictures of a person."""
    size = PREFILTERS[-1]
    count = min(4, len(probe.faces))
    sets = _sets(lab, probe)[:1]
    rows = []
    faces = [prefiltered(face, pixelate, size) for face in probe.faces[:count]]
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
            faces = [prefiltered(face, pixelate, size) for face in probe.faces[:6]]
            windows = render(lab.evaluator(), faces, _sets(lab, probe)[:1])[0]
            rows.append(
                ("none" if size == NONE else str(size), [Shown(window) for window in windows])
            )

    text = (
        "The same edit of six pictures behind no filter, and behind 29, 25, 20 and 16 superpixels."
    )
    return photographs("figure-4.5", "pre-filter with pixelation", rows, text)
