"""Real faces, prepared: the sample's two people, varied so that there are enough to train on."""

from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.sample import sample_folder
from attrsearch.training.dataset import FaceSet
from attrsearch.training.prepare import prepare


@pytest.fixture(scope="session")
def prepared() -> FaceSet:
    """The sample's faces, with made-up attributes that differ from face to face."""
    found = prepare(sample_folder())
    values = np.random.default_rng(0).integers(0, 2, (len(found), 13)).astype(np.float32)
    return FaceSet(found.crops, found.names, values)


@pytest.fixture(scope="session")
def folder(prepared: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faces")
    prepared.save(path)
    return path
