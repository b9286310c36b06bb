"""What people decided about a run after the search.

Who is dropped, how a winner looks, who chose it.

``decisions.json`` holds what counts now, ``changes.jsonl`` who changed what and when, a line a
change, never rewritten.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.files import write_text

FILE = "decisions.json"
LOG = "changes.jsonl"
GRADES = ("bad", "OK", "good")
"""How a winner looks, by grade (thesis, section 4.3.1)."""

MAX_TAGS = 12
MAX_NOTE = 2000
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=MAX_TAGS)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NOTE)]


class Decision(BaseModel):
    """What was decided about one person.

    Attributes:
        dropped: Left out of ``attributes.json``, ``summary.csv`` and the report.
        grade: How the winner looks, an index of ``GRADES``; None where nobody said.
        chosen_by: Who chose the winner; None where the search did.
        tags: Words to find the person by again.
        note: What somebody wrote down; like the tags, it stays out of exports and the report.
    """

    model_config = ConfigDict(frozen=True)
    dropped: bool = False
    grade: Annotated[int, Field(ge=0, lt=len(GRADES))] | None = None
    chosen_by: str | None = None
    tags: Tags = ()
    note: Note = ""


class Decisions(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True)
    format: Literal["attrsearch/decisions"] = "attrsearch/decisions"
    version: Literal[1] = 1
    people: dict[str, Decision] = {}

    def of(self, identity: str) -> Decision:
        """The decision about a person; the default where there is none."""
        return self.people.get(identity, Decision())

    @property
    def dropped(self) -> frozenset[str]:
        """Everyone who is dropped."""
        return frozenset(name for name, decision in self.people.items() if decision.dropped)


def read_decisions(run: Path) -> Decisions:
    """The decisions about a run; none where there is no file.

    Raises:
        InputError: The file is damaged.
    """
    path = run / FILE

    try:
        return Decisions.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Decisions()
    except (OSError, ValidationError, ValueError) as error:
        hint = f"restore it, or remove it to forget the decisions ({LOG} still has them)"
        raise InputError(
            path, required="decisions of a dashboard", found="a damaged file", hint=hint
        ) from error


def decide(
    run: Path, identity: str, who: str, action: str, details: dict[str, Any], **changes: Any
) -> Decision:
    """Log a change, then make it count.

    Args:
        run: The run's folder.
        identity: The person it is about.
        who: Who decided.
        action: ``winner``, ``drop``, ``grade`` or ``note``.
        details: What the log says besides who, when and what.
        changes: Fields of :class:`Decision` and their new values.

    Raises:
        OutputError: It cannot be written; nothing counts then.
    """
    decisions = read_decisions(run)
    decision = Decision.model_validate({**decisions.of(identity).model_dump(), **changes})
    _log(run / LOG, {"when": _now(), "who": who, "action": action, "person": identity, **details})
    people = {**decisions.people, identity: decision}
    write_text(run / FILE, Decisions(people=people).model_dump_json(indent=1) + "\n")

    return decision


def _log(path: Path, line: dict[str, Any]) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        found = error.strerror or str(error)
        raise OutputError(
            path, required="a log that can be written to", found=found, hint="mend that"
        ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
