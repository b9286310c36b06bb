"""What every training is asked, and how it runs: shared by the commands of ``attrsearch train``."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from attrsearch.cli.compute import device_option
from attrsearch.cli.console import quiet_option, say, training_bar, when_stopped
from attrsearch.cli.fields import gather

if TYPE_CHECKING:
    from attrsearch.training.checkpoint import TrainingRecipe
    from attrsearch.training.loop import Trainer

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]

path_type = click.Path(path_type=Path)
faces_argument = click.argument("faces", nargs=-1, type=path_type, required=True)


@dataclass(frozen=True)
class TrainingRequest:
    """What every training is asked.

    Attributes:
        recipe: A bundled name or a path.
        out: Folder of the training.
        steps: In all, instead of the recipe's.
        minutes: Stop after so many; None for no limit.
        checkpoint_minutes: Between checkpoints.
        seed: Instead of the recipe's.
        resume: Continue the training in ``out``.
        quiet: No bar.
    """

    recipe: str
    out: Path
    steps: int | None
    minutes: float | None
    checkpoint_minutes: float
    seed: int | None
    resume: bool
    quiet: bool


PACE: tuple[Option, ...] = (
    click.option("--steps", type=int, help="Steps in all, instead of the recipe's."),
    click.option("--minutes", type=float, help="Stop after so many minutes; --resume goes on."),
    click.option(
        "--checkpoint-minutes",
        type=float,
        default=5.0,
        show_default=True,
        help="Time between checkpoints.",
    ),
    click.option("--seed", type=int, help="Instead of the recipe's."),
    device_option,
    click.option("--resume", is_flag=True, help="Continue the training in --out."),
    quiet_option,
)


def training_options(recipe: str, *own: Option) -> Callable[[Command], Command]:
    """A decorator: the options of a training; the command gets them as ``request``.

    Args:
        recipe: Used where none is named.
        own: Options of this training alone.
    """
    named = click.option(
        "--recipe", default=recipe, show_default=True, help="A bundled recipe or a path to one."
    )
    out = click.option("--out", required=True, type=path_type, help="Folder of the training.")

    def decorate(command: Command) -> Command:
        decorated: Any = gather("request", TrainingRequest)(command)
        # a decorator stands above those that were applied before it
        for option in reversed((named, out, *own, *PACE)):
            decorated = option(decorated)

        return decorated  # type: ignore[no-any-return]

    return decorate


def run_training(trainer: "Trainer", recipe: "TrainingRecipe", request: TrainingRequest) -> None:
    """Train with a progress bar, and say in a line what came of it."""
    from attrsearch.core.allocation import keep_freed_memory
    from attrsearch.training.loop import Pace
    from attrsearch.training.loop import train as run

    out = request.out
    pace = Pace(recipe.steps, request.minutes, request.checkpoint_minutes)
    keep_freed_memory()

    def stopped() -> str:
        kept = "goes on from its last checkpoint with --resume"
        begun = (out / "checkpoint.pt").exists()
        return f"stopped; {out} {kept}" if begun else "stopped before the first checkpoint"

    with when_stopped(stopped), training_bar(pace.steps, request.quiet) as show:
        reached = run(trainer, recipe, out, pace, resume=request.resume, progress=show)

    left = "" if reached.step >= pace.steps else f" of {pace.steps}; go on with --resume"
    say(
        f"{out / 'weights.safetensors'}: {reached.step} steps{left}, {reached.seconds / 60:.1f} "
        "minutes in all"
    )
