"""``attrsearch train evaluate|accuracy|truths|judge``: trained networks on faces they never saw."""

from dataclasses import dataclass
from pathlib import Path

import click

from attrsearch.cli.compute import device_option
from attrsearch.cli.console import quiet_option, say, stage_bar
from attrsearch.cli.fields import gather
from attrsearch.cli.train_options import path_type


@dataclass(frozen=True)
class HeldOutFaces:
    """Faces that an editor was not trained on.

    Attributes:
        faces: Prepared ones, for AttGAN editors.
        people: Prepared ones of people with several pictures.
        pictures: Instead, for every kind of editor: one folder of pictures a person.
        limit: Faces of each set to use.
    """

    faces: Path | None
    people: Path | None
    pictures: Path | None
    limit: int


@click.command(
    "evaluate",
    epilog="Example: attrsearch train evaluate base --against thesis --faces F --people P",
)
@click.argument("name")
@click.option(
    "--against", multiple=True, help="Another editor to measure beside it; may be given again."
)
@click.option("--faces", type=path_type, help="Prepared held-out faces, for AttGAN editors.")
@click.option("--people", type=path_type, help="Prepared held-out people with several pictures.")
@click.option(
    "--pictures",
    type=path_type,
    help="Instead of --faces, for every kind of editor: one folder of pictures a person.",
)
@click.option(
    "--space",
    default=None,
    help="Space of the random candidates.  [default: thesis10; with --pictures one-pass]",
)
@click.option("--limit", default=500, show_default=True, help="Faces of each set to use.")
@click.option(
    "--traits",
    default="traits",
    show_default=True,
    help="Classifier that judges: a name or a path.",
)
@click.option("--sheet", type=path_type, help="PNG file for pictures of both.")
@device_option
@quiet_option
@gather("held_out", HeldOutFaces)
def evaluate_editor(
    name: str,
    against: tuple[str, ...],
    held_out: HeldOutFaces,
    space: str | None,
    traits: str,
    sheet: Path | None,
    quiet: bool,
) -> None:
    """Measure the editor NAME on held-out faces and print a Markdown table.

    With --faces: reconstruction, single edits and searched edits of AttGAN editors. With
    --pictures: random sets of any editor, laid on as a search does: distances, told from real,
    pose, gender and skin, over all faces and by bins of yaw, skin and age.
    """
    from attrsearch.cli.early import existing_folder, known_editor, new_file
    from attrsearch.core.recipes.space import load_space

    faces = held_out.faces
    people = held_out.people
    pictures = held_out.pictures

    if (faces is None) == (pictures is None):
        found = "neither" if faces is None else "both"
        raise click.UsageError(f"needs --faces or --pictures, found {found}")

    space = space or ("one-pass" if faces is None else "thesis10")
    for editor in (name, *against):
        known_editor(editor)

    existing_folder(faces, "prepared faces")
    existing_folder(people, "prepared faces")
    existing_folder(pictures, "a folder of pictures a person")
    load_space(space)
    new_file(sheet)

    from attrsearch.core.files import write_bytes
    from attrsearch.core.images import to_png

    def line(text: str) -> None:
        if not quiet:
            say(text)

    names = (*against, name)
    shown = None
    if pictures is not None:
        from attrsearch.evaluation.editors import editors_table, measure_editors

        with stage_bar(quiet) as progress:
            measured = measure_editors(names, pictures, space=space, progress=progress)
        click.echo(editors_table(measured))
        shown = measured.sheet
    elif faces is not None:
        from attrsearch.training.compare import compare, markdown

        compared = compare(
            names, faces, people, space=space, limit=held_out.limit, traits=traits, progress=line
        )
        click.echo(markdown(names, compared.rows))
        shown = compared.sheet

    if sheet is not None and shown is not None:
        write_bytes(sheet, to_png(shown))


@click.command(
    epilog=(
        "Example: attrsearch train accuracy traits/weights.safetensors --against traits --faces F"
    )
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
@device_option
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
@device_option
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
@device_option
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
