"""Thesis 2.1.7: blur, pixelation and a mask, each alone and as a filter before the edit.

Figures 2.4, 2.5 and 2.6.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt

from attrsearch.core.progress import Step
from attrsearch.editing.filters import blur, pixelate
from attrsearch.evaluation.faces import DetectedFaces, detect_again
from attrsearch.experiments.charts import Axis, Series, chart
from attrsearch.experiments.context import EditedPerson, ExperimentContext
from attrsearch.experiments.edits import HIT, draw, edit_faces
from attrsearch.experiments.face_grid import Shown, photographs
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import worded
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
    steps: list[tuple[Method, int]] = []
    for method in METHODS:
        for size in method.sizes:
            steps.append((method, size))

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
    return Point(
        method=method.name,
        size=size,
        detection=float(np.concatenate(found).mean()),
        identified={name: float(flags.mean()) for name, flags in joined.items()},
        count=int(joined["either"].sum()),
    )


def _filtered(
    lab: ExperimentContext, probe: EditedPerson, method: Method, size: int
) -> tuple[Flags, dict[str, Floats]]:
    pairs = zip(probe.look.windows, probe.look.boxes, strict=True)
    windows = np.stack([filter_region(window, box, method.apply, size) for window, box in pairs])
    look = detect_again(windows, probe.look, lab.window)
    return _found(look), look.embed_by(lab.judges)


def _edited(
    lab: ExperimentContext, probe: EditedPerson, method: Method, size: int
) -> tuple[Flags, dict[str, Floats]]:
    # the stream is named after the person alone, so that every filter gets the same sets
    random = lab.random(f"baseline {probe.id}")
    sets = draw(lab.space, probe.gender, SETS, 1.0, random)
    found: list[Flags] = []
    embedded: dict[str, list[Floats]] = {judge.name: [] for judge in lab.judges}

    for place, rows in enumerate(np.array_split(np.arange(len(probe.faces)), SETS)):
        # a small folder has fewer pictures than there are sets
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
    rows = []

    for size in sizes:
        shown = [_example(lab, probe, method, size) for probe in lab.probes]
        rows.append((f"{method.name} {size}", shown))

    strengths = ", ".join(map(str, sizes))
    caption = (
        f"{method.name.capitalize()} of strength {strengths}; a white box where the face is found"
    )
    return photographs(
        name, title, rows, f"The first picture of each of the four people. {caption}."
    )


def _example(lab: ExperimentContext, probe: EditedPerson, method: Method, size: int) -> Shown:
    """A person's first picture under a filter, with a box where the face is still found."""
    after = filter_region(probe.look.windows[0], probe.look.boxes[0], method.apply, size)
    look = detect_again(after[None], probe.look.take(np.array([0])), lab.window)
    return Shown(after, look.boxes[0] if look.found[0] else None)


def _curve(lab: ExperimentContext, points: Sequence[Point]) -> Section:
    by_method: dict[str, list[Point]] = {method.name: [] for method in METHODS}
    for point in points:
        by_method[point.method].append(point)

    # the thesis compares its edit with the best of blur, by its simple utility
    blurred = by_method["blur"]
    best = max(blurred, key=lambda point: point.product)
    hidden = [point.size for point in blurred if point.identified["either"] <= 0.5]
    figures = {
        "setting": lab.setting,
        "judges": [*(judge.name for judge in lab.judges), "either"],
        "pictures": sum(len(probe.faces) for probe in lab.probes),
        "untouched": _untouched(lab),
        "half": hidden[0] if hidden else None,
        "best": {"size": best.size, "product": best.product},
        "blur": {point.size: asdict(point) for point in blurred},
        "edit": asdict(by_method["edit alone"][0]),
        "at_detection": {
            "blur": asdict(at_detection(by_method["blur"], 0.9)),
            "pixelate": asdict(at_detection(by_method["pixelate"], 0.9)),
        },
        "points": [{**asdict(point), "product": point.product} for point in points],
        "corner": list(CORNER),
    }
    charts = {
        "figure-2.6": lambda caption: _draw(by_method, caption, 100, 0),
        "figure-2.6-corner": lambda caption: _draw(by_method, caption, *CORNER),
    }
    return worded("figure-2.6", figures, charts)


def _untouched(lab: ExperimentContext) -> dict[str, float]:
    """Share of the untouched pictures that each judge, and either, identifies."""
    hits: dict[str, list[Flags]] = {}
    for probe in lab.probes:
        embedded = probe.look.embed_by(lab.judges)
        for name, flags in lab.identified(embedded, probe.number).items():
            hits.setdefault(name, []).append(flags)

    return {name: float(np.concatenate(flags).mean()) for name, flags in hits.items()}


@dataclass(frozen=True)
class Crossing:
    """Where a curve crosses a share of faces found.

    Attributes:
        identified: Share identified there, or at the end that is nearest.
        found: Share found at that end; None where the curve crosses.
        side: ``below`` or ``above`` that end the curve never is; empty where it crosses.
    """

    identified: float
    found: float | None = None
    side: str = ""


def at_detection(points: Sequence[Point], share: float) -> Crossing:
    """The share identified where the curve crosses a share of faces found."""
    # interpolation wants rising values, and strengths are not in the order of what is found
    table = sorted((point.detection, point.identified["either"]) for point in points)
    found, errors = np.array(table).T

    # beyond its ends the curve is not continued: nothing was measured there
    if found[0] > share:
        return Crossing(float(errors[0]), float(found[0]), "below")
    if found[-1] < share:
        return Crossing(float(errors[-1]), float(found[-1]), "above")

    return Crossing(float(np.interp(share, found, errors)))


def _draw(by_method: Mapping[str, Sequence[Point]], title: str, most: float, least: float) -> bytes:
    """The part of the curve with at most so many identified and at least so many found, in %."""
    series = []

    for name, points in by_method.items():
        x = []
        y = []
        texts = []
        for point in points:
            across = 100 * point.identified["either"]
            down = 100 * point.detection
            if across <= most and down >= least:
                x.append(across)
                y.append(down)
                texts.append(str(point.size) if point.size else "")

        # a method without a point here keeps its place, and with it its colour in both charts
        series.append(Series(name if x else "", x, y, texts=texts, line=len(x) > 1))

    margin = (100 - least) / 40
    return chart(
        title,
        series,
        Axis("anonymisation errors: faces identified (%)", -most / 60, most),
        Axis("faces found (%)", max(0, least - margin), 100 + margin),
    )
