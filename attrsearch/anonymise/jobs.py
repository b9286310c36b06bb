"""What ``anonymise`` makes of what it is given.

One job a video or a folder, where it goes, and whether it is done.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attrsearch.core.errors import InputError
from attrsearch.core.files import is_part, write_bytes
from attrsearch.faces.images import SUFFIXES
from attrsearch.video.io.containers import is_video

ADDED = "_anonymised"
"""What is added to a name where none was given."""
MARK = "anonymised.json"
"""In the run's folder, once the output has its name."""
RUN_FILE = "run.toml"
"""What tells a run's folder from any other."""
OWN = frozenset(
    {
        "journal.jsonl",
        "people",
        "coverage.parquet",
        "coverage.parquet.fernet",
        MARK,
        "left_out.txt",
        "found",
        "faces",
        "searched.json",
        "audit.json",
    }
)
"""What this command may leave in a folder in which no search has begun."""


@dataclass(frozen=True)
class Job:
    """One input and its output.

    Attributes:
        source: A video, a folder of frames or of pictures.
        target: What is written.
        run: Folder of the search.
        is_video: Whether the source is a video file.
    """

    source: Path
    target: Path
    run: Path
    is_video: bool

    def fingerprint(self, options: Mapping[str, Any]) -> str:
        """Of the input as it lies there and of what was asked for.

        The same job has the same one.
        """
        state = self.source.stat()
        # how much is said changes no output
        asked = {name: str(value) for name, value in sorted(options.items()) if name != "quiet"}
        told = [
            str(self.source.resolve()),
            state.st_size,
            state.st_mtime_ns,
            str(self.target.resolve()),
            asked,
        ]

        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def is_done(self, options: Mapping[str, Any]) -> bool:
        """Whether the output of this very job is there."""
        try:
            marked: dict[str, Any] = json.loads((self.run / MARK).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False

        if not self.target.exists() or marked.get("job") != self.fingerprint(options):
            return False

        # who chose another winner since wants it seen in the output
        return bool(marked.get("sets", self._sets()) == self._sets())

    def mark_done(self, options: Mapping[str, Any]) -> None:
        """Note that the output is whole."""
        marked = {"job": self.fingerprint(options), "sets": self._sets()}
        write_bytes(self.run / MARK, json.dumps(marked).encode())

    def _sets(self) -> str:
        """A digest of the sets that the output shows; empty where there are none."""
        try:
            return hashlib.sha256((self.run / "attributes.json").read_bytes()).hexdigest()[:16]
        except OSError:
            return ""

    @property
    def has_begun(self) -> bool:
        """Whether the run's folder holds a search that can go on."""
        return (self.run / RUN_FILE).exists()

    @property
    def is_blocked(self) -> bool:
        """Whether the run's folder holds what is neither a search nor left over from one."""
        if self.has_begun or not self.run.exists():
            return False
        if not self.run.is_dir():
            return True

        return any(not is_part(path) and path.name not in OWN for path in self.run.iterdir())

    def progress(self) -> str:
        """What there is after it was stopped, and how to go on, in a line."""
        people = len(list((self.run / "people").glob("*.json")))
        again = "the same command again"
        if not self.has_begun:
            return f"stopped before the search of {self.source} began; {again} begins it"

        found = f"{people} people are searched" if people != 1 else "1 person is searched"
        return f"stopped; {found} ({self.run}), {self.target} is not whole; {again} goes on"


def name_beside(source: Path) -> Path:
    """Where the output goes if nobody said: beside the input, under a name of its own.

    >>> name_beside(Path("a/clip.mp4")).name, name_beside(Path("faces")).name
    ('clip_anonymised.mp4', 'faces_anonymised')
    """
    return source.with_name(
        f"{source.stem}{ADDED}{source.suffix}" if source.suffix else f"{source.name}{ADDED}"
    )


def plan_jobs(
    sources: Sequence[Path],
    out: Path | None = None,
    run: Path | None = None,
    *,
    frames: bool = False,
) -> list[Job]:
    """The jobs of a command line.

    Args:
        sources: Videos and folders; a folder of videos stands for each of them.
        out: Where to write: a name for one input, a folder for several; beside the inputs where it
            is None.
        run: Folder of the search, of a single input only; beside the output where it is None.
        frames: Whether a folder is the frames of one video.

    Raises:
        InputError: Nothing to do, a run folder for several inputs, or two outputs of one name.
    """
    found = list(_expand(sources, frames))

    if not found:
        hint = "give videos, or folders of videos or pictures"
        raise InputError(
            str(sources[0]) if sources else "INPUT",
            required="something to anonymise",
            found="nothing",
            hint=hint,
        )

    several = len(found) > 1 or found[0] != sources[0]
    if several and run is not None:
        hint = "leave --run out: every input has a run of its own beside its output"
        raise InputError(run, required="one input for --run", found=f"{len(found)}", hint=hint)

    jobs = []
    for source in found:
        target = name_beside(source) if out is None else out / source.name if several else out
        jobs.append(
            Job(
                source,
                target,
                run or target.with_name(f"{target.name}.run"),
                _is_film(source, frames),
            )
        )

    targets = [job.target for job in jobs]
    twice = next((target for target in targets if targets.count(target) > 1), None)

    if twice is not None:
        hint = "rename one of them, or leave --out out"
        raise InputError(
            twice, required="outputs of different names", found="two of this name", hint=hint
        )

    return jobs


def _is_film(source: Path, frames: bool) -> bool:
    return not frames and is_video(source)


def _expand(sources: Iterable[Path], frames: bool) -> Iterable[Path]:
    """Inputs one by one.

    A folder of videos is its videos, and what was anonymised before is left out.
    """
    for source in sources:
        if frames or not source.is_dir():
            yield source
            continue

        there = [path for path in source.iterdir() if path.is_file()]
        files = sorted(path for path in there if not path.name.startswith("."))
        others = [path for path in files if path.suffix.lower() not in SUFFIXES]
        videos = [path for path in others if is_video(path)]
        yield from (path for path in videos if not path.stem.endswith(ADDED))

        if not videos or any(path.suffix.lower() in SUFFIXES for path in files):
            yield source
