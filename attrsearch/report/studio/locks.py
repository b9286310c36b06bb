"""Locks that end with the process that holds them, however it ends."""

import os
from pathlib import Path

from attrsearch.core.errors import UnavailableError

try:
    import fcntl
except ImportError as error:  # Windows
    raise UnavailableError(
        "studio", required="a system with file locks", found="none", hint="use Linux or macOS"
    ) from error


def take_lock(path: Path) -> int | None:
    """Take a lock; its descriptor, or None where another process has it.

    A child that inherits the descriptor keeps the lock for as long as it lives.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None

    return descriptor


def is_locked(path: Path) -> bool:
    """Whether somebody holds a lock."""
    if not path.exists():
        return False

    descriptor = take_lock(path)
    if descriptor is None:
        return True

    os.close(descriptor)
    return False
