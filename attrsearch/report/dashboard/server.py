"""The dashboard's web application.

The report's own pages, live, and the decisions that go back to the run.
"""

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
)
from starlette.routing import Route

from attrsearch.core.encryption import SUFFIX, has_key, read_private
from attrsearch.core.errors import AttrsearchError, InputError, OutputError
from attrsearch.report.about import about
from attrsearch.report.asked import read_asked
from attrsearch.report.dashboard.measuring import Background
from attrsearch.report.dashboard.security import Access, Guard
from attrsearch.report.dashboard.state import LiveRun
from attrsearch.report.library import read_library
from attrsearch.report.packing import SOURCES
from attrsearch.report.page import render, write_report
from attrsearch.report.pictures import INLINE_PEOPLE
from attrsearch.runs.export import write_again
from attrsearch.runs.metadata import read_run
from attrsearch.runs.notes import notes_csv
from attrsearch.runs.review import GRADES, LOG, Note, Tags, decide

if TYPE_CHECKING:
    from attrsearch.report.dashboard.candidates import CandidatePictures
    from attrsearch.search.remeasure import Verifier

NOTES = "notes.csv"
DOWNLOADS = ("attributes.json", "summary.csv", LOG)


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    person: str


class _Winner(_Change):
    trial: int = Field(ge=0)
    background: bool = False


class _Drop(_Change):
    dropped: bool


class _Grade(_Change):
    grade: int = Field(ge=0, lt=len(GRADES))


class _Note(_Change):
    tags: Tags
    note: Note


class Dashboard:
    """The handlers.

    Args:
        live: The run.
        who: In whose name decisions are logged.
        faces: Where the pictures of the run are, if it does not say so itself.
        originals: Show untouched pictures.
    """

    def __init__(
        self, live: LiveRun, who: str, faces: Path | None = None, originals: bool = False
    ) -> None:
        self._live = live
        self._who = who
        self._originals = originals
        self._faces = faces
        self._verifier: Verifier | None = None
        self._candidates: CandidatePictures | None = None
        self._deciding = threading.Lock()
        self._background = Background(self._chosen, live.set_measuring)

    def application(self, access: Access) -> Starlette:
        """The web application behind its guard."""
        routes = [
            Route("/", self._page),
            Route("/api/cohort", self._cohort),
            Route("/api/trials/{key:int}", self._trials),
            Route("/api/attributes/{key:int}", self._attributes),
            Route("/api/winner", self._winner, methods=["POST"]),
            Route("/api/drop", self._drop, methods=["POST"]),
            Route("/api/grade", self._grade, methods=["POST"]),
            Route("/api/note", self._note, methods=["POST"]),
            Route("/picture/{key:int}/{kind}/{number:int}", self._picture),
            Route("/candidate/{key:int}/{trial:int}", self._candidate),
            Route("/download/{name}", self._download),
            Route("/library/{name}", library),
            Route("/favicon.ico", _no_icon),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(Guard, access=access)],
            exception_handlers={AttrsearchError: answer_refused, ValidationError: answer_malformed},
        )

    async def _page(self, _: Request) -> Response:
        data = {"live": True, "about": about(self._live.head), "sources": SOURCES, "people": []}
        return HTMLResponse(render(data, (), live=True))

    async def _cohort(self, request: Request) -> Response:
        since = request.query_params.get("since", "-1")
        known = int(since) if since.lstrip("-").isdecimal() else -1
        await run_in_threadpool(self._live.refresh)
        text = await run_in_threadpool(self._live.cohort, known)
        return Response(text, media_type="application/json")

    async def _trials(self, request: Request) -> Response:
        return PlainTextResponse(
            await run_in_threadpool(self._live.trials, request.path_params["key"])
        )

    async def _attributes(self, request: Request) -> Response:
        key = request.path_params["key"]
        return JSONResponse(await run_in_threadpool(self._live.attributes, key))

    async def _picture(self, request: Request) -> Response:
        given = request.path_params
        file = self._live.picture(given["key"], given["kind"], given["number"])
        if file is None:
            return PlainTextResponse("no such picture", 404)
        if file.suffix != SUFFIX:
            return FileResponse(file, media_type="image/jpeg")

        try:
            return Response(await run_in_threadpool(read_private, file), media_type="image/jpeg")
        except InputError as error:
            return PlainTextResponse(f"encrypted: needs {error.required}", 403)

    async def _candidate(self, request: Request) -> Response:
        # making a picture takes a model: other sites may not ask for it
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("only this page may ask for pictures", 403)

        given = request.path_params
        data = await run_in_threadpool(self._rendered, given["key"], given["trial"])
        return Response(data, media_type="image/jpeg")

    async def _download(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name == NOTES:
            text = await run_in_threadpool(notes_csv, self._live.path)
            headers = {"Content-Disposition": f'attachment; filename="{NOTES}"'}
            return PlainTextResponse(text, headers=headers, media_type="text/csv")

        file = self._live.path / name
        if name not in DOWNLOADS or file.is_symlink():
            return PlainTextResponse("no such file", 404)

        if not file.is_file():
            missing = "nothing was changed yet" if name == LOG else "the run is not finished yet"
            return PlainTextResponse(f"{name}: {missing}", 409)

        return FileResponse(file, filename=name)

    async def _winner(self, request: Request) -> Response:
        change = _Winner.model_validate_json(await request.body())
        if change.background:
            await run_in_threadpool(self._start, change)
            return JSONResponse({"measuring": change.trial}, 202)

        name = await run_in_threadpool(self._known, change)
        return JSONResponse(await run_in_threadpool(self._chosen, name, change.trial))

    async def _drop(self, request: Request) -> Response:
        change = _Drop.model_validate_json(await request.body())
        details = {"dropped": change.dropped}
        return JSONResponse(await run_in_threadpool(self._decide, change, "drop", details, details))

    async def _grade(self, request: Request) -> Response:
        change = _Grade.model_validate_json(await request.body())
        winner = self._live.folder.read_person(self._known(change)).winner
        details = {"grade": GRADES[change.grade], "trial": winner}
        return JSONResponse(
            await run_in_threadpool(self._decide, change, "grade", details, {"grade": change.grade})
        )

    async def _note(self, request: Request) -> Response:
        change = _Note.model_validate_json(await request.body())
        tags = tuple(dict.fromkeys(change.tags))
        return JSONResponse(await run_in_threadpool(self._noted, change, tags))

    def _noted(self, change: _Note, tags: tuple[str, ...]) -> dict[str, Any]:
        with self._deciding:
            details = {"tags": list(tags), "note": change.note}
            # no export nor the report has them: nothing else is written
            name = self._known(change)
            decide(self._live.path, name, self._who, "note", details, tags=tags, note=change.note)
            return details

    def _rendered(self, key: int, trial: int) -> bytes:
        # imports the models, which a dashboard that only shows does without
        from attrsearch.report.dashboard.candidates import CandidatePictures  # noqa: PLC0415

        if self._candidates and (kept := self._candidates.kept(self._live.identity(key), trial)):
            # a winner that is being measured holds the lock, and is shown meanwhile
            return kept

        with self._deciding:
            self._candidates = self._candidates or CandidatePictures(self._live.path, self._models)
            return self._candidates.picture(self._live.identity(key), trial)

    def _models(self) -> "Verifier":
        # imports the models, which a dashboard that only shows does without
        from attrsearch.search.remeasure import Verifier  # noqa: PLC0415

        self._verifier = self._verifier or Verifier(self._live.head, self._faces)
        return self._verifier

    def _start(self, change: _Winner) -> None:
        name = self._known(change)
        trials = self._live.count_trials(name)
        if change.trial >= trials:
            required = f"a trial of {name}, 0 to {trials - 1}"
            hint = "choose one of the list"
            raise InputError("trial", required=required, found=str(change.trial), hint=hint)

        self._background.start(name, change.trial)

    def _chosen(self, name: str, trial: int) -> dict[str, Any]:
        # imports the models, which a dashboard that only shows does without
        from attrsearch.report.dashboard.winner import choose_in_run  # noqa: PLC0415

        with self._deciding:
            details = choose_in_run(self._live.path, name, trial, self._models(), self._who)
            return {**details, "report": self._written()}

    def _decide(
        self, change: _Change, action: str, details: dict[str, Any], changes: dict[str, Any]
    ) -> dict[str, Any]:
        with self._deciding:
            decide(self._live.path, self._known(change), self._who, action, details, **changes)
            return {**details, "report": self._written()}

    def _known(self, change: _Change) -> str:
        self._live.refresh()
        if not self._live.is_known(change.person):
            raise InputError(
                "person",
                required="a finished person of the run",
                found=change.person,
                hint="reload the page",
            )

        return change.person

    def _written(self) -> bool:
        """Write the run's files again; the report only where that takes no time."""
        finished = write_again(self._live.path)
        small = self._live.people <= INLINE_PEOPLE
        page = self._live.path / "report.html"

        if finished and small and page.is_file():
            encrypted = read_run(self._live.path)["settings"].get("encrypted", False)
            asked = read_asked(page)
            # encrypted originals stand in a page only where it was asked for with the key
            shown = asked.originals and (has_key() or not encrypted)
            write_report(
                self._live.path,
                include_originals=shown or (self._originals and not encrypted),
                against=asked.against,
                ledger=asked.ledger,
            )

        return finished and small


async def library(request: Request) -> Response:
    """A file of the chart library, for the route ``/library/{name}``."""
    data = read_library(request.path_params["name"])
    if data is None:
        return PlainTextResponse("no such file", 404)

    return Response(data, media_type="text/javascript")


async def _no_icon(_: Request) -> Response:
    return Response(status_code=204)


async def answer_refused(_: Request, error: Exception) -> Response:
    """What somebody can mend, in a line."""
    return PlainTextResponse(str(error), 400 if isinstance(error, InputError) else 500)


async def answer_malformed(_: Request, error: Exception) -> Response:
    """What of a request is not as it must be, in a line."""
    first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": ""}
    place = ".".join(map(str, first["loc"])) or "the request"
    return PlainTextResponse(f"{place}: {first['msg']}", 400)


def serve(dashboard: Dashboard, access: Access, ready: Callable[[str], None]) -> None:
    """Serve until it is interrupted; arguments as :func:`serve_application`."""
    serve_application(dashboard.application, access, ready)


def serve_application(
    make: Callable[[Access], Starlette], access: Access, ready: Callable[[str], None]
) -> None:
    """Serve until it is interrupted.

    Args:
        make: Makes the application, once it is known at which port.
        access: Where to listen.
        ready: Called with the address once connections are accepted.

    Raises:
        OutputError: The address cannot be listened at.
    """
    family = socket.AF_INET6 if ":" in access.host else socket.AF_INET

    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((access.host, access.port))
        except OSError as error:
            required = "an address that is free"
            found = error.strerror or str(error)
            hint = "choose another --port"
            raise OutputError(
                f"{access.host}:{access.port}", required=required, found=found, hint=hint
            ) from error

        here = Access(access.host, listener.getsockname()[1], access.token)
        config = uvicorn.Config(
            make(here),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
        )
        listener.listen(128)
        ready(here.address)
        uvicorn.Server(config).run(sockets=[listener])
