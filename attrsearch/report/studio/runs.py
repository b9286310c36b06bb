"""The dashboard of each job's run, mounted in the studio."""

import re
from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from attrsearch.core.errors import InputError
from attrsearch.report.cohort import read_trials
from attrsearch.report.dashboard.security import Access
from attrsearch.report.dashboard.server import Dashboard
from attrsearch.report.dashboard.state import LiveRun
from attrsearch.report.studio.job import JobFolder
from attrsearch.report.studio.workspace import Workspace

PREFIX = re.compile(r"/run/([0-9a-f]{12})(/.*)?")
MOST_CANDIDATES = 12


class RunDashboards:
    """An ASGI application: ``/run/JOB/`` is the dashboard of that job's run.

    Args:
        workspace: The jobs.
        access: Where the studio listens.
        who: In whose name decisions are logged.
    """

    def __init__(self, workspace: Workspace, access: Access, who: str) -> None:
        self._workspace = workspace
        self._access = access
        self._who = who
        self._open: dict[str, tuple[LiveRun, ASGIApp]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that there is no such run."""
        match = PREFIX.fullmatch(scope.get("path", ""))
        opened = self._opened(match[1]) if match else None

        if match is None or opened is None:
            await PlainTextResponse("no search yet", 404)(scope, receive, send)
            return

        inner = {**scope, "root_path": f"/run/{match[1]}", "path": scope["path"]}
        await opened[1](inner, receive, send)

    def live(self, job: JobFolder) -> LiveRun | None:
        """A job's run, read anew; None where no search has begun."""
        opened = self._opened(job.id)
        if opened is None:
            return None

        opened[0].refresh()
        return opened[0]

    def forget(self, job: JobFolder) -> None:
        """Let a job's run go."""
        self._open.pop(job.id, None)

    def candidates(self, job: JobFolder, person: str) -> list[dict[str, Any]]:
        """A person's best candidates by utility, those that are not feasible last.

        Raises:
            InputError: There is no such person.
        """
        live = self.live(job)
        row = None if live is None else live.row(person)
        if row is None:
            hint = "anonymise first"
            raise InputError("person", required="a person who is searched", found=person, hint=hint)

        trials = read_trials(job.run, person)
        count = len(trials["utility"])
        order = sorted(
            (i for i in range(count) if trials["evaluated"][i]),
            key=lambda i: (not trials["feasible"][i], -float(trials["utility"][i])),
        )
        found: list[dict[str, Any]] = []

        for i in order[:MOST_CANDIDATES]:
            candidate = {
                "trial": i,
                "utility": round(float(trials["utility"][i]), 3),
                "distance": round(float(trials["distance"][i]), 3),
                "feasible": bool(trials["feasible"][i]),
                "winner": i == row["winner"],
                "picture": f"run/{job.id}/candidate/{row['key']}/{i}",
            }
            found.append(candidate)

        return found

    def _opened(self, name: str) -> tuple[LiveRun, ASGIApp] | None:
        try:
            job = self._workspace.job(name)
        except InputError:
            return None

        if not (job.run / "run.toml").is_file():
            self._open.pop(name, None)
            return None

        if name not in self._open:
            live = LiveRun(job.run, originals=True)
            faces = _faces_of(job)
            board = Dashboard(live, self._who, faces, originals=True)
            self._open[name] = (live, board.application(self._access))

        return self._open[name]


def _faces_of(job: JobFolder) -> Path:
    """The pictures that were searched: those of a video are kept by the command."""
    record = job.read()
    return job.run / "faces" if record.kind == "video" else job.source(record)
