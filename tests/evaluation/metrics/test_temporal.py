"""A box is one person's: who is hidden behind another does not change names."""

from pathlib import Path

import numpy as np
import pandas as pd

from attrsearch.evaluation.metrics.temporal import identity_switches

LEFT, RIGHT = np.float32([0, 0, 40, 50]), np.float32([10, 0, 50, 50])


def ledger(path: Path, rows: list[tuple[int, str, np.ndarray]]) -> Path:
    table = pd.DataFrame(
        [(frame, name, *(float(v) for v in box)) for frame, name, box in rows],
        columns=["frame", "person", "left", "top", "right", "bottom"],
    )
    table.to_parquet(path)
    return path


def test_a_name_that_changes_is_a_switch(tmp_path: Path) -> None:
    names = ["anna", "anna", "bert", "bert", "anna"]
    path = ledger(tmp_path / "c.parquet", [(i, name, LEFT) for i, name in enumerate(names)])
    assert identity_switches(path, {i: [(0, LEFT)] for i in range(5)}) == 2
    assert identity_switches(path, {i: [(0, LEFT + 30)] for i in range(5)}) == 0  # nobody's box


def test_who_is_behind_another_keeps_their_name(tmp_path: Path) -> None:
    rows = [
        (0, "anna", LEFT),
        (0, "bert", RIGHT),
        (1, "bert", RIGHT),
        (2, "anna", LEFT),
        (2, "bert", RIGHT),
    ]
    truth = {frame: [(0, LEFT), (1, RIGHT)] for frame in range(3)}
    assert identity_switches(ledger(tmp_path / "c.parquet", rows), truth) == 0
    swapped = [(0, "anna", LEFT), (0, "bert", RIGHT), (1, "bert", LEFT), (1, "anna", RIGHT)]
    assert (
        identity_switches(ledger(tmp_path / "d.parquet", swapped), {0: truth[0], 1: truth[1]}) == 2
    )
