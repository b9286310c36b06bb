"""``attrsearch studio``."""

import threading
import webbrowser
from contextlib import suppress
from pathlib import Path

import click

from attrsearch.cli.compute import compute_options, hand_on
from attrsearch.cli.console import quiet_option, say, user_name
from attrsearch.cli.encryption import asked_key_options

EVERY = 1.0
"""Seconds between two looks at whether the next job can begin."""


@click.command(epilog="Example: attrsearch studio")
@click.argument("folder", default="attrsearch-studio", type=click.Path(path_type=Path))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address; another than this needs --token.",
)
@click.option(
    "--port",
    default=8766,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0: any that is free.",
)
@click.option(
    "--token",
    default="",
    envvar="ATTRSEARCH_TOKEN",
    help="What visitors must show  [default: one of FOLDER's own]",
)
@click.option(
    "--user", help="In whose name decisions are logged  [default: the name you are logged in with]"
)
@click.option("--open", "opens", is_flag=True, help="Open it in a browser.")
@compute_options
@quiet_option
@asked_key_options
def studio(
    folder: Path,
    host: str,
    port: int,
    token: str,
    user: str | None,
    opens: bool,
    quiet: bool,  # noqa: ARG001 - the address is said in any case
) -> None:
    """Drop a clip or pictures, see who is in them, decide, compare, and take the result away.

    Everything lies in FOLDER, and nothing leaves this machine. Each job is an ordinary command,
    shown for copying; jobs that are stopped go on where they were.
    """
    try:
        from attrsearch.report.dashboard.security import Access, is_loopback
        from attrsearch.report.dashboard.server import serve_application
        from attrsearch.report.studio.server import Studio
    except ImportError as error:
        from attrsearch.core.errors import UnavailableError

        hint = "pip install 'attrsearch[dashboard]'"
        found = f"no {error.name}"
        raise UnavailableError(
            "studio", required="its web server", found=found, hint=hint
        ) from error

    hand_on()

    from attrsearch.report.studio.workspace import Workspace

    if not is_loopback(host):
        Access(host, port, token)  # refuses one without a token of its own

    workspace = Workspace(folder)
    access = Access(host, port, token or workspace.token())
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(EVERY):
            workspace.go_on()

    def ready(address: str) -> None:
        say(f"studio: {address} (Ctrl+C ends it; {workspace.path} keeps everything)")
        if opens:
            webbrowser.open(address)

    threading.Thread(target=go_on, daemon=True).start()

    try:
        with suppress(KeyboardInterrupt):  # how a page is left is no fault
            serve_application(
                lambda here: Studio(workspace, here, user_name(user)).application(),
                access,
                ready,
            )
    finally:
        ended.set()
        stopped = workspace.close()

    if stopped:
        say("studio: stopped the job that was running; it goes on from the page")
