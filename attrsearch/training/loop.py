"""The loop of every training.

Steps, a progress line, checkpoints with sample sheets, and an end.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import tomli_w
from torch import Tensor

from attrsearch.core.errors import OutputError, TrainingError
from attrsearch.core.files import write_bytes, write_text
from attrsearch.core.images import to_png
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.training.checkpoint import FILE, TrainingRecipe, read_state, write_state
from attrsearch.training.dataset import Pictures
from attrsearch.training.export import write_weights

SMOOTH = 0.95


class Trainer(Protocol):
    """What can be trained: a step at a time, resumable."""

    def step(self, number: int) -> Mapping[str, float]:
        """Do one step; the losses."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Continue from an earlier state."""
        ...

    def weights(self) -> dict[str, Tensor]:
        """What is shipped."""
        ...

    def about(self) -> Mapping[str, object]:
        """What stands beside the weights in their file; empty where the weights tell all."""
        ...

    def beside(self) -> Mapping[str, Mapping[str, Tensor]]:
        """What is kept to train further, by the name of its file."""
        ...

    def sheet(self) -> Pictures | None:
        """A picture of what it does by now, or None where there is nothing to see."""
        ...


@dataclass(frozen=True)
class Pace:
    """When a training writes and when it ends.

    Attributes:
        steps: Steps in all, earlier ones counted.
        minutes: Ends after so many minutes of this call, whatever the steps.
        checkpoint_minutes: Time between checkpoints.
    """

    steps: int
    minutes: float | None = None
    checkpoint_minutes: float = 5.0


@dataclass(frozen=True, kw_only=True)
class TrainingProgress(Step):
    """Where a training is; its count is of steps.

    Attributes:
        seconds: Work in all, earlier calls included.
        losses: Running means by name.
    """

    seconds: float
    losses: Mapping[str, float]

    @property
    def step(self) -> int:
        """Steps done."""
        return self.count


def train(
    trainer: Trainer,
    recipe: TrainingRecipe,
    out: Path,
    pace: Pace,
    *,
    resume: bool = False,
    progress: Progress[TrainingProgress] = silent,
) -> TrainingProgress:
    """Train to the end.

    ``out`` then holds ``weights.safetensors``, ``training.toml``, ``sheets/``, and what the trainer
    keeps beside them.

    Args:
        trainer: What is trained.
        recipe: Its recipe, for the record.
        out: Folder of the training.
        pace: When to write and to end.
        resume: Continue the training in ``out``.
        progress: Told after every step.

    Raises:
        OutputError: ``out`` holds a training and ``resume`` was not asked for, or one of another
            recipe.
        TrainingError: A loss is no longer a number.
    """
    done = 0
    before = 0.0

    if resume:
        done, before, state = read_state(out, recipe)
        trainer.load(state)
    elif (out / FILE).exists():
        hint = "add --resume to continue it, or choose another folder"
        raise OutputError(out, required="an empty or new folder", found="a training", hint=hint)

    start = saved = time.monotonic()
    means: dict[str, float] = {}
    step = done

    while step < pace.steps:
        for name, value in trainer.step(step).items():
            if not math.isfinite(value):
                raise TrainingError(
                    f"{out}, step {step}",
                    required=f"a finite loss {name}",
                    found=str(value),
                    hint="lower the rates",
                )

            # losses of single batches jump: what is shown is a running mean
            earlier = means.get(name, value)
            means[name] = SMOOTH * earlier + (1 - SMOOTH) * value if name in means else value

        step += 1
        now = time.monotonic()
        reached = _reached(step, pace, before + now - start, means)
        progress(reached)

        if pace.minutes is not None and now - start >= pace.minutes * 60:
            break

        if now - saved >= pace.checkpoint_minutes * 60:
            _write(trainer, recipe, out, reached)
            saved = time.monotonic()

    reached = _reached(step, pace, before + time.monotonic() - start, means)
    _write(trainer, recipe, out, reached)
    return reached


def _reached(step: int, pace: Pace, seconds: float, means: Mapping[str, float]) -> TrainingProgress:
    return TrainingProgress(
        stage="train", count=step, total=pace.steps, seconds=seconds, losses=means
    )


def _write(trainer: Trainer, recipe: TrainingRecipe, out: Path, reached: TrainingProgress) -> None:
    picture = trainer.sheet()
    if picture is not None:
        write_bytes(out / "sheets" / f"{reached.step:06d}.png", to_png(picture))

    digest = write_weights(out / "weights.safetensors", trainer.weights(), trainer.about())
    for name, tensors in trainer.beside().items():
        write_weights(out / f"{name}.safetensors", tensors)

    about = {
        "format": "attrsearch/trained",
        "version": 1,
        "sha256": digest,
        "steps": reached.step,
        "minutes": round(reached.seconds / 60, 1),
        "losses": {name: round(value, 5) for name, value in reached.losses.items()},
        "recipe": recipe.model_dump(exclude_none=True),
    }
    # the state last: a training that is stopped between them goes on from the earlier state
    write_text(out / "training.toml", tomli_w.dumps(about))
    write_state(out, recipe, reached.step, reached.seconds, trainer.state())
