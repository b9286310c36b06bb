"""Write ``report.html``: one page with the cohort, failures first, and every person's pictures and trade-off."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from PIL import Image

from attrsearch.errors import InputError
from attrsearch.export import read_attributes
from attrsearch.files import write_text
from attrsearch.report.scatter import scatter
from attrsearch.results import PersonPart, RunFolder, read_run

THUMBNAIL = 128


@dataclass(frozen=True)
class Shot:
    """A picture of a person with what it is and what it measured."""

    kind: str
    source: str
    terms: str


@dataclass(frozen=True)
class PersonView:
    """What the page shows of one person."""

    anchor: str
    part: PersonPart
    shots: tuple[Shot, ...]
    plot: Markup
    changes: str


def write_report(run: Path, out: Path | None = None) -> Path:
    """Write the report of a run.

    Args:
        run: The run's folder.
        out: The page; ``report.html`` in the run where it is not given.

    Returns:
        The page's path.

    Raises:
        InputError: The folder holds no finished run.
        OutputError: The page cannot be written.
    """
    folder = RunFolder(run)
    about = read_run(run)
    if "result" not in about:
        hint = "finish it first: attrsearch run … --resume"
        raise InputError(run, required="a finished run", found="one that was stopped", hint=hint)
    export = read_attributes(run / "attributes.json")
    threshold = export.recogniser.threshold
    parts = sorted(folder.read_people(), key=_failures_first)
    environment = Environment(
        loader=PackageLoader("attrsearch.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(
        people=[_view(folder, part, number, threshold) for number, part in enumerate(parts)],
        failures=about.get("failures", []),
        result=about["result"],
        export=export,
        settings=about["settings"],
        versions=about["versions"],
        cohort=_cohort(parts, threshold),
        means=_means(parts),
        threshold=threshold,
    )
    target = out or run / "report.html"
    write_text(target, page)
    return target


def _failures_first(part: PersonPart) -> tuple[Any, ...]:
    held = part.heldback.feasible if part.heldback else True
    return part.record.feasible, held, part.record.utility, part.record.id


def _view(folder: RunFolder, part: PersonPart, number: int, threshold: float) -> PersonView:
    trials = folder.read_trials(part.record.id)
    product = (trials["detection"] * trials["iou"]).to_numpy(np.float64)
    plot = scatter(
        trials["distance"].to_numpy(np.float64),
        product,
        trials["feasible"].to_numpy(bool),
        part.winner,
        threshold,
        "trials of this person",
    )
    kinds = {"original": "original", "best": "best", "runner": "runner-up"}
    shots = []
    for key, label in kinds.items():
        for index, name in enumerate(part.images.get(key, ())):
            if key == "runner":
                row = trials.iloc[part.runners[index]]
                terms = f"d {row.distance:.2f} · p×IoU {row.detection * row.iou:.2f}"
            else:
                terms = f"picture {index + 1}"
            shots.append(Shot(label, _thumbnail(folder.path / name), terms))
    return PersonView(f"person-{number}", part, tuple(shots), Markup(plot), _changes(part))  # noqa: S704 - our own SVG


def _changes(part: PersonPart) -> str:
    """The strongest attributes of the first pass in words."""
    values = sorted(part.record.first_pass.items(), key=lambda item: -abs(item[1]))
    return ", ".join(f"{name.replace('_', ' ')} {value:+.2f}" for name, value in values[:5] if value)


def _cohort(parts: list[PersonPart], threshold: float) -> Markup:
    records = [part.record for part in parts]
    plot = scatter(
        np.array([record.distance for record in records]),
        np.array([record.detection * record.iou for record in records]),
        np.array([record.feasible for record in records], bool),
        None,
        threshold,
        "best of every person",
    )
    return Markup(plot)  # noqa: S704 - our own SVG


def _means(parts: list[PersonPart]) -> dict[str, float]:
    names = ("detection", "iou", "distance", "utility")
    feasible = [part.record for part in parts if part.record.feasible]
    held = [part for part in parts if part.record.feasible and part.heldback is not None]
    means = {name: float(np.mean([getattr(record, name) for record in feasible] or [0.0])) for name in names}
    means["held"] = len(held)
    means["held_feasible"] = sum(bool(part.heldback and part.heldback.feasible) for part in held)
    return means


def _thumbnail(path: Path) -> str:
    """A picture as a data address, at most ``THUMBNAIL`` pixels; empty where the file is gone."""
    try:
        with Image.open(path) as image:
            small = image.convert("RGB")
            small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    except OSError:
        return ""
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
