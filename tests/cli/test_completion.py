"""Shells complete commands and options; every command shows how it is used."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from attrsearch.cli.main import cli, main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_ATTRSEARCH_COMPLETE={shell}_complete" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("attrsearch sc", "scrub"),
        ("attrsearch run --enc", "--encrypt"),
        ("attrsearch completion z", "zsh"),
    ],
)
def test_what_a_shell_asks(words: str, expected: str) -> None:
    about = {
        "_ATTRSEARCH_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    code = "from attrsearch.cli.main import cli; cli(prog_name='attrsearch')"
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, **about, "PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert expected in done.stdout, done.stderr


def commands(group: click.Group, path: str = "attrsearch") -> list[tuple[str, click.Command]]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group) and not command.epilog:
            found += commands(command, f"{path} {name}")
        else:
            found.append((f"{path} {name}", command))
    return found


@pytest.mark.parametrize(
    ("name", "command"), commands(cli), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_has_an_example_of_its_own(name: str, command: click.Command) -> None:
    assert name in (command.epilog or ""), command.epilog
