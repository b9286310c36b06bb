"""``attrsearch dashboard``."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import quiet_option, say, stage_bar, user_name
from attrsearch.cli.encryption import key_option
from attrsearch.cli.fields import gather

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class Visits:
    """Where the page is opened, and by whom.

    Attributes:
        host: Address.
        port: 0 for any that is free.
        token: What visitors must show; empty where nobody needs one.
        user: In whose name decisions are logged; None for whoever is logged in.
    """

    host: str
    port: int
    token: str
    user: str | None


@click.command(epilog="Example: attrsearch dashboard run1")
@click.argument("run", type=_PATH)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address; another than this needs --token.",
)
@click.option(
    "--port",
    default=8765,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0: any that is free.",
)
@click.option("--token", default="", envvar="ATTRSEARCH_TOKEN", help="What visitors must show.")
@click.option(
    "--user", help="In whose name decisions are logged  [default: the name you are logged in with]"
)
@click.option(
    "--faces", type=_PATH, help="The pictures of the run, to measure a chosen winner again."
)
@click.option(
    "--include-originals", is_flag=True, help="Show untouched pictures, where the run kept them."
)
@click.option(
    "--optuna", is_flag=True, help="Do not serve: export the studies for optuna-dashboard."
)
@click.option(
    "--out", type=_PATH, help="With --optuna: .db, or a faster .log  [default: RUN/optuna.db]"
)
@compute_options
@quiet_option
@key_option
@gather("visits", Visits)
def dashboard(
    run: Path,
    visits: Visits,
    faces: Path | None,
    include_originals: bool,
    optuna: bool,
    out: Path | None,
    quiet: bool,
) -> None:
    """Show RUN live: people appear as they finish; choose winners, drop people, grade, download.

    Every change is written to the run, with who and when in RUN/changes.jsonl.
    """
    from attrsearch.runs.metadata import read_run

    read_run(run)
    if optuna:
        _export(run, out, include_originals, quiet)
        return

    try:
        from attrsearch.report.dashboard.security import Access
        from attrsearch.report.dashboard.server import Dashboard, serve
    except ImportError as error:
        from attrsearch.core.errors import UnavailableError

        hint = "pip install 'attrsearch[dashboard]'"
        found = f"no {error.name}"
        raise UnavailableError(
            "dashboard", required="its web server", found=found, hint=hint
        ) from error

    from attrsearch.report.dashboard.state import LiveRun

    access = Access(visits.host, visits.port, visits.token)
    live = LiveRun(run, include_originals)
    with stage_bar(quiet, delay=1) as progress:
        live.refresh(progress)

    shown = Dashboard(live, user_name(visits.user), faces, include_originals)
    # how a page is left is no fault
    with suppress(KeyboardInterrupt):
        serve(shown, access, lambda address: say(f"dashboard: {address} (Ctrl+C ends it)"))


def _export(run: Path, out: Path | None, originals: bool, quiet: bool) -> None:
    from attrsearch.cli.early import new_file

    database = out or run / "optuna.db"
    new_file(out)

    from attrsearch.report.dashboard.optuna_export import export_studies

    with stage_bar(quiet, delay=1) as progress:
        done = export_studies(run, database, originals, progress)

    say(f"{done.studies} studies, {done.trials} trials, {done.pictures} pictures in {database}")
    address = database if done.journal else f"sqlite:///{database}"
    say(f"look at them with: optuna-dashboard {address} --artifact-dir {done.artifacts}")
