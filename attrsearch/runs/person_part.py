"""What is kept of a finished person: ``people/<person>.json``, which means *finished*."""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from attrsearch.core.errors import InputError
from attrsearch.core.files import file_name
from attrsearch.runs.attributes_file import PersonRecord, flatten
from attrsearch.runs.checksums import is_whole, sealed_files
from attrsearch.runs.verdict import Verdict, verdict_of

HELDBACK_COLUMNS = (
    "heldback_detection",
    "heldback_iou",
    "heldback_distance",
    "heldback_worst_distance",
    "heldback_feasible",
)


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


def files_of(part: PersonPart) -> Iterator[str]:
    """Paths inside the run of what a person has besides the part: trials, then pictures."""
    yield f"people/{file_name(part.record.id)}.parquet"

    for names in part.images.values():
        # a part may come from elsewhere, and is not to lead out of the run
        yield from filter(is_inside, names)


def files_beside(path: Path, part: PersonPart) -> list[str]:
    """As :func:`files_of`, with whatever else the part at ``path`` has a checksum of."""
    sealed = sealed_files(json.loads(path.read_text(encoding="utf-8")))
    return list(dict.fromkeys([*files_of(part), *filter(is_inside, sealed)]))


def is_inside(name: str) -> bool:
    """Whether a path that a file gives stays in the run's folder.

    >>> is_inside("images/a/best_0.jpg"), is_inside("../a.jpg"), is_inside("/etc/passwd")
    (True, False, False)
    """
    path = PurePosixPath(name)
    # a backslash parts folders elsewhere, and a NUL ends a name for the system but not for Python
    strange = "\\" in name or "\0" in name
    return not path.is_absolute() and ".." not in path.parts and not strange


def summary_row(part: PersonPart) -> dict[str, Any]:
    """A person's row of ``summary.csv``.

    The held-back columns are empty where no picture was kept back.
    """
    row = flatten(part.exported)
    held = part.heldback.model_dump() if part.heldback else {}
    for name in HELDBACK_COLUMNS:
        row[name] = held.get(name.removeprefix("heldback_"))

    return row


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
