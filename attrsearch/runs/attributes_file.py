"""``attributes.json``: the best attribute set of every person, as a versioned file."""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from attrsearch.core.attributes import (
    ATTRIBUTES,
    LIMIT,
    AttributeSet,
    Floats,
    Gender,
    from_named,
    named,
)
from attrsearch.core.errors import InputError
from attrsearch.core.names import as_read
from attrsearch.runs.verdict import Verdict

MAX_BYTES = 500_000_000
NOTICE = (
    "Personal data: whoever owns the editor can use these attribute sets to link edited faces to "
    "people. Keep this file as a secret. 'feasible' means that the set meets the constraints "
    "against the named recogniser at the named threshold on the pictures searched; 'verdict' says "
    "whether it also holds on pictures kept back from the search."
)

Value = Annotated[float, Field(ge=-LIMIT, le=LIMIT)]
Measure = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class EditorRecord(_Part):
    """Which editor the sets belong to."""

    name: str
    sha256: str


class RecogniserRecord(_Part):
    """Which recogniser the distances are of.

    Its scale, and the mean distance that counts as anonymised.
    """

    name: str
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    threshold: Measure


class DetectorRecord(_Part):
    """Which detector found the faces."""

    name: str


class PersonRecord(_Part):
    """One person's best attribute set and what it was measured to do.

    Attributes:
        second_pass: None for an edit in a single pass.
        distance: Mean over the searched faces, FaceNet scale.
        faces: How many pictures the search saw.
        verdict: What may be said of the person; None in files of earlier versions.
    """

    id: Annotated[str, Field(min_length=1, max_length=1000)]
    gender: Gender
    feasible: bool
    first_pass: dict[str, Value]
    second_pass: dict[str, Value] | None
    utility: Measure
    detection: Measure
    iou: Measure
    distance: Measure
    distance_raw: Measure
    faces: Annotated[int, Field(ge=0)]
    evaluations: Annotated[int, Field(ge=0)]
    verdict: Verdict | None = None

    @model_validator(mode="after")
    def _all_attributes(self) -> Self:
        for values in (self.first_pass, self.second_pass):
            if values is not None and set(values) != set(ATTRIBUTES):
                raise ValueError("a pass needs exactly the 13 attributes of AttGAN")

        return self

    def __repr__(self) -> str:
        word = "feasible" if self.feasible else "not anonymised"
        measured = f"distance {self.distance:.2f}, utility {self.utility:.2f}"
        return f"PersonRecord({self.id}: {word}, {measured})"

    __str__ = __repr__

    @property
    def attributes(self) -> AttributeSet:
        """The set as vectors."""
        second = None if self.second_pass is None else from_named(self.second_pass)
        return AttributeSet(from_named(self.first_pass), second)


class AttributesFile(_Part):
    """The whole file."""

    format: Literal["attrsearch/attributes"] = "attrsearch/attributes"
    version: Literal[1] = 1
    notice: str = NOTICE
    editor: EditorRecord
    recogniser: RecogniserRecord
    detector: DetectorRecord
    objective: str
    study: str
    seed: int
    identities: tuple[PersonRecord, ...]

    def __repr__(self) -> str:
        return f"AttributesFile({len(self.identities)} people, editor {self.editor.name})"

    __str__ = __repr__

    def find(self, identity: str) -> PersonRecord | None:
        """The record of a person, or None.

        Where nobody has exactly this name, the only one whose name reads the same (case, composed
        letters) is meant.
        """
        exact = next((person for person in self.identities if person.id == identity), None)
        if exact is not None:
            return exact

        # file systems compose letters and keep case each in their own way
        wanted = as_read(identity)
        alike = [person for person in self.identities if as_read(person.id) == wanted]
        return alike[0] if len(alike) == 1 else None

    def require(self, identity: str | None) -> None:
        """Refuse a name that nobody in the file has; None means that nobody was named.

        Raises:
            InputError: Nobody has it.
        """
        if identity is None or self.find(identity) is not None:
            return

        names = ", ".join(person.id for person in self.identities[:5]) or "nobody"
        more = " …" if len(self.identities) > 5 else ""
        raise InputError(
            identity,
            required="a person of the export",
            found=f"no {identity}; it has {names}{more}",
            hint="check the name",
        )


def read_attributes(path: str | Path) -> AttributesFile:
    """Read ``attributes.json``.

    Raises:
        InputError: Missing, not JSON, another format or version, or a value out of range.
    """
    path = Path(path)
    hint = "export it again: attrsearch export RUN"
    required = "an attributes file of attrsearch, version 1"

    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(
                path, required=f"at most {MAX_BYTES} bytes", found=str(size), hint="split the run"
            )

        data = json.loads(path.read_text(encoding="utf-8"))
        return AttributesFile.model_validate(data)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(path, required=required, found=found, hint=hint) from error
    except ValidationError as error:
        first = error.errors()[0]
        found = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
        raise InputError(path, required=required, found=found, hint=hint) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            path, required=required, found=f"no valid JSON ({error})", hint=hint
        ) from error


def to_json(file: AttributesFile) -> str:
    """The file as JSON text."""
    return "".join(json_lines(file, file.identities))


def json_lines(head: AttributesFile, people: Iterable[PersonRecord]) -> Iterator[str]:
    """The JSON text of a file, a piece a person, so that many people need no memory.

    Args:
        head: What the file says besides the people; its own people are left out.
        people: The people.
    """
    record = head.model_copy(update={"identities": ()}).model_dump()
    record.pop("identities")
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    # without the brace that closes it, and its line break: the people come before them
    yield text[:-2] + ',\n "identities": ['
    between = "\n"

    for person in people:
        text = json.dumps(person.model_dump(), indent=1, ensure_ascii=False, allow_nan=False)
        yield between + "  " + text.replace("\n", "\n  ")
        between = ",\n"

    yield "]\n}\n" if between == "\n" else "\n ]\n}\n"


def flatten(record: PersonRecord) -> dict[str, Any]:
    """A record as one flat row of ``first_…`` and ``second_…`` columns, NaN for a lacking pass."""
    fields = record.model_dump()
    first = fields.pop("first_pass")
    second = fields.pop("second_pass")
    head = {key: fields.pop(key) for key in ("id", "gender", "feasible")}
    passes = {f"first_{name}": first[name] for name in ATTRIBUTES}
    for name in ATTRIBUTES:
        passes[f"second_{name}"] = second[name] if second else math.nan

    return {**head, **passes, **fields}


def named_passes(passes: Floats) -> tuple[dict[str, float], dict[str, float] | None]:
    """The two dictionaries of a record for passes (1, 13) or (2, 13)."""
    return named(passes[0]), named(passes[1]) if len(passes) > 1 else None
