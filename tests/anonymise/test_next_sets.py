"""Further sets of a person: the feasible ones, or the furthest where none is."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from attrsearch.anonymise.next_sets import MOST_SETS, next_sets
from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.runs.trials_file import trials_table

DISTANCES = np.array([0.9, 1.5, 1.2, 1.3, 1.1], np.float32)


def run_of(folder: Path, feasible: list[bool]) -> Path:
    """A run whose sets are told apart by their first value: that of trial 3 is 0.3."""
    attributes = np.zeros((5, 1, len(ATTRIBUTES)), np.float32)
    attributes[:, 0, 0] = np.arange(5) / 10
    measured = dict.fromkeys(
        ("detection", "iou", "distance", "distance_raw", "worst_distance", "utility"), DISTANCES
    )
    measured |= {"feasible": np.array(feasible), "seconds": DISTANCES}
    pq.write_table(trials_table("a", 1, attributes, measured), folder / "trials.parquet")
    return folder


@pytest.mark.parametrize(
    ("feasible", "expected"),
    [
        ([True, False, True, False, True], [0.2, 0.4, 0.0]),
        ([False, True, False, False, False], [0.1]),
        ([False] * 5, [0.1, 0.3, 0.2]),
    ],
)
def test_the_furthest_come_first(
    tmp_path: Path, feasible: list[bool], expected: list[float]
) -> None:
    sets = next_sets(run_of(tmp_path, feasible), "a")
    assert len(sets) <= MOST_SETS
    assert [one.first[0] for one in sets] == pytest.approx(expected)


def test_nobody_and_no_run(tmp_path: Path) -> None:
    assert next_sets(run_of(tmp_path, [True] * 5), "zoe") == []
    with pytest.raises(InputError, match="needs trials of a run"):
        next_sets(tmp_path / "gone", "a")
