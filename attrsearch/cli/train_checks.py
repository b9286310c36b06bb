"""``attrsearch train accuracy|truths|judge``: what trained networks do on faces they never saw."""

from pathlib import Path

import click

from attrsearch.cli.console import say
from attrsearch.cli.train import path_type


@click.command(
    epilog="Example: attrsearch train accuracy traits/weights.safetensors --against traits --faces F"
)
@click.argument("name")
@click.option(
    "--against", multiple=True, help="Another classifier to measure beside it; may be given again."
)
@click.option(
    "--faces", required=True, type=path_type, help="Prepared held-out faces with a table."
)
@click.option("--people", type=path_type, help="Prepared held-out people with several pictures.")
@click.option("--limit", default=500, show_default=True, help="Faces to use.")
def accuracy(
    name: str, against: tuple[str, ...], faces: Path, people: Path | None, limit: int
) -> None:
    """How often the attribute classifier NAME (bundled, or a file) is right.

    Print a Markdown table.
    """
    from attrsearch.cli.early import existing_folder

    existing_folder(faces, "prepared faces")
    existing_folder(people, "prepared faces")

    from attrsearch.training.accuracy import accuracy as measure
    from attrsearch.training.compare import markdown

    found = measure((*against, name), faces, people, limit)
    click.echo(markdown(found.names, found.rows))
    say(f"{found.faces} faces")


@click.command(
    epilog="Example: attrsearch train truths critic/weights.safetensors --faces F --editor thesis"
)
@click.argument("weights", type=path_type)
@click.option("--faces", required=True, type=path_type, help="Prepared held-out faces.")
@click.option(
    "--editor", "editors", multiple=True, default=("thesis", "anonymiser"), help="Makes the edits."
)
@click.option("--limit", default=200, show_default=True, help="Faces to use.")
def truths(weights: Path, faces: Path, editors: tuple[str, ...], limit: int) -> None:
    """Whether a critic orders real, reconstructed, edited, blurred and shuffled faces rightly."""
    from attrsearch.cli.early import existing_file, existing_folder, known_editor

    existing_file(weights, "weights of a critic")
    existing_folder(faces, "prepared faces")
    for editor in editors:
        known_editor(editor)

    import numpy as np

    from attrsearch.faces.naturalness import load_critic_network
    from attrsearch.training.critic_check import truths as measure
    from attrsearch.training.datasets import load_sources
    from attrsearch.training.loss_networks import load_traits_network

    known = load_sources([faces], load_traits_network("traits"))
    found = measure(
        load_critic_network(weights), editors, known.take(np.arange(min(limit, len(known))))
    )
    for kind, mean in found.means.items():
        click.echo(f"{kind:14} mean score {mean:6.3f}")

    for pair, share in found.pairs.items():
        click.echo(f"{pair:26} on {share:.1%} of {min(limit, len(known))} faces")

    click.echo(f"rank correlation of score and kind: {found.correlation:.3f}")
    click.echo(
        f"rank correlation of an edit's score and how little it asks for: {found.strength:.3f}"
    )


@click.command(epilog="Example: attrsearch train judge run1 --judge dlib")
@click.argument("run", type=path_type)
@click.option(
    "--judge",
    "name",
    default="dlib",
    show_default=True,
    help="A recogniser the search did not use.",
)
@click.option(
    "--originals", type=path_type, help="A run of the same people with --include-originals."
)
def judge(run: Path, name: str, originals: Path | None) -> None:
    """How many edited faces of RUN a held-out recogniser still takes for the person."""
    from attrsearch.faces.recognition.load import load_recogniser, resolve
    from attrsearch.runs.metadata import read_run

    resolve(name)
    read_run(run)

    from attrsearch.training.held_out_check import judge_run

    found = judge_run(run, load_recogniser(name), originals)
    click.echo(
        f"{name}: {found.matched:.1%} of {found.faces} edited faces still matched, distance "
        f"{found.distance:.3f}"
    )
