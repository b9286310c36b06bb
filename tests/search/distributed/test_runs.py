"""A whole run on a real Dask cluster: what one process finds."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from attrsearch.core.recipes.study import Workers
from attrsearch.runs.metadata import read_run
from attrsearch.search.run import run
from tests.search.distributed.servers import Cluster


def parts(out: Path) -> dict[str, Any]:
    """Everything about the people but how long it took."""
    found = {}
    for path in sorted((out / "people").glob("*.json")):
        record = json.loads(path.read_text())
        found[path.name] = {
            key: value for key, value in record.items() if key not in ("sealed", "seconds")
        }
    return found


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # sockets of a scheduler that was ended
def test_dask_workers_find_the_same(sample: Path, tmp_path: Path, cluster: Cluster) -> None:
    faces = tmp_path / "faces"
    for name in ("cadet", "pilot"):
        shutil.copytree(sample / name, faces / name)
    options: dict[str, Any] = {
        "study": "quick",
        "recogniser": "sface",
        "trials": 8,
    }
    there = run(
        faces,
        tmp_path / "dask",
        workers=Workers(backend="dask", scheduler=cluster.address),
        **options,
    )
    here = run(faces, tmp_path / "here", **options)
    assert (there.identities, there.feasible, there.evaluations) == (2, here.feasible, 16)
    assert parts(tmp_path / "dask") == parts(tmp_path / "here")
    assert read_run(tmp_path / "dask")["call"]["backend"] == "dask"
    assert (tmp_path / "dask" / "attributes.json").read_bytes() == (
        tmp_path / "here" / "attributes.json"
    ).read_bytes()
