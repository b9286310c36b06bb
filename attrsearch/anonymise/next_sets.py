"""Attribute sets beside the winners: a person's further ones."""

from pathlib import Path

import pandas as pd

from attrsearch.core.attributes import AttributeSet
from attrsearch.core.errors import InputError
from attrsearch.runs.trials_file import TRIAL_COLUMNS, trial_attributes

MOST_SETS = 3


def next_sets(run: Path, person: str, most: int = MOST_SETS) -> list[AttributeSet]:
    """Feasible sets of a person, those that took faces furthest from their originals first.

    Of somebody for whom no set is feasible, the furthest all the same: for footage, where every
    frame decides whether one is enough.

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

    evaluated = rows[rows["evaluated"]]
    feasible = evaluated[evaluated["feasible"]]
    wanted = feasible if len(feasible) else evaluated
    # by trial where distances are equal: the same sets in the same order each time
    chosen = wanted.sort_values(["worst_distance", "trial"], ascending=[False, True]).head(most)
    return [AttributeSet(*vectors) for vectors in trial_attributes(chosen)]
