"""``--encrypt`` and ``--key`` of commands, and ``attrsearch scrub``."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from attrsearch.cli.console import json_option, print_json, say
from attrsearch.cli.exit_codes import exit_code

Command = Callable[..., Any]

_key = click.option(
    "--key",
    type=click.Path(path_type=Path),
    help="File with the key of encrypted files  [default: the variable ATTRSEARCH_KEY]",
)
_encrypt = click.option("--encrypt", is_flag=True, help="Encrypt untouched pictures and ledgers.")


def key_option(command: Command) -> Command:
    """Add ``--key`` to a command that reads private files."""
    return _key(_with_key(command))


def encrypt_options(command: Command) -> Command:
    """Add ``--encrypt`` and ``--key`` to a command that writes private files."""
    return _encrypt(_key(_with_key(command)))


def asked_key_options(command: Command) -> Command:
    """The same for a command that somebody sits at: it asks for a key that is not given.

    What was typed stays in this process and those it starts, and is written nowhere.
    """
    return _encrypt(_key(_with_key(command, asks=True)))


def _with_key(command: Command, *, asks: bool = False) -> Command:
    @functools.wraps(command)
    def called(*arguments: Any, key: Path | None, encrypt: bool = False, **options: Any) -> Any:
        from attrsearch.core.encryption import KEY, has_key, use_key

        if asks and encrypt and key is None and not has_key():
            os.environ[KEY] = click.prompt("key of encrypted files", hide_input=True, err=True)

        use_key(key, encrypt)
        return command(*arguments, **options)

    return called


@click.command(epilog="Example: attrsearch scrub run1 --yes")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def scrub(run: Path, yes: bool, as_json: bool) -> int:
    """Remove from RUN everything that could identify a person, and list what is left.

    Pictures, names, attribute sets, seeds of people, trials, journal, ledger, report, decisions and
    places are removed; settings, versions and the figures of numbered people stay. What is left is
    searched for every name there was; exit code 1 where one is found. It cannot be undone.
    """
    from attrsearch.runs.metadata import read_run
    from attrsearch.runs.scrub import scrub_run

    read_run(run)
    if not yes:
        click.confirm(
            f"Remove everything about people from {run}? It cannot be undone.", abort=True, err=True
        )

    done = scrub_run(run)
    if as_json:
        left = [{"path": item.path, "bytes": item.size, "holds": item.holds} for item in done.left]
        print_json(
            {
                "removed": done.removed,
                "left": left,
                "looked_for": done.looked_for,
                "found": list(done.found),
            }
        )
    else:
        say(f"{done.removed} files removed; left:")
        for item in done.left:
            say(f"  {item.path} ({item.size} bytes): {item.holds}")

        found = ", ".join(done.found) or "none"
        say(f"{done.looked_for} names and places of before were looked for in it; found: {found}")

    return exit_code(done.found)
