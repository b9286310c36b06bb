"""Edits of a run to be graded, and the grades a person gave: ``grades.csv`` in the run's folder.

Source: thesis 4.4, where edits were graded bad, OK or good by eye.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text
from attrsearch.report.cohort import CANDIDATES
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.review import read_decisions

Grade = Literal["bad", "OK", "good"]
GRADES: tuple[Grade, ...] = get_args(Grade)
FILE = "grades.csv"
COLUMNS = ("identity", "trial", "picture", "grade")


@dataclass(frozen=True)
class Edit:
    """One edited picture of a run.

    Attributes:
        identity: The person.
        trial: Which candidate.
        picture: The file inside the run.
        attributes: Pass one and pass two, (26,); zeros where there is no second pass.
    """

    identity: str
    trial: int
    picture: str
    attributes: npt.NDArray[np.float32]


def edits_of(run: Path) -> list[Edit]:
    """Every edited picture a run kept: the first of each winner and of its alternatives.

    Raises:
        InputError: The folder holds no run, or one without pictures.
    """
    read_run(run)
    folder = RunFolder(run)
    found: list[Edit] = []

    for part in folder.read_people():
        trials = folder.read_trials(part.record.id).set_index("trial")
        pictures = [
            part.images.get("best", ())[:1],
            *([name] for name in part.images.get("runner", ())),
        ]

        # a run may have kept pictures of fewer alternatives than it has
        for trial, names in zip((part.winner, *part.runners), pictures, strict=False):
            values = np.nan_to_num(trials.loc[trial, list(CANDIDATES)].to_numpy(np.float32))
            for name in names:
                if (run / name).is_file():
                    found.append(Edit(part.record.id, int(trial), name, values))

    if not found:
        hint = "grade a run of attrsearch run that has finished people"
        raise InputError(run, required="a run with pictures", found="none", hint=hint)

    return found


def read_grades(run: Path) -> dict[str, Grade]:
    """The grades given so far, by picture; none where nobody has graded.

    Raises:
        InputError: The file is damaged.
    """
    path = run / FILE
    if not path.exists():
        return {}

    grades: dict[str, Grade] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            grade = next((known for known in GRADES if known == row.get("grade")), None)
            if grade is None or not row.get("picture"):
                hint = "mend that line or remove the file"
                raise InputError(
                    f"{path}, line {line}", required="bad, OK or good", found=str(row), hint=hint
                )

            grades[row["picture"]] = grade

    return grades


def all_grades(run: Path, edits: list[Edit]) -> dict[str, Grade]:
    """The grades of this page, and, for winners it has none of, those given in the dashboard."""
    decisions = read_decisions(run)
    grades: dict[str, Grade] = {}

    for edit in edits:
        given = decisions.of(edit.identity).grade
        if given is not None and Path(edit.picture).name.startswith("best_"):
            grades[edit.picture] = GRADES[given]

    return grades | read_grades(run)


def write_grade(run: Path, edits: list[Edit], picture: str, grade: str) -> None:
    """Keep one grade; a second one for the same picture replaces the first.

    Raises:
        InputError: No such picture in the run, or no such grade.
    """
    known = next((name for name in GRADES if name == grade), None)

    if known is None or picture not in {edit.picture for edit in edits}:
        hint = "grade the pictures that the page shows"
        raise InputError(
            picture, required=f"a picture of the run and {GRADES}", found=grade, hint=hint
        )

    grades = read_grades(run) | {picture: known}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for edit in edits:
        if edit.picture in grades:
            writer.writerow((edit.identity, edit.trial, edit.picture, grades[edit.picture]))

    write_text(run / FILE, text.getvalue())
