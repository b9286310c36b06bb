"""``attrsearch train``: prepare faces, train networks on them, measure what came of it."""

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


@click.group()
def train() -> None:
    """Train the attribute classifier, the editor and the critic on your own faces."""


@train.command(
    epilog=(
        "Example: attrsearch train prepare img_align/ --alignment celeba --table attributes.csv "
        "--out F"
    )
)
@click.argument("pictures", type=path_type)
@click.option("--out", required=True, type=path_type, help="Folder for the prepared faces.")
@click.option(
    "--alignment",
    type=click.Choice(["detect", "celeba", "none"]),
    default="detect",
    show_default=True,
    help="Find and align faces, or take pictures that are aligned.",
)
@click.option("--table", type=path_type, help="CSV file with the 13 attributes of every picture.")
@click.option("--only", type=path_type, help="Text file: people or pictures to take, one a line.")
@click.option(
    "--without", type=path_type, help="Text file: people or pictures to leave out, one a line."
)
@device_option
@quiet_option
def prepare(
    pictures: Path,
    out: Path,
    alignment: str,
    table: Path | None,
    only: Path | None,
    without: Path | None,
    quiet: bool,
) -> None:
    """Detect, align and cache the faces of PICTURES once, for every training on them."""
    from attrsearch.cli.early import existing_file, existing_folder, new_folder

    existing_folder(pictures, "a folder of pictures")
    for file in (table, only, without):
        existing_file(file, "a file")

    new_folder(out)

    from attrsearch.training.prepare import prepare as run
    from attrsearch.training.prepare import read_names

    with stage_bar(quiet) as progress:
        found = run(
            pictures,
            alignment=alignment,  # type: ignore[arg-type]
            table=table,
            only=read_names(only) if only else None,
            without=read_names(without) if without else (),
            progress=progress,
        )

    found.save(out)
    known = int(found.labelled.sum())
    say(f"{out}: {len(found)} faces of {len(set(found.people))} people, {known} with attributes")


@train.command(epilog="Example: attrsearch train attributes F --out traits/")
@faces_argument
@training_options("traits")
def attributes(faces: tuple[Path, ...], request: TrainingRequest) -> None:
    """Train the classifier of the 13 attributes on prepared FACES that have a table.

    Faces without one are taught by the recipe's teachers, where it names any.
    """
    from attrsearch.cli.early import training_request
    from attrsearch.training.recipes import load_attributes_recipe

    chosen = load_attributes_recipe(request.recipe, steps=request.steps, seed=request.seed)
    training_request(faces, request.out, request.resume)

    from attrsearch.core.device import device, dtype_on
    from attrsearch.training.attributes import AttributesTrainer
    from attrsearch.training.datasets import labelled_only, load_sources, taught
    from attrsearch.training.loss_networks import load_traits_network

    where = device()
    found = load_sources(faces)
    # those whose attributes nobody wrote down are learnt from what the teachers say of them
    others = taught(found, [load_traits_network(name) for name in chosen.teachers])
    trainer = AttributesTrainer(
        chosen, labelled_only(found), dtype_on(where, chosen.precision), where, others
    )
    run_training(trainer, chosen, request)


@train.command(
    epilog="Example: attrsearch train editor F G --recipe anonymiser --out anonymiser/ --minutes 60"
)
@faces_argument
@training_options(
    "base",
    click.option(
        "--start", help="Editor to start from, a bundled name or a path, instead of the recipe's."
    ),
    click.option(
        "--show", type=path_type, help="Prepared faces for the sample sheets, not trained on."
    ),
)
def editor(
    faces: tuple[Path, ...], start: str | None, show: Path | None, request: TrainingRequest
) -> None:
    """Train an editor on prepared FACES; the classifier fills in attributes that no table gives."""
    from attrsearch.cli.early import existing_folder, known_editor, training_request
    from attrsearch.training.recipes import load_editor_recipe

    chosen = load_editor_recipe(request.recipe, steps=request.steps, seed=request.seed, start=start)
    known_editor(start)
    training_request(faces, request.out, request.resume)
    existing_folder(show, "prepared faces")

    import numpy as np

    from attrsearch.core.device import device, dtype_on
    from attrsearch.training.dataset import load_face_set
    from attrsearch.training.datasets import filled, load_sources
    from attrsearch.training.editor import SHOWN, EditorTrainer
    from attrsearch.training.loss_networks import load_traits_network

    where = device()
    network = load_traits_network(chosen.traits)
    known = load_sources(faces, network)
    shown = None

    if show is not None:
        others = load_face_set(show)
        evenly = np.linspace(0, len(others) - 1, min(SHOWN, len(others))).astype(np.int64)
        shown = filled(others.take(evenly), network)

    trainer = EditorTrainer(chosen, known, dtype_on(where, chosen.precision), shown, where)
    run_training(trainer, chosen, request)


@train.command(epilog="Example: attrsearch train critic F --out critic/")
@faces_argument
@training_options("critic")
def critic(faces: tuple[Path, ...], request: TrainingRequest) -> None:
    """Train the critic of naturalness on prepared FACES."""
    from attrsearch.cli.early import training_request
    from attrsearch.training.recipes import load_critic_recipe

    chosen = load_critic_recipe(request.recipe, steps=request.steps, seed=request.seed)
    training_request(faces, request.out, request.resume)

    from attrsearch.core.device import device
    from attrsearch.training.critic import CriticTrainer
    from attrsearch.training.datasets import load_sources
    from attrsearch.training.loss_networks import load_traits_network

    where = device()
    trainer = CriticTrainer(chosen, load_sources(faces, load_traits_network("traits")), where)
    run_training(trainer, chosen, request)


@train.command(
    epilog=(
        "Example: attrsearch run FACES --out RUN && attrsearch train surrogate RUN --out "
        "M.safetensors"
    )
)
@click.argument("runs", nargs=-1, type=path_type, required=True)
@click.option("--out", required=True, type=path_type, help="File to write (.safetensors).")
@click.option(
    "--faces", type=path_type, help="The pictures of the runs, where they are not where they were."
)
@click.option(
    "--measure/--no-measure",
    default=True,
    show_default=True,
    help="Measure the best winners on everyone of the same gender, for the portfolio.",
)
@device_option
@quiet_option
def surrogate(
    runs: tuple[Path, ...], out: Path, faces: Path | None, measure: bool, quiet: bool
) -> None:
    """Learn from the trials of finished RUNS what helps the search for the next person.

    Use it with: attrsearch run FACES --surrogate FILE, over the same editor, space and judges.
    """
    from attrsearch.cli.early import existing_folder, new_file
    from attrsearch.runs.metadata import read_run

    for run in runs:
        read_run(run)

    existing_folder(faces, "the pictures of the runs")
    new_file(out)

    from attrsearch.training.surrogate import learn_from_runs

    with stage_bar(quiet) as progress:
        model = learn_from_runs(runs, faces=faces, measure=measure, progress=progress)

    sha256 = model.save(out)
    sets = ", ".join(f"{len(rows)} {gender}" for gender, rows in model.sets.items())
    say(f"{out}: learnt from {model.people} people; attribute sets: {sets}; sha256 {sha256}")
    say(f"rank correlation with people left out: {model.correlation:.3f}")
