"""A synthetic run: the real files of a run, for people who do not exist."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from attrsearch.core.attributes import ATTRIBUTES, Gender, named
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import load_study
from attrsearch.runs.attributes_file import (
    DetectorRecord,
    EditorRecord,
    PersonRecord,
    RecogniserRecord,
)
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import Provenance
from attrsearch.runs.person_part import HeldOut, PersonPart
from attrsearch.runs.trials_file import TRIAL_SCHEMA
from attrsearch.search.space import person_space

SCALE, VERIFICATION = 1.045199, 1.123648
THRESHOLD = 1.4


def provenance(trials: int = 200) -> Provenance:
    study = load_study("per_identity", trials=trials, recogniser="sface")
    return Provenance(
        editor=EditorRecord(name="anonymiser", sha256="7c" * 32),
        recogniser=RecogniserRecord(name="sface", scale=SCALE, threshold=THRESHOLD),
        detector=DetectorRecord(name="mtcnn"),
        objective="utility_product",
        study="per_identity",
        seed=0,
        settings={
            "study": study.model_dump(),
            "objective": load_objective("utility_product").model_dump(),
            "space": load_space("one-pass").model_dump(),
            "editor_sha256": "7c" * 32,
            "recognisers": [
                {
                    "name": "sface",
                    "scale": SCALE,
                    "verification": VERIFICATION,
                    "sha256": "00" * 32,
                },
            ],
        },
    )


def drawn_face(generator: np.random.Generator, side: int = 96) -> bytes:
    """A face nobody has, as a JPEG."""
    skin, hair, back = (tuple(int(v) for v in generator.integers(60, 230, 3)) for _ in range(3))
    image = Image.new("RGB", (side, side), back)
    pen = ImageDraw.Draw(image)
    pen.ellipse((side * 0.16, side * 0.04, side * 0.84, side * 0.8), fill=hair)
    pen.ellipse((side * 0.24, side * 0.16, side * 0.76, side * 0.94), fill=skin)
    for x in (0.38, 0.62):
        pen.ellipse(
            (side * (x - 0.05), side * 0.44, side * (x + 0.05), side * 0.51), fill=(25, 25, 30)
        )
    pen.arc(
        (side * 0.38, side * 0.6, side * 0.62, side * 0.78), 20, 160, fill=(120, 40, 40), width=3
    )
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def write_people(
    out: Path,
    people: int,
    trials: int = 200,
    *,
    screened: float = 0.0,
    pictures: bool = True,
    names: Sequence[str] = (),
    seed: int = 0,
) -> RunFolder:
    """The people of a run that goes on: everything but what is merged when it ends."""
    generator = np.random.default_rng(seed)
    folder = RunFolder(out)
    folder.start(provenance(trials), resume=False)
    for number in range(people):
        name = names[number] if number < len(names) else f"Person_{number:04d}"
        write_person(folder, name, trials, generator, screened, pictures)
    return folder


def write_run(
    out: Path,
    people: int,
    trials: int = 200,
    *,
    screened: float = 0.0,
    pictures: bool = True,
    names: Sequence[str] = (),
    seed: int = 0,
) -> Path:
    """A finished run."""
    folder = write_people(
        out, people, trials, screened=screened, pictures=pictures, names=names, seed=seed
    )
    folder.finish(
        provenance(trials), {"Nobody": "Nobody: needs a picture with a face, found none"}, 12.5
    )
    return out


def write_person(
    folder: RunFolder,
    name: str,
    trials: int,
    generator: np.random.Generator,
    screened: float = 0.0,
    pictures: bool = True,
) -> PersonPart:
    """A finished person: trials that get better, the best feasible one as the winner."""
    gender: Gender = "female" if generator.random() < 0.5 else "male"
    space = person_space(load_space("one-pass"), gender)
    points = generator.uniform(space.low, space.high, (trials, len(space.names)))
    attributes = space.attributes(points)
    progress = 1 - np.exp(-np.arange(trials) / (trials / 4))
    distance = (
        generator.normal(1.33, 0.05)
        + 0.12 * progress
        + 0.03 * points[:, 1]
        + generator.normal(0, 0.04, trials)
    )
    detection = np.clip(1 - np.abs(generator.normal(0, 0.004, trials)), 0, 1)
    iou = np.clip(
        generator.normal(0.9, 0.03) + 0.02 * points[:, 2] + generator.normal(0, 0.02, trials),
        0.5,
        0.99,
    )
    worst = distance - np.abs(generator.normal(0.05, 0.02, trials))
    evaluated = np.arange(trials) < 16
    evaluated |= generator.random(trials) >= screened
    source = np.where(
        np.arange(trials) < 16, "sampler", "surrogate" if screened else "sampler"
    ).astype(object)
    source[evaluated & (np.arange(trials) >= 16) & (generator.random(trials) < screened / 4)] = (
        "audit"
    )
    columns = {"detection": detection, "iou": iou, "distance": distance, "worst_distance": worst}
    columns = {
        key: np.where(evaluated, value, np.nan).astype(np.float32) for key, value in columns.items()
    }
    columns["distance_raw"] = columns["distance"] / np.float32(SCALE)
    columns["utility"] = columns["detection"] * columns["iou"] * columns["distance"]
    with np.errstate(invalid="ignore"):
        feasible = (columns["distance"] > THRESHOLD) & (
            columns["worst_distance"] > SCALE * VERIFICATION
        )
    merit = np.where(feasible, columns["utility"], -1)
    winner = int(merit.argmax()) if feasible.any() else int(np.nanargmax(columns["distance"]))
    rows = {
        "identity": [name] * trials,
        "trial": np.arange(trials),
        "seed": np.zeros(trials),
        "source": source,
        "evaluated": evaluated,
        **{f"first_{a}": attributes[:, 0, i] for i, a in enumerate(ATTRIBUTES)},
        **{f"second_{a}": np.full(trials, np.nan) for a in ATTRIBUTES},
        **columns,
        "feasible": feasible,
        "seconds": np.where(evaluated, 0.1, 0.0),
    }
    arrays = [pa.array(rows[field.name]).cast(field.type) for field in TRIAL_SCHEMA]
    faces = [drawn_face(generator) for _ in range(3)] if pictures else []
    kinds = ("best_0", "runner_1", "random_0")
    images = {
        kind.split("_")[0]: (folder.write_image(name, f"{kind}.jpg", data),)
        for kind, data in zip(kinds, faces, strict=False)
    }
    shift = float(generator.normal(0.02, 0.03))
    held_distance = round(float(columns["distance"][winner]) - shift, 6)
    part = PersonPart(
        record=PersonRecord(
            id=name,
            gender=gender,
            feasible=bool(feasible[winner]),
            first_pass=named(attributes[winner, 0]),
            second_pass=None,
            faces=3,
            evaluations=int(evaluated.sum()),
            **{
                key: round(float(columns[key][winner]), 6)
                for key in ("utility", "detection", "iou", "distance", "distance_raw")
            },
        ),
        gender_certainty=round(float(generator.uniform(0.8, 1)), 6),
        worst_distance=round(float(columns["worst_distance"][winner]), 6),
        heldback=HeldOut(
            faces=1,
            detection=0.999,
            iou=round(float(columns["iou"][winner]) - 0.01, 6),
            distance=held_distance,
            worst_distance=held_distance,
            feasible=held_distance > THRESHOLD,
        ),
        winner=winner,
        runners=tuple(int(i) for i in np.argsort(-merit)[1:2]),
        feasible_trials=int(feasible.sum()),
        seconds=round(float(evaluated.sum()) * 0.1, 3),
        images=images,
        random=0,
        importance={
            n: round(float(v), 4)
            for n, v in zip(
                space.names, generator.dirichlet(np.ones(len(space.names))), strict=True
            )
        },
    )
    folder.write_person(part, pa.Table.from_arrays(arrays, schema=TRIAL_SCHEMA))
    return part


def write_surrogate(run: Path, seed: int = 0) -> None:
    """The log of a surrogate for a run whose candidates were screened."""
    generator = np.random.default_rng(seed)
    trials = pq.read_table(run / "trials.parquet").to_pandas()
    asked = trials[trials["source"] != "sampler"]
    progress = asked["trial"] / asked["trial"].max()
    truth = asked["utility"].fillna(asked["utility"].mean())
    table = pd.DataFrame(
        {
            "identity": asked["identity"],
            "trial": asked["trial"],
            "predicted_utility": truth + generator.normal(0, 0.03, len(asked)) * (1.4 - progress),
            "predicted_distance": asked["distance"].fillna(1.3),
            "predicted_feasible": asked["feasible"],
            "rank_correlation": np.clip(
                0.35 + 0.4 * progress + generator.normal(0, 0.08, len(asked)), -1, 1
            ),
            "overhead_seconds": 0.004,
        }
    )
    table.to_parquet(run / "surrogate.parquet", index=False)


def write_coverage(path: Path, frames: int = 400, seed: int = 0) -> None:
    """A video ledger: tracks of four people who come and go, found and covered in several ways."""
    generator = np.random.default_rng(seed)
    rows = []
    for track in range(7):
        first = int(generator.integers(0, frames // 2))
        last = int(min(frames - 1, first + generator.integers(frames // 5, frames)))
        person = f"person_{track % 4 + 1}" if track < 6 else ""
        gaps = {
            int(v) for start in generator.integers(first, last, 3) for v in range(start, start + 9)
        }
        turned = int(generator.integers(first, last))
        for frame in range(first, last + 1):
            found = (
                "extended"
                if frame - first < 3 or last - frame < 3
                else "interpolated"
                if frame in gaps
                else "detected"
            )
            cover = (
                "filtered"
                if not person
                else "warped"
                if turned <= frame < turned + 25
                else "edited"
            )
            box = (10.0 * track, 20.0, 10.0 * track + 40 + track, 70.0)
            rows.append((frame, frame / 25, track, person, *box, 0.9, found, cover))
    names = [
        "frame",
        "time",
        "track",
        "person",
        "left",
        "top",
        "right",
        "bottom",
        "probability",
        "found",
        "cover",
    ]
    pd.DataFrame(rows, columns=names).to_parquet(path, index=False)
