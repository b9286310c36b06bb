"""A key that is typed once is in the process's environment, and nowhere else."""

import click
import pytest
from click.testing import CliRunner

from attrsearch.cli.console import user_name
from attrsearch.cli.encryption import asked_key_options
from attrsearch.core.encryption import encrypting, has_key, locked, unlocked

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@click.command()
@asked_key_options
def work() -> None:
    """Say whether private files are encrypted, and what comes of it."""
    click.echo(f"{encrypting()} {has_key()} {encrypting() and unlocked(locked(b'a face'), 'it')!r}")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRSEARCH_KEY", "")
    monkeypatch.setenv("ATTRSEARCH_ENCRYPT", "")


def test_the_key_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(work, ["--encrypt"], input=f"{KEY}\n")
    assert done.stdout.endswith("True True b'a face'\n")
    assert KEY not in done.output
    # it is there now, and so it is where a script has put it
    assert CliRunner().invoke(work, ["--encrypt"]).stdout == "True True b'a face'\n"
    monkeypatch.setenv("ATTRSEARCH_KEY", "")
    assert CliRunner().invoke(work).stdout == "False False False\n"


def test_what_is_no_key_is_refused() -> None:
    done = CliRunner().invoke(work, ["--encrypt"], input="no key\n")
    assert done.exit_code != 0
    assert "key" in str(done.exception)


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert user_name(None) == "somebody without a name"
    assert user_name("ann") == "ann"
