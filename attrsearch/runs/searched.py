"""Who each finished person of a run was: of whom somebody says otherwise is searched again."""

import hashlib
import json
from pathlib import Path

from attrsearch.core.files import file_name, write_text
from attrsearch.runs.people_file import PeopleFile, Somebody

FILE = "searched.json"


def forget_changed(run: Path, given: PeopleFile) -> list[str]:
    """Forget the results of people who are somebody else now, or whose gender was given anew.

    Args:
        run: The run's folder; it may not be there yet.
        given: Who is who.

    Returns:
        The people who are forgotten, by name.
    """
    now = {person.id: _digest(person) for person in given.people}
    try:
        before = json.loads((run / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}

    forgotten = []
    for name in sorted({*before, *now}):
        part = run / "people" / f"{file_name(name)}.json"
        if before.get(name) != now.get(name) and part.is_file():
            part.unlink()
            forgotten.append(name)

    write_text(run / FILE, json.dumps(now, indent=1, ensure_ascii=False) + "\n")
    return forgotten


def _digest(person: Somebody) -> str:
    told = json.dumps([sorted(person.parts), person.gender])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
