"""``attrsearch choose``: another trial of a person wins, as in the dashboard."""

from pathlib import Path

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import say, user_name

_PATH = click.Path(path_type=Path)


@click.command(epilog="Example: attrsearch choose run1 Some_Person 17")
@click.argument("run", type=_PATH)
@click.argument("person")
@click.argument("trial", type=click.IntRange(min=0))
@click.option(
    "--faces", type=_PATH, help="The pictures of the run  [default: as run.toml says, or RUN/faces]"
)
@click.option(
    "--user", help="In whose name it is logged  [default: the name you are logged in with]"
)
@compute_options
def choose(run: Path, person: str, trial: int, faces: Path | None, user: str | None) -> None:
    """Make TRIAL the winner of PERSON in RUN.

    It is measured again first, and every export of the run is written anew.
    """
    from attrsearch.runs.metadata import read_run

    head = read_run(run)

    from attrsearch.report.dashboard.winner import choose_in_run
    from attrsearch.search.remeasure import Verifier

    kept = run / "faces"
    place = faces or (kept if kept.is_dir() and not head.get("faces") else None)
    details = choose_in_run(run, person, trial, Verifier(head, place), user_name(user))
    word = "feasible" if details["feasible"] else "not feasible"
    say(f"{person}: trial {trial} wins; {word}, distance {details['distance']:.3f}")
