"""What a person decides about the people of a job, as changes of ``people.json``."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from attrsearch.core.attributes import Gender
from attrsearch.core.errors import InputError
from attrsearch.runs.people_file import Do, Part, PeopleFile, Somebody, Split


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DoChange(_Change):
    """What becomes of some people; of everybody, who may be more than a request can name."""

    kind: Literal["do"]
    people: tuple[str, ...] | Literal["everybody"]
    do: Do


class GenderChange(_Change):
    """A person's gender; None lets it be guessed."""

    kind: Literal["gender"]
    person: str
    gender: Gender | None


class RenameChange(_Change):
    """Another name for a person."""

    kind: Literal["rename"]
    person: str
    name: str = Field(min_length=1, max_length=80, pattern=r"^[^/\\\x00-\x1f]+$")


class MergeChange(_Change):
    """Two people are one: the second one's parts are the first one's."""

    kind: Literal["merge"]
    person: str
    other: str


class ApartChange(_Change):
    """Some parts of a person are somebody else."""

    kind: Literal["apart"]
    person: str
    parts: tuple[str, ...]


class SplitChange(_Change):
    """A track is somebody else from a frame on."""

    kind: Literal["split"]
    person: str
    track: int
    frame: int


Change = Annotated[
    DoChange | GenderChange | RenameChange | MergeChange | ApartChange | SplitChange,
    Field(discriminator="kind"),
]


class ChangeRequest(_Change):
    """A change as the page asks for it."""

    change: Change


def changed(file: PeopleFile, change: Change) -> PeopleFile:
    """The file after a change.

    Raises:
        InputError: It names somebody who is not there, or would leave somebody without parts.
    """
    people = {person.id: person for person in file.people}

    match change:
        case DoChange():
            for name in people if change.people == "everybody" else change.people:
                people[name] = _replace(people, name, do=change.do)
        case GenderChange():
            people[change.person] = _replace(people, change.person, gender=change.gender)
        case RenameChange():
            return _renamed(file, change)
        case MergeChange():
            _merge(people, change)
        case ApartChange():
            _part_off(people, change)
        case SplitChange():
            return _split(file, people, change)

    return _with(file, people)


def _with(file: PeopleFile, people: dict[str, Somebody]) -> PeopleFile:
    # by way of validation: no part may be two people's
    return PeopleFile.model_validate({**dict(file), "people": tuple(people.values())})


def _replace(people: dict[str, Somebody], name: str, **values: object) -> Somebody:
    if name not in people:
        required = "a person of this job"
        raise InputError("person", required=required, found=name, hint="reload the page")

    return people[name].model_copy(update=values)


def _renamed(file: PeopleFile, change: RenameChange) -> PeopleFile:
    name = change.name.strip()
    people = {person.id: person for person in file.people}
    if name in people and name != change.person:
        hint = "choose another name, or merge the two"
        raise InputError("name", required="a name of one's own", found=name, hint=hint)

    # as they stand: who is renamed does not move to another place in the gallery
    renamed = _replace(people, change.person, id=name)
    named = {}
    for person in file.people:
        named[person.id] = renamed if person.id == change.person else person

    return _with(file, named)


def _merge(people: dict[str, Somebody], change: MergeChange) -> None:
    one = _replace(people, change.person)
    other = _replace(people, change.other)
    if one.id == other.id:
        hint = "choose somebody else"
        raise InputError("other", required="another person", found=one.id, hint=hint)

    people[one.id] = one.model_copy(update={"parts": (*one.parts, *other.parts)})
    del people[other.id]


def _part_off(people: dict[str, Somebody], change: ApartChange) -> None:
    one = _replace(people, change.person)
    chosen = [part for part in one.parts if part in change.parts]
    if not chosen or len(chosen) == len(one.parts):
        hint = "choose some of them, but not all"
        raise InputError("parts", required="some parts", found=f"{len(chosen)}", hint=hint)

    kept = tuple(part for part in one.parts if part not in chosen)
    people[one.id] = one.model_copy(update={"parts": kept})
    new = new_name(people.__contains__)
    people[new] = Somebody(id=new, do=one.do, parts=tuple(chosen))


def _split(file: PeopleFile, people: dict[str, Somebody], change: SplitChange) -> PeopleFile:
    one = _replace(people, change.person)
    track = str(change.track)
    part = file.parts.get(track)
    if track not in one.parts or part is None or part.first is None or part.last is None:
        hint = "reload the page"
        raise InputError("track", required=f"a track of {one.id}", found=track, hint=hint)

    if not part.first < change.frame <= part.last:
        required = f"a frame from {part.first + 1} to {part.last}"
        hint = "choose a frame in which somebody else is there already"
        raise InputError("frame", required=required, found=str(change.frame), hint=hint)

    # the number that the command will give the track: both count on from the highest
    number = max(map(int, file.parts)) + 1
    early, late = _halves(part, change.frame)
    new = new_name(people.__contains__)
    people[new] = Somebody(id=new, do=one.do, parts=(str(number),))
    split = Split(track=change.track, frame=change.frame, new=number)
    parts = {**file.parts, track: early, str(number): late}
    return _with(file.model_copy(update={"parts": parts, "splits": (*file.splits, split)}), people)


def _halves(part: Part, frame: int) -> tuple[Part, Part]:
    """What is known of a track's halves; of how many frames they are seen in, an estimate."""
    first = part.first or 0
    last = part.last or first
    share = (frame - first) / max(1, last - first + 1)
    early = tuple(shot for shot in part.shots if (shot.frame or 0) < frame)
    late = tuple(shot for shot in part.shots if (shot.frame or 0) >= frame)
    is_early = (part.at or 0) < frame
    nowhere = {"at": None, "box": None}
    seen = max(1, round(share * part.frames))
    one = {"last": frame - 1, "frames": seen, "shots": early}
    two = {"first": frame, "frames": max(1, part.frames - seen), "shots": late}
    return (
        part.model_copy(update=one if is_early else one | nowhere),
        part.model_copy(update=two | nowhere if is_early else two),
    )


def new_name(taken: Callable[[str], bool]) -> str:
    """A name for a person who was taken for another.

    >>> new_name({"person_001", "person_003"}.__contains__)
    'person_002'
    """
    number = 1
    while taken(f"person_{number:03d}"):
        number += 1

    return f"person_{number:03d}"
