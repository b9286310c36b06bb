"""What a command said in its log: how far it is, and its lines."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attrsearch.report.studio.job import StepName

STAGES: dict[StepName, tuple[str, ...]] = {
    "find": ("find",),
    "anonymise": ("find", "search", "cover", "audit"),
}
MAX_LINES = 200
MAX_PROBLEMS = 50


@dataclass
class CommandLog:
    """Reads a log as it grows.

    Args:
        path: The log.

    Attributes:
        progress: The last line of progress.
        stages: Stages that were begun, in order.
        lines: What else was said, the last ones.
        problems: Warnings and errors among them, the first ones, each once.
    """

    path: Path
    progress: dict[str, Any] | None = None
    stages: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _offset: int = 0
    _inode: tuple[int, int] = (0, 0)

    def refresh(self) -> None:
        """Read what is new; from the start where the command was started again."""
        try:
            status = self.path.stat()
        except OSError:
            return

        inode = (status.st_dev, status.st_ino)
        # a file of the same name may be another: begun anew, or cut off
        if inode != self._inode or status.st_size < self._offset:
            self.progress = None
            self.stages = []
            self.lines = []
            self.problems = []
            self._offset = 0
            self._inode = inode

        with self.path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()

        # the last line may still be written: it is read the next time
        whole, newline, _ = data.rpartition(b"\n")
        self._offset += len(whole) + len(newline)

        for line in whole.decode("utf-8", "replace").splitlines():
            self._take(line)

        del self.lines[:-MAX_LINES]

    def _take(self, line: str) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            said = {"event": "said", "text": line}  # of Python itself, where something is broken

        if not isinstance(said, dict):
            return

        if said.get("event") == "progress":
            self.progress = said
            stage = str(said.get("stage", ""))
            if stage not in self.stages:
                self.stages.append(stage)
        elif said.get("text"):
            text = str(said["text"])
            self.lines.append(text)
            is_problem = said.get("event") in ("warning", "error")
            if is_problem and text not in self.problems and len(self.problems) < MAX_PROBLEMS:
                self.problems.append(text)
