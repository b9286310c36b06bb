"""Nothing that one system lacks is needed to import the package, or to read a picture."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.untrusted.mutations import scan_bomb

ELSEWHERE = """
import os
import signal
import sys

for name in ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "readline", "syslog"):
    sys.modules[name] = None

for name in ("SIGALRM", "SIGHUP", "SIGKILL", "ITIMER_REAL", "alarm", "pause", "setitimer"):
    delattr(signal, name)

for name in ("fork", "getuid", "geteuid", "killpg", "sched_getaffinity", "setsid", "sysconf"):
    delattr(os, name)
"""
"""What a system like Windows does not have, taken from this one."""

EVERYTHING = """
import importlib
import pkgutil

import attrsearch

for module in pkgutil.walk_packages(attrsearch.__path__, "attrsearch."):
    # what is run when it is imported
    if module.name.endswith("__main__"):
        continue

    try:
        importlib.import_module(module.name)
    except ImportError as error:
        # an extra that is not installed is another matter
        if "halted" in str(error) or "attrsearch" in (error.name or ""):
            print(module.name, error)
"""


def run_elsewhere(code: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Run code in a process of its own, which lacks what other systems lack."""
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE + code], input=given, capture_output=True, check=False
    )


def ask(path: Path, seconds: float) -> bytes:
    return json.dumps({"path": str(path), "seconds": seconds}).encode() + b"\n"


DECODER = "from attrsearch.faces.image_decoder import main; main()"


def test_every_module_is_imported() -> None:
    done = run_elsewhere(EVERYTHING)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode() == ""


def test_what_is_missing_is_noticed() -> None:
    done = run_elsewhere("import resource")
    assert b"import of resource halted" in done.stderr


def test_a_picture_is_read_without_limits(tmp_path: Path) -> None:
    pixels = np.arange(40 * 48 * 3, dtype=np.uint8).reshape(40, 48, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    done = run_elsewhere(DECODER, 2 * ask(tmp_path / "a.png", 60))
    assert done.returncode == 0, done.stderr.decode()
    head, rest = done.stdout.split(b"\n", 1)
    assert json.loads(head)["shape"] == [40, 48, 3]
    # the second answer follows the first one's pixels
    assert rest[: pixels.size] == pixels.tobytes()
    assert rest.count(b'"shape"') == 1


def test_a_picture_that_hangs_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "bomb.jpg").write_bytes(scan_bomb())
    done = run_elsewhere(DECODER, ask(tmp_path / "bomb.jpg", 1))
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"Timeout" in done.stderr


def test_it_is_said_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that asks takes the time itself where no signal tells it."""
    from attrsearch.faces import images

    monkeypatch.setattr(images, "HAS_ALARM", False)
    decoder = images._Decoder()
    assert "not decoded in 2 s" in str(decoder._died(tmp_path / "a.png", 2.0, 2.1))
    assert "the decoder died of" in str(decoder._died(tmp_path / "a.png", 2.0, 0.3))
