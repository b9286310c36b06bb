"""Locks end with their process, on systems with and without fcntl."""

import subprocess
import sys
import time
from pathlib import Path

from attrsearch.report.studio.held import BUSY, STOP
from attrsearch.report.studio.locks import is_locked, take_lock

WAIT = "import pathlib, sys, time\npathlib.Path(sys.argv[1]).touch()\n"
WAIT += "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    sys.exit(130)\n"


def start(folder: Path, began: Path) -> "subprocess.Popen[bytes]":
    """A module that waits, run while the lock is held."""
    (folder / "waiting.py").write_text(WAIT)
    words = [sys.executable, "-m", "attrsearch.report.studio.held", str(folder / "lock")]
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [*words, "waiting", str(began)], env={"PYTHONPATH": f"{root}:{folder}"}, cwd=folder
    )


def until_there(path: Path) -> None:
    for _ in range(1500):
        if path.exists():
            return
        time.sleep(0.02)
    raise AssertionError(path)


def test_one_has_it(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()  # looking makes no file
    lock = take_lock(tmp_path / "lock")
    assert lock is not None
    assert take_lock(tmp_path / "lock") is None
    assert is_locked(tmp_path / "lock")
    lock.release()
    assert not is_locked(tmp_path / "lock")


def test_it_ends_with_the_process(tmp_path: Path) -> None:
    first = start(tmp_path, tmp_path / "first")
    until_there(tmp_path / "first")
    assert is_locked(tmp_path / "lock")
    second = start(tmp_path, tmp_path / "second")
    assert second.wait(60) == BUSY
    assert not (tmp_path / "second").exists()
    first.kill()
    first.wait()
    assert not is_locked(tmp_path / "lock")


def test_a_file_stops_it(tmp_path: Path) -> None:
    process = start(tmp_path, tmp_path / "began")
    until_there(tmp_path / "began")
    (tmp_path / STOP).touch()
    assert process.wait(20) == 130
    assert not is_locked(tmp_path / "lock")


WITHOUT = """
import sys
sys.modules["fcntl"] = None
from pathlib import Path
from attrsearch.report.studio.locks import is_locked, take_lock
place = Path(sys.argv[1])
lock = take_lock(place)
assert lock is not None
assert take_lock(place) is None
assert is_locked(place)
lock.release()
assert not is_locked(place)
"""


def test_a_system_without_fcntl_has_them(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT, str(tmp_path / "lock")],
        check=True,
        cwd=root,
    )
