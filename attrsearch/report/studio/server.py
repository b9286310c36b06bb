"""The studio's web application: jobs in, people, decisions, frames and results out."""

import re
import shutil
import threading
import zipfile
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from attrsearch.core.encryption import SUFFIX, encrypting, find_private, read_private
from attrsearch.core.errors import AttrsearchError, InputError, OutputError
from attrsearch.core.files import write_text
from attrsearch.report.dashboard.security import Access, Guard
from attrsearch.report.dashboard.server import answer_malformed
from attrsearch.report.studio.detail import DOWNLOADS, JobDetails, result_name
from attrsearch.report.studio.job import JobFolder, Options, StepName
from attrsearch.report.studio.page import asset, page
from attrsearch.report.studio.people import ChangeRequest, changed
from attrsearch.report.studio.places import read_places
from attrsearch.report.studio.runs import RunDashboards
from attrsearch.report.studio.views import JobViews
from attrsearch.report.studio.workspace import JOBS, Workspace, place_in
from attrsearch.runs.people_file import text_of

UPLOADS = "/api/upload/"
MOST_UNDONE = 50


class _New(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    options: Options = Options()


class _Sample(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    options: Options = Options()


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    step: StepName
    options: Options | None = None


class _Do(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    what: Literal["begin", "stop", "remove", "undo"]


Pixel = Annotated[float, Field(ge=-100_000, le=100_000)]


class _Box(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    left: Pixel
    top: Pixel
    right: Pixel
    bottom: Pixel


class Studio:
    """The handlers.

    Args:
        workspace: The jobs.
        access: Where it listens.
        who: In whose name decisions are logged.
    """

    def __init__(self, workspace: Workspace, access: Access, who: str) -> None:
        self._workspace = workspace
        self._access = access
        self._runs = RunDashboards(workspace, access, who)
        self._details = JobDetails(workspace, self._runs)
        self._views = JobViews()
        self._deciding = threading.Lock()
        jobs = re.escape(str(workspace.path / JOBS))
        self._own_places = re.compile(rf"{jobs}[/\\][0-9a-f]{{12}}[/\\](input|result)[/\\]")

    def application(self) -> Starlette:
        """The web application behind its guard."""
        routes = [
            Route("/", _page),
            Route("/assets/{name}", _asset),
            Route("/api/jobs", self._jobs),
            Route("/api/jobs", self._add, methods=["POST"]),
            Route("/api/sample", self._sample, methods=["POST"]),
            Route(UPLOADS + "{job}/{name:path}", self._upload, methods=["PUT"]),
            Route("/api/jobs/{job}", self._job),
            Route("/api/jobs/{job}/do", self._do, methods=["POST"]),
            Route("/api/jobs/{job}/ask", self._ask, methods=["POST"]),
            Route("/api/jobs/{job}/people", self._people, methods=["POST"]),
            Route("/api/jobs/{job}/places", self._places),
            Route("/api/jobs/{job}/view", self._view),
            Route("/api/jobs/{job}/strip/{side}", self._strip),
            Route("/api/jobs/{job}/frame/{side}/{number:int}", self._frame),
            Route("/api/jobs/{job}/face", self._face),
            Route("/api/jobs/{job}/result-face/{number:int}", self._result_face),
            Route("/api/jobs/{job}/candidates", self._candidates),
            Route("/download/{job}/{what}", self._download),
            Route("/favicon.ico", _no_icon),
            Mount("/run", app=self._runs),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(Guard, access=self._access, uploads=UPLOADS)],
            exception_handlers={AttrsearchError: self._refused, ValidationError: answer_malformed},
        )

    def _of(self, request: Request) -> JobFolder:
        return self._workspace.job(request.path_params["job"])

    async def _jobs(self, _: Request) -> Response:
        def told() -> dict[str, Any]:
            jobs = [self._details.brief(job) for job in self._workspace.jobs()]
            folder = str(self._workspace.path)
            return {"jobs": jobs, "folder": folder, "encrypted": encrypting()}

        return JSONResponse(await run_in_threadpool(told))

    async def _add(self, request: Request) -> Response:
        new = _New.model_validate_json(await request.body())
        job = await run_in_threadpool(self._workspace.add, new.name, new.options)
        return JSONResponse({"id": job.id})

    async def _sample(self, request: Request) -> Response:
        asked = _Sample.model_validate_json(await request.body())
        job = await run_in_threadpool(self._workspace.add_sample, asked.options)
        return JSONResponse({"id": job.id})

    async def _upload(self, request: Request) -> Response:
        job = self._of(request)
        if job.read().kind is not None:
            hint = "drop it as a job of its own"
            raise InputError(
                job.read().name, required="a job that waits for files", found="one that has all",
                hint=hint,
            )  # fmt: skip

        place = place_in(job.input, request.path_params["name"])
        await self._receive(request, place)
        return JSONResponse({"bytes": place.stat().st_size})

    async def _receive(self, request: Request, place: Path) -> None:
        part = place.with_name(f".{place.name}.part")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                async for chunk in request.stream():
                    # a slow disk must not hold up other requests
                    await run_in_threadpool(file.write, chunk)

            # only whole files have their names: an upload that breaks off leaves none
            part.replace(place)
        except ClientDisconnect:
            part.unlink(missing_ok=True)
            raise
        except OSError as error:
            part.unlink(missing_ok=True)
            found = error.strerror or str(error)
            raise OutputError(
                place.name, required="room on the disk", found=found, hint="make room"
            ) from error

    async def _job(self, request: Request) -> Response:
        known = request.query_params.get("version", "")
        job = self._of(request)
        return JSONResponse(await run_in_threadpool(self._details.whole, job, known))

    async def _do(self, request: Request) -> Response:
        job = self._of(request)
        what = _Do.model_validate_json(await request.body()).what

        def done() -> None:
            if what == "begin":
                self._workspace.begin(job)
            elif what == "stop":
                self._workspace.stop(job)
            elif what == "undo":
                self._undo(job)
            else:
                self._runs.forget(job)
                self._workspace.remove(job)

        await run_in_threadpool(done)
        return JSONResponse({})

    async def _ask(self, request: Request) -> Response:
        job = self._of(request)
        asked = _Ask.model_validate_json(await request.body())

        def ask() -> None:
            if asked.options is not None and not job.is_running:
                # who is who was found by one recogniser: it stays that one
                same = {"thorough": job.read().options.thorough}
                job.change(options=asked.options.model_copy(update=same))

            self._workspace.ask(job, asked.step)

        await run_in_threadpool(ask)
        return JSONResponse({})

    async def _people(self, request: Request) -> Response:
        job = self._of(request)
        change = ChangeRequest.model_validate_json(await request.body()).change

        def decide() -> None:
            with self._deciding:
                before = job.people()
                after = changed(before, change)
                history = job.path / "history"
                kept = sorted(history.glob("*.json"))
                number = int(kept[-1].stem) + 1 if kept else 0
                # before the decision itself: what can be undone is on the disk first
                write_text(history / f"{number:06d}.json", text_of(before))
                for old in kept[: -MOST_UNDONE + 1]:
                    old.unlink()

                job.write_people(after)

        await run_in_threadpool(decide)
        return await self._job(request)

    def _undo(self, job: JobFolder) -> None:
        with self._deciding:
            kept = sorted((job.path / "history").glob("*.json"))
            if not kept:
                raise InputError("undo", required="a decision", found="none", hint="decide first")

            shutil.move(kept[-1], job.who)

    async def _places(self, request: Request) -> Response:
        job = self._of(request)

        def told() -> dict[str, Any]:
            return read_places(job.run, job.people().named("filter"))

        return JSONResponse(await run_in_threadpool(told))

    async def _view(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._views.about, self._of(request)))

    async def _strip(self, request: Request) -> Response:
        data = await run_in_threadpool(
            self._views.strip, self._of(request), request.path_params["side"]
        )
        return Response(data, media_type="image/jpeg")

    async def _frame(self, request: Request) -> Response:
        given = request.path_params
        width = request.query_params.get("width", "")
        wide = int(width) if width.isdecimal() and len(width) < 6 else None
        data = await run_in_threadpool(
            self._views.frame, self._of(request), given["side"], given["number"], wide
        )
        return Response(data, media_type="image/jpeg")

    async def _face(self, request: Request) -> Response:
        query = request.query_params
        number = query.get("number", "0")
        shot = int(number) if number.isdecimal() and len(number) < 6 else 0
        data = await run_in_threadpool(
            self._views.face, self._of(request), query.get("part", ""), shot
        )
        return Response(data, media_type="image/jpeg")

    async def _result_face(self, request: Request) -> Response:
        box = _Box.model_validate(dict(request.query_params))
        corners = (box.left, box.top, box.right, box.bottom)
        data = await run_in_threadpool(
            self._views.result_face, self._of(request), request.path_params["number"], corners
        )
        return Response(data, media_type="image/jpeg")

    async def _refused(self, _: Request, error: Exception) -> Response:
        """What somebody can mend, in a line; files by the names they were dropped with."""
        text = self._own_places.sub("", str(error))
        return PlainTextResponse(text, 400 if isinstance(error, InputError) else 500)

    async def _candidates(self, request: Request) -> Response:
        person = request.query_params.get("person", "")
        found = await run_in_threadpool(self._runs.candidates, self._of(request), person)
        return JSONResponse(found)

    async def _download(self, request: Request) -> Response:
        job = self._of(request)
        what = request.path_params["what"]
        record = job.read()

        if what == "result":
            path = job.result(record)
            name = result_name(job, record)
            if path.is_dir():
                path = await run_in_threadpool(_zipped, path, job.path / "result.zip")
        elif what in DOWNLOADS:
            plain = job.path / DOWNLOADS[what][0]
            path = find_private(plain) or plain
            name = plain.name
        else:
            return PlainTextResponse("no such file", 404)

        # a link could lead to any file of this machine
        if not path.is_file() or path.is_symlink():
            return PlainTextResponse("not written yet", 409)

        if path.name.endswith(SUFFIX):  # whoever takes it away can read it
            data = await run_in_threadpool(read_private, path)
            given = {"Content-Disposition": f'attachment; filename="{name}"'}
            return Response(data, media_type="application/octet-stream", headers=given)

        return FileResponse(path, filename=name)


def _zipped(folder: Path, place: Path) -> Path:
    """A folder as a ZIP file beside the job; pictures are compressed already."""
    part = place.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                file.write(path, path.relative_to(folder))

    part.replace(place)
    return place


async def _page(_: Request) -> Response:
    return page()


async def _asset(request: Request) -> Response:
    return asset(request.path_params["name"])


async def _no_icon(_: Request) -> Response:
    return Response(status_code=204)
