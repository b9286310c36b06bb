"""``attrsearch apply``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import name_unwritten, quiet_option, say, stage_bar, when_stopped
from attrsearch.cli.encryption import encrypt_options
from attrsearch.cli.exit_codes import exit_code
from attrsearch.cli.fields import fill
from attrsearch.cli.logs import know, know_faces, log_options
from attrsearch.cli.video_options import (
    add_debug,
    finish,
    footage_options,
    open_eyes_for,
    open_material,
    refuse_for_live,
)

if TYPE_CHECKING:
    from attrsearch.anonymise.config import ApplyConfig
    from attrsearch.runs.attributes_file import AttributesFile
    from attrsearch.video.config import VideoConfig

OPTIONS = {
    "person": click.option(
        "--person", help="Whose pictures these are  [default: the name of folder or file]"
    ),
    "match": click.option(
        "--match",
        type=click.Path(path_type=Path),
        help="Pictures of the export's people, to know them in footage.",
    ),
    "editor": click.option(
        "--editor", help="Editor weights by path, where the export names none of ours."
    ),
    "format": click.option(
        "--format",
        type=click.Choice(["jpg", "png", "webp", "tif", "bmp"]),
        help="Kind of the pictures written  [default: as each came]",
    ),
}
"""Options of ``ApplyConfig``."""


@click.command(
    epilog="Example: attrsearch apply faces/ --attributes run1/attributes.json --out protected/"
)
@click.argument("source", metavar="INPUT")
@click.option(
    "--attributes", required=True, type=click.Path(path_type=Path), help="attributes.json of a run."
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="What to write: as INPUT; - for a pipe.",
)
@fill("config", "attrsearch.anonymise.config:ApplyConfig", OPTIONS)
@footage_options
@compute_options
@quiet_option
@log_options
@encrypt_options
def apply(
    source: str,
    attributes: Path,
    out: Path,
    config: "ApplyConfig",
    video: "VideoConfig",
    quiet: bool,
) -> int:
    """Protect pictures, a video, a folder of frames or a live source with exported attribute sets.

    A picture belongs to the person whose name its folder or file has; in footage, people are known
    by --match. A face is edited with its person's set; every other face is covered by the fallback
    filter; a picture in which no face is found is not written. Live sources are /dev/video0, an
    address, or - for standard input.
    """
    from attrsearch.cli.early import footage_request, known_editor, people_in
    from attrsearch.runs.attributes_file import read_attributes
    from attrsearch.video.io.containers import is_live, is_video

    know_faces(Path(source), [config.person] if config.person else [])
    know((), out, attributes, *([config.match] if config.match else []))
    file = read_attributes(attributes)
    know(record.id for record in file.identities)
    known_editor(config.editor or file.editor.name)
    footage_request(video)
    file.require(config.person)

    if config.match is not None:
        people_in(config.match)

    if is_live(source):
        return _apply_live(source, out, file, config, video, quiet)

    path = Path(source)
    if video.frames or is_video(path):
        return _apply_video(path, out, file, config, video, quiet)

    return _apply_pictures(path, out, file, config, video, quiet)


def _apply_pictures(
    source: Path,
    out: Path,
    file: "AttributesFile",
    config: "ApplyConfig",
    video: "VideoConfig",
    quiet: bool,
) -> int:
    from attrsearch.anonymise.picture_files import KINDS
    from attrsearch.anonymise.plan import others_in, plan
    from attrsearch.cli.early import new_file, new_folder
    from attrsearch.faces.images import say_left_out

    suffix = f".{config.format}" if config.format else None
    work = plan(source, out, file, config.person, suffix)
    if source.is_dir():
        new_folder(out)
    else:
        new_file(work[0][1], tuple(KINDS))

    from attrsearch.anonymise.images import MIN_FACE, Applier, apply_all, count_all, count_edited
    from attrsearch.faces.detection.classes import load_classes
    from attrsearch.video.summary import count_things

    others = others_in(source, out, [path for path, _, _ in work])
    if others:
        say(say_left_out(source, others))

    also = load_classes(video.also)
    applier = Applier(file, video.fallback, config.editor, also=also)

    def stopped() -> str:
        return f"stopped; {out} has some of {len(work)} pictures; the same command again does all"

    with when_stopped(stopped), stage_bar(quiet) as progress:
        done = apply_all(applier, work, progress)

    problems = name_unwritten(done)
    edited = count_edited(done)
    covered = sum(item.covered for item in done)
    say(
        f"{len(done) - len(problems)} pictures written to {out}: {edited} faces edited, "
        f"{covered} covered; not searched: faces narrower than {MIN_FACE:g} pixels"
    )
    if video.also:
        say(count_things(video.also, count_all(done)))

    return exit_code(problems)


def _apply_video(
    source: Path,
    out: Path,
    file: "AttributesFile",
    config: "ApplyConfig",
    video: "VideoConfig",
    quiet: bool,
) -> int:
    def stopped() -> str:
        return f"stopped; {out} was not written; the same command again begins anew"

    with when_stopped(stopped), stage_bar(quiet) as progress:
        # opened, and a frame of it written on trial, before anything heavy is loaded
        material = open_material(source, out, video)

        from attrsearch.anonymise.images import load_export_editor
        from attrsearch.anonymise.videos import ExportedSets, apply_to_video

        options = add_debug(video.load(material.size), source, material, video)
        eyes = open_eyes_for(options, video, nobody_known=config.match is None)
        editor = load_export_editor(file, config.editor)
        export = ExportedSets(file, editor, config.match, config.person)
        protected = apply_to_video(material, export, eyes, options, progress=progress)

    return finish(protected, source, out, eyes, video, material, quiet=quiet)


def _apply_live(
    source: str,
    out: Path,
    file: "AttributesFile",
    config: "ApplyConfig",
    video: "VideoConfig",
    quiet: bool,
) -> int:
    refuse_for_live(source, video)

    from attrsearch.anonymise.images import load_export_editor
    from attrsearch.anonymise.videos import ExportedSets, apply_to_stream
    from attrsearch.video.io.encoders import Encoding
    from attrsearch.video.summary import advise, summarise, unsearched

    options = video.load()
    eyes = open_eyes_for(options, video)

    with stage_bar(quiet) as progress:
        editor = load_export_editor(file, config.editor)
        export = ExportedSets(file, editor, config.match, config.person)
        done = apply_to_stream(
            source,
            out,
            export,
            eyes,
            options,
            encoding=Encoding(video.codec or "libx264", video.quality),
            progress=progress,
        )

    say(f"{out}: {summarise(done.counts)}{unsearched(done.summary)}")
    for line in advise(done.summary.reasons):
        say(line)

    if done.problem:
        say(done.problem)

    return exit_code(done.problem)
