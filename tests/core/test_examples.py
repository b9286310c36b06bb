"""The example of further classes: its own tests, and its names in ``--also``."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from attrsearch.core import plugins
from attrsearch.core.errors import UnavailableError
from attrsearch.faces.detection.classes import load_classes
from tests.core.test_plugins import install
from tests.plates import PLATES, with_plate

EXAMPLE = Path(__file__).parents[2] / "examples" / "attrsearch-classes"


def test_its_own_tests_pass() -> None:
    places = [str(EXAMPLE / "src"), *sys.path]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"},
        cwd=EXAMPLE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_its_names_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_loaded", {})
    about = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    install(tmp_path / "site", about["name"], about["entry-points"])
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    picture = with_plate(np.full((240, 480, 3), 90, np.uint8), 160, 100)
    for text in ("plate=plates", f"plate=plates:{PLATES}"):
        (kind,) = load_classes([text])
        (found,) = kind.detector.detect(picture[None])
        left, top, right, bottom = found.boxes[0]
        assert left < 235 < right
        assert top < 116 < bottom

    # a network has to be named
    with pytest.raises(UnavailableError, match=r"detector ssd .*missing 1 required"):
        load_classes(["head=ssd"])
