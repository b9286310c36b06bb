"""A command that stands in for the true one: no models, so that jobs take no time."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from attrsearch.report.studio.job import COMMAND_LOCK, JobFolder, JobRecord, StepName
from attrsearch.runs.people_file import Part, PeopleFile, Somebody, text_of

FRAMES = 40


def found() -> PeopleFile:
    """What a first pass might have found: three tracks of two people."""
    parts = {
        "0": Part(first=0, last=39, frames=38, width=50, at=10, box=(10, 10, 60, 60)),
        "1": Part(first=5, last=20, frames=16, width=30, at=6, box=(80, 10, 110, 50)),
        "2": Part(first=25, last=30, frames=6, width=30),
    }
    people = (
        Somebody(id="person_001", parts=("0",)),
        Somebody(id="person_002", parts=("1", "2")),
    )
    return PeopleFile(people=people, parts=parts, rate=25, frames=FRAMES)


def stand_in(job: JobFolder, step: StepName, record: JobRecord) -> list[str]:
    """A command that takes no models: it says how far it is, and writes what the true one would."""
    people = job.run / "found/people.json"
    script = f"""
import json, pathlib, shutil, sys, time
def say(**line): print(json.dumps(line), file=sys.stderr, flush=True)
say(event="progress", stage="{step}", count=1, total=2, seconds_left=3.0)
say(event="said", text="hello")
hold = pathlib.Path({str(job.path)!r}) / "hold"
try:
    while hold.exists(): time.sleep(0.02)
except KeyboardInterrupt:
    sys.exit(130)
if "{step}" == "find":
    place = pathlib.Path({str(people)!r})
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text({text_of(found())!r})
else:
    shutil.copy({str(job.source(record))!r}, {str(job.result(record))!r})
"""
    place = job.path / "stand_in_command.py"
    place.write_text(script)
    # held as the true command is
    held = "import sys; sys.path.insert(0, sys.argv.pop(1)); from attrsearch.report.studio import "
    held += "held; sys.exit(held.main(*sys.argv[1:]))"
    lock = str(job.path / COMMAND_LOCK)
    return [sys.executable, "-c", held, str(job.path), lock, "stand_in_command"]


def start_here(workspace: Any, job: JobFolder) -> None:
    """As ``Workspace._start``, with a runner that runs the stand-in."""
    record = job.read()
    assert record.waiting is not None
    (job.path / "result").mkdir(exist_ok=True)
    step = record.waiting
    if step == "anonymise" and not job.who.is_file():
        job.write_people(job.people())
    for name in (f"{step}.json", f"{step}.log", "stop"):
        (job.path / name).unlink(missing_ok=True)
    job.change(waiting=None, begun=step)
    root = Path(__file__).parents[3]
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from attrsearch.report.studio import runner\n"
        "from tests.report.studio.stand_in import stand_in\n"
        "runner.JobFolder.process = stand_in\n"
        "sys.exit(runner.run_step(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))\n"
    )
    from attrsearch.report.studio.workspace import decided_of  # loads much: not in the process

    workspace._running[job.id] = subprocess.Popen(
        [sys.executable, "-c", script, str(job.path), step, decided_of(job)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
    )
