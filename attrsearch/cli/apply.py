"""``attrsearch apply``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from attrsearch.cli.console import quiet_option, say, stage_bar
from attrsearch.cli.encryption import encrypt_options
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
    from attrsearch.runs.attributes_file import read_attributes
    from attrsearch.video.io.containers import is_live, is_video

    know_faces(Path(source), [config.person] if config.person else [])
    know((), out, attributes, *([config.match] if config.match else []))
    file = read_attributes(attributes)
    know(record.id for record in file.identities)
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
    from attrsearch.anonymise.images import Applier, apply_all, others_in, plan
    from attrsearch.faces.images import say_left_out

    suffix = f".{config.format}" if config.format else None
    work = plan(source, out, file, config.person, suffix)
    others = others_in(source, work)
    if others:
        say(say_left_out(source, others))
    applier = Applier(file, video.fallback, config.editor)
    with stage_bar(quiet) as progress:
        done = apply_all(applier, work, progress)
    problems = [item for item in done if item.problem]
    for item in problems:
        say(f"not written: {item.problem}")
    edited = sum(item.edited is not None for item in done)
    covered = sum(item.covered for item in done)
    say(
        f"{len(done) - len(problems)} pictures written to {out}: {edited} faces edited, {covered} covered"
    )
    return 1 if problems else 0


def _apply_video(
    source: Path,
    out: Path,
    file: "AttributesFile",
    config: "ApplyConfig",
    video: "VideoConfig",
    quiet: bool,
) -> int:
    from attrsearch.anonymise.images import load_export_editor
    from attrsearch.anonymise.videos import apply_to_video

    with stage_bar(quiet) as progress:
        material = open_material(source, out, video)
        options = add_debug(video.load(material.size), source, material, video)
        eyes = open_eyes_for(options, video, nobody_known=config.match is None)
        protected = apply_to_video(
            material,
            file,
            eyes,
            options,
            editor=load_export_editor(file, config.editor),
            match=config.match,
            person=config.person,
            progress=progress,
        )
    return finish(protected, source, out, eyes, video, material, quiet=quiet)


def _apply_live(
    source: str,
    out: Path,
    file: "AttributesFile",
    config: "ApplyConfig",
    video: "VideoConfig",
    quiet: bool,
) -> int:
    from attrsearch.anonymise.images import load_export_editor
    from attrsearch.anonymise.videos import apply_to_stream
    from attrsearch.video.io.encoders import Encoding
    from attrsearch.video.summary import summarise

    refuse_for_live(source, video)
    options = video.load()
    eyes = open_eyes_for(options, video)
    with stage_bar(quiet) as progress:
        done = apply_to_stream(
            source,
            out,
            file,
            eyes,
            options,
            editor=load_export_editor(file, config.editor),
            match=config.match,
            person=config.person,
            encoding=Encoding(video.codec or "libx264", video.quality),
            progress=progress,
        )
    say(f"{out}: {summarise(done.counts)}")
    if done.problem:
        say(done.problem)
    return 1 if done.problem else 0
