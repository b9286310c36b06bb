"""What the page knows of a job."""

import os
from pathlib import Path
from typing import Any

from attrsearch.core.encryption import find_private
from attrsearch.core.errors import InputError
from attrsearch.report.studio.job import JobFolder, JobRecord
from attrsearch.report.studio.progress import STAGES, CommandLog
from attrsearch.report.studio.runs import RunDashboards
from attrsearch.report.studio.workspace import Workspace, is_stale
from attrsearch.runs.people_file import FILE as PEOPLE
from attrsearch.runs.people_file import FOLDER as FOUND
from attrsearch.runs.people_file import PeopleFile

SEARCHED = (
    "key", "gender", "verdict", "feasible", "reason", "utility", "distance", "worst", "winner",
    "runners", "pictures", "chosenBy",
)  # fmt: skip
DOWNLOADS = {
    "ledger": ("run/coverage.parquet", "every face of every frame: how it was covered, and why"),
    "sets": ("run/attributes.json", "attribute sets of everyone who is anonymised; keep it secret"),
    "summary": ("run/summary.csv", "a row a person"),
    "report": ("run/report.html", "the report, one page that works offline; shows originals"),
    "people": ("who.json", "who is who, and what becomes of each"),
    "audit": ("run/audit.json", "what the audit found"),
}
"""What can be taken away besides the result: a file, and what it is."""


class JobDetails:
    """Tells pages how jobs are.

    Args:
        workspace: The jobs.
        runs: Their runs.
    """

    def __init__(self, workspace: Workspace, runs: RunDashboards) -> None:
        self._workspace = workspace
        self._runs = runs
        self._logs: dict[Path, CommandLog] = {}

    def brief(self, job: JobFolder) -> dict[str, Any]:
        """A line of the list of jobs."""
        record = job.read()
        state = job.state(record)
        if self._workspace.is_started(job):
            state = "running"

        return {
            "id": job.id,
            "name": record.name,
            "kind": record.kind,
            "created": record.created,
            "state": state,
            "step": record.waiting or record.begun,
            "progress": self._progress(job, record) if state == "running" else None,
            "stale": state == "done" and is_stale(job),
        }

    def whole(self, job: JobFolder, known: str) -> dict[str, Any]:
        """All of a job; its people only where they are not those the page knows.

        Args:
            job: The job.
            known: ``version`` of the people that the page has.
        """
        record = job.read()
        live = self._runs.live(job)
        version = f"{_stamp(job.who)}-{_stamp(job.run / FOUND / PEOPLE)}-{live and live.revision}"
        result = job.result(record)
        code = (job.step("anonymise") or job.step("find")) if record.begun else None
        log = self._log(job, record)
        told = {
            **self.brief(job),
            "options": record.options.model_dump(),
            "behind": self._behind(job) if record.waiting is not None else None,
            "commands": {step: job.command(step, record) for step in STAGES},
            "lines": [] if log is None else log.lines[-40:],
            "problems": _problems(job, log),
            "code": None if code is None else code.code,
            "hasResult": result.exists() and any([result.is_file(), result.is_dir()]),
            "resultStamp": f"{_stamp(result)}-{_stamp(job.run / 'audit.json')}",
            "searched": live is not None,
            "verdicts": self._verdicts(job),
            "canUndo": any((job.path / "history").glob("*.json")),
            "downloads": self._downloads(job, record),
            "version": version,
        }
        # a page asks again and again: thousands of people are sent only when they changed
        if version != known:
            try:
                told |= self._people(job, job.people(), live)
            except InputError:
                told |= {"people": [], "frames": 0, "rate": 0}

        return told

    def _behind(self, job: JobFolder) -> str | None:
        """The name of the job that a waiting one waits for."""
        for other in self._workspace.jobs():
            if other.id != job.id and (other.is_running or self._workspace.is_started(other)):
                return other.read().name

        return None

    def _people(self, job: JobFolder, file: PeopleFile, live: Any) -> dict[str, Any]:
        people: list[dict[str, Any]] = []
        for person in file.people:
            row = live.row(person.id) if live is not None else None
            found = None if row is None else _found(job, row)
            parts = []
            for name in person.parts:
                part = file.parts.get(name)
                known = {} if part is None else part.model_dump(exclude={"shots", "box"})
                shots = [] if part is None else [shot.frame for shot in part.shots]
                shown = bool(shots) or (part is not None and part.box is not None)
                parts.append({**known, "name": name, "shots": shots, "shown": shown})

            people.append(
                {
                    "id": person.id,
                    "do": person.do,
                    "gender": person.gender,
                    "parts": parts,
                    "search": found,
                }
            )

        # who is seen most stands first, and keeps the place while decisions are made
        people.sort(key=lambda one: (-sum(p.get("frames", 1) for p in one["parts"]), one["id"]))
        return {"people": people, "frames": file.frames, "rate": file.rate}

    def _progress(self, job: JobFolder, record: JobRecord) -> dict[str, Any] | None:
        log = self._log(job, record)
        step = record.begun
        if log is None or step is None:
            return None

        now = log.progress or {}
        names = ("stage", "count", "total", "seconds_left", "people", "done")
        stages = STAGES[step] if record.kind == "video" else _of_pictures(step)
        return {**{name: now.get(name) for name in names}, "stages": list(stages)}

    def _log(self, job: JobFolder, record: JobRecord) -> CommandLog | None:
        if record.begun is None:
            return None

        path = job.path / f"{record.begun}.log"
        # kept, so that of a long log only what is new is read
        log = self._logs.setdefault(path, CommandLog(path))
        log.refresh()
        return log

    def _verdicts(self, job: JobFolder) -> dict[str, int] | None:
        """How many people of the search are what; of those who are to be anonymised."""
        live = self._runs.live(job)
        if live is None:
            return None

        try:
            wanted = job.people().named("anonymise")
        except InputError:
            return None

        counts: dict[str, int] = {"wanted": len(wanted)}
        for name in wanted:
            row = live.row(name)
            if row is not None:
                counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1

        return counts

    def _downloads(self, job: JobFolder, record: JobRecord) -> list[dict[str, str]]:
        there = []
        result = job.result(record)
        if result.exists():
            word = "the result" if record.kind == "video" else "the pictures, as a ZIP file"
            name = result_name(job, record)
            there.append({"what": "result", "name": name, "note": word})

        for what, (name, note) in DOWNLOADS.items():
            if find_private(job.path / name) is not None:
                there.append({"what": what, "name": Path(name).name, "note": note})

        return there


def _problems(job: JobFolder, log: CommandLog | None) -> list[str]:
    """What a command warned of, as a person reads it: files by the names they were dropped with."""
    texts = [] if log is None else log.problems
    return [text.replace(f"{job.input}{os.sep}", "") for text in texts]


def result_name(job: JobFolder, record: JobRecord) -> str:
    """What the result is called when it is taken away."""
    result = job.result(record)
    if record.kind == "video":
        return f"{result.stem}_anonymised{result.suffix}"

    return f"{record.name}_anonymised.zip"


def _found(job: JobFolder, row: dict[str, Any]) -> dict[str, Any]:
    """What a search found of a person, with the pictures' addresses in the studio."""
    found = {name: row.get(name) for name in SEARCHED}
    pictures: dict[str, list[str]] = {}

    for kind, names in row["pictures"].items():
        pictures[kind] = [f"run/{job.id}/{name}" for name in names]

    found["pictures"] = pictures
    return found


def _of_pictures(step: str) -> tuple[str, ...]:
    return ("find",) if step == "find" else ("search", "apply")


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
