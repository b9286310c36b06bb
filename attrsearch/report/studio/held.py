"""Runs a module while it holds a lock, and interrupts it where a file asks for that.

``python -m attrsearch.report.studio.held LOCK MODULE ARGUMENT...``

The runner of a step has a lock, too. It cannot give that one to the command: not every system
hands locks on to children, or signals. A runner that is killed must not leave its command unseen,
begun a second time, or without a way to stop it.
"""

import _thread
import os
import runpy
import signal
import sys
import threading
from pathlib import Path

from attrsearch.report.studio.locks import take_lock

STOP = "stop"
"""Beside the lock: asks the module to stop."""
BUSY = 75
EVERY = 0.2
"""Seconds between two looks at whether it is to stop."""


def main(place: str, module: str, *arguments: str) -> int:
    """Run it; the exit code where it was not begun, because another process has the lock."""
    lock = take_lock(Path(place))
    if lock is None:
        return BUSY

    threading.Thread(target=_watch, args=(Path(place).with_name(STOP),), daemon=True).start()
    sys.argv[:] = [module, *arguments]

    try:
        # in this process: one of its own would outlive the lock
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        lock.release()

    return 0


def _watch(stop: Path) -> None:
    ended = threading.Event()
    while not stop.exists():
        ended.wait(EVERY)

    if sys.platform == "win32":
        _thread.interrupt_main()  # there os.kill would end it on the spot
    else:
        os.kill(os.getpid(), signal.SIGINT)  # wakes it from what it waits for, too


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
