"""The people of a run as the pages read them: a row a person, and every trial packed."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.core.files import file_name
from attrsearch.core.picking import take
from attrsearch.report.about import Limits
from attrsearch.report.packing import pack, staircase
from attrsearch.runs.person_part import PersonPart
from attrsearch.runs.trials_file import GOAL_COLUMNS
from attrsearch.runs.verdict import Verdict

Columns = Mapping[str, npt.NDArray[Any]]

MEASURED = (
    "distance",
    "worst_distance",
    "detection",
    "iou",
    "utility",
    "feasible",
    "evaluated",
    "source",
)
CANDIDATES = (
    *(f"first_{attribute}" for attribute in ATTRIBUTES),
    *(f"second_{attribute}" for attribute in ATTRIBUTES),
)

TIMES = ("began", "ended")


def columns_of(table: pa.Table) -> dict[str, npt.NDArray[Any]]:
    """A table of trials as arrays (n,); strings as objects."""
    return {name: table.column(name).to_numpy() for name in table.column_names}


def read_trials(run: Path, identity: str, candidates: bool = False) -> dict[str, npt.NDArray[Any]]:
    """A person's trials from the person's own file.

    Args:
        run: The run's folder.
        identity: The person.
        candidates: Also the attributes, when each trial began and ended (``datetime64[us]``,
            UTC), and what the recipe maximises (runs before these were kept have none).

    Raises:
        InputError: The file is gone or damaged.
    """
    path = run / "people" / f"{file_name(identity)}.parquet"
    names = [*MEASURED, *((*CANDIDATES, *TIMES, *GOAL_COLUMNS) if candidates else ())]

    try:
        # a column that an older run lacks is left out
        return columns_of(pq.ParquetFile(path).read(columns=names))
    except (OSError, pa.ArrowException) as error:
        hint = "run again with --resume"
        raise InputError(
            path, required="the trials of a person", found="none", hint=hint
        ) from error


def read_all_trials(run: Path) -> Iterator[tuple[str, dict[str, npt.NDArray[Any]]]]:
    """Every person's trials of a finished run, from ``trials.parquet``, a row group at a time."""
    file = pq.ParquetFile(run / "trials.parquet")
    kept: tuple[str, list[pa.Table]] | None = None

    for number in range(file.num_row_groups):
        table = file.read_row_group(number, columns=["identity", *MEASURED])
        # codes instead of texts: another person is another number
        names = table.column("identity").combine_chunks().dictionary_encode()
        codes = names.indices.to_numpy()
        labels = names.dictionary.to_pylist()
        edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
        rest = table.drop_columns(["identity"])

        for start, end in pairwise(edges):
            if start == end:
                continue

            name = labels[codes[start]]
            part = rest.slice(start, end - start)
            # a person's trials may go on in the next row group
            if kept and kept[0] == name:
                kept[1].append(part)
                continue

            if kept:
                yield kept[0], columns_of(pa.concat_tables(kept[1]))

            kept = (name, [part])

    if kept:
        yield kept[0], columns_of(pa.concat_tables(kept[1]))


def person_row(part: PersonPart, trials: Columns, limits: Limits) -> dict[str, Any]:
    """What the pages know of a person before the person is opened.

    Args:
        part: The person.
        trials: Columns ``MEASURED``.
        limits: What *feasible* means.
    """
    record = part.record
    held = part.heldback
    measured = np.asarray(trials["evaluated"], bool)
    usable = measured & limits.hold(trials)

    return {
        "id": record.id,
        "gender": record.gender,
        "certainty": part.gender_certainty,
        "feasible": record.feasible,
        "verdict": str(part.verdict),
        "reason": part.reason,
        "utility": record.utility,
        "detection": record.detection,
        "iou": record.iou,
        "distance": record.distance,
        "worst": part.worst_distance,
        "faces": record.faces,
        "evaluations": record.evaluations,
        "screened": int((~measured).sum()),
        "feasibleTrials": part.feasible_trials,
        "seconds": part.seconds,
        "held": None if held is None else held.model_dump(),
        "winner": part.winner,
        "runners": list(part.runners),
        "random": part.random,
        "source": str(trials["source"][part.winner]) if part.winner < len(measured) else "",
        "first": _values(record.first_pass),
        "second": None if record.second_pass is None else _values(record.second_pass),
        "steps": staircase(
            np.asarray(trials["distance"], np.float64)[usable],
            np.asarray(trials["utility"], np.float64)[usable],
        ),
        "importance": part.importance or None,
    }


def packed(trials: Columns) -> str:
    """All trials of a person, as the pages read them."""
    return pack(trials)


def missing_importance(run: Path, identity: str) -> dict[str, float]:
    """Importance for a person of a run that was made before it was kept."""
    # imports optuna, which few runs need here
    from attrsearch.search.importance import importance  # noqa: PLC0415

    trials = read_trials(run, identity, candidates=True)
    usable = np.asarray(trials["evaluated"], bool)
    points = np.stack([np.asarray(trials[name], np.float64) for name in CANDIDATES], 1)[usable]
    # a single pass has no values of a second one
    known = np.isfinite(points).all(0)
    names = tuple(name for name, is_known in zip(CANDIDATES, known, strict=True) if is_known)
    free = _free(points[:, known], names)

    return importance(
        tuple(take(names, free)),
        points[:, known][:, free],
        np.asarray(trials["utility"], np.float64)[usable],
    )


def failures_first(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Sort key: not anonymised first, then those that fail on held-out pictures, then by margin."""
    held = row["held"]
    refuted = held is not None and not held["feasible"]
    holds = row["verdict"] == Verdict.HOLDS

    return row["feasible"], holds, not refuted, row["distance"], row["id"]


def _values(named: Mapping[str, float]) -> list[float]:
    return [round(named[name], 4) for name in ATTRIBUTES]


def _free(points: npt.NDArray[np.float64], names: tuple[str, ...]) -> list[int]:
    """Columns that vary and are not an earlier one with the sign turned (a mirrored pass)."""
    free: list[int] = []

    for i in range(len(names)):
        column = points[:, i]
        # a mirrored second pass is no dimension of its own: it was never free
        mirrored = any(np.allclose(column, -points[:, j]) for j in free)
        if len(column) and column.min() < column.max() and not mirrored:
            free.append(i)

    return free
