"""What workers are given in tests; imported by them by name."""

import os
import sys
import time
from pathlib import Path


def where(number: int, seconds: float = 0.0) -> tuple[int, int]:
    """The number and the process that had it."""
    time.sleep(seconds)
    return number, os.getpid()


def dies_once(number: int, folder: str) -> int:
    """Kills the process it runs in the first time it is asked for 1."""
    mark = Path(folder) / "died"
    if number == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), 9)
    time.sleep(0.05)
    return number


def fails(number: int) -> int:
    raise ValueError(f"number {number}")


def profiled() -> tuple[list[str], bool]:
    """What looks at the calling worker's stack, and whether libraries were loaded."""
    import distributed

    looking = [
        name for name in distributed.get_worker().periodic_callbacks if name.startswith("profile")
    ]
    return looking, "attrsearch.search.distributed.workers" in sys.modules
