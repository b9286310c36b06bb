"""A job of the studio as it lies on disk: what was dropped, what was asked for, what became of it.

``JOBS/ID/`` holds ``job.json`` (what was asked for), ``input/`` (what was dropped), ``who.json``
(who is who, and what becomes of each), ``run/`` and ``result/`` (what the commands write), and, of
each step, ``STEP.json`` and ``STEP.log``.  Everything the studio knows is there: a server that was
killed loses nothing.
"""

import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text
from attrsearch.report.studio.locks import is_locked
from attrsearch.runs.people_file import FILE as PEOPLE
from attrsearch.runs.people_file import FOLDER as FOUND
from attrsearch.runs.people_file import PeopleFile, read_people, text_of

FILE = "job.json"
LOCK = "lock"
COMMAND_LOCK = "command.lock"
STEPS: tuple["StepName", ...] = ("find", "anonymise")
StepName = Literal["find", "anonymise"]
Kind = Literal["video", "pictures"]
State = Literal["uploading", "waiting", "running", "deciding", "done", "failed", "interrupted"]
LOGGING = ("--log-format", "json", "--log-every", "0.5", "--verbose")
"""How the studio listens to a command; it changes nothing that is written."""


class Options(BaseModel):
    """What a job is asked for besides its people.

    Attributes:
        thorough: The default search with FaceNet; a quick one with SFace where it is False.
        fallback: Filter for faces that cannot be edited.
        audit: Look for faces that still match, afterwards.
        trials: Candidates a person; the study's where it is None.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    thorough: bool = True
    fallback: Literal["blur", "pixelate", "mask"] = "blur"
    audit: bool = True
    trials: int | None = Field(default=None, ge=1, le=100_000)


class JobRecord(BaseModel):
    """``job.json``.

    Attributes:
        name: What was dropped, in words.
        kind: Of what was dropped; None until all of it is there.
        source: Name of the video in ``input/``; empty for pictures.
        created: When.
        waiting: The step that is to run next.
        begun: The last step that was begun.
        encrypted: Whether its commands encrypt untouched faces and ledgers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["attrsearch/studio-job"] = "attrsearch/studio-job"
    version: Literal[1] = 1
    name: str
    kind: Kind | None = None
    source: str = ""
    created: str
    options: Options = Options()
    waiting: StepName | None = None
    begun: StepName | None = None
    encrypted: bool = False


class StepRecord(BaseModel):
    """``STEP.json``, written by the runner.

    Attributes:
        pid: Of the runner.
        code: Exit code; None while it runs, and where it was killed.
        decided: Digest of the decisions it was started with.
    """

    pid: int
    began: str
    ended: str | None = None
    code: int | None = None
    decided: str = ""


class JobFolder:
    """A job on disk.

    Args:
        path: Its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        self.input = path / "input"
        self.run = path / "run"
        self.who = path / "who.json"

    def read(self) -> JobRecord:
        """What was asked for.

        Raises:
            InputError: There is no such job, or it is damaged.
        """
        try:
            return JobRecord.model_validate_json((self.path / FILE).read_text(encoding="utf-8"))
        except (OSError, ValidationError, ValueError) as error:
            hint = "reload the page"
            raise InputError(
                self.id, required="a job of this studio", found="none", hint=hint
            ) from error

    def write(self, record: JobRecord) -> None:
        """Note what was asked for."""
        write_text(self.path / FILE, record.model_dump_json(indent=1) + "\n")

    def change(self, **changes: Any) -> JobRecord:
        """Change some of what was asked for."""
        record = self.read().model_copy(update=changes)
        self.write(record)
        return record

    def step(self, name: StepName) -> StepRecord | None:
        """What became of a step; None where it was never begun."""
        try:
            text = (self.path / f"{name}.json").read_text(encoding="utf-8")
            return StepRecord.model_validate_json(text)
        except (OSError, ValueError):
            return None

    @property
    def is_running(self) -> bool:
        """Whether a step runs, whoever started it: its runner, its command, or both."""
        # a runner that was killed leaves its command, which holds a lock of its own
        return is_locked(self.path / LOCK) or is_locked(self.path / COMMAND_LOCK)

    def state(self, record: JobRecord | None = None) -> State:
        """Where the job is."""
        record = record or self.read()
        if record.kind is None:
            return "uploading"
        # before what waits: a step may be asked for while another runs
        if self.is_running:
            return "running"
        if record.waiting is not None:
            return "waiting"

        return self._ended(record.begun)

    def _ended(self, step: StepName | None) -> State:
        """Where the job is after its last step."""
        done = self.step(step) if step is not None else None
        if done is None or done.code is None or done.code == INTERRUPTED:
            return "interrupted"
        # 1: written, but something in it could not be done
        if done.code not in (0, 1):
            return "failed"

        return "deciding" if step == "find" else "done"

    def source(self, record: JobRecord) -> Path:
        """What the commands are given."""
        return self.input / record.source if record.source else self.input

    def result(self, record: JobRecord) -> Path:
        """What the commands write."""
        name = record.source or "pictures"
        return self.path / "result" / name

    def arguments(self, step: StepName, record: JobRecord) -> list[str]:
        """The command of a step: what a person would type."""
        options = record.options
        words = ["anonymise", str(self.source(record)), "--out", str(self.result(record))]
        words += ["--run", str(self.run)]

        if not options.thorough:
            words += ["--recogniser", "sface"]

        # the key is in the environment, and nowhere else
        words += ["--encrypt"] if record.encrypted else []

        if step == "find":
            return [*words, "--find-only"]

        words += ["--who", str(self.who), "--include-originals"]
        words += ["--fallback", options.fallback]
        words += [] if options.thorough else ["--study", "quick"]
        words += ["--audit"] if options.audit and record.kind == "video" else []
        words += ["--trials", str(options.trials)] if options.trials else []
        return words

    def command(self, step: StepName, record: JobRecord) -> str:
        """The same as a line for a shell."""
        return shlex.join(["attrsearch", *self.arguments(step, record)])

    def process(self, step: StepName, record: JobRecord) -> list[str]:
        """The same as a process of this installation, which says how far it is."""
        words = [sys.executable, "-m", "attrsearch.report.studio.held"]
        words += [str(self.path / COMMAND_LOCK), "attrsearch.cli.main"]
        return [*words, *self.arguments(step, record), *LOGGING]

    def people(self) -> PeopleFile:
        """Who is who, as was decided; as it was found where nothing was.

        Raises:
            InputError: Nobody was looked for yet.
        """
        return read_people(self.who if self.who.is_file() else self.run / FOUND / PEOPLE)

    def write_people(self, people: PeopleFile) -> None:
        """Note what was decided."""
        write_text(self.who, text_of(people))


INTERRUPTED = 130
"""Exit code of a command that was stopped; it goes on when it is started again."""


def now() -> str:
    """The time, as files have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_step(path: Path, record: StepRecord) -> None:
    """Note what became of a step."""
    write_text(path, json.dumps(record.model_dump(), indent=1) + "\n")
