"""Who is in a folder, by names and files only: nothing heavy is loaded for it."""

import csv
from dataclasses import dataclass
from pathlib import Path

from attrsearch.core.attributes import GENDERS, Gender
from attrsearch.core.errors import InputError
from attrsearch.core.names import readable
from attrsearch.faces.images import is_run, list_pictures, tree_pictures


@dataclass(frozen=True)
class PersonFiles:
    """A person before any picture is read."""

    id: str
    files: tuple[Path, ...]


def find_people(folder: Path) -> list[PersonFiles]:
    """List the people of a folder without reading a picture.

    A folder with sub-folders holds one person in each, sub-folders of theirs included; a folder of
    pictures holds one person in each picture; a single picture is one person.

    Raises:
        InputError: No such folder, or no pictures in it.
    """
    hint = "give a folder with one sub-folder of pictures a person, or with one picture a person"
    if folder.is_file():
        return [PersonFiles(readable(folder.stem), (folder,))]
    if not folder.is_dir():
        raise InputError(folder, required="a folder of people", found="no such folder", hint=hint)

    people = []
    for child in sorted(folder.iterdir()):
        hidden = child.is_symlink() or child.name.startswith(".")
        if child.is_dir() and not hidden and not is_run(child):
            files = tuple(tree_pictures(child))
            people += [PersonFiles(readable(child.name), files)] if files else []

    single = list_pictures(folder)
    taken = {person.id for person in people}
    for path in single:
        # a.jpg and a.png are two people, and so are a folder a and a picture a.jpg
        name = readable(path.stem if path.stem not in taken else path.name)
        taken.add(name)
        people.append(PersonFiles(name, (path,)))

    if not people:
        raise InputError(folder, required="pictures of people", found="none", hint=hint)

    return people


def read_genders(path: Path) -> dict[str, Gender]:
    """Genders given by the user: a CSV file with the columns ``identity`` and ``gender``.

    A gender is male or female.

    Raises:
        InputError: Not such a file.
    """
    hint = "write lines such as: Some_Person,female"
    required = "a CSV file with the columns identity and gender"

    try:
        # spreadsheets begin UTF-8 with a mark that would be part of the first column's name
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, required=required, found=str(error), hint=hint) from error

    genders: dict[str, Gender] = {}
    # counted as an editor counts: the head is line 1
    for line, row in enumerate(rows, 2):
        name = row.get("identity")
        value = (row.get("gender") or "").strip().lower()
        gender = next((known for known in GENDERS if known == value), None)
        if not name or gender is None:
            raise InputError(
                f"{path}, line {line}", required=required, found=str(dict(row)), hint=hint
            )

        genders[name] = gender

    return genders
