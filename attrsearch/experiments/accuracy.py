"""Thesis 4.2: does the detector still find the face where it was?  Table 4.4 and figure 4.6."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import Gender
from attrsearch.core.boxes import iou
from attrsearch.core.picking import take
from attrsearch.core.progress import Step
from attrsearch.editing.realign import SecondAlignment
from attrsearch.evaluation.faces import Cohort, DetectedFaces, detect_again
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.edits import HIT, Edits, draw, edit_faces, render
from attrsearch.experiments.face_grid import Shown, photographs
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import worded
from attrsearch.faces.dataset import AlignedFace, Picture
from attrsearch.faces.detection.yunet import YuNet

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

BATCHES = (
    ("n000001", 254, 0.8, 240, 10, 0.960, -12.5),
    ("n000001", 254, 0.8, 250, 8, 0.969, -8.5),
    ("n000001", 254, 0.8, 250, 14, 0.947, -8.5),
    ("n000009", 90, 0.8, 84, 1, 0.989, -5.6),
    ("n000009", 90, 1.1, 80, 4, 0.952, -16.9),
)
"""The thesis's batches: folder, pictures, range of the attributes, TP, FP, precision, change of IoU
in per cent.
"""
MANY = 20
"""Pictures it takes for a folder of people to be treated as one; with fewer, men and women are the
two groups.
"""
MIN_TRUTH = 24.0
"""Smallest face of the detector whose boxes are the truth, in pixels of a window."""
OFF = 0.1
"""A change of IoU beyond this is one of the thesis's poor ones."""


@dataclass(frozen=True)
class Group:
    """Pictures that are edited together: one person, or people of one gender.

    Attributes:
        name: In the table.
        gender: Whose bounds the attributes are drawn in.
        faces: f of them, each alone in its window.
        look: How MTCNN sees them untouched.
        truth: (f, 4), the boxes of another detector, in place of the data set's annotations.
    """

    name: str
    gender: Gender
    faces: tuple[AlignedFace, ...]
    look: DetectedFaces
    truth: Floats


@dataclass(frozen=True)
class Batch:
    """One attribute set on a group; arrays (f,).

    Attributes:
        group: The group.
        limit: The range of the attributes.
        edits: (1, f).
        first: Found after the first pass, where the second alignment looks.
        before: IoU with the truth, untouched.
        after: The same edited; 0 where no face is found.
    """

    group: Group
    limit: float
    edits: Edits
    first: Flags
    before: Floats
    after: Floats

    @property
    def there(self) -> Flags:
        """Whether any face is found at the place."""
        return np.asarray(self.edits.probability[0] > 0)

    @property
    def hits(self) -> Flags:
        """True positives: half or more of the truth is covered."""
        return np.asarray(self.after >= HIT)

    @property
    def false(self) -> int:
        """False positives: faces found elsewhere, and at the place with too little overlap."""
        return int(self.edits.extra[0].sum() + (self.there & ~self.hits).sum())

    @property
    def change(self) -> Floats:
        """Change of the IoU of the true positives."""
        return np.asarray((self.after - self.before)[self.hits])

    @property
    def failures(self) -> tuple[int, int, int, int]:
        """The thesis's four classes, in pictures."""
        poor = self.there & ~self.hits
        return (
            int((~self.first).sum()),
            int((~self.there).sum()),
            int((self.edits.extra[0] > 0).sum()),
            int(poor.sum()),
        )


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Table 4.4 and figure 4.6."""
    groups = _groups(lab)
    # the thesis's first three batches are of one person and the last two of another
    wanted = [groups[0]] * 3 + [groups[-1]] * 2
    batches = []

    for place, (group, (_, count, limit, *_)) in enumerate(zip(wanted, BATCHES, strict=True)):
        batches.append(_run(lab, _part(group, lab.options.count(count, 4)), limit, place))
        lab.progress(Step(stage="accuracy", count=place + 1, total=len(BATCHES)))

    return {"table-4.4": _table(batches), "figure-4.6": _worst(lab, batches)}


def _groups(lab: ExperimentContext) -> list[Group]:
    """Two people with many pictures, or the men and the women of a folder of single faces."""
    truth = YuNet(MIN_TRUTH)
    most = max(count for _, count, *_ in BATCHES)

    # listed by their number of pictures: if the second has many, both have
    if len(lab.listed) > 1 and len(lab.listed[1].files) >= MANY:
        names = [person.id for person in lab.listed[:2]]
        read = lab.cohort(frozenset(names), lab.options.count(most, 4), "accuracy: read")
        groups = []
        for place, name in enumerate(names):
            if name in read.people:
                rows = np.flatnonzero(read.owners == read.people.index(name))
                groups.append(_group(lab, read, rows, f"person {place + 1}", truth))

        return groups

    names = [person.id for person in lab.listed[: 2 * lab.options.count(most, 4)]]
    read = lab.cohort(frozenset(names), 1, "accuracy: read")
    genders = np.array([lab.gender(read, i) for i in range(len(read.people))])
    counts = {gender: int((genders == gender).sum()) for gender in ("male", "female")}
    groups = []

    # the first group gets three of the five batches, so it is the one with more pictures
    for gender in sorted(counts, key=lambda gender: -counts[gender]):
        if counts[gender]:
            rows = np.flatnonzero(genders[read.owners] == gender)
            groups.append(_group(lab, read, rows, f"{gender}s", truth))

    return groups


def _group(
    lab: ExperimentContext, read: Cohort, rows: npt.NDArray[np.int64], name: str, truth: YuNet
) -> Group:
    """Faces that are alone in their windows, as in the thesis, and found by both detectors."""
    look = read.look.take(rows)
    # with two faces in a window, the detectors may each mean another one
    seen = detect_again(look.windows, look, truth)
    there = np.flatnonzero(seen.found & (detect_again(look.windows, look, lab.whole).extra == 0))
    gender = lab.gender(read, int(read.owners[rows[0]]))

    return Group(
        name=f"{name} ({gender})",
        gender=gender,
        faces=tuple(take(read.faces, rows[there])),
        look=look.take(there),
        truth=seen.boxes[there],
    )


def _part(group: Group, count: int) -> Group:
    rows = np.arange(min(count, len(group.faces)))
    return Group(
        group.name, group.gender, group.faces[: len(rows)], group.look.take(rows), group.truth[rows]
    )


def _run(lab: ExperimentContext, group: Group, limit: float, place: int) -> Batch:
    sets = draw(lab.space, group.gender, 1, limit, lab.random(f"accuracy {place}"))
    evaluator = lab.evaluator(realign=True)
    edits = edit_faces(evaluator, group.faces, group.look, sets, lab.measure, detector=lab.whole)
    subject, _ = evaluator.prepare(group.faces)
    if subject is None:
        raise ValueError("no face is found in its window")

    # the second alignment looks at what the first pass made, so that pass is made by itself, too
    once = evaluator.editor.edit(subject.encoded, np.repeat(sets[:, :1], len(group.faces), 0))
    first = np.array([found is not None for found in SecondAlignment(lab.whole).find(once)])
    # a face that is not found has its box of before, whose overlap would count as found
    there = edits.probability[0] > 0
    return Batch(
        group=group,
        limit=limit,
        edits=edits,
        first=first,
        before=iou(group.look.boxes, group.truth),
        after=np.where(there, iou(edits.boxes[0], group.truth), 0).astype(np.float32),
    )


def _table(batches: Sequence[Batch]) -> Section:
    changes = np.concatenate([one.change for one in batches])
    total = sum(len(one.after) for one in batches)
    failures = np.array([one.failures for one in batches])
    direct = np.concatenate([one.edits.overlap[0][one.hits] for one in batches])
    turned, tilted = _poses(batches)
    rows = []

    for one, (_, _, limit, _, _, precision, change) in zip(batches, BATCHES, strict=True):
        thesis = {"limit": limit, "precision": precision, "change": change}
        rows.append({**_figures(one), "thesis": thesis})

    return worded(
        "table-4.4",
        {
            "batches": rows,
            "off": float((np.abs(changes) > OFF).mean()),
            "found": float(1 - failures[:, 1].sum() / total),
            "lost_first": float(failures[:, 0].sum() / total),
            "direct": float(direct.mean()),
            "turned": [100 * change for change in turned],
            "tilted": [100 * change for change in tilted],
        },
    )


def _figures(one: Batch) -> dict[str, object]:
    """What the table shows of a batch."""
    hits = int(one.hits.sum())
    return {
        "group": one.group.name,
        "limit": one.limit,
        "pictures": len(one.after),
        "hits": hits,
        "false": one.false,
        "precision": hits / (hits + one.false) if hits + one.false else float("nan"),
        "before": float(one.before[one.hits].mean()),
        "after": float(one.after[one.hits].mean()),
        "change": float(100 * one.change.mean()),
        "distance": float(one.edits.mean_distance[0]),
        "failures": list(one.failures),
    }


def _poses(batches: Sequence[Batch]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Mean change of IoU of the most and least sideways, and tilted, thirds of faces."""
    change = np.concatenate([one.change for one in batches])
    landmarks = np.concatenate([one.group.look.landmarks[one.hits] for one in batches])
    return _thirds(change, sideways(landmarks)), _thirds(change, tilts(landmarks))


def sideways(landmarks: Floats) -> Floats:
    """How far the nose (n,) lies off the middle of the eyes, as a share of their distance.

    >>> sideways(np.float32([[[0, 0], [2, 0], [1.5, 1], [0, 2], [2, 2]]])).tolist()
    [0.25]
    """
    left = landmarks[:, 0]
    right = landmarks[:, 1]
    nose = landmarks[:, 2]
    across = right - left
    # both eyes may be guessed at one point of a face in profile
    length = np.maximum(np.linalg.norm(across, axis=1), 1e-6)

    return np.asarray(np.abs(((nose - (left + right) / 2) * across).sum(1)) / length**2, np.float32)


def tilts(landmarks: Floats) -> Floats:
    """Angle (n,) of the eyes with the horizontal, in degrees.

    >>> tilts(np.float32([[[0, 0], [1, 1], [0, 0], [0, 0], [0, 0]]])).round(1).tolist()
    [45.0]
    """
    across = landmarks[:, 1] - landmarks[:, 0]
    return np.asarray(np.degrees(np.abs(np.arctan2(across[:, 1], across[:, 0]))), np.float32)


def _thirds(values: Floats, order: Floats) -> tuple[float, float]:
    ranked = values[np.argsort(-order, kind="stable")]
    third = max(1, len(ranked) // 3)
    return float(ranked[:third].mean()), float(ranked[-third:].mean())


def _worst(lab: ExperimentContext, batches: Sequence[Batch]) -> Section:
    """The faces of the second group whose box moves most: untouched, and in both of its batches."""
    pair = batches[-2:]
    # a face is as bad as the worse of its two edits
    order = np.argsort(np.minimum(pair[0].after, pair[1].after), kind="stable")[:6]
    group = pair[0].group
    faces = take(group.faces, order)
    windows = [face.window for face in faces]
    untouched = [group.look.boxes[i] for i in order]
    truth = [group.truth[i] for i in order]
    rows = [("untouched", _boxed(windows, untouched, truth))]

    for place, one in enumerate(pair):
        edited = render(lab.evaluator(realign=True), faces, one.edits.attributes)[0]
        boxes = []
        for i in order:
            boxes.append(one.edits.boxes[0, i] if one.there[i] else None)

        rows.append((f"batch {place + 4}", _boxed(edited, boxes, truth)))

    return photographs(
        "figure-4.6",
        "where the box moves most",
        rows,
        "The six faces of batches 4 and 5 with the least overlap: MTCNN's box in white, YuNet's "
        "of the untouched face in red.",
    )


def _boxed(
    windows: Iterable[Picture], boxes: Sequence[Floats | None], truth: Sequence[Floats]
) -> list[Shown]:
    shown = []
    for window, box, true_box in zip(windows, boxes, truth, strict=True):
        shown.append(Shown(window, box, truth=true_box))

    return shown
