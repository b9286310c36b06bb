"""The studio's folder: its jobs, one running at a time."""

import filecmp
import hashlib
import re
import secrets
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from attrsearch.core.encryption import encrypting
from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.files import write_text
from attrsearch.core.sample import sample_folder
from attrsearch.faces.detection.kept import FILE as LOOKS
from attrsearch.faces.images import SUFFIXES
from attrsearch.report.studio.held import STOP
from attrsearch.report.studio.job import JobFolder, JobRecord, Options, StepName, now
from attrsearch.report.studio.locks import take_lock
from attrsearch.runs.people_file import FOLDER as FOUND
from attrsearch.video.io.containers import is_video

JOBS = "jobs"
TOKEN = "token"  # noqa: S105 - the file's name
ID = re.compile(r"[0-9a-f]{12}")
PART = re.compile(r"(?!\.)[^/\\\x00-\x1f\x7f]{1,200}")
"""A name of a file or folder that may be written: no dot first, no separator."""
DEEPEST = 6


class Workspace:
    """A folder of jobs.

    Args:
        folder: Made where it is not there; only its owner can read it.

    Raises:
        OutputError: Another studio has it, or it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder.resolve()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.RLock()
        self._closed = False

        try:
            (self.path / JOBS).mkdir(parents=True, exist_ok=True, mode=0o700)
            held = take_lock(self.path / "lock")
        except OSError as error:
            found = error.strerror or str(error)
            hint = "choose another folder"
            raise OutputError(
                folder, required="a folder to write to", found=found, hint=hint
            ) from error

        if held is None:
            hint = "use the one that is open, or choose another folder"
            raise OutputError(
                folder, required="a folder of its own", found="another studio in it", hint=hint
            )

        self._held = held

    def token(self) -> str:
        """What visitors show; the same after a restart, so that open pages go on."""
        place = self.path / TOKEN
        try:
            kept = place.read_text(encoding="ascii").strip()
        except OSError:
            kept = ""

        if len(kept) < 32:
            kept = secrets.token_urlsafe(24)
            write_text(place, kept + "\n")
            # whoever reads it can see every face in the studio
            place.chmod(0o600)

        return kept

    def jobs(self) -> list[JobFolder]:
        """All jobs, the newest first."""
        found = []
        for path in (self.path / JOBS).iterdir():
            if ID.fullmatch(path.name):
                job = JobFolder(path)
                try:
                    found.append((job.read().created, job.id, job))
                except InputError:  # being written, or being removed
                    continue

        return [job for *_, job in sorted(found, key=lambda item: item[:2], reverse=True)]

    def job(self, name: str) -> JobFolder:
        """A job by its id.

        Raises:
            InputError: There is none.
        """
        # checked first: a name with dots or separators could lead out of the folder
        job = JobFolder(self.path / JOBS / (name if ID.fullmatch(name) else "none"))
        job.read()
        return job

    def add(self, name: str, options: Options) -> JobFolder:
        """A new job, whose input is still to come."""
        job = JobFolder(self.path / JOBS / secrets.token_hex(6))
        job.input.mkdir(parents=True, mode=0o700)
        title = name[:120] or "pictures"
        job.write(JobRecord(name=title, created=now(), options=options, encrypted=encrypting()))
        return job

    def add_sample(self, options: Options) -> JobFolder:
        """A job of the bundled sample, begun: for who has nothing at hand."""
        job = self.add("bundled sample", options)
        pictures = [path for path in sorted(sample_folder().glob("*/*")) if path.suffix == ".jpg"]
        for path in pictures:
            place = job.input / path.parent.name / path.name
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, place)

        self.begin(job)
        return job

    def begin(self, job: JobFolder) -> JobRecord:
        """Its input is whole: people are looked for.

        Raises:
            InputError: It has no video and no picture.
        """
        with self._lock:
            files = sorted(path for path in job.input.rglob("*") if path.is_file())
            first = files[0] if files else None
            alone = first if len(files) == 1 and first is not None else None
            # a picture may look like a video of one frame
            film = alone is not None and alone.suffix.lower() not in SUFFIXES and is_video(alone)

            if not film and not any(path.suffix.lower() in SUFFIXES for path in files):
                found = "nothing" if first is None else first.name
                hint = "drop a video, pictures, or a folder of pictures"
                raise InputError(
                    job.read().name, required="a video or pictures", found=found, hint=hint
                )

            changes = {"kind": "video" if film else "pictures", "waiting": "find"}
            record = job.change(**changes, source=alone.name if film and alone else "")

        self.go_on()
        return record

    def ask(self, job: JobFolder, step: StepName) -> None:
        """Let a step run, as soon as no other does."""
        with self._lock:
            record = job.read()
            if record.kind is None:
                raise InputError(
                    record.name, required="all of its files", found="some", hint="drop it again"
                )

            job.change(waiting=step)

        self.go_on()

    def stop(self, job: JobFolder) -> None:
        """Stop a job, or let it not begin; it can go on later."""
        with self._lock:
            record = job.read()
            if record.waiting is not None:
                job.change(waiting=None)

            # also one that another studio started, which was killed since
            if self.is_started(job) or job.is_running:
                (job.path / STOP).touch()

    def remove(self, job: JobFolder) -> None:
        """Remove a job and all its files.

        Raises:
            InputError: It runs.
        """
        with self._lock:
            if job.is_running or self.is_started(job):
                raise InputError(
                    job.read().name, required="a job that is stopped", found="one that runs",
                    hint="stop it first",
                )  # fmt: skip

            shutil.rmtree(job.path)

    def go_on(self) -> None:
        """Start the job that has waited longest, if none runs."""
        with self._lock:
            for name, process in list(self._running.items()):
                if process.poll() is not None:
                    del self._running[name]

            if self._closed or self._running:
                return

            jobs = self.jobs()
            # by another studio, or by one that was killed: two at once would share the cores
            if any(job.is_running for job in jobs):
                return

            waiting = [job for job in jobs if job.read().waiting is not None]
            if waiting:
                self._start(waiting[-1])

    def _start(self, job: JobFolder) -> None:
        record = job.read()
        step = record.waiting
        if step is None:
            return

        if step == "anonymise" and not job.who.is_file():
            job.write_people(job.people())

        if record.kind == "video":
            self._share_looks(job, record)

        (job.path / "result").mkdir(exist_ok=True)
        for name in (f"{step}.json", f"{step}.log", STOP):
            (job.path / name).unlink(missing_ok=True)

        job.change(waiting=None, begun=step)
        words = [sys.executable, "-m", "attrsearch.report.studio.runner", str(job.path), step]
        # a session of its own: what becomes of the studio is not what becomes of the job
        self._running[job.id] = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [*words, decided_of(job)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def _share_looks(self, job: JobFolder, record: JobRecord) -> None:
        """Take over what the detector found in the same clip of another job."""
        place = job.run / FOUND / LOOKS
        if place.exists():
            return

        source = job.source(record)
        for other in self.jobs():
            theirs = other.read()
            known = other.run / FOUND / LOOKS
            if other.id == job.id or theirs.kind != "video" or not known.is_file():
                continue

            # by content: a clip dropped twice has two dates and may have two names
            if filecmp.cmp(source, other.source(theirs), shallow=False):
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(known, place)
                return

    def is_started(self, job: JobFolder) -> bool:
        """Whether a process of this studio works at a job, or is about to."""
        process = self._running.get(job.id)
        return process is not None and process.poll() is None

    def close(self) -> int:
        """Stop what this studio started, for it would go on unseen; how many that were."""
        with self._lock:
            self._closed = True
            running = self._running.items()
            alive = {name: process for name, process in running if process.poll() is None}

            for name in alive:
                (self.path / JOBS / name / STOP).touch()

        for process in alive.values():
            # outside of the lock, which others need to let go
            process.wait()

        self._held.release()
        return len(alive)


def decided_of(job: JobFolder) -> str:
    """A digest of what was decided: a result of other decisions is out of date."""
    text = job.who.read_bytes() if job.who.is_file() else b""
    return hashlib.sha256(text).hexdigest()[:16]


def is_stale(job: JobFolder) -> bool:
    """Whether somebody decided otherwise, or chose another winner, since the result was made."""
    done = job.step("anonymise")
    if done is None or done.ended is None:
        return False

    sets = job.run / "attributes.json"
    written = (job.path / "anonymise.json").stat().st_mtime
    chosen = sets.is_file() and sets.stat().st_mtime > written
    return chosen or done.decided != decided_of(job)


def place_in(folder: Path, name: str) -> Path:
    """Where an uploaded file goes, below a folder.

    Raises:
        InputError: Its name leads elsewhere, or is none for a file.
    """
    parts = name.split("/")
    if len(parts) > DEEPEST or not all(PART.fullmatch(part) for part in parts):
        hint = "rename it"
        raise InputError("file", required="a plain name", found=name[:80] or "none", hint=hint)

    return folder.joinpath(*parts)
