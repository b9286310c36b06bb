"""``attrsearch scrub``: remove what could identify a person from a run; list what is left.

What stays are the settings, the counts, and what was measured of each winner, under numbers in an
order drawn at random.  Attribute sets go too (whoever owns the editor could link faces with them),
and so do the seeds of people, which are made from their names.  Files are unlinked: what a disk or
its copies still hold is beyond this program.
"""

import csv
import random
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text
from attrsearch.core.names import from_csv_cell
from attrsearch.core.picking import without
from attrsearch.runs.metadata import read_run, write_run
from attrsearch.runs.person_part import PersonPart, read_part

KEPT_FILES = ("run.toml", "summary.csv")
MEASURES = (
    "feasible",
    "faces",
    "evaluations",
    "utility",
    "detection",
    "iou",
    "distance",
    "worst_distance",
    "verdict",
)
HELDBACK = ("detection", "iou", "distance", "worst_distance", "feasible")
SHORTEST = 3
"""Names shorter than this are not looked for in what is left: they stand in every word."""


@dataclass(frozen=True)
class Left:
    """A file that is left: its path inside the run, its size, and what it holds."""

    path: str
    size: int
    holds: str


@dataclass(frozen=True)
class Scrubbed:
    """What a scrub did.

    Attributes:
        removed: How many files are gone.
        left: What is left.
        looked_for: How many names and file names of people were looked for in it.
        found: Those that were found, which should be none.
    """

    removed: int
    left: tuple[Left, ...]
    looked_for: int
    found: tuple[str, ...]


def scrub_run(run: Path) -> Scrubbed:
    """Scrub a run; this cannot be undone.

    Raises:
        InputError: No run: nothing is removed from a folder that is none.
        OutputError: What is left cannot be written.
    """
    about = read_run(run)
    if about.get("format") != "attrsearch/run":
        hint = "give the folder that attrsearch run wrote with --out"
        raise InputError(run, required="a run (run.toml)", found="another file", hint=hint)

    parts = list(_whole_parts(run))
    secrets = _secrets(run, about, parts)
    rows = [_row(part) for part in parts]
    # people are listed by name: their order would give some of them away, and a seed all of it
    random.SystemRandom().shuffle(rows)
    files = sum(path.is_file() or path.is_symlink() for path in run.rglob("*"))

    # a scrub that was stopped has written these, and people may be gone
    if not about.get("scrubbed"):
        write_text(run / "summary.csv", _table(rows))
        write_run(run, _nameless(about))

    # by what stays, not by what goes: whatever a later version writes is removed as well
    for path in sorted(run.iterdir()):
        if path.name not in KEPT_FILES:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    left = tuple(_left(run))
    return Scrubbed(files - len(left), left, len(secrets), tuple(_found(run, secrets)))


def _whole_parts(run: Path) -> Iterator[PersonPart]:
    for path in sorted((run / "people").glob("*.json")):
        try:
            yield read_part(path)
        except InputError:  # damaged: it goes with the others
            continue


def _row(part: PersonPart) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(part.exported, name, None) for name in MEASURES}
    row["worst_distance"] = part.worst_distance
    if part.heldback is not None:
        row |= {f"heldback_{name}": getattr(part.heldback, name) for name in HELDBACK}

    return row


def _table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as CSV, under numbers in place of names."""
    measures = (*MEASURES, *(f"heldback_{name}" for name in HELDBACK))
    lines = [",".join(("person", *measures))]
    width = len(str(len(rows)))

    for number, row in enumerate(rows, 1):
        cells = [str(row.get(name, "")) for name in measures]
        lines.append(",".join((f"person_{number:0{width}d}", *cells)))

    return "\n".join(lines) + "\n"


def _nameless(about: dict[str, Any]) -> dict[str, Any]:
    """``run.toml`` without places, people and hosts; paths in settings lose their folders."""
    kept = without(about, "failures", "faces", "shard")
    kept["settings"] = _without_folders(kept.get("settings", {}))
    kept["call"] = without(kept.get("call", {}), "host")

    return {**kept, "scrubbed": True}


def _without_folders(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_folders(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_folders(inner) for inner in value]
    # a bare name is bundled and says nothing of anybody
    if isinstance(value, str) and value.startswith(("/", "./", "../", "~")):
        return Path(value).name

    return value


def _secrets(run: Path, about: dict[str, Any], parts: Sequence[PersonPart]) -> set[str]:
    """Names of people, of their files and folders, and where the pictures are."""
    found = {part.record.id for part in parts}
    found |= {str(item.get("id", "")) for item in about.get("failures", [])}
    # a damaged part cannot be read, and its file still has the person's name
    for folder in ("people", "images"):
        found |= {path.name.split(".")[0] for path in (run / folder).glob("*")}

    found.add(str(about.get("faces", "")))
    summary = run / "summary.csv"

    if summary.is_file():
        with summary.open(newline="", encoding="utf-8") as file:
            found |= {str(from_csv_cell(row.get("id") or "")) for row in csv.DictReader(file)}

    return {name for name in found if len(name) >= SHORTEST}


def _left(run: Path) -> Iterator[Left]:
    for path in sorted(filter(Path.is_file, run.rglob("*"))):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            lines = text.splitlines()
            holds = f"{len(lines) - 1} rows: {lines[0]}"
        else:
            holds = ", ".join(re.findall(r"^\[([a-z]+)\]", text, flags=re.MULTILINE))

        yield Left(path.relative_to(run).as_posix(), path.stat().st_size, holds)


def _found(run: Path, secrets: set[str]) -> Iterator[str]:
    """Secrets that stand in what is left, as words of their own."""
    texts = []
    for path in run.rglob("*"):
        # a file's own name may be a person's
        texts.append(path.name.lower())
        if path.is_file():
            texts.append(path.read_text(encoding="utf-8").lower())

    for secret in sorted(secrets):
        # "ann" in "cannot" is nobody
        word = re.compile(rf"(?<!\w){re.escape(secret.lower())}(?!\w)")
        if any(word.search(text) for text in texts):
            yield secret
