"""A person's trials in a few bytes a trial, as the pages read them.

Columns one after another, little-endian: distance, worst distance (uint16, 1/18000), detection, IoU
(uint16, 1/65535), flags (uint8: 1 feasible, 2 evaluated, then the source).  Nine bytes a trial; a
million trials are 12 MB of base64.
"""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

DISTANCE_STEPS = 18_000
SHARE_STEPS = 65_535
SOURCES = ("sampler", "portfolio", "surrogate", "audit")
"""Where a candidate came from, by its code."""
BYTES = 9

Floats64 = npt.NDArray[np.float64]


def pack(columns: Mapping[str, npt.NDArray[Any]]) -> str:
    """Trials as base64.

    Args:
        columns: ``distance``, ``worst_distance``, ``detection``, ``iou``, ``feasible``,
            ``evaluated`` and ``source``, each (n,), in the order of the trials; what was not
            measured is NaN.
    """
    codes = {name: code for code, name in enumerate(SOURCES)}
    source = np.array([codes.get(str(name), 0) for name in columns["source"]], np.uint8)
    flags = (
        np.asarray(columns["feasible"], bool) * 1
        + np.asarray(columns["evaluated"], bool) * 2
        + source * 4
    )
    parts = [
        _steps(columns["distance"], DISTANCE_STEPS),
        _steps(columns["worst_distance"], DISTANCE_STEPS),
        _steps(columns["detection"], SHARE_STEPS),
        _steps(columns["iou"], SHARE_STEPS),
        flags.astype(np.uint8).tobytes(),
    ]

    return base64.b64encode(b"".join(parts)).decode()


def unpack(text: str) -> dict[str, npt.NDArray[Any]]:
    """Inverse of :func:`pack`, to the precision of the steps; ``source`` as codes.

    >>> columns = dict.fromkeys(("distance", "worst_distance", "detection", "iou"), np.array([0.5]))
    >>> columns |= {"feasible": [True], "evaluated": [True], "source": ["audit"]}
    >>> packed = unpack(pack(columns))
    >>> packed["distance"].tolist(), packed["feasible"].tolist(), packed["source"].tolist()
    ([0.5], [True], [3])
    """
    data = base64.b64decode(text)
    count = len(data) // BYTES
    numbers = np.frombuffer(data, "<u2", 4 * count).reshape(4, count).astype(np.float64)
    flags = np.frombuffer(data, np.uint8, count, 8 * count)

    return {
        "distance": numbers[0] / DISTANCE_STEPS,
        "worst_distance": numbers[1] / DISTANCE_STEPS,
        "detection": numbers[2] / SHARE_STEPS,
        "iou": numbers[3] / SHARE_STEPS,
        "feasible": (flags & 1).astype(bool),
        "evaluated": (flags & 2).astype(bool),
        "source": flags >> 2,
    }


def staircase(distance: Floats64, utility: Floats64) -> list[float]:
    """The best utility at every threshold, from all trials, as steps.

    Args:
        distance: (n,), of the trials that meet every other constraint.
        utility: (n,).

    Returns:
        Pairs (distance, utility), flattened, by falling distance and rising utility: the best
        utility with a distance above t is that of the last pair whose distance is above t.

    >>> staircase(np.array([1.5, 1.4, 1.3]), np.array([1.0, 0.9, 1.2]))
    [1.5, 1.0, 1.3, 1.2]
    """
    order = np.argsort(-distance, kind="stable")
    best = -np.inf
    steps = []

    for i in order:
        if utility[i] > best:
            best = float(utility[i])
            steps += [round(float(distance[i]), 6), round(best, 5)]

    return steps


def _steps(values: npt.ArrayLike, steps: int) -> bytes:
    # what was not measured becomes 0; the flags say that it was not
    whole = np.nan_to_num(np.asarray(values, np.float64)) * steps
    return np.clip(np.round(whole), 0, 65_535).astype("<u2").tobytes()
