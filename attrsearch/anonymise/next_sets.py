"""Attribute sets beside the winners.

A person's further feasible ones, and spare ones for who cannot be searched.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from attrsearch.core.attributes import MALE, AttributeSet
from attrsearch.core.errors import InputError
from attrsearch.core.recipes.space import Space
from attrsearch.runs.trials_file import TRIAL_COLUMNS, trial_attributes
from attrsearch.search.space import person_space

MOST_SETS = 3


def next_sets(run: Path, person: str, most: int = MOST_SETS) -> list[AttributeSet]:
    """Feasible sets of a person, those that took faces furthest from their originals first.

    Args:
        run: Folder of a finished run.
        person: Their name.
        most: How many at most.

    Raises:
        InputError: The trials cannot be read.
    """
    path = run / "trials.parquet"

    try:
        rows = pd.read_parquet(
            path, columns=list(TRIAL_COLUMNS), filters=[("identity", "==", person)]
        )
    except (OSError, ValueError) as error:
        hint = f"give a finished run: attrsearch check {run}"
        raise InputError(path, required="trials of a run", found=str(error), hint=hint) from error

    feasible = rows[rows["evaluated"] & rows["feasible"]]
    chosen = feasible.sort_values(["worst_distance", "trial"], ascending=[False, True]).head(most)
    return [AttributeSet(*vectors) for vectors in trial_attributes(chosen)]


def spare_sets(space: Space, person: str, most: int = MOST_SETS) -> list[AttributeSet]:
    """Sets for a person of whom no look is good enough to search with.

    Every frame decides whether one is enough.

    They follow from the name. The gender is not known, so it is not steered, and nobody is given a
    beard.

    Args:
        space: What may be asked.
        person: Their name.
        most: How many.
    """
    # bounds of an unsure gender are those that both genders share
    shared = person_space(space, "female", certainty=0.0)
    digest = hashlib.sha256(person.encode("utf-8", "surrogateescape")).digest()
    random = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    drawn = shared.attributes(random.uniform(shared.low, shared.high, (most, len(shared.low))))
    drawn[:, :, MALE] = 0

    return [AttributeSet(*vectors) for vectors in drawn]
