"""Write an evaluation as one page that asks nothing of any network.

Tables and drawings, no script.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from markupsafe import Markup

from attrsearch import __version__
from attrsearch.core.files import write_text
from attrsearch.report.drawing import distance_chart, trade_off_chart
from attrsearch.report.page import STYLES, environment, read_assets

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table: heads and rows of texts."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """A drawing (SVG) and what it shows."""

    drawing: Markup
    caption: str


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: str
    lead: str = ""
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = field(default=())


def write_evaluation(data: Row, out: Path) -> Path:
    """Write the page of an evaluation.

    Args:
        data: What ``Record.as_json`` gives.
        out: The page.

    Raises:
        OutputError: It cannot be written.
    """
    sections = [
        _main(data),
        *(_judge(data, row) for row in data["originals"]),
        _kept(data),
        _drift(data),
    ]
    if data["tracks"]:
        sections.append(_tracks(data["tracks"]))

    if data.get("attacks"):
        sections.append(_attacks(data["attacks"]))

    style = read_assets(STYLES)
    # the policy names the style by its hash: nothing that slips into the page is followed
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    template = environment().get_template("evaluation.html.j2")
    html = template.render(
        about=data,
        sections=sections,
        style=Markup(style),  # noqa: S704 - our own file
        policy=policy,
        version=__version__,
    )
    write_text(out, html)

    return out


def _main(data: Row) -> Section:
    """One table: every protection, by every judge."""
    judges = [row["judge"] for row in data["originals"]]
    first = data["detectors"][0]
    heads = ["protection"]

    for judge in judges:
        heads += [f"TAR at 1e-3, {judge}", f"rank-1, {judge}", f"parrot rank-1, {judge}"]

    heads += [f"recall, {name}" for name in data["detectors"]]
    heads += [f"IoU, {first}", "naturalness", "FID"]
    rows = []

    for kept in data["protections"]:
        name = kept["protection"]
        cells = [name]

        for judge in judges:
            row = find(data["judges"], judge=judge, protection=name)
            cells += [
                interval(row, "tar_1e-3"),
                interval(row, "rank1"),
                interval(row, "parrot_rank1"),
            ]

        cells += [interval(kept, f"recall_{detector}") for detector in data["detectors"]]
        rows.append(
            [
                *cells,
                interval(kept, f"iou_{first}"),
                interval(kept, "naturalness"),
                number(kept.get("fid")),
            ]
        )

    charts = []
    for judge in judges:
        caption = (
            f"Detection ({first}) against identification ({judge}): the better, the further left "
            "and up."
        )
        charts.append(Chart(trade_off_chart(data, judge, first), caption))

    lead = (
        "TAR: share of pairs of a protected face and another original of its person that verify "
        "at a false-accept rate of 1e-3. Rank-1: share identified in a gallery of the originals. "
        "Parrot: the attacker's gallery was protected in the same way."
    )
    return Section("In one table", lead, [Table("Every protection", heads, rows)], charts)


def _judge(data: Row, original: Row) -> Section:
    """What one judge sees."""
    name = original["judge"]
    used = {True: "The search never used it.", False: "The search used it.", None: ""}[
        original["unseen"]
    ]
    pairs = (
        f"{original['genuine_pairs']:,} pairs of one person, {original['impostor_pairs']:,} of "
        "different people"
    )
    rows = [row for row in data["judges"] if row["judge"] == name]
    fars = [key.removeprefix("threshold_") for key in original if key.startswith("threshold_")]
    heads = ["protection", *(f"TAR at {far}" for far in fars), *JUDGED]
    body = [_judged(row, fars) for row in rows]
    thresholds = [f"{original[f'threshold_{far}']:.3f} at {far}" for far in fars]
    limits = ", ".join(thresholds) or "none: too few pairs"

    def spread(kind: str) -> str:
        return f"{number(original[f'{kind}_mean'])} ± {number(original[f'{kind}_std'])}"

    lead = (
        f"{used} On the originals: same person {spread('genuine')}, different people "
        f"{spread('impostor')} ({pairs}). Thresholds: {limits}. Distances in the table are on the "
        "FaceNet scale."
    )
    charts = []
    for counts in data["histograms"]:
        # of the originals, the chart of every protection has two curves already
        if counts["judge"] == name and counts["protection"] != "original":
            drawing = distance_chart(data["bins"], counts)
            charts.append(Chart(drawing, f"{counts['protection']}: raw distances."))

    return Section(f"Judge {name}", lead.strip(), [Table(f"Judge {name}", heads, body)], charts)


JUDGED = (
    "rank-1",
    "rank-5",
    "chance, rank-1",
    "distance to itself",
    "distance to the person's others",
    "between protected people",
)


def _judged(row: Row, fars: Sequence[str]) -> list[str]:
    """A protection by one judge: true accepts at each rate of false ones, then ``JUDGED``."""
    cells = [row["protection"]]
    cells += [interval(row, f"tar_{far}") for far in fars]
    cells += [interval(row, "rank1"), interval(row, "rank5"), number(row["chance1"])]
    cells += [interval(row, "distance"), interval(row, "distance_to_others")]
    return [*cells, number(row["apart"])]


KEPT = (
    ("probability_{}", "detection, {}"),
    ("precision_{}", "precision, {}"),
    ("iou_{}", "IoU, {}"),
)
OTHERS = (
    ("landmark_error", "landmark error"),
    ("yaw_change", "yaw, °"),
    ("pitch_change", "pitch, °"),
    ("roll_change", "roll, °"),
    ("eyes_kept", "eyes kept"),
    ("mouth_kept", "mouth kept"),
    ("gender_kept", "gender kept"),
    ("skin_tone_change", "skin tone, ΔE"),
    ("kid", "KID"),
    ("told_auc", "told from real, AUC"),
    ("told_judged_real", "judged real"),
    ("told_kid", "KID, ImageNet"),
)


def _kept(data: Row) -> Section:
    """What is kept, beside detection."""
    names: list[tuple[str, str]] = []
    for detector, (key, word) in product(data["detectors"], KEPT):
        names.append((key.format(detector), word.format(detector)))

    measured: set[str] = set()
    for row in data["protections"]:
        measured |= set(row)

    # what an evaluation could not measure has no column, rather than one of dashes
    shown = [(key, word) for key, word in (*names, *OTHERS) if key in measured]
    rows = []
    for row in data["protections"]:
        cells = [number(row.get(key)) for key, _ in shown]
        rows.append([row["protection"], str(row["missing"]), *cells])

    lead = (
        "Landmark error is in distances between the eyes; pose, eyes and mouth come from 68 "
        "landmarks of faces that were found. Told from real: a judge of ImageNet features, "
        "fitted on other people; 0.5 "
        "is chance."
    )

    return Section(
        "What is kept",
        lead,
        [Table("What is kept", ["protection", "missing", *(word for _, word in shown)], rows)],
    )


def _drift(data: Row) -> Section:
    names = [key for key in data["protections"][0] if key.startswith("drift_")]
    heads = ["protection", "mean", *(key.removeprefix("drift_").replace("_", " ") for key in names)]
    rows = []
    for row in data["protections"]:
        cells = [number(row[key]) for key in names]
        rows.append([row["protection"], number(row["attribute_drift"]), *cells])

    lead = "Mean change of the classifier's probability of each attribute."

    return Section(
        "Drift of the other attributes", lead, [Table("Drift of the attributes", heads, rows)]
    )


def _tracks(tracks: Sequence[Row]) -> Section:
    heads = ["track", "person", "frames", "spread before", "after", "flicker before", "after"]
    keys = ("spread_before", "spread_after", "flicker_before", "flicker_after")
    rows = []
    for row in tracks:
        figures = [number(row[key]) for key in keys]
        rows.append([str(row["track"]), row["person"], str(row["frames"]), *figures])

    return Section("Steadiness of tracks", "", [Table("Steadiness of tracks", heads, rows)])


def _attacks(rows: Sequence[Row]) -> Section:
    heads = [
        "attack",
        "variant",
        "protection",
        "judge",
        "rank-1",
        "rank-5",
        "chance",
        "TAR at 1e-3",
        "gallery",
        "probes",
    ]
    body = []
    for row in rows:
        cells = [str(row[name]) for name in ("attack", "variant", "protection", "judge")]
        cells += [interval(row, "rank1"), interval(row, "rank5"), number(row["chance1"])]
        cells += [interval(row, "tar_1e-3"), str(row["gallery"]), str(row["probes"])]
        body.append(cells)

    lead = (
        "What people find who know more: the program, the exported file, several pictures of one "
        "person."
    )
    return Section("Attacks", lead, [Table("Attacks", heads, body)])


def find(rows: Sequence[Row], **values: object) -> Row:
    """The row with those values; an empty one where there is none.

    >>> find([{"a": 1, "b": 2}], a=1)["b"]
    2
    """
    for row in rows:
        if all(row.get(key) == value for key, value in values.items()):
            return row

    return {}


def number(value: object) -> str:
    """A figure as text.

    >>> number(0.12345), number(None), number(7)
    ('0.123', '–', '7')
    """
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
    return "–" if value is None else str(value)


def interval(row: Row, name: str) -> str:
    """A figure with its interval.

    >>> interval({"tar": 0.5, "tar_low": 0.41, "tar_high": 0.6}, "tar")
    '0.500 [0.41, 0.60]'
    """
    low = row.get(f"{name}_low")
    high = row.get(f"{name}_high")
    value = number(row.get(name))

    return value if low is None or high is None else f"{value} [{low:.2f}, {high:.2f}]"
