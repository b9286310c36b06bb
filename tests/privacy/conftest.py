"""A key, and a real run whose private files are encrypted."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from attrsearch.core.encryption import KEY, SWITCH

NAME = "Jane Q. Doe"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key in the environment; what the test changes in it is undone."""
    fernet = pytest.importorskip("cryptography.fernet", reason="pip install 'attrsearch[scale]'")
    made = str(fernet.Fernet.generate_key().decode())
    monkeypatch.setenv(KEY, made)
    monkeypatch.setenv(SWITCH, "")
    return made


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "")
    monkeypatch.setenv(SWITCH, "")


@dataclass(frozen=True)
class Called:
    """A run by worker processes, with everything that operators ask for."""

    out: Path
    faces: Path
    key_file: Path
    metrics: str
    log: list[dict[str, Any]]
    printed: str


@pytest.fixture(scope="session")
def called(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Called:
    fernet = pytest.importorskip("cryptography.fernet", reason="pip install 'attrsearch[scale]'")
    root = tmp_path_factory.mktemp("private")
    faces, out, file = root / "faces", root / "run", root / "key"
    shutil.copytree(sample / "cadet", faces / NAME)
    shutil.copytree(sample / "pilot", faces / "pilot")
    (faces / "Nobody Atall").mkdir()
    (faces / "Nobody Atall" / "blank.png").write_bytes(b"no picture")
    file.write_text(fernet.Fernet.generate_key().decode())
    command = [
        sys.executable,
        "-m",
        "attrsearch.cli.main",
        "run",
        faces,
        "--out",
        out,
        "--study",
        "quick",
    ]
    command += [
        "--trials",
        "8",
        "--recogniser",
        "sface",
        "--jobs",
        "2",
        "--include-originals",
        "--encrypt",
    ]
    command += ["--key", file, "--log-format", "json", "--metrics", root / "attrsearch.prom"]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        KEY: "",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=300, check=False
    )
    assert done.returncode == 1, done.stderr
    log = [json.loads(line) for line in done.stderr.splitlines()]
    return Called(
        out, faces, file, (root / "attrsearch.prom").read_text(), log, done.stderr + done.stdout
    )
