"""``attrsearch anonymise``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import (
    name_unfinished,
    name_unwritten,
    quiet_option,
    run_bar,
    say,
    stage_bar,
    when_stopped,
)
from attrsearch.cli.encryption import encrypt_options
from attrsearch.cli.exit_codes import DONE, INCOMPLETE, exit_code
from attrsearch.cli.fields import fill
from attrsearch.cli.logs import know, know_faces, log_options
from attrsearch.cli.run import CONFIG
from attrsearch.cli.video_options import (
    add_debug,
    anonymise_options,
    finish,
    keep_looks,
    open_eyes_for,
    open_material,
)
from attrsearch.cli.watch import Watch, watched_folder
from attrsearch.core.errors import AttrsearchError, OutputError

if TYPE_CHECKING:
    from attrsearch.anonymise.config import WatchConfig
    from attrsearch.anonymise.jobs import Job
    from attrsearch.search.config import RunConfig
    from attrsearch.video.config import VideoConfig

FOOTAGE_STUDY = "footage"
"""The study of footage where none is asked for."""
SEARCH = {name: CONFIG[name] for name in ("study", "editor", "trials", "seed")}
"""Options of the search; the recogniser is that of the footage."""
ORIGINALS = {"include_originals": CONFIG["include_originals"]}
WATCH = {
    "watch": click.option(
        "--watch", is_flag=True, help="INPUT is a folder that grows: do what is new until Ctrl+C."
    ),
    "every": click.option(
        "--every",
        default=5.0,
        show_default=True,
        type=click.FloatRange(0.05, 86_400),
        help="Seconds between two looks of --watch.",
    ),
}
"""Options of ``WatchConfig``."""


@click.command(epilog="Example: attrsearch anonymise street.mp4 --audit")
@click.argument(
    "sources", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="What to write: as INPUT; a folder for several  [default: INPUT_anonymised beside it]",
)
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path),
    help="Folder of the search  [default: OUT.run]",
)
@fill("config", "attrsearch.search.config:RunConfig", SEARCH | ORIGINALS)
@anonymise_options
@fill("watch", "attrsearch.anonymise.config:WatchConfig", WATCH)
@compute_options
@quiet_option
@log_options
@encrypt_options
def anonymise(
    sources: tuple[Path, ...],
    out: Path | None,
    run_folder: Path | None,
    config: "RunConfig",
    video: "VideoConfig",
    watch: "WatchConfig",
    quiet: bool,
) -> int:
    """Find the people of videos, frames or pictures, search a set for each, and apply it.

    Interrupted, the same command goes on where it was: what is finished is left, and so are people
    who were searched. With --watch it goes on for ever with what is new in a folder.
    """
    from attrsearch.anonymise.jobs import plan_jobs

    for source in sources:
        know_faces(source)

    if watch.watch:
        return _watch(watched_folder(sources, video, run_folder), out, config, video, watch, quiet)

    jobs = plan_jobs(sources, out, run_folder, frames=video.frames)
    asked = _asked(config, video)
    config = config.model_copy(update={"recogniser": video.recogniser})
    code = DONE

    for job in jobs:
        know((), job.target, job.run)
        if not video.find_only and job.is_done(asked):
            say(
                f"{job.target}: already written by the same command; delete it to have it "
                "written again"
            )
            continue

        if job.is_blocked:
            hint = "choose another place with --run"
            raise OutputError(
                job.run,
                required="a new or empty folder for the search",
                found="something there",
                hint=hint,
            )

        footage = video.frames or job.is_video
        do = _find if video.find_only else _video if footage else _pictures
        with when_stopped(job.progress):
            done = _one(do, job, config, video, quiet=quiet, go_on=len(jobs) > 1)

        if done == DONE and not video.find_only:
            job.mark_done(asked)

        code = max(code, done)

    return code


def _watch(
    folder: Path,
    out: Path | None,
    config: "RunConfig",
    video: "VideoConfig",
    watch: "WatchConfig",
    quiet: bool,
) -> int:
    from attrsearch.anonymise.archive import Archive
    from attrsearch.anonymise.jobs import name_beside
    from attrsearch.cli.early import known_recipe, new_folder

    target = out or name_beside(folder)
    run = target.with_name(f"{target.name}.run")
    new_folder(target)
    known_recipe(config)
    know((), target, run)
    asked = _asked(config, video)
    archive = Archive(folder, target, run, asked)
    config = config.model_copy(update={"recogniser": video.recogniser})

    return Watch(archive, config, video, _video, asked, quiet=quiet).go_on(watch.every)


def _asked(config: "RunConfig", video: "VideoConfig") -> dict[str, Any]:
    """What decides the output: the same is asked for where these are the same."""
    asked = dict(video) | {name: getattr(config, name) for name in SEARCH}
    del asked["find_only"]
    who = asked.pop("who")

    if who is not None:
        from attrsearch.runs.people_file import read_people, text_of

        # what is said counts, not where; what is known of faces beside it does not
        said = read_people(who).model_copy(update={"parts": {}})
        asked["who"] = text_of(said)

    return asked


def _find(job: "Job", _: "RunConfig", video: "VideoConfig", quiet: bool) -> int:
    from attrsearch.cli.early import footage_request, new_folder, people_in
    from attrsearch.runs.people_file import FILE, FOLDER

    new_folder(job.run)
    footage = video.frames or job.is_video

    with stage_bar(quiet) as progress:
        if footage:
            footage_request(video)
            material = open_material(job.source, job.target, video)

            from attrsearch.anonymise.found import find_in_video
            from attrsearch.video.io.reader import VideoReader

            options = video.load(material.size)
            eyes = open_eyes_for(options, video)
            rate = 0.0
            if job.is_video:
                with VideoReader(job.source) as reader:
                    rate = float(reader.info.rate)

            with keep_looks(eyes, job.run, options, video) as kept:
                found = find_in_video(material, job.run, kept, options, rate, progress)
        else:
            people_in(job.source)

            from attrsearch.anonymise.found import find_in_pictures

            found = find_in_pictures(job.source, job.run, progress)

    say(f"{len(found.people)} people found in {job.source}; {job.run / FOLDER / FILE}")
    return DONE


def _one(
    do: Callable[..., int],
    job: "Job",
    config: "RunConfig",
    video: "VideoConfig",
    *,
    quiet: bool,
    go_on: bool,
) -> int:
    """Do a job; one of several that fails is named and does not end the others."""
    try:
        return do(job, config, video, quiet)
    except AttrsearchError as error:
        if not go_on:
            raise

        say(str(error))
        return INCOMPLETE


def _video(job: "Job", config: "RunConfig", video: "VideoConfig", quiet: bool) -> int:
    from attrsearch.cli.early import footage_request, known_recipe

    folder = job.run
    config = _for_footage(config)
    footage_request(video)
    known_recipe(config)

    if video.ledger is None:  # the report shows it
        video = video.model_copy(update={"ledger": folder / "coverage.parquet"})

    (folder / "audit.json").unlink(missing_ok=True)  # it is of the result before

    with stage_bar(quiet) as progress:
        # opened, and a frame of it written on trial, before anything heavy is loaded
        material = open_material(job.source, job.target, video)

        from attrsearch.anonymise.videos import anonymise_video
        from attrsearch.report.page import write_report

        options = add_debug(video.load(material.size), job.source, material, video)
        eyes = open_eyes_for(options, video)
        with keep_looks(eyes, folder, options, video) as kept:
            protected, result = anonymise_video(
                material,
                folder,
                kept,
                options,
                config,
                resume=folder.exists(),
                progress=progress,
            )

    code = finish(
        protected,
        job.source,
        job.target,
        eyes,
        video,
        material,
        quiet=quiet,
        record=folder / "audit.json",
    )
    if result is None:
        return code

    name_unfinished(result.verdicts, result.failed)
    said = result.verdicts.sentence(result.identities, len(result.failed))
    say(f"{said}; {write_report(folder, include_originals=config.include_originals)}")
    return max(code, result.verdicts.exit_code(result.failed))


def _for_footage(config: "RunConfig") -> "RunConfig":
    """The same with the study for footage, where none was asked for."""
    asked = click.get_current_context().get_parameter_source("study")
    if asked is not ParameterSource.DEFAULT:
        return config

    return config.model_copy(update={"study": FOOTAGE_STUDY})


def _pictures(job: "Job", config: "RunConfig", video: "VideoConfig", quiet: bool) -> int:
    from attrsearch.anonymise.plan import check_places, others_in, plan, with_owners
    from attrsearch.cli.early import footage_request, search_request
    from attrsearch.faces.detection.classes import load_classes
    from attrsearch.faces.images import say_left_out

    # what would be refused at the end is refused before the search
    check_places(job.source, job.target)
    footage_request(video)
    also = load_classes(video.also)
    search_request(job.source, job.run, config, resume=job.run.exists())

    from attrsearch.anonymise.found import given_persons
    from attrsearch.anonymise.images import MIN_FACE, Applier, apply_all, count_all, count_edited
    from attrsearch.report.page import write_report
    from attrsearch.runs.attributes_file import read_attributes
    from attrsearch.runs.people_file import read_people
    from attrsearch.runs.searched import forget_changed
    from attrsearch.search.run import run
    from attrsearch.video.summary import count_things

    given = read_people(video.who) if video.who else None
    persons = None if given is None else given_persons(given, job.source)

    if given is not None:
        forget_changed(job.run, given)
        searched = tuple(sorted(given.named("anonymise")))
        update = {"genders": given.genders or None, "people": searched}
        config = config.model_copy(update=update)

    with run_bar(quiet) as progress:
        result = run(
            persons or job.source,
            job.run,
            config,
            resume=job.run.exists(),
            progress=progress,
        )
        write_report(job.run, include_originals=config.include_originals)

    file = read_attributes(job.run / "attributes.json")
    work = plan(job.source, job.target, file, None)
    others = others_in(job.source, job.target, [path for path, _, _ in work])

    if others:
        say(say_left_out(job.source, others))

    left: frozenset[Path] = frozenset()
    if given is not None:
        work, left = with_owners(work, job.source, given, file)

    with stage_bar(quiet, delay=1) as told:
        editor = config.load_study().editor
        applier = Applier(file, video.fallback, editor, left=left, also=also)
        done = apply_all(applier, work, told)

    name_unfinished(result.verdicts, result.failed)
    problems = name_unwritten(done)
    edited = count_edited(done)
    said = result.verdicts.sentence(result.identities, len(result.failed))
    say(
        f"{said}; {edited} pictures edited in {job.target}; "
        f"not searched: faces narrower than {MIN_FACE:g} pixels"
    )
    if video.also:
        say(count_things(video.also, count_all(done)))

    return max(exit_code(problems), result.verdicts.exit_code(result.failed))
