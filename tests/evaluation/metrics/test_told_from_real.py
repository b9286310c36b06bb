"""Told from real: chance where nothing differs, certainty where everything does, nobody on both sides."""

import numpy as np
import pytest

from attrsearch.core.errors import InputError
from attrsearch.evaluation.metrics.told_from_real import (
    FeatureReader,
    measure_told_from_real,
    unsharp_masked,
)

SIDE = 64


@pytest.fixture(scope="module")
def reader() -> FeatureReader:
    return FeatureReader()


def blots(count: int, seed: int) -> np.ndarray:
    """Smooth random pictures (count, 64, 64, 3)."""
    import cv2

    random = np.random.default_rng(seed)
    coarse = random.uniform(40, 220, (count, 8, 8, 3)).astype(np.float32)
    large = [cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for one in coarse]
    return np.clip(np.stack(large), 0, 255).astype(np.uint8)


def test_nothing_tells_pictures_of_one_kind(reader: FeatureReader) -> None:
    people = np.repeat(np.arange(20), 2)
    found = measure_told_from_real(blots(40, 0), blots(40, 1), people, features=reader)
    assert 0.2 < found.auc.value < 0.8
    assert found.auc.low <= found.auc.value <= found.auc.high
    assert (found.people, found.faces) == (20, 40)
    assert abs(found.kid.value) < 0.3


def test_grids_are_told_and_an_unsharp_mask_changes_little(reader: FeatureReader) -> None:
    people = np.repeat(np.arange(20), 2)
    real = blots(40, 0)
    grid = (np.indices((SIDE, SIDE)).sum(0) % 2 * 40)[..., None]
    edits = np.clip(real.astype(int) + grid, 0, 255).astype(np.uint8)
    found = measure_told_from_real(real, edits, people, features=reader)
    assert found.auc.value > 0.95
    assert found.judged_real.value < 0.3
    assert found.kid.value > found.kid_of_originals.value
    sharp = np.stack([unsharp_masked(one, 1.0, 1.0) for one in edits])
    again = measure_told_from_real(real, sharp, people, features=reader)
    assert again.auc.value > 0.9
    assert again.judged_real.value < 0.35


def test_too_few_people_and_other_shapes_are_refused(reader: FeatureReader) -> None:
    with pytest.raises(InputError, match="needs 10 people, found 3"):
        measure_told_from_real(blots(3, 0), blots(3, 1), np.arange(3), features=reader)
    with pytest.raises(InputError, match="arrays of one shape"):
        measure_told_from_real(blots(3, 0), blots(4, 1), np.arange(3), features=reader)
