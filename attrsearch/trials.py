"""``trials.parquet``: a row for every candidate of every person."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attrsearch.attributes import ATTRIBUTES

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
    kinds = {"identity": pa.string(), "source": pa.string(), "trial": pa.int32(), "seed": pa.int64()}
    kinds |= {"evaluated": pa.bool_(), "feasible": pa.bool_()}
    return pa.schema([(name, kinds.get(name, pa.float32())) for name in TRIAL_COLUMNS])


TRIAL_SCHEMA = _schema()


def trials_table(
    identity: str, seed: int, attributes: npt.NDArray[np.float32], measured: Mapping[str, npt.NDArray[Any]]
) -> pa.Table:
    """A person's trials as a table with the columns of ``trials.parquet``.

    Args:
        identity: The person.
        seed: The person's own seed.
        attributes: (n, passes, 13).
        measured: The measured columns, each (n,).
    """
    count = len(attributes)
    second = attributes[:, 1] if attributes.shape[1] > 1 else np.full((count, len(ATTRIBUTES)), np.nan, np.float32)
    columns: dict[str, Any] = {
        "identity": [identity] * count,
        "trial": np.arange(count, dtype=np.int32),
        "seed": np.full(count, seed, np.int64),
        "source": ["sampler"] * count,
        "evaluated": np.ones(count, bool),
    }
    columns |= {f"first_{name}": attributes[:, 0, i] for i, name in enumerate(ATTRIBUTES)}
    columns |= {f"second_{name}": second[:, i] for i, name in enumerate(ATTRIBUTES)}
    columns |= measured
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in TRIAL_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=TRIAL_SCHEMA)
