"""What a dashboard knows of a run that may still go on: read again where a file changed."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.core.files import file_name
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.report.about import about, limits
from attrsearch.report.cohort import (
    MEASURED,
    missing_importance,
    packed,
    person_row,
    read_all_trials,
    read_trials,
)
from attrsearch.report.extras import read_judges, read_surrogate, read_video
from attrsearch.report.pictures import picture_file, shown_kinds
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.person_part import PersonPart, read_part
from attrsearch.runs.review import FILE as DECISIONS
from attrsearch.runs.review import read_decisions

EXTRAS = (
    "coverage.parquet",
    "coverage.parquet.fernet",
    "evaluation.json",
    "surrogate.parquet",
    "run.toml",
)


class LiveRun:
    """A run as the dashboard shows it.

    Every change has a revision: who asks with the last one they saw gets what changed since.

    Args:
        run: The run's folder.
        originals: Show untouched pictures.
    """

    def __init__(self, run: Path, originals: bool = False) -> None:
        self.path = run
        self.kinds = shown_kinds(originals)
        self.folder = RunFolder(run)
        self.head = read_run(run)
        self._limits = limits(self.head.get("settings", {}))
        # refuses a run that says nothing of itself, before a page is served
        about(self.head)
        self._lock = threading.Lock()
        self._seen: dict[Path, int] = {}
        self._order: list[str] = []
        self._keys: dict[str, int] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._parts: dict[str, PersonPart] = {}
        self._revisions: dict[str, int] = {}
        self._texts: dict[str, tuple[int, str]] = {}
        self._measuring: dict[str, dict[str, Any] | None] = {}
        self._extras: dict[str, Any] = {"video": None, "judges": None, "surrogate": None}
        self.revision = 0

    def refresh(self, progress: Progress[Step] = silent) -> None:
        """Read what changed on disk.

        Args:
            progress: Told of the stage ``read``, by people.
        """
        with self._lock:
            changed = self._changed()
            decided = self._is_new(self.path / DECISIONS)
            extras = [name for name in EXTRAS if self._is_new(self.path / name)]
            if not (changed or decided or extras):
                return

            self.revision += 1
            if extras:
                self.head = read_run(self.path)
                self._extras = {"video": read_video(self.path), "judges": read_judges(self.path)}
                finished = (self.path / "trials.parquet").is_file()
                self._extras["surrogate"] = read_surrogate(self.path) if finished else None

            parts = []
            for path in sorted(changed):
                part = self._read(path)
                if part:
                    parts.append(part)

            self._add(parts, progress)
            decisions = read_decisions(self.path)

            for name in self._order:
                self._decide(name, decisions.of(name).model_dump())

            # made now, so that whoever opens the page does not wait for it
            for name in self._order:
                self._row(name)

    def cohort(self, since: int) -> str:
        """What the page asks for every few seconds, as JSON.

        The head, and the people who changed after a revision.
        """
        with self._lock:
            result = self.head.get("result")
            head = {
                "revision": self.revision,
                "about": about(self.head),
                "state": {"running": result is None, "people": len(self._order)},
                **self._extras,
            }
            rows = [self._row(name) for name in self._order if self._revisions[name] > since]
            return f'{json.dumps(head)[:-1]}, "people": [{", ".join(rows)}]}}'

    def _row(self, name: str) -> str:
        """A person's row as JSON, made once a change: 5,000 of them take half a second."""
        revision = self._revisions[name]
        kept = self._texts.get(name)
        if kept is None or kept[0] != revision:
            kept = revision, json.dumps(self._rows[name])
            self._texts[name] = kept

        return kept[1]

    def trials(self, key: int) -> str:
        """A person's trials, packed."""
        return packed(read_trials(self.path, self.identity(key)))

    def attributes(self, key: int) -> dict[str, list[list[float]] | None]:
        """What every trial of a person asked of the editor.

        Returns:
            ``first`` and ``second``, a list of 13 values a trial; ``second`` is None where there
            was one pass.
        """
        columns = read_trials(self.path, self.identity(key), candidates=True)
        passes = {}
        for name in ("first", "second"):
            values = [np.asarray(columns[f"{name}_{word}"], np.float64) for word in ATTRIBUTES]
            asked = np.round(np.stack(values, 1), 4)
            passes[name] = asked.tolist() if np.isfinite(asked).all() else None

        return passes

    def count_trials(self, identity: str) -> int:
        """How many trials a person has."""
        return len(read_trials(self.path, identity)["evaluated"])

    def set_measuring(self, identity: str, measuring: dict[str, Any] | None) -> None:
        """Show that a choice of a person is being measured, or why it was not; None: nothing is."""
        # what was measured is shown with the end of the measurement
        self.refresh()
        with self._lock:
            self.revision += 1
            self._measuring[identity] = measuring
            self._rows[identity]["measuring"] = measuring
            self._revisions[identity] = self.revision

    def identity(self, key: int) -> str:
        """The person of a key.

        Raises:
            InputError: There is none.
        """
        if not 0 <= key < len(self._order):
            raise InputError(
                "person", required="a person of the run", found=str(key), hint="reload the page"
            )

        return self._order[key]

    @property
    def people(self) -> int:
        """How many people are finished."""
        return len(self._order)

    def is_known(self, identity: str) -> bool:
        """Whether a person of that name is finished."""
        return identity in self._rows

    def row(self, identity: str) -> dict[str, Any] | None:
        """What pages know of a person; None where nobody of that name is finished."""
        return self._rows.get(identity)

    def picture(self, key: int, kind: str, number: int) -> Path | None:
        """A picture's file; None where there is none, or its kind is not shown."""
        names = self._parts[self.identity(key)].images.get(kind, ()) if kind in self.kinds else ()
        return picture_file(self.path, names[number]) if 0 <= number < len(names) else None

    def _add(self, parts: list[PersonPart], progress: Progress[Step]) -> None:
        wanted = {part.record.id: part for part in parts}
        shown = 0
        # one large file is read faster than many small ones, but as a whole
        whole = (self.path / "trials.parquet").is_file() and len(parts) > 100

        if whole:
            for name, columns in read_all_trials(self.path):
                if name in wanted:
                    self._show(wanted.pop(name), columns)
                    shown += 1
                    progress(Step(stage="read", count=shown, total=len(parts)))

        for name, part in wanted.items():
            try:
                columns = read_trials(self.path, name)
            # a person whose trials are gone is not finished
            except InputError:
                continue

            self._show(part, columns)
            shown += 1
            progress(Step(stage="read", count=shown, total=len(parts)))

    def _show(self, part: PersonPart, columns: dict[str, Any]) -> None:
        name = part.record.id
        row = person_row(part, {key: columns[key] for key in MEASURED}, self._limits)
        if not row["importance"] and name not in self._rows and len(self._order) < 500:
            row["importance"] = missing_importance(self.path, name) or None

        if name not in self._keys:
            self._keys[name] = len(self._order)
            self._order.append(name)

        key = self._keys[name]
        stamp = self._seen.get(self.folder.people / f"{file_name(name)}.json", 0)
        row["key"] = key
        row["measuring"] = self._measuring.get(name)
        row["pictures"] = {}
        for kind in self.kinds:
            # an address that changes with the file, so that a browser shows no earlier winner
            count = len(part.images.get(kind, ()))
            row["pictures"][kind] = [f"picture/{key}/{kind}/{i}?v={stamp}" for i in range(count)]

        self._parts[name] = part
        self._rows[name] = row
        self._revisions[name] = self.revision

    def _decide(self, name: str, decision: dict[str, Any]) -> None:
        shown = {
            "dropped": decision["dropped"],
            "grade": decision["grade"],
            "chosenBy": decision["chosen_by"],
            "tags": list(decision["tags"]),
            "note": decision["note"],
        }
        row = self._rows[name]
        if any(row.get(key) != value for key, value in shown.items()):
            row.update(shown)
            self._revisions[name] = self.revision

    def _read(self, path: Path) -> PersonPart | None:
        try:
            return read_part(path)
        # written by half: it comes again
        except InputError:
            return None

    def _changed(self) -> set[Path]:
        """People's files that are new or were written anew."""
        found = set()
        try:
            # asked every two seconds: one look at the folder, not one at every file by its path
            with os.scandir(self.folder.people) as entries:
                for entry in entries:
                    if entry.name.endswith(".json"):
                        path = self.folder.people / entry.name
                        if self._is_new(path, entry.stat().st_mtime_ns):
                            found.add(path)
        # a file that just went: what is there is read the next time
        except OSError:
            return found

        return found

    def _is_new(self, path: Path, stamp: int | None = None) -> bool:
        if stamp is None:
            try:
                stamp = path.stat().st_mtime_ns
            except OSError:
                stamp = 0

        new = self._seen.get(path, 0) != stamp
        self._seen[path] = stamp
        return new
