"""The command of each table and figure of ``attrsearch reproduce``: one for all names."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import quiet_option, say
from attrsearch.cli.fields import Options, Values, fill
from attrsearch.experiments.names import EVERYTHING, NAMES

if TYPE_CHECKING:
    from attrsearch.experiments.options import ExperimentOptions

PATH = click.Path(path_type=Path)
SIZE = click.FloatRange(0, 10, min_open=True)
OPTIONS: Options = {
    "people_file": click.option(
        "--people", "people_file", type=PATH, help="Only the people named in this file."
    ),
    "seed": click.option(
        "--seed",
        default=0,
        show_default=True,
        type=click.IntRange(min=0),
        help="Of all that is drawn.",
    ),
    "size": click.option(
        "--size",
        default=1.0,
        show_default=True,
        type=SIZE,
        help="Edits, as a share of the thesis's.",
    ),
    "editor": click.option(
        "--editor", default="thesis", show_default=True, help="A bundled editor's name, or a path."
    ),
    "space": click.option(
        "--space", default="thesis10", show_default=True, help="What attributes are drawn from."
    ),
    "recogniser": click.option(
        "--recogniser", default="auto", show_default=True, help="Measures the distance."
    ),
    "distractors": click.option(
        "--distractors",
        default=300,
        show_default=True,
        type=click.IntRange(min=1),
        help="In the gallery.",
    ),
    "grades": click.option("--grades", type=PATH, help="A run graded by a person, for table-4.5."),
}
"""Options of ``ExperimentOptions``."""


def read_options(given: Values) -> Values:
    """Fields of ``ExperimentOptions``: the file of names is read.

    Raises:
        InputError: It cannot be read.
    """
    from attrsearch.cli.run import names_in

    file = given.pop("people_file")
    return given | {"names": frozenset(names_in(file)) or None if file else None}


class Tables(click.Group):
    """A command for every table and figure, all with the same options.

    Those with options of their own are added.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The thesis's order, then everything else."""
        return [
            *NAMES,
            *(name for name in super().list_commands(ctx) if name not in NAMES),
            EVERYTHING,
        ]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of a name; an unknown one is answered with the list when it is called."""
        return super().get_command(ctx, cmd_name) or _command(cmd_name)


def _command(name: str) -> click.Command:
    """The command that measures one name."""
    if name == EVERYTHING:
        text = "Measure every table and figure, and write a page that sets the thesis beside ours."
    else:
        text = f"Measure {name.replace('-', ' ')} of the thesis: {NAMES.get(name, 'unknown')}."

    function: Callable[..., object] = partial(_measure, name)
    for decorate in (
        quiet_option,
        compute_options,
        click.option(
            "--include-originals", is_flag=True, help="With 'all': also the sheets of faces."
        ),
        fill("options", "attrsearch.experiments.options:ExperimentOptions", OPTIONS, read_options),
        click.option(
            "--out",
            type=PATH,
            help="File to write: .md, .json, .html, or .svg or .png; a folder for 'all'.",
        ),
        click.argument("faces", required=False, type=PATH),
    ):
        function = decorate(function)

    short = NAMES.get(name, "everything, and a page; --out is a folder")
    return click.command(name, help=text, short_help=short)(function)


def _measure(
    name: str,
    faces: Path | None,
    out: Path | None,
    options: "ExperimentOptions",
    include_originals: bool,
    quiet: bool,
) -> int:
    from attrsearch.cli.console import stage_bar
    from attrsearch.cli.early import experiment_request, new_file, new_folder

    everything = name == EVERYTHING
    if everything:
        new_folder(out)
    else:
        new_file(out, (".md", ".json", ".html", ".svg", ".png"))

    experiment_request(faces, options.editor, options.space, options.recogniser)
    options = options.model_copy(update={"faces": faces})

    from attrsearch.experiments.catalogue import find, reproduce_all
    from attrsearch.experiments.catalogue import reproduce as measure
    from attrsearch.experiments.context import ExperimentContext
    from attrsearch.experiments.page import without_people, write_all, write_section
    from attrsearch.experiments.section import to_markdown

    if not everything:
        find(name)
    elif out is None:
        raise click.UsageError("'all' needs --out FOLDER.")

    with stage_bar(quiet) as progress:
        lab = ExperimentContext(options, progress)
        if everything and out is not None:
            count = 0
            # written after every experiment: hours of measuring are kept when the next one fails
            for sections in reproduce_all(lab):
                shown = sections if include_originals else without_people(sections)
                count = len(shown)
                write_all(shown, out, options)
        else:
            section = measure(name, lab)

    if everything:
        say(f"{count} tables and figures in {out}")
    elif out is None:
        click.echo(to_markdown([section]))
    else:
        for path in write_section(section, out, options):
            say(str(path))

    return 0
