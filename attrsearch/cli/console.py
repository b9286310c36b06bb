"""What commands share: lines on stderr, progress bars, JSON on stdout."""

import getpass
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from attrsearch.cli.logs import LOG, StageLines

if TYPE_CHECKING:
    from attrsearch.anonymise.images import ImageResult
    from attrsearch.core.progress import Progress, Step
    from attrsearch.runs.verdict import Verdicts
    from attrsearch.search.run import RunProgress
    from attrsearch.training.loop import TrainingProgress


def _set_quiet(_: click.Context, __: click.Parameter, value: bool) -> bool:
    LOG.quiet = value
    return value


UNITS = {
    "find": "frame",
    "things": "frame",
    "search": "evaluation",
    "cover": "frame",
    "audit": "frame",
    "stream": "frame",
    "frames": "frame",
    "steadiness": "frame",
    "apply": "picture",
    "prepare": "picture",
    "calibrate": "person",
    "check": "person",
    "merge": "person",
    "report": "person",
    "export": "person",
    "read": "person",
}
"""What is counted in a stage."""

quiet_option = click.option(
    "--quiet", is_flag=True, callback=_set_quiet, help="No progress bar and no warnings."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout."
)


class Stopped(KeyboardInterrupt):
    """Ctrl+C, with a line that says what there is now and how to go on."""


@contextmanager
def when_stopped(line: Callable[[], str]) -> Iterator[None]:
    """Say in this line, made only then, what is left when Ctrl+C ends the block."""
    try:
        yield
    except Stopped:
        raise
    except KeyboardInterrupt:
        # the traceback is of wherever the key was pressed, which says nothing
        raise Stopped(line()) from None


def say(line: str) -> None:
    """A line for a person, on stderr; of JSON where logs are."""
    click.echo(LOG.line("said", line) if LOG.json else line, err=True)


NAMED = 3
"""People of one kind who are named in a line; the others are counted."""


def name_unfinished(verdicts: "Verdicts", failed: Mapping[str, str]) -> None:
    """A line for everybody who failed or is known not to hold, and one for all unverified."""
    for name, reason in sorted(failed.items()):
        say(f"failed: {name}: {reason}")

    for name in verdicts.infeasible:
        say(f"not anonymised: {name} (best trial kept; left out of the export)")

    for name in verdicts.refuted:
        say(f"holds on searched pictures only: {name} (failed on pictures kept back)")

    unverified = verdicts.unverified
    if unverified:
        others = len(unverified) - NAMED
        more = f" and {others} more" if others > 0 else ""
        say(
            f"holds on searched pictures only: {', '.join(unverified[:NAMED])}{more} "
            "(one picture each, or none kept back: could not be verified)"
        )


def name_unwritten(done: "Iterable[ImageResult]") -> "list[ImageResult]":
    """A line for every picture that was not written, and these pictures."""
    problems = [item for item in done if item.problem]
    for item in problems:
        say(f"not written: {item.problem}")

    return problems


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on stdout, for scripts."""
    click.echo(json.dumps(value, allow_nan=False))


@contextmanager
def stage_bar(quiet: bool, delay: float = 0) -> "Iterator[Progress[Step]]":
    """A bar for work in stages, told of every step; shown after ``delay`` seconds."""
    if LOG.json and not quiet:
        yield StageLines()
        return

    from tqdm import tqdm

    silent = quiet or LOG.json
    with ExitStack() as stack:
        shown: dict[str, Any] = {}

        def advance(step: "Step", /) -> None:
            stage = step.stage
            if stage not in shown:
                # or its clock goes on with the next
                for before in shown.values():
                    before.close()

                unit = UNITS.get(stage, "step")
                new: Any = tqdm(
                    total=step.total or None,
                    desc=stage,
                    unit=unit,
                    file=sys.stderr,
                    disable=silent,
                    dynamic_ncols=True,
                    delay=delay,
                )
                shown[stage] = stack.enter_context(new)

            shown[stage].total = step.total or None
            shown[stage].update(step.count - shown[stage].n)

        yield advance


@contextmanager
def run_bar(quiet: bool) -> "Iterator[Progress[RunProgress]]":
    """The bar of a run: people done, share feasible, evaluations a second, time left."""
    if LOG.json and not quiet:
        yield StageLines()
        return

    from attrsearch.search.progress_bar import run_bar as shown

    with shown(disable=quiet or LOG.json) as show:
        yield show


@contextmanager
def training_bar(steps: int, quiet: bool) -> "Iterator[Progress[TrainingProgress]]":
    """The line of a training: steps, time left, running means of the losses."""
    from tqdm import tqdm

    with tqdm(
        total=steps, unit="step", file=sys.stderr, disable=quiet, dynamic_ncols=True, mininterval=1
    ) as shown:

        def show(reached: "TrainingProgress") -> None:
            words = " ".join(f"{name} {value:.3f}" for name, value in reached.losses.items())
            shown.set_postfix_str(words, refresh=False)
            # steps of earlier calls took no time of this one: the rate would be far too high
            if shown.n == 0:
                shown.initial = reached.step - 1
                shown.n = shown.initial

            shown.update(reached.step - shown.n)

        yield show


def user_name(given: str | None) -> str:
    """In whose name decisions are logged: as given, or who is logged in.

    A container may run under a number that nobody has a name for.
    """
    if given:
        return given

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody without a name"
