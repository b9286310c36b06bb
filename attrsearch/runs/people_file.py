"""``people.json``: who was found in a video or a folder, and what is to become of each.

``attrsearch anonymise --find-only`` writes one, a person or the studio changes it, and
``attrsearch anonymise --who`` reads it.  A *part* is what was seen of one person without a break: a
track of a video, or a picture of a folder.
"""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from attrsearch.core.attributes import Gender
from attrsearch.core.errors import InputError
from attrsearch.core.recipes.base import Recipe

FOLDER = "found"
"""Folder of a run that ``--find-only`` writes to."""
FILE = "people.json"
MAX_BYTES = 20_000_000
Do = Literal["anonymise", "leave", "filter"]
"""What becomes of a person: a set is searched and applied, nothing, or the filter."""


class Shot(Recipe):
    """A picture of a face: a file beside ``people.json``, and its frame in a video."""

    file: str
    frame: int | None = None


class Part(Recipe):
    """What was seen of one person without a break.

    Attributes:
        first: First frame of a track; None for a picture.
        last: Its last frame.
        frames: In how many it is seen.
        width: Median width of the face, pixels.
        shots: The best looks, the best first; none where no look was good enough to be known by.
        at: Frame in which the face is widest.
        box: Where it is then: left, top, right, bottom.
    """

    first: int | None = None
    last: int | None = None
    frames: int = 1
    width: float = 0.0
    shots: tuple[Shot, ...] = ()
    at: int | None = None
    box: tuple[float, float, float, float] | None = None


class Split(Recipe):
    """A track that is two people: what comes from ``frame`` on is the new track ``new``."""

    track: int
    frame: int = Field(ge=1)
    new: int


class Somebody(Recipe):
    """A person.

    Attributes:
        id: Their name in the run.
        do: What becomes of them.
        gender: Given by the user; guessed where it is None.
        parts: Their tracks (numbers as text), or their pictures (paths in the folder).
    """

    id: str = Field(min_length=1, max_length=200)
    do: Do = "anonymise"
    gender: Gender | None = None
    parts: tuple[str, ...]


class PeopleFile(Recipe):
    """The whole file.

    Attributes:
        people: Everybody; no part is two people's.
        splits: Tracks that are divided before, in this order.
        parts: What is known of each part; not needed to decide.
        rate: Frames a second of a video; 0 for pictures.
        frames: How many a video has; 0 for pictures.
    """

    format: Literal["attrsearch/people"] = "attrsearch/people"
    version: Literal[1] = 1
    people: tuple[Somebody, ...]
    splits: tuple[Split, ...] = ()
    parts: Mapping[str, Part] = {}
    rate: float = 0.0
    frames: int = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [person.id for person in self.people]
        taken = list(chain.from_iterable(person.parts for person in self.people))
        for what, values in (("person", names), ("part", taken)):
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice is not None:
                raise ValueError(f"{what} {twice} is there twice")

        return self

    def named(self, do: Do) -> frozenset[str]:
        """The people of whom something becomes."""
        return frozenset(person.id for person in self.people if person.do == do)

    @property
    def genders(self) -> dict[str, Gender]:
        """Person to gender, where it was given."""
        return {person.id: person.gender for person in self.people if person.gender is not None}

    @property
    def owners(self) -> dict[str, str]:
        """Part to person."""
        found: dict[str, str] = {}
        for person in self.people:
            found |= dict.fromkeys(person.parts, person.id)

        return found


def read_people(path: Path) -> PeopleFile:
    """Read ``people.json``.

    Raises:
        InputError: It is not there, or no such file.
    """
    hint = "write one with attrsearch anonymise INPUT --find-only"

    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= MAX_BYTES else ""
        return PeopleFile.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        found = f"{place}: {first['msg']}"
        raise InputError(path, required="a people file", found=found, hint=hint) from error
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise InputError(path, required="a people file", found=found, hint=hint) from error


def text_of(people: PeopleFile) -> str:
    """The file's text."""
    return people.model_dump_json(indent=1) + "\n"
