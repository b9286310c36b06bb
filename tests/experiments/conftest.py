"""A folder of four people of four pictures, and a few strangers.

The sample, its mirror image, and single views.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.options import ExperimentOptions


@pytest.fixture(scope="session")
def four(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of people."""
    folder = tmp_path_factory.mktemp("four")
    for name in ("astronaut", "cadet", "pilot"):
        shutil.copytree(sample / name, folder / name)
    for name, copies in (("mirrored", 4), ("stranger", 1)):
        (folder / name).mkdir()
        for path in sorted((sample / "astronaut").glob("*.jpg"))[:copies]:
            picture = cv2.imread(str(path))
            if name == "stranger":
                picture = cv2.convertScaleAbs(picture, alpha=0.8)
            cv2.imwrite(str(folder / name / path.name), cv2.flip(picture, 1))
    return folder


@pytest.fixture(scope="session")
def laboratory(four: Path) -> Callable[..., ExperimentContext]:
    """A laboratory on that folder, with other options where they are given."""

    def make(**given: object) -> ExperimentContext:
        options = ExperimentOptions(faces=four, size=0.01, recogniser="sface", **given)  # type: ignore[arg-type]
        return ExperimentContext(options)

    return make


@pytest.fixture(scope="session")
def women(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two people whom the classifier takes for women in every picture it is given."""
    folder = tmp_path_factory.mktemp("women")
    for name, brightness in (("cadet", 1.0), ("sister", 0.95)):
        (folder / name).mkdir()
        for path in sorted((sample / "cadet").glob("*.jpg")):
            picture = cv2.convertScaleAbs(cv2.imread(str(path)), alpha=brightness)
            cv2.imwrite(str(folder / name / path.name), picture)
    return folder


@pytest.fixture(scope="session")
def lab(laboratory: Callable[..., ExperimentContext]) -> ExperimentContext:
    """One for all tests that do not change it."""
    return laboratory()
