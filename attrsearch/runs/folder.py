"""The files of a run: one part a finished person, merged into the tables when the run ends.

A person is finished when ``people/<person>.json`` exists; it is written last, so that a killed run
has whole people or none, and ``--resume`` continues with the others.  That file has checksums of
itself and of the person's trials and pictures.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from attrsearch.core.encryption import locked, private_path
from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.files import file_name, is_part, write_bytes, write_text, written
from attrsearch.runs.attributes_file import AttributesFile, PersonRecord, flatten, json_lines
from attrsearch.runs.checksums import is_whole, seal, sealed_files
from attrsearch.runs.metadata import Provenance, machine, plain, read_run, versions, write_run
from attrsearch.runs.review import read_decisions
from attrsearch.runs.same_settings import need_same
from attrsearch.runs.tables import add_rows, join_tables
from attrsearch.runs.trials_file import PREDICTION_SCHEMA, TRIAL_SCHEMA
from attrsearch.runs.verdict import Verdict, Verdicts, verdict_of

HELDBACK_COLUMNS = tuple(
    f"heldback_{name}" for name in ("detection", "iou", "distance", "worst_distance", "feasible")
)
ROWS_AT_ONCE = 1000
NO_ROWS = ("id", "feasible", *HELDBACK_COLUMNS)
PREDICTED = ".predicted.parquet"
"""Ends the file of a person's predictions; no file name of a person has a dot."""


class HeldOut(BaseModel):
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
        importance: Attribute (``first_…``, ``second_…``) to its share in what makes the best trials
            the best.
        screened_out: How many candidates were predicted and not measured; ``trials.parquet`` has a
            sample of them.
        joined: Pictures that were kept back at first, failed, and were searched, too: indices
            among those kept back.
    """

    model_config = ConfigDict(frozen=True)
    format: Literal["attrsearch/person"] = "attrsearch/person"
    version: Literal[1] = 1
    record: PersonRecord
    gender_certainty: Annotated[float, Field(ge=0, le=1)]
    worst_distance: float
    heldback: HeldOut | None
    winner: int
    runners: tuple[int, ...]
    feasible_trials: int
    seconds: float
    images: dict[str, tuple[str, ...]]
    random: int | None = None
    importance: dict[str, float] = {}
    screened_out: int = 0
    joined: tuple[int, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What may be said of this person."""
        verified = None if self.heldback is None else self.heldback.feasible
        return verdict_of(self.record.feasible, verified)

    @property
    def refuted(self) -> bool:
        """Whether a winner of this person failed on a picture kept back."""
        return bool(self.joined) or bool(self.heldback and not self.heldback.feasible)

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in a few words."""
        if not self.record.feasible:
            return "no set meets the constraints on the pictures searched"
        if self.heldback is not None:
            verb = "holds" if self.heldback.feasible else "fails"
            return f"{verb} on {self.heldback.faces} kept back"
        if self.joined:
            return "failed on every picture kept back; these were searched, too, and none is left"
        pictures = "one picture" if self.record.faces == 1 else "no picture kept back"
        return f"{pictures}, could not be verified"

    @property
    def exported(self) -> PersonRecord:
        """The person's entry of an export, with the verdict."""
        return self.record.model_copy(update={"verdict": self.verdict})


@dataclass
class Counts:
    """What the people of a run come to.

    Attributes:
        people: Everybody, dropped people included.
        feasible: People with a feasible winner, without those who were dropped.
        evaluations: Candidates measured.
        verdicts: The verdicts on everybody who was not dropped.
    """

    people: int = 0
    feasible: int = 0
    evaluations: int = 0
    verdicts: Verdicts = field(default_factory=Verdicts)

    def add(self, part: PersonPart, dropped: bool) -> None:
        """Count a person."""
        self.people += 1
        self.evaluations += part.record.evaluations
        if not dropped:
            self.feasible += part.record.feasible
            self.verdicts.add(part.record.id, part.verdict, refuted=part.refuted)


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
            OutputError: The folder holds a run and ``resume`` was not asked for, or one with other
                settings.
        """
        self.refuse_contents(resume)
        file = self.path / "run.toml"
        if file.exists():
            need_same(file, read_run(self.path).get("settings", {}), plain(provenance.settings))
        write_run(self.path, provenance.head())

    def refuse_contents(self, resume: bool) -> None:
        """Refuse a folder that a run cannot be written to.

        What a killed process left half written does not count: it is nobody's.

        Raises:
            OutputError: It holds a run and ``resume`` was not asked for, or other files; or it is a
                file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(
                self.path, required="a folder", found="a file", hint="choose another name"
            )
        if resume or not self.path.is_dir():
            return
        if (self.path / "run.toml").exists():
            found, hint = "a run", "add --resume to continue it, or choose another folder"
        elif any(not is_part(path) for path in self.path.iterdir()):
            found, hint = "other files", "choose another folder"
        else:
            return
        raise OutputError(self.path, required="an empty or new folder", found=found, hint=hint)

    def is_finished(self, identity: str) -> bool:
        """Whether a person's results are complete; a damaged part does not count."""
        return self.finished_part(identity) is not None

    def finished_part(self, identity: str) -> PersonPart | None:
        """A person's part where the results are complete."""
        try:
            part = self.read_person(identity)
        except InputError:
            return None
        return part if (self.people / f"{file_name(identity)}.parquet").is_file() else None

    def write_person(
        self, part: PersonPart, trials: pa.Table, predictions: pa.Table | None = None
    ) -> None:
        """Write a finished person: trials and predictions, then the part that means *finished*."""
        name = file_name(part.record.id)
        with written(self.people / f"{name}.parquet") as file:
            pq.write_table(trials, file)
        if predictions is not None and predictions.num_rows:
            with written(self.people / f"{name}{PREDICTED}") as file:
                pq.write_table(predictions, file)
        self.write_part(part)

    def write_part(self, part: PersonPart) -> None:
        """Write the file that means *finished*, with checksums of itself, trials and pictures."""
        name = file_name(part.record.id)
        record = seal(
            json.loads(part.model_dump_json()),
            self.path,
            [*files_of(part), f"people/{name}{PREDICTED}"],
        )
        write_text(
            self.people / f"{name}.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        )

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

    def write_image(self, identity: str, name: str, data: bytes, private: bool = False) -> str:
        """Write a picture of a person, encrypted where it is private and that was asked for.

        Returns its path.
        """
        path = Path("images") / file_name(identity) / name
        if private:
            path, data = private_path(path), locked(data)
        write_bytes(self.path / path, data)
        return path.as_posix()

    def finish(
        self,
        provenance: Provenance,
        failed: Mapping[str, str],
        seconds: float,
        more: Mapping[str, Any] | None = None,
    ) -> "Counts":
        """Merge the parts into the files of the whole run.

        These are ``attributes.json``, ``summary.csv``, ``trials.parquet`` and ``run.toml``.

        Args:
            provenance: What the run says of itself.
            failed: Who could not be searched, and why.
            seconds: How long this call took.
            more: Tables of ``run.toml`` besides.
        """
        counts = self.write_tables(provenance.file())
        self._merge_trials()
        earlier = read_run(self.path).get("result", {}).get("seconds", 0.0)
        result = {
            "identities": counts.people + len(failed),
            "feasible": counts.feasible,
            **counts.verdicts.figures(),
            "failed": len(failed),
            "evaluations": counts.evaluations,
            "seconds": round(seconds + earlier, 3),
        }
        about = {"result": result, "machine": machine(), "versions": versions(), **(more or {})}
        failures = [{"id": name, "reason": reason} for name, reason in sorted(failed.items())]
        write_run(self.path, {**provenance.head(), **about, "failures": failures})
        return counts

    def write_tables(self, head: AttributesFile) -> "Counts":
        """Write ``attributes.json`` and ``summary.csv`` from the parts, without dropped people.

        Memory does not grow with the people.

        Args:
            head: What ``attributes.json`` says besides the people.

        Returns:
            Counts of all people, and of the feasible ones that count.
        """
        dropped = read_decisions(self.path).dropped
        counts = Counts()
        rows: list[dict[str, Any]] = []
        with (
            written(self.path / "attributes.json") as export,
            written(self.path / "summary.csv") as summary,
            export.open("w", encoding="utf-8") as lines,
        ):

            def feasible() -> Iterator[PersonRecord]:
                for part in self.read_people():
                    counts.add(part, part.record.id in dropped)
                    if part.record.id not in dropped:
                        rows.append(summary_row(part))
                        if part.record.feasible:
                            yield part.exported
                    if len(rows) >= ROWS_AT_ONCE:
                        add_rows(summary, rows, NO_ROWS)

            lines.writelines(json_lines(head, feasible()))
            add_rows(summary, rows, NO_ROWS)
        return counts

    def _merge_trials(self) -> None:
        names = [path.stem for path in sorted(self.people.glob("*.json"))]
        join_tables(
            [self.people / f"{name}.parquet" for name in names],
            TRIAL_SCHEMA,
            self.path / "trials.parquet",
        )
        predicted = [self.people / f"{name}{PREDICTED}" for name in names]
        predicted = [path for path in predicted if path.is_file()]
        if predicted:
            join_tables(predicted, PREDICTION_SCHEMA, self.path / "surrogate.parquet")


def files_of(part: PersonPart) -> Iterator[str]:
    """Paths inside the run of what a person has besides the part: trials, then pictures."""
    yield f"people/{file_name(part.record.id)}.parquet"
    for names in part.images.values():
        yield from (name for name in names if is_inside(name))


def files_beside(path: Path, part: PersonPart) -> list[str]:
    """As :func:`files_of`, with whatever else the part at ``path`` has a checksum of."""
    sealed = sealed_files(json.loads(path.read_text(encoding="utf-8")))
    return list(dict.fromkeys([*files_of(part), *(name for name in sealed if is_inside(name))]))


def is_inside(name: str) -> bool:
    """Whether a path that a file gives stays in the run's folder.

    >>> is_inside("images/a/best_0.jpg"), is_inside("../a.jpg"), is_inside("/etc/passwd")
    (True, False, False)
    """
    path = PurePosixPath(name)
    return (
        not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name
    )


def summary_row(part: PersonPart) -> dict[str, Any]:
    """A person's row of ``summary.csv``.

    The held-back columns are empty where no picture was kept back.
    """
    held = part.heldback.model_dump() if part.heldback else {}
    return {
        **flatten(part.exported),
        **{name: held.get(name.removeprefix("heldback_")) for name in HELDBACK_COLUMNS},
    }


def read_part(path: Path) -> PersonPart:
    """A finished person's file.

    Raises:
        InputError: Not there, or damaged.
    """
    hint = "run again with --resume"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not is_whole(record):
            raise InputError(path, required="a finished person", found="a damaged file", hint=hint)
        return PersonPart.model_validate(record)
    except OSError as error:
        raise InputError(
            path, required="a finished person", found="no such file", hint=hint
        ) from error
    except (ValidationError, ValueError, RecursionError, AttributeError) as error:
        raise InputError(
            path, required="a finished person", found="a damaged file", hint=hint
        ) from error
