"""Locks that end with the process that holds them, however it ends, on any system."""

from pathlib import Path

from filelock import FileLock, Timeout


def take_lock(path: Path) -> FileLock | None:
    """Take a lock; None where another process, or another lock of this one, has it.

    It is held until its ``release`` is called or the process ends; a child does not inherit it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0, mode=0o600)

    try:
        lock.acquire()
    except Timeout:
        return None

    return lock


def is_locked(path: Path) -> bool:
    """Whether somebody holds a lock."""
    if not path.exists():
        return False

    lock = take_lock(path)
    if lock is None:
        return True

    lock.release()
    return False
