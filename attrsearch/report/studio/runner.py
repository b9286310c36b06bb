"""Runs one step of a job and notes how it ended, whether or not the studio is still there.

``python -m attrsearch.report.studio.runner JOB STEP``
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from attrsearch.report.studio.held import BUSY, STOP
from attrsearch.report.studio.job import (
    INTERRUPTED,
    LOCK,
    JobFolder,
    StepName,
    StepRecord,
    now,
    write_step,
)
from attrsearch.report.studio.locks import take_lock


def run_step(folder: Path, step: StepName, decided: str = "") -> int:
    """Run a step; its exit code.

    Args:
        folder: The job's.
        step: Which.
        decided: Digest of the decisions it is started with.
    """
    job = JobFolder(folder)
    # before anything is written: a second runner must not touch what the first one notes
    lock = take_lock(folder / LOCK)
    if lock is None:
        return BUSY

    place = folder / f"{step}.json"
    record = StepRecord(pid=os.getpid(), began=now(), decided=decided)
    write_step(place, record)

    def stop(*_: Any) -> None:
        (folder / STOP).touch()

    # passed on as a file, since not every system has signals that a command can act on
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    with (folder / f"{step}.log").open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own command, no shell
            job.process(step, job.read()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        code = child.wait()

    # a signal that ended it is no exit code: it was interrupted
    code = code if code >= 0 else INTERRUPTED
    write_step(place, record.model_copy(update={"ended": now(), "code": code}))
    # last: whoever finds the job free finds how it ended
    lock.release()
    return code


if __name__ == "__main__":
    sys.exit(run_step(Path(sys.argv[1]), cast("StepName", sys.argv[2]), *sys.argv[3:4]))
