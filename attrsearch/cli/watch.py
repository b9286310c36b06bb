"""``attrsearch anonymise --watch``: a folder that grows."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrsearch.cli.console import name_unfinished, run_bar, say
from attrsearch.cli.exit_codes import DONE, INTERRUPTED, exit_code
from attrsearch.cli.logs import know, know_faces
from attrsearch.core.errors import AttrsearchError, InputError

if TYPE_CHECKING:
    from attrsearch.anonymise.archive import Archive
    from attrsearch.anonymise.jobs import Job
    from attrsearch.search.config import RunConfig
    from attrsearch.video.config import VideoConfig

NOT_WATCHED = ("frames", "who", "find_only", "write_boxes", "debug_video", "preview", "ledger")
"""Options that are about one video."""
DoVideo = Callable[["Job", "RunConfig", "VideoConfig", bool], int]


def watched_folder(sources: Sequence[Path], video: "VideoConfig", run: Path | None) -> Path:
    """The one folder that is watched.

    Raises:
        InputError: Several inputs, or an option that is about one video.
    """
    if len(sources) != 1:
        hint = "give one folder; start the command once for each"
        raise InputError("--watch", required="one folder", found=f"{len(sources)}", hint=hint)

    for name in NOT_WATCHED:
        if getattr(video, name):
            option = f"--{name.replace('_', '-')}"
            hint = f"leave {option} out"
            raise InputError("--watch", required=f"no {option}", found=option, hint=hint)

    if run is not None:
        hint = "leave --run out: it lies beside the output"
        raise InputError("--watch", required="no --run", found="--run", hint=hint)

    return sources[0]


class Watch:
    """Protects what is new in an archive, look by look.

    Args:
        archive: The archive.
        config: How is searched.
        video: How footage is protected.
        do_video: Protects one video.
        asked: What decides the output.
        quiet: No bars.
    """

    def __init__(
        self,
        archive: "Archive",
        config: "RunConfig",
        video: "VideoConfig",
        do_video: DoVideo,
        asked: dict[str, Any],
        *,
        quiet: bool,
    ) -> None:
        from attrsearch.faces.detection.classes import load_classes

        self._archive = archive
        self._config = config
        self._video = video
        self._also = load_classes(video.also)
        self._do_video = do_video
        self._asked = asked
        self._quiet = quiet
        self._code = DONE
        self._busy = False

    def go_on(self, every: float) -> int:
        """Look every so many seconds until Ctrl+C; the exit code."""
        say(f"watching {self._archive.folder} every {every:g} s; Ctrl+C ends it")

        try:
            while True:
                self.once()
                time.sleep(every)
        except KeyboardInterrupt:
            say(self._archive.summary())
            if self._busy:
                return INTERRUPTED

            return max(self._code, exit_code(self._archive.failed))

    def once(self) -> None:
        """Look once, and protect what is new and complete; what is bad is named and left."""
        batch = self._archive.look()
        self._busy = True
        if batch.videos or batch.pictures:
            know_faces(self._archive.folder)

        for path in batch.videos:
            self._protect_video(path)

        if batch.pictures:
            self._protect_pictures(batch.pictures)

        self._busy = False

    def _protect_video(self, path: Path) -> None:
        from attrsearch.anonymise.jobs import Job

        target = self._archive.out / path.relative_to(self._archive.folder)
        job = Job(path, target, target.with_name(f"{target.name}.run"), True)
        know((), job.target, job.run)
        problem = ""

        try:
            if job.is_blocked:
                hint = "move it away"
                required = "a new or empty folder for the search"
                raise InputError(job.run, required=required, found="something there", hint=hint)

            code = self._do_video(job, self._config, self._video, self._quiet)
            if code == DONE:
                job.mark_done(self._asked)

            self._code = max(self._code, code)
        except (AttrsearchError, OSError) as error:
            problem = str(error)

        self._note(path, target, problem)

    def _protect_pictures(self, pictures: Sequence[Path]) -> None:
        try:
            problems, places = self._search_and_apply(pictures)
        except (AttrsearchError, OSError) as error:
            problems = dict.fromkeys(pictures, str(error))
            places = dict.fromkeys(pictures, self._archive.out)

        for path in pictures:
            self._note(path, places[path], problems.get(path, ""))

    def _note(self, path: Path, target: Path, problem: str) -> None:
        self._archive.note(path, target, problem)
        if problem:
            say(f"not written: {problem}")

    def _search_and_apply(
        self, pictures: Sequence[Path]
    ) -> tuple[dict[Path, str], dict[Path, Path]]:
        """Search whoever is new, and protect the pictures: problems and places by picture."""
        from attrsearch.anonymise.images import Applier, apply_all, count_all, count_edited
        from attrsearch.anonymise.picture_files import refuse_replacing, targets
        from attrsearch.runs.attributes_file import read_attributes
        from attrsearch.video.summary import count_things

        archive = self._archive
        owners = self._search(pictures)
        file = read_attributes(archive.run / "attributes.json")
        places = targets(archive.pictures, archive.folder, archive.out)
        chosen = dict(zip(archive.pictures, places, strict=True))
        problems: dict[Path, str] = {}
        work = []

        for path in pictures:
            try:
                refuse_replacing([path], [chosen[path]])
            except AttrsearchError as error:
                problems[path] = str(error)
                continue

            work.append((path, chosen[path], file.find(owners[path])))

        editor = self._config.load_study().editor
        done = apply_all(Applier(file, self._video.fallback, editor, also=self._also), work)
        problems |= {item.source: item.problem for item in done if item.problem}
        edited = count_edited(done)
        written = sum(not item.problem for item in done)
        say(f"{written} pictures written to {archive.out}, {edited} edited")
        if self._video.also:
            say(count_things(self._video.also, count_all(done)))

        return problems, chosen

    def _search(self, pictures: Sequence[Path]) -> dict[Path, str]:
        """Search the people of new pictures who have no set yet; whose each picture is."""
        from attrsearch.faces.people import find_people
        from attrsearch.report.page import write_report
        from attrsearch.runs.folder import RunFolder
        from attrsearch.search.run import run

        archive = self._archive
        folder = RunFolder(archive.run)
        new = set(pictures)
        people = [person for person in find_people(archive.folder) if new & set(person.files)]
        names = tuple(person.id for person in people if not folder.is_finished(person.id))
        owners: dict[Path, str] = {}
        for person in people:
            owners |= dict.fromkeys(person.files, person.id)

        know(owners.values())
        if not names and (archive.run / "attributes.json").is_file():
            return owners

        config = self._config.model_copy(update={"people": names})
        with run_bar(self._quiet) as progress:
            result = run(archive.folder, archive.run, config, resume=True, progress=progress)
            write_report(archive.run)

        name_unfinished(result.verdicts, result.failed)
        self._code = max(self._code, result.verdicts.exit_code(result.failed))
        return owners
