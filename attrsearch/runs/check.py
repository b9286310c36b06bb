"""``attrsearch check``: whether a run is what was written, and what an interrupted one needs."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.files import file_name
from attrsearch.core.names import from_csv_cell
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.runs.attributes_file import read_attributes
from attrsearch.runs.checksums import file_digest, sealed_files
from attrsearch.runs.export import refresh_exports
from attrsearch.runs.folder import PREDICTED, RunFolder
from attrsearch.runs.journal import Journal
from attrsearch.runs.metadata import read_provenance, read_run
from attrsearch.runs.person_part import PersonPart, files_beside, read_part
from attrsearch.runs.review import read_decisions

DAMAGED = "damaged"
"""Folder inside the run to which a repair moves what is not what was written."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        place: Path inside the run, or a person's name.
        problem: What is wrong.
        mended: What a repair did about it; empty where it did nothing.
    """

    place: str
    problem: str
    mended: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}" + (f" ({self.mended})" if self.mended else "")


@dataclass
class Checked:
    """What a check found.

    Attributes:
        people: Finished people whose results are whole.
        unsealed: Of those, people written by a version without checksums.
        files: Files whose checksum was compared.
        finished: Whether the run has ended and its tables are right.
        findings: What is not as it should be.
        again: Names of people who have to be searched again, as far as the run knows.
    """

    people: int = 0
    unsealed: int = 0
    files: int = 0
    finished: bool = False
    findings: list[Finding] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is left to be mended."""
        return all(finding.mended for finding in self.findings) and not self.again


def check_run(run: Path, repair: bool = False, progress: Progress[Step] = silent) -> Checked:
    """Compare every file of a run with its checksum, and the tables with the people.

    Args:
        run: The run's folder; nobody may be writing to it.
        repair: Move what is damaged aside, remove what an interrupted run left, and write the
            tables again.
        progress: Told of the stage ``check``, by people.

    Raises:
        InputError: No run.
    """
    read_run(run)
    check = _Check(run, repair)
    known = check.people(progress)
    check.leftovers(known)
    check.journal(known)
    check.tables(known)

    return check.found


class _Check:
    def __init__(self, run: Path, repair: bool) -> None:
        self._run = run
        self._repair = repair
        self._folder = RunFolder(run)
        self.found = Checked()

    def people(self, progress: Progress[Step]) -> set[str]:
        """Names of the people whose results are whole."""
        known = set()
        paths = sorted(self._folder.people.glob("*.json"))

        for number, path in enumerate(paths, 1):
            try:
                part = read_part(path)
                self._files(path, part)
            except InputError as error:
                self._damaged(path, error.found)
            else:
                known.add(part.record.id)

            progress(Step(stage="check", count=number, total=len(paths)))

        self.found.people = len(known)
        return known

    def _files(self, path: Path, part: PersonPart) -> None:
        """Compare a person's files with the checksums.

        Raises:
            InputError: One is gone, or not what was written.
        """
        if path.stem != file_name(part.record.id):
            raise InputError(
                path, required="its own person", found=f"the results of {part.record.id}", hint=""
            )

        digests = sealed_files(json.loads(path.read_text(encoding="utf-8")))
        names = files_beside(path, part)

        for name in names:
            file = self._run / name
            if not file.is_file():
                raise InputError(path, required=name, found=f"{name} is gone", hint="")

            if name in digests:
                self.found.files += 1
                if file_digest(file) != digests[name]:
                    raise InputError(
                        path, required=name, found=f"{name} is not what was written", hint=""
                    )

        # without checksums, that the trials can be opened is all that can be said
        if not digests:
            self.found.unsealed += 1
            try:
                pq.read_metadata(self._run / names[0])
            except (OSError, pa.ArrowException) as error:
                raise InputError(
                    path, required=names[0], found=f"{names[0]} is damaged", hint=""
                ) from error

    def leftovers(self, known: set[str]) -> None:
        """Files of people who are not finished, and files half written."""
        kept = {file_name(name) for name in known}
        for path in sorted(self._run.rglob(".*.part")):
            self._remove(path, "half written")

        for path in sorted(self._folder.people.glob("*.parquet")):
            if path.name.removesuffix(PREDICTED).removesuffix(".parquet") not in kept:
                self._remove(path, "trials of somebody who is not finished")

        # people who are finished own what is named after them; anything else has no owner
        images = self._run / "images"
        for path in sorted(images.iterdir()) if images.is_dir() else ():
            if path.name not in kept:
                self._remove(path, "pictures of somebody who is not finished")

    def journal(self, known: set[str]) -> None:
        """People who were finished and are not there any more."""
        journal = Journal(self._run)
        finished = {str(line.get("id")) for line in journal.read() if line["event"] == "finished"}

        if journal.damaged:
            self._add(
                journal.path.name,
                f"{journal.damaged} lines are not what was written",
                "left as they are",
            )

        damaged = {finding.place for finding in self.found.findings}
        for name in sorted(finished - known):
            if f"people/{file_name(name)}.json" not in damaged:
                self._add(name, "was finished, and is gone")

            if file_name(name) not in self.found.again:
                self.found.again.append(name)

    def tables(self, known: set[str]) -> None:
        """Whether the tables say what the people do."""
        # before anything is written anew, or a repair would find nothing to say
        problems = list(self._table_problems(known))
        if not problems:
            self.found.finished = True
            return

        mended = ""
        if self._repair:
            ended = "result" in read_run(self._run)
            # the seconds of a run that ended are in its file, and the folder adds them itself
            seconds = 0.0 if ended else _seconds(self._run)
            lost = bool(self.found.again) or not ended
            state = {"interrupted": {"people": len(known)}} if lost else {}
            self._folder.finish(read_provenance(self._run), self._failed(known), seconds, state)
            refresh_exports(self._run)
            mended = "written again from the people"
            self.found.finished = True

        for problem in problems:
            self._add("tables", problem, mended)

    def _failed(self, known: set[str]) -> dict[str, str]:
        """Who could not be searched, and why; not who was finished by a later call."""
        failed = {}
        for line in Journal(self._run).read():
            if line["event"] == "failed" and line["id"] not in known:
                failed[str(line["id"])] = str(line["reason"])

        return failed

    def _table_problems(self, known: set[str]) -> Iterator[str]:
        about = read_run(self._run)
        if "result" not in about:
            yield (
                f"the run was interrupted after {len(known)} people; "
                "attrsearch run … --resume continues it"
            )
            return

        try:
            dropped = read_decisions(self._run).dropped
            feasible = {}
            for name in known - dropped:
                part = self._folder.finished_part(name)
                if part is not None and part.record.feasible:
                    feasible[name] = part.exported

            identities = read_attributes(self._run / "attributes.json").identities
            exported = {record.id: record for record in identities if record.feasible}
            # who is there is said first: other sets of other people would say nothing more
            if exported.keys() != feasible.keys():
                yield f"attributes.json has {len(exported)} people, {len(feasible)} were anonymised"
            elif exported != feasible:
                yield "attributes.json has other sets than the people's own files"

            listed = _listed(self._run / "summary.csv")
            if listed is None:
                yield "summary.csv is gone"
            elif listed != known - dropped:
                yield f"summary.csv has {len(listed)} people, {len(known - dropped)} belong in it"
        except AttrsearchError as error:
            yield f"attributes.json: {error.found}"

        try:
            table = pq.read_table(self._run / "trials.parquet", columns=["identity"])
            names = table["identity"].unique()
            if set(names.to_pylist()) != known:
                yield f"trials.parquet has {len(names)} people, {len(known)} are finished"
        except (OSError, pa.ArrowException, KeyError):
            yield "trials.parquet is damaged or gone"

    def _damaged(self, path: Path, problem: str) -> None:
        place = path.relative_to(self._run).as_posix()
        mended = ""

        if self._repair:
            target = self._run / DAMAGED
            target.mkdir(exist_ok=True)
            # pictures stay: they are removed as leftovers, since nobody is finished who has them
            for file in (path, path.with_suffix(".parquet")):
                if file.exists():
                    shutil.move(file, target / file.name)

            mended = f"moved to {DAMAGED}/; --resume searches this person again"

        self.found.again.append(path.stem)
        self._add(place, problem, mended)

    def _remove(self, path: Path, problem: str) -> None:
        if self._repair:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

        self._add(
            path.relative_to(self._run).as_posix(), problem, "removed" if self._repair else ""
        )

    def _add(self, place: str, problem: str, mended: str = "") -> None:
        self.found.findings.append(Finding(place, problem, mended))


def _listed(summary: Path) -> set[str] | None:
    """The people of ``summary.csv``; None where it cannot be read."""
    try:
        with summary.open(encoding="utf-8", newline="") as file:
            return {str(from_csv_cell(row.get("id") or "")) for row in csv.DictReader(file)}
    except (OSError, ValueError):
        return None


def _seconds(run: Path) -> float:
    """How long an interrupted run took, from its people: the wall clock nobody knows."""
    return sum(part.seconds for part in RunFolder(run).read_people())
