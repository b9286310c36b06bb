"""Make the protected folders of docs/results/evaluation.md: python protect.py NAME...

Names: ``filters`` (blur5, blur8, pixelate8, mask), ``random`` and ``thesis`` (the one random set of
those runs, whether feasible or not), ``onepass`` (the first trial of run-product that was drawn at
random), ``product`` and ``ensemble`` (the winners of those runs; people without a feasible set are
covered by the fallback, as ``attrsearch apply`` does), ``product_all`` and ``ensemble_all`` (the
same, but their best set is applied to those people, too, as after ``attrsearch export
--include-infeasible``).
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from attrsearch.anonymise.images import Applier
from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.parallel import in_parallel
from attrsearch.editing.filters import blur, pixelate
from attrsearch.faces.dataset import MIN_FACE, Picture, detect_reduced, prominence
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.images import read_picture
from attrsearch.runs.attributes_file import AttributesFile, PersonRecord, read_attributes
from attrsearch.runs.export import export_run

PICTURES = sorted(Path("originals").glob("*/*.jpg"))
DETECTOR = load_detector("mtcnn", MIN_FACE)
LARGER = 1.4


def save(name: str, path: Path, picture: Picture) -> None:
    """Write a protected picture beside the others of its kind."""
    out = Path(name) / path.parent.name / f"{path.stem}.png"
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(out, compress_level=1)


def filters(path: Path) -> None:
    """Filter the face's box and what is around it; radii are in pixels of a face 75 wide."""
    picture = read_picture(path)
    found = detect_reduced(picture, DETECTOR)
    box = found.boxes[prominence(found, picture.shape[1], picture.shape[0]).argmax()]
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * LARGER
    left, top = np.maximum(np.round(middle - half), 0).astype(int)
    right, bottom = np.minimum(np.round(middle + half), picture.shape[1::-1]).astype(int)
    where, unit = (slice(top, bottom), slice(left, right)), float(box[2] - box[0]) / 75
    region = picture[where]
    mean = region.reshape(-1, 3).mean(0).astype(np.uint8)
    kinds = {
        "blur5": blur(picture, 5 * unit)[where],
        "blur8": blur(picture, 8 * unit)[where],
        "pixelate8": pixelate(region, 8),
        "mask": np.broadcast_to(mean, region.shape),
    }
    for name, filtered in kinds.items():
        protected = picture.copy()
        protected[where] = filtered
        save(name, path, protected)


def winners(run: str) -> AttributesFile:
    """The best set of everybody, feasible or not."""
    out = Path(run) / "all.json"
    export_run(Path(run), out, "json", include_infeasible=True)
    return read_attributes(out)


def drawn_at_random(run: str) -> AttributesFile:
    """Everybody's first set that came from the sampler's random start."""
    table = pd.read_parquet(Path(run) / "trials.parquet")
    table = table[table["source"] == "sampler"].sort_values("trial").groupby("identity").first()

    def other(person: PersonRecord) -> PersonRecord:
        row = table.loc[person.id]
        first, second = (
            {name: float(row[f"{part}_{name}"]) for name in ATTRIBUTES}
            for part in ("first", "second")
        )
        changes = {"first_pass": first, "second_pass": None if np.isnan(second["Male"]) else second}
        return person.model_copy(update={**changes, "feasible": bool(row["feasible"])})

    file = winners(run)
    return file.model_copy(
        update={"identities": tuple(other(person) for person in file.identities)}
    )


def apply(name: str, file: AttributesFile, everybody: bool) -> None:
    """Apply sets to every picture; to everybody, or to those whose set is feasible."""
    feasible = sum(person.feasible for person in file.identities)
    if everybody:
        people = tuple(person.model_copy(update={"feasible": True}) for person in file.identities)
        file = file.model_copy(update={"identities": people})
    applier = Applier(file, "blur")

    def one(path: Path) -> str:
        protected, edited, _ = applier.protect(read_picture(path), file.find(path.parent.name))
        save(name, path, protected)
        return "edited" if edited else "covered"

    print(
        name, dict(Counter(in_parallel(one, PICTURES))), "feasible:", feasible, "people", flush=True
    )


for kind in sys.argv[1:]:
    if kind == "filters":
        in_parallel(filters, PICTURES)
    elif kind == "onepass":
        apply(kind, drawn_at_random("run-product"), everybody=True)
    else:
        run, _, all_of_them = kind.partition("_")
        apply(
            kind, winners(f"run-{run}"), everybody=kind in ("random", "thesis") or bool(all_of_them)
        )
