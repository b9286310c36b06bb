"""``trials.parquet``: a row for every candidate of every person.

``surrogate.parquet``: what was predicted of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attrsearch.core.attributes import ATTRIBUTES

TRIAL_COLUMNS = (
    "identity",
    "trial",
    "seed",
    "source",
    "evaluated",
    *(f"first_{name}" for name in ATTRIBUTES),
    *(f"second_{name}" for name in ATTRIBUTES),
    "detection",
    "iou",
    "distance",
    "distance_raw",
    "worst_distance",
    "utility",
    "feasible",
    "seconds",
)


def _schema() -> pa.Schema:
    kinds = {
        "identity": pa.string(),
        "source": pa.string(),
        "trial": pa.int32(),
        "seed": pa.int64(),
    }
    kinds |= {"evaluated": pa.bool_(), "feasible": pa.bool_()}
    return pa.schema([(name, kinds.get(name, pa.float32())) for name in TRIAL_COLUMNS])


TRIAL_SCHEMA = _schema()
GOAL_COLUMNS = tuple(f"goal_{number}" for number in range(4))
PREDICTED_COLUMNS = (
    "predicted_utility",
    "predicted_distance",
    "predicted_feasible",
    "rank_correlation",
)
PREDICTION_SCHEMA = pa.schema(
    [
        ("identity", pa.string()),
        ("trial", pa.int32()),
        *((name, pa.float32()) for name in (*PREDICTED_COLUMNS, "overhead_seconds")),
    ]
)


def trials_table(
    identity: str,
    seed: int,
    attributes: npt.NDArray[np.float32],
    measured: Mapping[str, npt.NDArray[Any]],
    sources: Sequence[str] | None = None,
    evaluated: npt.NDArray[np.bool_] | None = None,
) -> pa.Table:
    """A person's trials as a table with the columns of ``trials.parquet``.

    Args:
        identity: The person.
        seed: The person's own seed.
        attributes: (n, passes, 13).
        measured: The measured columns, each (m,): a value for every candidate that was measured.
        sources: Where each candidate comes from; all from the sampler where it is None.
        evaluated: Which were measured, (n,) with m true; all where it is None.
    """
    count = len(attributes)
    passes = attributes.shape[1]
    # an editor of one pass has the same columns, so that runs of all editors are read alike
    lacking = np.full((count, len(ATTRIBUTES)), np.nan, np.float32)
    second = attributes[:, 1] if passes > 1 else lacking
    known = np.ones(count, bool) if evaluated is None else evaluated
    columns: dict[str, Any] = {
        "identity": [identity] * count,
        "trial": np.arange(count, dtype=np.int32),
        "seed": np.full(count, seed, np.int64),
        "source": list(sources) if sources is not None else ["sampler"] * count,
        "evaluated": known,
    }
    for i, name in enumerate(ATTRIBUTES):
        columns[f"first_{name}"] = attributes[:, 0, i]
        columns[f"second_{name}"] = second[:, i]

    for name, values in measured.items():
        # what was screened out cost no time, was not feasible, and has no other measure
        empty: Any = np.nan
        if values.dtype == bool:
            empty = False
        elif name == "seconds":
            empty = 0.0

        columns[name] = np.full(count, empty, values.dtype)
        columns[name][known] = values

    arrays = [pa.array(columns[field.name]).cast(field.type) for field in TRIAL_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=TRIAL_SCHEMA)


def with_times(
    table: pa.Table, began: npt.NDArray[np.float64], ended: npt.NDArray[np.float64]
) -> pa.Table:
    """A person's trials with ``began`` and ``ended``, which the person's own file has.

    ``trials.parquet`` leaves them out: it is the same whenever a run was made.

    Args:
        table: Of :func:`trials_table`.
        began: When each measured candidate was proposed, (m,), seconds since 1970.
        ended: When it was measured, as ``began``.
    """
    known = np.asarray(table.column("evaluated"), bool)
    for name, seconds in (("began", began), ("ended", ended)):
        times = np.full(len(known), "NaT", "datetime64[us]")
        times[known] = np.round(seconds * 1e6).astype(np.int64).astype("datetime64[us]")
        table = table.append_column(name, pa.array(times, pa.timestamp("us", "UTC")))

    return table


def with_goals(table: pa.Table, values: npt.NDArray[np.float64]) -> pa.Table:
    """A person's trials with ``goal_0``, ``goal_1`` …: what the recipe maximises.

    The person's own file has them, ``trials.parquet`` does not.

    Args:
        table: Of :func:`trials_table`.
        values: Of each measured candidate, (m, goals).
    """
    known = np.asarray(table.column("evaluated"), bool)
    for name, column in zip(GOAL_COLUMNS, values.T, strict=False):
        whole = np.full(len(known), np.nan)
        whole[known] = column
        table = table.append_column(name, pa.array(whole))

    return table


def predictions_table(
    identity: str, trials: npt.NDArray[Any], predicted: npt.NDArray[np.float64], overhead: float
) -> pa.Table:
    """A person's rows of ``surrogate.parquet``.

    Args:
        identity: The person.
        trials: Numbers of the predicted candidates, (n,).
        predicted: (n, 4), ``PREDICTED_COLUMNS``.
        overhead: Seconds that predicting took in all.
    """
    count = len(trials)
    columns = {"identity": [identity] * count, "trial": trials}
    for i, name in enumerate(PREDICTED_COLUMNS):
        columns[name] = predicted[:, i]

    # only the whole is known: shared out, the column adds up to it
    columns["overhead_seconds"] = np.full(count, overhead / max(1, count))
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in PREDICTION_SCHEMA]

    return pa.Table.from_arrays(arrays, schema=PREDICTION_SCHEMA)


def trial_attributes(rows: Any) -> npt.NDArray[np.float32]:
    """Inverse of :func:`trials_table` for the attributes.

    (n, passes, 13) of rows of ``trials.parquet``.

    Args:
        rows: A data frame with its columns; the second pass is empty where there is a single one.
    """
    first = rows[[f"first_{name}" for name in ATTRIBUTES]].to_numpy(np.float32)
    second = rows[[f"second_{name}" for name in ATTRIBUTES]].to_numpy(np.float32)
    single = len(second) > 0 and bool(np.isnan(second).all())

    return first[:, None] if single else np.stack([first, second], 1)
