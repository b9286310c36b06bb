"""``attrsearch models list|verify|fetch``."""

from pathlib import Path

import click

from attrsearch.cli.console import say


@click.group()
def models() -> None:
    """The weights attrsearch uses."""


@models.command("list")
def list_models() -> None:
    """List bundled weights and the recognisers that can be had here."""
    from attrsearch.errors import UnavailableError
    from attrsearch.faces.recognise import RECOGNISERS, load_network
    from attrsearch.weights import manifest

    for weights in manifest().values():
        size = weights.path.stat().st_size / 1e6 if weights.path.exists() else 0.0
        click.echo(
            f"{weights.name:18} {weights.kind:11} {size:6.1f} MB  sha256 {weights.sha256[:16]}…  {weights.path}"
        )
    for name in RECOGNISERS:
        try:
            click.echo(f"{name:18} recogniser  sha256 {load_network(name, download=False).sha256[:16]}…")
        except UnavailableError as error:
            click.echo(f"{name:18} recogniser  not here: {error.found} ({error.hint})")


@models.command("verify")
def verify_models() -> None:
    """Check every bundled file against its SHA-256."""
    from attrsearch.weights import manifest, verify

    for weights in manifest().values():
        verify(weights)
        click.echo(f"{weights.name}: verified, sha256 {weights.sha256}")


@models.command("fetch")
@click.argument("name", type=click.Choice(["facenet-vggface2", "facenet-casia"]))
@click.option("--from", "source", type=click.Path(path_type=Path), help="A file  [default: its release on GitHub]")
def fetch_models(name: str, source: Path | None) -> None:
    """Install FaceNet weights into torch's cache, from a file or from their release."""
    from attrsearch.faces.facenet import install_weights

    say(f"{name}: installed at {install_weights(name, source)}")
