"""Which picture becomes which file, and whose set it gets; nothing heavy is loaded for it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from attrsearch.anonymise.picture_files import refuse_replacing, targets
from attrsearch.core.errors import InputError
from attrsearch.core.names import readable
from attrsearch.faces.images import left_out, tree_pictures
from attrsearch.runs.attributes_file import AttributesFile, PersonRecord
from attrsearch.runs.people_file import PeopleFile


def plan(
    source: Path,
    target: Path,
    file: AttributesFile,
    person: str | None,
    suffix: str | None = None,
) -> list[tuple[Path, Path, PersonRecord | None]]:
    """Which picture becomes which file, and whose set it gets.

    A picture belongs to the person given, else to the person its folder is named after, else to the
    one its file is named after, else to the only person of the export.  It keeps its kind unless
    ``suffix`` says otherwise.

    Raises:
        InputError: No pictures, or a person the export does not have.
        OutputError: An output would replace an input, or a file that was not written here.
    """
    file.require(person)
    pairs = check_places(source, target, suffix)
    root = source.parent if source.is_file() else source

    return [(path, place, _whose(path, root, file, person)) for path, place in pairs]


def check_places(source: Path, target: Path, suffix: str | None = None) -> list[tuple[Path, Path]]:
    """Which picture becomes which file.

    Args:
        source: A picture, or a folder of pictures.
        target: What to write: as ``source``.
        suffix: Kind of the pictures written (``.png``); each keeps its own by default.

    Raises:
        InputError: There is no picture.
        OutputError: An output would replace an input, or a file that was not written here.
    """
    if source.is_file():
        named = bool(target.suffix) and not target.is_dir()
        place = target if named else targets([source], source.parent, target, suffix)[0]
        refuse_replacing([source], [place])
        return [(source, place)]

    if not source.is_dir():
        hint = "give a picture or a folder of pictures"
        raise InputError(source, required="a picture or a folder", found="no such file", hint=hint)

    apart = _set_apart(source, target)
    pictures = [path for path in tree_pictures(source) if not _is_below(path, apart)]
    if not pictures:
        hint = "give a folder with pictures in it or in its sub-folders"
        raise InputError(source, required="pictures", found="none", hint=hint)

    places = targets(pictures, source, target, suffix)
    refuse_replacing(pictures, places)
    return list(zip(pictures, places, strict=True))


def with_owners(
    work: Sequence[tuple[Path, Path, PersonRecord | None]],
    source: Path,
    given: PeopleFile,
    file: AttributesFile,
) -> tuple[list[tuple[Path, Path, PersonRecord | None]], frozenset[Path]]:
    """A plan in which pictures are whose somebody said they are.

    Args:
        work: The plan.
        source: What was given.
        given: Who is who.
        file: The sets.

    Returns:
        The plan, in which people who are not anonymised have no set, and the pictures of those who
        are left as they are.
    """
    root = source.parent if source.is_file() else source
    owners = given.owners
    searched = given.named("anonymise")
    visible = given.named("leave")
    planned: list[tuple[Path, Path, PersonRecord | None]] = []
    left = set()

    for path, place, _ in work:
        owner = owners.get(path.relative_to(root).as_posix(), "")
        planned.append((path, place, file.find(owner) if owner in searched else None))
        if owner in visible:
            left.add(path)

    return planned, frozenset(left)


def others_in(source: Path, target: Path, taken: Iterable[Path]) -> list[Path]:
    """Entries of a folder that a plan leaves out: other kinds of files, links that lead elsewhere.

    An output inside the folder is no input, and is not named.

    Args:
        source: What was given.
        target: What is written.
        taken: The pictures of the plan.
    """
    if not source.is_dir():
        return []

    apart = _set_apart(source, target)
    return [path for path in left_out(source, taken) if not _is_below(path, apart)]


def _whose(path: Path, root: Path, file: AttributesFile, person: str | None) -> PersonRecord | None:
    """The person given, or the one that a folder or the file is named after, or the only one."""
    if person is not None:
        return file.find(person)

    # the nearest folder first: a person's may have folders inside
    for folder in path.parents:
        if folder == root.parent:
            break

        found = file.find(readable(folder.name))
        if found is not None:
            return found

    only = file.identities[0] if len(file.identities) == 1 and path.parent == root else None
    return file.find(readable(path.stem)) or only


def _set_apart(source: Path, target: Path) -> list[Path]:
    """The folder inside the input that this command writes to: what it wrote before is no input."""
    if not target.is_dir():
        return []

    found = []
    for path in source.rglob("*"):
        # a link into the input is no folder of it
        if path.is_dir() and not path.is_symlink() and path.samefile(target):
            found.append(path)

    return found


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(folder in path.parents for folder in folders)
