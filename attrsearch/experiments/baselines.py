"""Thesis 2.1.7: blur, pixelation and a mask, each alone and as a filter before the edit.

Figures 2.4, 2.5 and 2.6.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from attrsearch.core.progress import Step
from attrsearch.editing.filters import blur, pixelate
from attrsearch.evaluation.faces import DetectedFaces, detect_again
from attrsearch.experiments.charts import Axis, Series, chart
from attrsearch.experiments.context import EditedPerson, ExperimentContext
from attrsearch.experiments.edits import HIT, draw, edit_faces
from attrsearch.experiments.face_grid import Shown, photographs
from attrsearch.experiments.section import Comparison, Section, Table, number, percent
from attrsearch.experiments.section import Picture as Figure
from attrsearch.faces.dataset import AlignedFace, Picture

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Filter = Callable[[Picture, float], Picture]

RADII = tuple(range(1, 11))
BLOCKS = (24, 22, 20, 18, 16, 14, 12, 10, 8, 6)
PREFILTERS = (29, 25, 20, 16)
EXPANDED = 1.4
"""The filtered region: the detected box, this much larger."""
CORNER = (30, 80)
"""The part of the curve that is drawn a second time: identified at most, found at least, in per
cent.
"""
SETS = 4
"""Attribute sets a person: a quarter of the pictures is edited by each."""


def mask(region: Picture, size: float) -> Picture:
    """The region's mean colour; the size is not used."""
    del size
    return np.broadcast_to(region.reshape(-1, 3).mean(0).astype(np.uint8), region.shape).copy()


def half_block(region: Picture, blocks: float) -> Picture:
    """Blur with a radius of half a superpixel.

    Takes away about what pixelation at that number does.
    """
    return blur(region, region.shape[1] / blocks / 2)


def unchanged(region: Picture, size: float) -> Picture:
    """The region as it is."""
    del size
    return region


@dataclass(frozen=True)
class Method:
    """One way to protect a face, in several strengths.

    Attributes:
        name: In tables and charts.
        apply: The filter.
        sizes: Its strengths, in the filter's own unit.
        edited: Whether the face is edited after it.
    """

    name: str
    apply: Filter
    sizes: tuple[int, ...]
    edited: bool = False


METHODS = (
    Method("blur", blur, RADII),
    Method("pixelate", pixelate, BLOCKS),
    Method("mask", mask, (0,)),
    Method("pixelate, then edit", pixelate, PREFILTERS, edited=True),
    Method("blur, then edit", half_block, PREFILTERS, edited=True),
    Method("mask, then edit", mask, (0,), edited=True),
    Method("edit alone", unchanged, (0,), edited=True),
)


@dataclass(frozen=True)
class Point:
    """One method at one strength, over all pictures.

    Attributes:
        method: Its name.
        size: Its strength.
        detection: Share of faces still found.
        identified: Share identified by each judge, and by either.
        count: How many pictures either judge identified.
    """

    method: str
    size: int
    detection: float
    identified: dict[str, float]
    count: int

    @property
    def product(self) -> float:
        """The thesis's simple utility: detection times the share not identified."""
        return self.detection * (1 - self.identified["either"])


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Figures 2.4, 2.5 and 2.6."""
    steps = [(method, size) for method in METHODS for size in method.sizes]
    points = []

    for done, (method, size) in enumerate(steps):
        points.append(_point(lab, method, size))
        lab.progress(Step(stage="filters", count=done + 1, total=len(steps)))

    shown = {
        "figure-2.4": ("blur image filter", METHODS[0], (2, 5, 8, 10)),
        "figure-2.5": ("pixelating image filter", METHODS[1], (24, 16, 10, 6)),
    }
    sections = {name: _examples(lab, name, *what) for name, what in shown.items()}
    return {**sections, "figure-2.6": _curve(lab, points)}


def filter_region(window: Picture, box: Floats, how: Filter, size: float) -> Picture:
    """A copy of a window with the region about a face filtered.

    Args:
        window: (h, w, 3), uint8.
        box: (4,), the face; the region is 1.4 times as large.
        how: The filter.
        size: Its strength; a blur's radius is in pixels of the window.
    """
    middle = (box[:2] + box[2:]) / 2
    half = (box[2:] - box[:2]) / 2 * EXPANDED
    left, top = np.maximum(np.round(middle - half), 0).astype(int)
    right, bottom = np.minimum(np.round(middle + half), window.shape[1::-1]).astype(int)
    filtered = window.copy()
    inside = slice(top, bottom), slice(left, right)
    # a blur looks beyond the region; blocks and a mask are the region's own
    filtered[inside] = how(window, size)[inside] if how is blur else how(window[inside], size)

    return filtered


def _point(lab: ExperimentContext, method: Method, size: int) -> Point:
    found: list[Flags] = []
    hits: dict[str, list[Flags]] = {}

    for probe in lab.probes:
        if method.edited:
            seen, embedded = _edited(lab, probe, method, size)
        else:
            seen, embedded = _filtered(lab, probe, method, size)

        found.append(seen)
        for name, flags in lab.identified(embedded, probe.number).items():
            hits.setdefault(name, []).append(flags.reshape(-1))

    joined = {name: np.concatenate(flags) for name, flags in hits.items()}
    shares = {name: float(flags.mean()) for name, flags in joined.items()}
    detection = float(np.concatenate(found).mean())
    return Point(method.name, size, detection, shares, int(joined["either"].sum()))


def _filtered(
    lab: ExperimentContext, probe: EditedPerson, method: Method, size: int
) -> tuple[Flags, dict[str, Floats]]:
    pairs = zip(probe.look.windows, probe.look.boxes, strict=True)
    windows = np.stack([filter_region(window, box, method.apply, size) for window, box in pairs])
    look = detect_again(windows, probe.look, lab.window)
    return _found(look), {judge.name: look.embed(judge.recogniser) for judge in lab.judges}


def _edited(
    lab: ExperimentContext, probe: EditedPerson, method: Method, size: int
) -> tuple[Flags, dict[str, Floats]]:
    random = lab.random(f"baseline {probe.id}")  # the same sets for every filter
    sets = draw(lab.space, probe.gender, SETS, 1.0, random)
    found: list[Flags] = []
    embedded: dict[str, list[Floats]] = {judge.name: [] for judge in lab.judges}

    for place, rows in enumerate(np.array_split(np.arange(len(probe.faces)), SETS)):
        if not len(rows):
            continue

        faces = [prefiltered(probe.faces[i], method.apply, size) for i in rows]
        part = sets[place : place + 1]
        edits = edit_faces(
            lab.evaluator(), faces, probe.look.take(rows), part, lab.measure, lab.judges
        )
        found.append(edits.found[0])

        for name, values in edits.embeddings.items():
            embedded[name].append(values[0])

    return np.concatenate(found), {name: np.concatenate(parts) for name, parts in embedded.items()}


def prefiltered(face: AlignedFace, how: Filter, size: float) -> AlignedFace:
    """A face whose crop is filtered before the editor sees it (thesis 3.1.5)."""
    return replace(face, crop=how(face.crop, size))


def _found(look: DetectedFaces) -> Flags:
    return np.asarray(look.overlaps >= HIT)


def _examples(
    lab: ExperimentContext, name: str, title: str, method: Method, sizes: Sequence[int]
) -> Section:
    """The same faces under a filter of growing strength."""
    firsts = [
        (probe.look.windows[0], probe.look.boxes[0], probe.look.take(np.array([0])))
        for probe in lab.probes
    ]
    rows = []

    for size in sizes:
        shown = []
        for window, box, before in firsts:
            after = filter_region(window, box, method.apply, size)
            look = detect_again(after[None], before, lab.window)
            shown.append(Shown(after, look.boxes[0] if look.found[0] else None))

        rows.append((f"{method.name} {size}", shown))

    strengths = ", ".join(map(str, sizes))
    caption = (
        f"{method.name.capitalize()} of strength {strengths}; a white box where the face is found"
    )
    return photographs(
        name, title, rows, f"The first picture of each of the four people. {caption}."
    )


def _curve(lab: ExperimentContext, points: Sequence[Point]) -> Section:
    of = {
        method.name: [point for point in points if point.method == method.name]
        for method in METHODS
    }
    blurred = of["blur"]
    edit = of["edit alone"][0]
    half = next((str(p.size) for p in blurred if p.identified["either"] <= 0.5), "none up to 10")
    best = max(blurred, key=lambda p: p.product)
    at = {p.size: p for p in blurred}
    total = sum(len(probe.faces) for probe in lab.probes)
    originals = {
        name: np.concatenate([flags[name] for flags in _untouched(lab)]).mean()
        for name in edit.identified
    }
    compared = (
        Comparison("pictures", "98", str(total)),
        Comparison(
            "untouched pictures identified",
            "100 % (Yandex), 80 % (Google)",
            ", ".join(f"{percent(float(share))} ({name})" for name, share in originals.items()),
        ),
        Comparison("smallest blur radius that hides half", "2", half),
        Comparison(
            "blur radius with the best product", "5", f"{best.size} ({number(best.product)})"
        ),
        Comparison("faces found at blur radius 5", "92 %", percent(at[5].detection)),
        Comparison("pictures identified at blur radius 8", "2", str(at[8].count)),
        Comparison("pictures identified at blur radius 10", "1", str(at[10].count)),
        Comparison(
            "identified where 90 % of faces are found, blur", "7 %", _at_detection(blurred, 0.9)
        ),
        Comparison(
            "identified where 90 % of faces are found, pixelation",
            "about the same",
            _at_detection(of["pixelate"], 0.9),
        ),
        Comparison(
            "the edit alone (random sets): found, identified",
            "100 %, see figure 4.3",
            f"{percent(edit.detection)}, {percent(edit.identified['either'])}",
        ),
    )
    judges = [judge.name for judge in lab.judges]
    columns = (
        "method",
        "strength",
        "found",
        *(f"identified, {name}" for name in (*judges, "either")),
        "product",
    )
    rows = tuple(
        (
            point.method,
            str(point.size) if point.size else "",
            percent(point.detection),
            *(percent(point.identified[name]) for name in (*judges, "either")),
            number(point.product),
        )
        for point in points
    )

    return Section(
        "figure-2.6",
        "anonymisation errors against face detections",
        f"{lab.setting} Filters cover the detected box 1.4 times enlarged, in windows where faces "
        "are as large as in CelebA's aligned pictures, so that a radius means what it meant to "
        "the thesis. A face that the detector loses is still shown to the recognisers at its "
        "place: whoever searches for it sees where it is. Strengths before an edit are "
        "superpixels across the crop; a blur there has a radius of half a superpixel.",
        compared,
        (Table("Every method and strength:", columns, rows),),
        _charts(of),
    )


def _untouched(lab: ExperimentContext) -> list[dict[str, Flags]]:
    return [
        lab.identified(
            {judge.name: probe.look.embed(judge.recogniser) for judge in lab.judges}, probe.number
        )
        for probe in lab.probes
    ]


def _at_detection(points: Sequence[Point], share: float) -> str:
    """The share identified where the curve crosses a share of faces found, or why there is none."""
    table = sorted((p.detection, p.identified["either"]) for p in points)
    found, errors = np.array(table).T
    if found[0] > share:
        return (
            f"never below {percent(float(found[0]))} found ({percent(float(errors[0]))} identified)"
        )
    if found[-1] < share:
        return f"never above {percent(float(found[-1]))} found"

    return percent(float(np.interp(share, found, errors)))


def _charts(of: dict[str, list[Point]]) -> tuple[Figure, ...]:
    """The whole curve, and the corner where methods that protect lie."""
    edit = of["edit alone"][0]
    whole = (
        "Faces found over faces identified by either judge; up and to the left is better. Numbers "
        f"are strengths: blur radius, superpixels. The edit alone: {percent(edit.detection)} "
        f"found, {percent(edit.identified['either'])} identified"
    )
    corner = (
        f"The corner of figure 2.6 with at most {CORNER[0]} % identified and at least {CORNER[1]} "
        "% found"
    )

    return (
        Figure("figure-2.6", whole, "svg", _draw(of, whole, 100, 0)),
        Figure("figure-2.6-corner", corner, "svg", _draw(of, corner, *CORNER)),
    )


def _draw(of: dict[str, list[Point]], title: str, most: float, least: float) -> bytes:
    series = []
    for name, points in of.items():
        places = [
            (100 * p.identified["either"], 100 * p.detection, str(p.size) if p.size else "")
            for p in points
        ]
        shown = [place for place in places if place[0] <= most and place[1] >= least]
        x, y, texts = ([place[i] for place in shown] for i in range(3))
        label = name if shown else ""
        series.append(Series(label, x, y, texts=texts, line=len(shown) > 1))  # type: ignore[arg-type]

    margin = (100 - least) / 40
    return chart(
        title,
        series,
        Axis("anonymisation errors: faces identified (%)", -most / 60, most),
        Axis("faces found (%)", max(0, least - margin), 100 + margin),
    )
