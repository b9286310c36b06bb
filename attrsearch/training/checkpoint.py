"""Checkpoints of a training: everything the next step depends on, written whole or not at all."""

import json
import pickle
from pathlib import Path
from typing import Any

import torch

from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.files import written
from attrsearch.training.recipes import AttributesRecipe, CriticRecipe, EditorRecipe
from attrsearch.training.restoring_recipes import ParsingRecipe, RestoringRecipe

TrainingRecipe = AttributesRecipe | EditorRecipe | CriticRecipe | ParsingRecipe | RestoringRecipe

FILE = "checkpoint.pt"
FREE = frozenset({"name", "description", "steps"})
"""What may be changed when a training is continued."""


def write_state(
    folder: Path, recipe: TrainingRecipe, step: int, seconds: float, state: dict[str, Any]
) -> None:
    """Write the checkpoint of a training after ``step`` steps and ``seconds`` of work.

    Raises:
        OutputError: The disk is full, or the place cannot be written.
    """
    kept = {"format": "attrsearch/checkpoint", "version": 1, "recipe": recipe.model_dump_json()}
    with written(folder / FILE) as part:
        torch.save({**kept, "step": step, "seconds": seconds, "state": state}, part)


def read_state(folder: Path, recipe: TrainingRecipe) -> tuple[int, float, dict[str, Any]]:
    """Steps done, seconds spent and the state of a training.

    Raises:
        InputError: There is no checkpoint, or a damaged one.
        OutputError: It was made with another recipe.
    """
    path = folder / FILE
    hint = "leave --resume out, or choose the folder of an earlier training"

    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
        earlier = kept["recipe"]
        step = int(kept["step"])
        seconds = float(kept["seconds"])
        state = kept["state"]
    except FileNotFoundError as error:
        raise InputError(path, required="a checkpoint", found="no such file", hint=hint) from error
    except (
        OSError,
        RuntimeError,
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        found = f"a damaged one ({str(error).splitlines()[0][:80]})"
        raise InputError(path, required="a checkpoint", found=found, hint=hint) from error

    before = json.loads(earlier)
    now = json.loads(recipe.model_dump_json())

    # in the order of their names: the same difference is named every time
    for key in sorted(set(now) - FREE):
        if now[key] != before.get(key):
            raise OutputError(
                path,
                required=f"the recipe it was started with ({key} = {before.get(key)!r})",
                found=f"{key} = {now[key]!r}",
                hint="continue with the same recipe, or choose another folder",
            )

    return step, seconds, state
