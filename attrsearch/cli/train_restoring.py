"""``attrsearch train prepare-tight|parsing|restoring``: the networks of a restoring editor."""

from functools import partial
from pathlib import Path

import click

from attrsearch.cli.compute import device_option
from attrsearch.cli.console import quiet_option, say, stage_bar
from attrsearch.cli.train_options import (
    TrainingRequest,
    faces_argument,
    path_type,
    run_training,
    training_options,
)


@click.command(epilog="Example: attrsearch train prepare-tight lfw/ celeba/ --out T")
@click.argument("pictures", nargs=-1, type=path_type, required=True)
@click.option("--out", required=True, type=path_type, help="Folder for the prepared faces.")
@click.option(
    "--table",
    type=path_type,
    help="CSV file with the 13 attributes of every picture of one folder.",
)
@click.option("--only", type=path_type, help="Text file: people or pictures to take, one a line.")
@click.option(
    "--without", type=path_type, help="Text file: people or pictures to leave out, one a line."
)
@click.option(
    "--border",
    type=click.IntRange(0, 400),
    default=0,
    show_default=True,
    help="Extend pictures that show the inner face only by so many pixels.",
)
@click.option(
    "--landmarks",
    type=click.Choice(["dlib", "parsing", "parsing-alike"]),
    default="dlib",
    show_default=True,
    help="Who reads the 68 landmarks: dlib (extra judges; to train face parsing on), or the "
    "bundled face parsing (minutes; to train a restoring editor on); alike: where the faces lie "
    "at one place in all pictures of a folder, as in LFW.",
)
@device_option
@quiet_option
def prepare_tight(
    pictures: tuple[Path, ...],
    out: Path,
    table: Path | None,
    only: Path | None,
    without: Path | None,
    border: int,
    landmarks: str,
    quiet: bool,
) -> None:
    """Align the faces of folders of PICTURES tightly, with 68 landmarks and skin labels."""
    from attrsearch.cli.early import existing_file, existing_folder, new_folder

    if table is not None and len(pictures) > 1:
        hint = "prepare each folder with its own table; train takes one prepared folder"
        raise click.UsageError(f"--table speaks of one folder, found {len(pictures)}; {hint}")

    for folder in pictures:
        existing_folder(folder, "a folder of pictures")

    for file in (table, only, without):
        existing_file(file, "a file")

    new_folder(out)

    from attrsearch.training.prepare import read_names
    from attrsearch.training.prepare_parsed import prepare_parsed
    from attrsearch.training.prepare_tight import prepare_tight as prepare_by_dlib
    from attrsearch.training.tight_faces import join_tight

    by_parsing = partial(prepare_parsed, alike=landmarks == "parsing-alike")
    run = prepare_by_dlib if landmarks == "dlib" else by_parsing
    sets = []
    with stage_bar(quiet) as progress:
        for folder in pictures:
            prepared = run(
                folder,
                table=table,
                only=read_names(only) if only else None,
                without=read_names(without) if without else (),
                border=border,
                progress=progress,
            )
            sets.append(prepared)

    joined = join_tight(sets)
    joined.save(out)
    say(f"{out}: {len(joined)} faces of {len(pictures)} folders")


@click.command(epilog="Example: attrsearch train parsing T --out parsing/")
@faces_argument
@training_options("parsing")
def parsing(faces: tuple[Path, ...], request: TrainingRequest) -> None:
    """Train face parsing (68 landmarks, visible skin) on tightly prepared FACES."""
    from attrsearch.cli.early import training_request
    from attrsearch.training.restoring_recipes import load_parsing_recipe

    chosen = load_parsing_recipe(request.recipe, steps=request.steps, seed=request.seed)
    training_request(faces, request.out, request.resume)

    from attrsearch.core.device import device, dtype_on
    from attrsearch.training.parsing import ParsingTrainer
    from attrsearch.training.tight_faces import load_tight_sources

    where = device()
    trainer = ParsingTrainer(
        chosen, load_tight_sources(faces), dtype_on(where, chosen.precision), where
    )
    run_training(trainer, chosen, request)


@click.command(epilog="Example: attrsearch train restoring T --out restoring/ --minutes 600")
@faces_argument
@training_options(
    "restoring",
    click.option(
        "--show",
        type=path_type,
        help="Tightly prepared faces for the sample sheets, not trained on.",
    ),
)
def restoring(faces: tuple[Path, ...], show: Path | None, request: TrainingRequest) -> None:
    """Train a restoring editor on tightly prepared FACES."""
    from attrsearch.cli.early import existing_file, existing_folder, training_request
    from attrsearch.training.restoring_recipes import load_restoring_recipe

    chosen = load_restoring_recipe(request.recipe, steps=request.steps, seed=request.seed)
    training_request(faces, request.out, request.resume)
    existing_folder(show, "prepared faces")
    if chosen.discriminators:
        existing_file(Path(chosen.discriminators), "discriminators that a training wrote")

    import numpy as np

    from attrsearch.core.device import device, dtype_on
    from attrsearch.training.restoring import SHOWN, RestoringTrainer
    from attrsearch.training.tight_faces import load_tight_faces, load_tight_sources

    where = device()
    shown = load_tight_faces(show) if show is not None else None
    if shown is not None:
        shown = shown.take(np.arange(min(SHOWN, len(shown))))

    trainer = RestoringTrainer(
        chosen, load_tight_sources(faces), dtype_on(where, chosen.precision), shown, where
    )
    run_training(trainer, chosen, request)
