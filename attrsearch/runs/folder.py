"""The files of a run: one part a finished person, merged into the tables when the run ends.

A person is finished when ``people/<person>.json`` exists; it is written last, so that a killed run
has whole people or none, and ``--resume`` continues with the others.  That file has checksums of
itself and of the person's trials and pictures.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from attrsearch.core.encryption import locked, private_path
from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.files import file_name, is_part, write_bytes, write_text, written
from attrsearch.runs.attributes_file import AttributesFile, PersonRecord, json_lines
from attrsearch.runs.checksums import seal
from attrsearch.runs.metadata import Provenance, machine, plain, read_run, versions, write_run
from attrsearch.runs.person_part import (
    HELDBACK_COLUMNS,
    PersonPart,
    files_of,
    read_part,
    summary_row,
)
from attrsearch.runs.review import read_decisions
from attrsearch.runs.same_settings import need_same
from attrsearch.runs.tables import add_rows, join_tables
from attrsearch.runs.trials_file import PREDICTION_SCHEMA, TRIAL_SCHEMA
from attrsearch.runs.verdict import Verdicts

ROWS_AT_ONCE = 1000
NO_ROWS = ("id", "feasible", *HELDBACK_COLUMNS)
PREDICTED = ".predicted.parquet"
"""Ends the file of a person's predictions; no file name of a person has a dot."""


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

        hint = "choose another folder"
        if (self.path / "run.toml").exists():
            found = "a run"
            hint = f"add --resume to continue it, or {hint}"
        elif all(map(is_part, self.path.iterdir())):
            return
        else:
            found = "other files"

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

        # the part is written last, but trials may have been deleted since
        trials = self.people / f"{file_name(identity)}.parquet"
        return part if trials.is_file() else None

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
        files = [*files_of(part), f"people/{name}{PREDICTED}"]
        record = seal(json.loads(part.model_dump_json()), self.path, files)
        text = json.dumps(record, indent=1, ensure_ascii=False)
        write_text(self.people / f"{name}.json", text + "\n")

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
            path = private_path(path)
            data = locked(data)

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
        # a run that was continued took the time of its earlier calls, too
        earlier = read_run(self.path).get("result", {}).get("seconds", 0.0)
        result = {
            "identities": counts.people + len(failed),
            "feasible": counts.feasible,
            **counts.verdicts.figures(),
            "failed": len(failed),
            "evaluations": counts.evaluations,
            "seconds": round(seconds + earlier, 3),
        }
        failures = [{"id": name, "reason": reason} for name, reason in sorted(failed.items())]
        about = {
            **provenance.head(),
            "result": result,
            "machine": machine(),
            "versions": versions(),
            **(more or {}),
            "failures": failures,
        }
        write_run(self.path, about)
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
                # one pass over the people writes both files: a hundred thousand parts take minutes
                for part in self.read_people():
                    dropped_person = part.record.id in dropped
                    counts.add(part, dropped_person)

                    if not dropped_person:
                        rows.append(summary_row(part))
                        if part.record.feasible:
                            yield part.exported

                    if len(rows) >= ROWS_AT_ONCE:
                        add_rows(summary, rows, NO_ROWS)

            lines.writelines(json_lines(head, feasible()))
            add_rows(summary, rows, NO_ROWS)

        return counts

    def _merge_trials(self) -> None:
        trials = []
        predicted = []

        # in the order of names, whoever was finished first: the file is the same every time
        for path in sorted(self.people.glob("*.json")):
            trials.append(self.people / f"{path.stem}.parquet")
            # without a surrogate nothing is predicted, and there is no such file
            predictions = self.people / f"{path.stem}{PREDICTED}"
            if predictions.is_file():
                predicted.append(predictions)

        join_tables(trials, TRIAL_SCHEMA, self.path / "trials.parquet")
        if predicted:
            join_tables(predicted, PREDICTION_SCHEMA, self.path / "surrogate.parquet")
