"""``attrsearch train parsing|restoring``: the networks of a restoring editor."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from attrsearch.cli.console import quiet_option
from attrsearch.cli.train import (
    device_option,
    every_option,
    minutes_option,
    out_option,
    path_type,
    resume_option,
    run_training,
    seed_option,
    steps_option,
)

if TYPE_CHECKING:
    from attrsearch.training.device import DeviceName


@click.command(epilog="Example: attrsearch train parsing T --out parsing/")
@click.argument("faces", type=path_type)
@click.option(
    "--recipe", default="parsing", show_default=True, help="A bundled recipe or a path to one."
)
@out_option
@steps_option
@minutes_option
@every_option
@seed_option
@device_option
@resume_option
@quiet_option
def parsing(
    faces: Path,
    recipe: str,
    out: Path,
    steps: int | None,
    minutes: float | None,
    checkpoint_minutes: float,
    seed: int | None,
    device: "DeviceName",
    resume: bool,
    quiet: bool,
) -> None:
    """Train face parsing (68 landmarks, visible skin) on tightly prepared FACES."""
    from attrsearch.training.device import choose_device, dtype_on
    from attrsearch.training.loop import Pace
    from attrsearch.training.parsing import ParsingTrainer
    from attrsearch.training.restoring_recipes import load_parsing_recipe
    from attrsearch.training.tight_faces import load_tight_faces

    where = choose_device(device)
    chosen = load_parsing_recipe(recipe, steps=steps, seed=seed)
    trainer = ParsingTrainer(
        chosen, load_tight_faces(faces), dtype_on(where, chosen.precision), where
    )
    run_training(
        trainer, chosen, out, Pace(chosen.steps, minutes, checkpoint_minutes), resume, quiet
    )


@click.command(epilog="Example: attrsearch train restoring T --out restoring/ --minutes 600")
@click.argument("faces", type=path_type)
@click.option(
    "--recipe", default="restoring", show_default=True, help="A bundled recipe or a path to one."
)
@out_option
@click.option(
    "--show", type=path_type, help="Tightly prepared faces for the sample sheets, not trained on."
)
@steps_option
@minutes_option
@every_option
@seed_option
@device_option
@resume_option
@quiet_option
def restoring(
    faces: Path,
    recipe: str,
    out: Path,
    show: Path | None,
    steps: int | None,
    minutes: float | None,
    checkpoint_minutes: float,
    seed: int | None,
    device: "DeviceName",
    resume: bool,
    quiet: bool,
) -> None:
    """Train a restoring editor on tightly prepared FACES."""
    import numpy as np

    from attrsearch.training.device import choose_device, dtype_on
    from attrsearch.training.loop import Pace
    from attrsearch.training.restoring import SHOWN, RestoringTrainer
    from attrsearch.training.restoring_recipes import load_restoring_recipe
    from attrsearch.training.tight_faces import load_tight_faces

    where = choose_device(device)
    chosen = load_restoring_recipe(recipe, steps=steps, seed=seed)
    shown = load_tight_faces(show) if show is not None else None
    if shown is not None:
        shown = shown.take(np.arange(min(SHOWN, len(shown))))
    trainer = RestoringTrainer(
        chosen, load_tight_faces(faces), dtype_on(where, chosen.precision), shown, where
    )
    run_training(
        trainer, chosen, out, Pace(chosen.steps, minutes, checkpoint_minutes), resume, quiet
    )
