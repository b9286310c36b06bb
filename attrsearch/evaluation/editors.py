"""Editors side by side on the same pictures: a random set for each person, nothing searched.

It says what an editor is worth before any search: how far its edits lie from their people, whether
they are told from real faces, and what they keep, over all faces and by bins of yaw, skin and age.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.core.recipes.space import Space, load_space
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.evaluation.evaluate import Examined, Examiner, load_evaluation_models
from attrsearch.evaluation.faces import Cohort, load_cohort
from attrsearch.evaluation.judges import load_judges
from attrsearch.evaluation.metrics.utility import FaceMeasurements, utility_figures
from attrsearch.evaluation.pairing import Protection
from attrsearch.faces.attribute_classifier import vote
from attrsearch.search.evaluator import Evaluator, Request
from attrsearch.search.space import person_space

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Pictures = npt.NDArray[np.uint8]
Row = dict[str, float | None]

YOUNG = ATTRIBUTES.index("Young")
GLASSES = ATTRIBUTES.index("Eyeglasses")
SHOWN = 10
"""Faces of the sheet."""
YAWS = (0, 15, 30, 90)
"""Edges of the bins of yaw, in degrees."""
DARK = 45.0
LIGHT = 65.0
"""Lightness (CIELAB) of the cheeks below and above which skin counts as dark and as light here."""
MIN_FACES = 5
"""A bin of fewer faces says nothing."""
KEPT = {
    "told_auc": "told from real, AUC",
    "told_judged_real": "judged real",
    "told_kid": "kernel distance",
    "recall_mtcnn": "still found",
    "iou_mtcnn": "IoU",
    "landmark_error": "landmarks off (eye distances)",
    "pitch_change": "pitch (degrees)",
    "yaw_change": "yaw (degrees)",
    "mouth_kept": "mouth's state kept",
    "gender_kept": "gender kept",
    "skin_tone_change": "skin (Delta E)",
}
"""Figures of an evaluation that are shown, and what they are called."""
BATCHES = (1, 32)
REPEATS = 5


@dataclass(frozen=True)
class EditorFigures:
    """What editors are worth.

    Attributes:
        editors: Their names.
        rows: A figure of every editor, by what it says; None where it could not be measured.
        sheet: A row of untouched faces, then a row of each editor's edits.
    """

    editors: tuple[str, ...]
    rows: dict[str, tuple[float | None, ...]]
    sheet: Pictures


def measure_editors(
    editors: Sequence[str],
    pictures: Path,
    *,
    people: frozenset[str] | None = None,
    space: str = "one-pass",
    max_faces: int = 3,
    judges: Sequence[str] = (),
    seed: int = 0,
    progress: Progress[Step] = silent,
) -> EditorFigures:
    """Edit every person by a random set of the space, and measure.

    Args:
        editors: Bundled names or paths.
        pictures: One sub-folder of pictures a person.
        people: Only these.
        space: The search space sets are drawn from.
        max_faces: At most this many pictures a person.
        judges: Recognisers; all that are here by default.
        seed: Of the sets.
        progress: Told of the steps.

    Raises:
        InputError: No people, or none whose faces are found again.
    """
    eyes, _ = load_evaluation_models()
    judging, _ = load_judges(judges)
    recipe = load_space(space)
    cohort = load_cohort(
        pictures, eyes.whole, eyes.windows[0], names=people, max_faces=max_faces, progress=progress
    )
    examiner = Examiner(cohort, judging, eyes, progress=progress)
    asked = _sets(cohort, examiner.before.traits, recipe, seed)

    columns: list[Row] = []
    shown: list[Protection] = []
    for name in editors:
        editor = load_editor(name)
        protection = _edited(cohort, editor, Evaluator(editor, eyes.windows[0], ()), asked)
        examined = examiner.examine(protection)
        columns.append(_figures(examiner, examined) | _speeds(editor))
        shown.append(protection)

    # editors differ in what can be measured of them: the labels are those of all, in order
    labels: dict[str, None] = {}
    for column in columns:
        labels |= dict.fromkeys(column)

    rows = {}
    for label in labels:
        rows[label] = tuple(column.get(label) for column in columns)

    return EditorFigures(tuple(editors), rows, _sheet(cohort, shown))


def editors_table(found: EditorFigures) -> str:
    """Figures as a Markdown table, a column an editor."""
    names = " | ".join(Path(name).stem for name in found.editors)
    lines = [f"| | {names} |", "|---" * (len(found.editors) + 1) + "|"]

    for label, values in found.rows.items():
        cells = []
        for value in values:
            cells.append("–" if value is None else f"{value:.3f}")

        lines.append(f"| {label} | " + " | ".join(cells) + " |")

    return "\n".join(lines)


def _sets(cohort: Cohort, traits: Floats, space: Space, seed: int) -> list[Floats]:
    """A random set (1, passes, 13) for each person, as a search begins."""
    random = np.random.default_rng(seed)
    found = []

    for person in range(len(cohort.people)):
        voted = vote(traits[cohort.owners == person])
        own = person_space(space, voted.gender, voted.certainty)
        found.append(own.attributes(random.uniform(own.low, own.high)[None]))

    return found


def _edited(
    cohort: Cohort, editor: Editor, evaluator: Evaluator, asked: Sequence[Floats]
) -> Protection:
    """Everyone's faces, edited and laid on as a search sees them."""
    windows = []
    kept = []

    for person, attributes in enumerate(asked):
        rows = np.flatnonzero(cohort.owners == person)
        subject, found = evaluator.prepare(take(cohort.faces, rows))
        if subject is not None:
            windows.append(evaluator.render(Request(subject, attributes))[0])
            kept.append(rows[found])

    if not kept:
        hint = "give pictures in which faces are at least 24 pixels wide"
        required = "faces that are found in their own window"
        raise InputError("the pictures", required=required, found="none", hint=hint)

    taken = np.concatenate(kept)
    return Protection(editor.name, taken, np.concatenate(windows), len(cohort) - len(taken))


def _figures(examiner: Examiner, examined: Examined) -> Row:
    """Figures of one editor over all faces, then by bins."""
    rows = examined.protection.rows
    figures: Row = {}

    for row in examined.judged:
        figures[f"distance, {row['judge']}"] = _number(row.get("distance"))
        figures[f"rank-1, {row['judge']}"] = _number(row.get("rank1"))

    figures |= _shown_figures(examined.kept)
    before = examiner.before.take(rows)
    for name, chosen in _bins(before).items():
        places = np.flatnonzero(chosen)
        label = f"{name} ({len(places)} faces)"
        if len(places) < MIN_FACES:
            continue

        owners = examiner.cohort.owners[rows[places]]
        part = utility_figures(before.take(places), examined.sight.take(places), owners)
        for judge in examiner.judges:
            own = examiner.embeddings[judge.name][rows[places]]
            far = np.linalg.norm(examined.embeddings[judge.name][places] - own, axis=1).mean()
            # a judge that is not calibrated has no scale but its own
            figures[f"{label}: distance, {judge.name}"] = float(far) * (judge.scale or 1.0)

        for key, value in _shown_figures(part).items():
            figures[f"{label}: {key}"] = value

    return figures


def _shown_figures(figures: Mapping[str, object]) -> Row:
    return {name: _number(figures[key]) for key, name in KEPT.items() if key in figures}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _bins(before: FaceMeasurements) -> dict[str, Bools]:
    """Which of the originals are in which bin."""
    found: dict[str, Bools] = {}

    if before.shape is not None:
        yaw = np.abs(before.shape.pose[:, 1])
        for low, high in pairwise(YAWS):
            found[f"yaw {low} to {high}"] = (yaw >= low) & (yaw < high)

    lightness = before.skin[:, 0]
    found["dark skin"] = lightness < DARK
    found["light skin"] = lightness > LIGHT
    young = before.traits[:, YOUNG] >= 0.5
    found["young"] = young
    found["not young"] = ~young
    found["glasses"] = before.traits[:, GLASSES] >= 0.5

    return found


def _speeds(editor: Editor) -> Row:
    """Milliseconds an edit, encoding included: the least of a few."""
    side = editor.size
    row: Row = {}

    for batch in BATCHES:
        crops = torch.zeros(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
        values = np.zeros((batch, editor.passes, len(ATTRIBUTES)), np.float32)
        least = float("inf")

        # the least, not the mean: whatever else the machine did only ever adds to it
        for _ in range(REPEATS):
            start = time.perf_counter()
            editor.edit(editor.encode(crops), values)
            least = min(least, time.perf_counter() - start)

        row[f"ms an edit, batch {batch}"] = least / batch * 1000

    return row


def _sheet(cohort: Cohort, edits: Sequence[Protection]) -> Pictures:
    """A few faces that every editor has edited, one above the other."""
    common = edits[0].rows
    for one in edits[1:]:
        common = np.intersect1d(common, one.rows)

    # faces are ordered by person: evenly spaced ones are of different people
    chosen = common[np.linspace(0, len(common) - 1, min(SHOWN, len(common))).astype(int)]
    rows = [cohort.look.windows[chosen]]
    rows += [one.windows[np.searchsorted(one.rows, chosen)] for one in edits]
    return np.concatenate([np.concatenate(list(row), 1) for row in rows])
