"""What commands say, as lines for a person or as JSON for machines; and figures for Prometheus.

Text is for whoever typed the command and must find what went wrong: it names people and pictures.
What is kept is a log: with ``--log-format json`` it holds no name of a person and no path of a
picture, unless ``--verbose`` is given; names become pseudonyms that are the same within a call and
lead nowhere after it.
"""

import functools
import hashlib
import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attrsearch.core.logs import PACKAGE
from attrsearch.core.progress import Step

if TYPE_CHECKING:
    from attrsearch.search.run import RunProgress

EVERY = 10.0
"""Seconds between two writings of the figures, and two lines of progress where nobody asked for
others."""
PATH = re.compile(
    r"(?<![\w/])(?:[A-Za-z]:)?[^\s'\"]*[/\\][^\s'\"]*|[^\s'\"/\\]+\.(?:jpe?g|png|bmp|webp|tiff?)\b",
    re.IGNORECASE,
)


@dataclass
class Log:
    """How this call speaks.

    Attributes:
        json: Lines are JSON.
        quiet: What the package logs is not shown.
        verbose: Names and paths stand in them.
        names: Names of people that are known.
        roots: Places whose paths, blanks included, are taken out.
        every: Seconds between two lines of progress.
    """

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    names: set[str] = field(default_factory=set)
    roots: tuple[str, ...] = ()
    every: float = EVERY
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def pseudonym(self, name: str) -> str:
        """A word that stands for a name within this call."""
        return (
            "p-"
            + hashlib.blake2b(
                name.encode("utf-8", "surrogatepass"), key=self.salt, digest_size=5
            ).hexdigest()
        )

    def clean(self, line: str) -> str:
        """A line without names and paths."""
        for root in self.roots:
            line = re.sub(
                rf"(?<![\w./\\]){re.escape(root)}{_ends(root)}.*?(?=: |; |$)", "<path>", line
            )

        for name in sorted(filter(line.__contains__, self.names), key=len, reverse=True):
            line = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", self.pseudonym(name), line)

        return PATH.sub("<path>", line)

    def line(self, event: str, text: str = "", **figures: Any) -> str:
        """A line of the log."""
        shown = text if self.verbose else self.clean(text)
        return self.row(event, shown, **figures)

    def row(self, event: str, shown: str = "", **figures: Any) -> str:
        """A line of the log whose text may be shown as it is."""
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        said = {"text": shown} if shown else {}
        return json.dumps({"when": when, "event": event, **said, **figures}, ensure_ascii=False)


def _ends(root: str) -> str:
    """What must follow a place, since a folder's name alone may be a word or the start of one."""
    return "" if re.search(r"[/\\]", root) else r"(?=[/\\]|: |; |$)"


LOG = Log()


class Redaction(logging.Filter):
    """Takes names and paths out of records where logs are kept.

    Lets nothing pass where it is quiet.

    What may be shown is added to a record as ``shown``: other handlers get it as it was.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown."""
        text = record.getMessage()
        kept = LOG.json and not LOG.verbose
        record.shown = LOG.clean(text) if kept else text

        return not LOG.quiet or record.levelno >= logging.ERROR


class StderrHandler(logging.Handler):
    """Shows a record above the progress bar: its line, or JSON where logs are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(Redaction())

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; a closed pipe ends the command."""
        from tqdm import tqdm

        shown = getattr(record, "shown", "")
        event = record.levelname.lower()
        tqdm.write(LOG.row(event, shown) if LOG.json else shown, file=sys.stderr)


@contextmanager
def showing_logs() -> Iterator[None]:
    """What the package logs inside the block is shown on stderr."""
    package = logging.getLogger(PACKAGE)
    handler = StderrHandler()
    before = package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)

    try:
        yield
    finally:
        package.removeHandler(handler)
        package.setLevel(before)


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--log-format`` and ``--verbose`` of a command."""

    def set_format(_: click.Context, __: click.Parameter, value: str) -> str:
        LOG.json = value == "json"
        return value

    def set_verbose(_: click.Context, __: click.Parameter, value: bool) -> bool:
        LOG.verbose = value
        return value

    def set_every(_: click.Context, __: click.Parameter, value: float) -> float:
        LOG.every = value
        return value

    for option in (
        click.option(
            "--log-every",
            type=click.FloatRange(min=0.1),
            default=EVERY,
            show_default=True,
            expose_value=False,
            callback=set_every,
            help="Seconds between two JSON lines of progress.",
        ),
        click.option(
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=set_verbose,
            help="Names of people and paths in JSON logs, too; text has them always.",
        ),
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            expose_value=False,
            callback=set_format,
            help=(
                "Lines on stderr: text names who failed; JSON, for logs that are kept, has no "
                "names and no paths."
            ),
        ),
    ):
        command = option(command)

    return command


def know_faces(faces: Path, names: Iterable[str] = ()) -> None:
    """Take names out of JSON logs: of the people in a folder, and of those that were asked for."""
    if not LOG.json:
        return

    found = faces.iterdir() if faces.is_dir() else iter([faces])
    names_there: list[str] = []
    for path in found:
        # a file's name stands in messages with its ending and without
        names_there += [path.name, path.stem]

    know(names_there, faces)
    know(names)


def know_first(parameter: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: the names in a command's folder are known before anything else is read."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def called(**given: Any) -> Any:
            know_faces(given[parameter])
            return command(**given)

        return called

    return decorate


def know(names: Iterable[str], *roots: Path) -> None:
    """Names and places that must not stand in a log."""
    LOG.names |= {name for name in names if name}
    LOG.roots = tuple(
        {*LOG.roots, *map(str, roots), *(str(root.resolve()) for root in roots)} - {"."}
    )


class StageLines:
    """Steps of work in stages as lines of the log: the first and the last of a stage, and some."""

    def __init__(self) -> None:
        self._stage = ""
        self._began = 0.0
        self._last = 0.0

    def __call__(self, step: Step, /) -> None:
        """Take note of a step."""
        now = time.monotonic()
        first = step.stage != self._stage
        if first:
            self._stage = step.stage
            self._began = now

        done = bool(step.total) and step.count >= step.total
        if not first and not done and now - self._last < LOG.every:
            return

        self._last = now
        told = getattr(step, "seconds_left", None)
        left = self._left(step, now) if told is None else round(told, 1)
        figures: dict[str, Any] = {"stage": step.stage, "count": step.count}
        figures |= {"total": step.total, "seconds_left": left}
        people = {name: getattr(step, name) for name in ("people", "done") if hasattr(step, name)}
        click.echo(LOG.row("progress", **figures, **people), err=True)

    def _left(self, step: Step, now: float) -> float | None:
        """Seconds left of a stage, by its mean speed so far."""
        if not step.total or not step.count or now == self._began:
            return None
        return round((now - self._began) * (step.total - step.count) / step.count, 1)


class Reporter:
    """Progress as lines of the log and as a text file for Prometheus' node exporter.

    Args:
        metrics: The text file, or None.
        quiet: Write no lines.
    """

    def __init__(self, metrics: Path | None, quiet: bool) -> None:
        self._metrics = metrics
        self._quiet = quiet
        self._last = 0.0
        self._state: RunProgress | None = None

    def progress(self, state: "RunProgress") -> None:
        """Take note of how far a run is."""
        self._state = state
        if time.monotonic() - self._last >= LOG.every:
            self.flush()

    def flush(self) -> None:
        """Write what is known."""
        self._last = time.monotonic()
        state = self._state
        if state is None:
            return

        if self._metrics is not None:
            from attrsearch.core.files import write_text

            write_text(self._metrics, metrics_text(state))

        if LOG.json and not self._quiet:
            figures: dict[str, Any] = {
                "people": state.people,
                "done": state.done,
                "feasible": state.feasible,
            }
            left = None if state.seconds_left is None else round(state.seconds_left, 1)
            figures |= {"evaluations": state.evaluations}
            line = LOG.line(
                "progress", **figures, seconds=round(state.seconds, 1), seconds_left=left
            )
            click.echo(line, err=True)


def metrics_text(state: "RunProgress") -> str:
    """Figures of a run in Prometheus' text format."""
    rows = (
        ("people", "gauge", "People of the run.", state.people),
        ("people_done", "gauge", "People finished, failures included.", state.done),
        ("people_feasible", "gauge", "People with a feasible winner.", state.feasible),
        ("evaluations_total", "counter", "Candidates measured in this call.", state.evaluations),
        (
            "seconds_total",
            "counter",
            "Seconds since the start of this call.",
            round(state.seconds, 3),
        ),
        ("updated_timestamp_seconds", "gauge", "When this was written.", round(time.time(), 3)),
    )
    lines = []
    for name, kind, text, value in rows:
        lines.append(f"# HELP attrsearch_{name} {text}\n")
        lines.append(f"# TYPE attrsearch_{name} {kind}\n")
        lines.append(f"attrsearch_{name} {value}\n")

    return "".join(lines)
