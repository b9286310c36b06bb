"""An archive that grows: what is new in a folder and complete, and what became of every file.

The folder is looked at again and again, since archives lie on network shares, where no system tells
what other machines write.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attrsearch.core.errors import InputError
from attrsearch.core.names import readable
from attrsearch.faces.images import SUFFIXES, is_run, tree_pictures
from attrsearch.runs.journal import Journal
from attrsearch.video.io.containers import VIDEO_SUFFIXES, is_video

log = logging.getLogger(__name__)

EVENT = "watched"
Stamp = tuple[int, int]
"""Size of a file, and the time of its last change in nanoseconds."""


@dataclass(frozen=True)
class Batch:
    """What is new and complete.

    Attributes:
        videos: One by one.
        pictures: Together: the people on them are searched side by side.
    """

    videos: tuple[Path, ...] = ()
    pictures: tuple[Path, ...] = ()


class Archive:
    """A folder that grows, and what is known of its files.

    What is known is kept in the journal of the run, so that it is there after a restart.  Files
    that failed are tried again then, or when they change.

    Args:
        folder: The folder.
        out: Where protected files go.
        run: Folder of the search.
        asked: What decides the output: with other settings everything is done anew.

    Raises:
        InputError: No folder, or the output lies inside it.
    """

    def __init__(self, folder: Path, out: Path, run: Path, asked: Mapping[str, Any]) -> None:
        if not folder.is_dir():
            found = "a file" if folder.exists() else "no such folder"
            raise InputError(folder, required="a folder to watch", found=found, hint="check it")

        for place in (out, run):
            if place.resolve().is_relative_to(folder.resolve()):
                hint = "choose a place beside the folder with --out"
                required = "an output outside the folder that is watched"
                raise InputError(place, required=required, found="one inside it", hint=hint)

        self.folder = folder
        self.out = out
        self.run = run
        self.pictures: tuple[Path, ...] = ()
        """All pictures of the last look."""
        self.failed: dict[Path, str] = {}
        """What failed since the start, and why."""
        self.waiting = 0
        """Files of the last look that are not done: new, or not complete."""
        # sorted: the same settings have the same digest, in whatever order they were typed
        told = json.dumps({name: str(value) for name, value in sorted(asked.items())})
        self._asked = hashlib.sha256(told.encode()).hexdigest()[:16]
        self._before: dict[Path, Stamp] = {}
        self._done: dict[str, tuple[Stamp, str]] = {}
        self._journal = Journal(run)
        self._failed_as: dict[Path, Stamp] = {}
        self._looked_into: dict[Path, tuple[Stamp, bool]] = {}
        self._away = False
        self._recall()

    @property
    def done(self) -> int:
        """How many files are done, earlier ones included."""
        return len(self._done)

    def look(self) -> Batch:
        """Look at the folder: what is new and the same as in the look before."""
        try:
            files = dict(self._files())
        except OSError as error:
            # a share that is away for a while comes back
            if not self._away:
                log.warning(
                    f"{self.folder} cannot be read now ({error.strerror or error}): waiting"
                )

            self._away = True
            return Batch()

        self._away = False
        # a file that is still being copied changes from one look to the next
        calm = {path for path, stamp in files.items() if self._before.get(path) == stamp}
        self._before = files
        self.pictures = tuple(path for path in files if _is_picture(path))
        ready = [path for path in files if self._counts(path, calm)]
        new = [path for path in ready if not self._is_known(path)]
        self.waiting = len(new)

        # somebody whose pictures are still being copied is not searched on the first of them
        busy = {self.group(path) for path in self.pictures if path not in calm}
        videos = []
        pictures = []

        for path in new:
            if _is_picture(path):
                if self.group(path) not in busy:
                    pictures.append(path)
            # a video that is still being copied ends too early
            elif path in calm:
                videos.append(path)

        return Batch(tuple(videos), tuple(pictures))

    def group(self, picture: Path) -> str:
        """Whose picture it is: its folder's directly inside the archive, or its own."""
        return picture.relative_to(self.folder).parts[0]

    def note(self, path: Path, target: Path, problem: str = "") -> None:
        """Note what became of a file; it is on the disk when this returns.

        Args:
            path: The file.
            target: What was written.
            problem: Why nothing was; empty where all is well.

        Raises:
            OutputError: The journal cannot be written.
        """
        stamp = self._before[path]
        name = self._name(path)
        if problem:
            self.failed[path] = problem
            self._failed_as[path] = stamp
            # what was done once and failed now is not done: its output is an older one's
            self._done.pop(name, None)
        else:
            self.failed.pop(path, None)
            self._done[name] = (stamp, str(target))

        self.waiting = max(0, self.waiting - 1)
        self._journal.add(
            EVENT,
            file=name,
            size=stamp[0],
            modified=stamp[1],
            asked=self._asked,
            target=str(target),
            problem=problem,
        )

    def summary(self) -> str:
        """What there is, in a line."""
        words = [f"{self.done} files of {self.folder} are done"]
        if self.failed:
            words.append(f"{len(self.failed)} could not be (each was named)")
        if self.waiting:
            words.append(f"{self.waiting} wait")

        return f"{', '.join(words)}; the same command again goes on"

    def _is_known(self, path: Path) -> bool:
        """Whether a file is done, or failed since the start, as it is now."""
        stamp = self._before[path]
        if path in self.failed and self._failed_as.get(path) == stamp:
            return True

        known = self._done.get(self._name(path))
        # somebody who removed the output wants it again
        return known is not None and known[0] == stamp and Path(known[1]).exists()

    def _counts(self, path: Path, calm: set[Path]) -> bool:
        """Whether a file is a picture or a video; of some names it is known once they are whole."""
        suffix = path.suffix.lower()
        if _is_picture(path) or suffix in VIDEO_SUFFIXES:
            return True
        if path not in calm:
            return False

        stamp = self._before[path]
        if self._looked_into.get(path, (None, False))[0] != stamp:
            self._looked_into[path] = (stamp, is_video(path))

        return self._looked_into[path][1]

    def _files(self) -> Iterator[tuple[Path, Stamp]]:
        """Files with their stamps; of what is hidden, a link or a run nothing."""
        for path in (*tree_pictures(self.folder), *_others(self.folder)):
            try:
                state = path.stat()
            except FileNotFoundError:  # moved away meanwhile
                continue

            yield path, (state.st_size, state.st_mtime_ns)

    def _recall(self) -> None:
        for line in self._journal.read():
            # with other settings an output would be another one: what was done by these does not
            # count
            if line.get("event") != EVENT or line.get("asked") != self._asked:
                continue

            stamp = (int(line["size"]), int(line["modified"]))
            if line["problem"]:
                self._done.pop(line["file"], None)
            else:
                self._done[line["file"]] = (stamp, str(line["target"]))

    def _name(self, path: Path) -> str:
        return readable(path.relative_to(self.folder).as_posix())


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _others(folder: Path) -> Iterator[Path]:
    """Files of a folder and its sub-folders that are no pictures by their names."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink():
            continue

        if path.is_dir():
            if not is_run(path):
                yield from _others(path)
        elif not _is_picture(path):
            yield path
