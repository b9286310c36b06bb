"""The command of each table and figure of ``attrsearch reproduce``: one for all names."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from attrsearch.cli.console import quiet_option, say
from attrsearch.experiments.names import EVERYTHING, NAMES

Function = TypeVar("Function", bound=Callable[..., object])

PATH = click.Path(path_type=Path)
SIZE = click.FloatRange(0, 10, min_open=True)
OPTIONS = (
    click.argument("faces", required=False, type=PATH),
    click.option(
        "--out", type=PATH, help="File to write: .md, .html, or .svg or .png; a folder for 'all'."
    ),
    click.option("--people", "people_file", type=PATH, help="Only the people named in this file."),
    click.option(
        "--seed",
        default=0,
        show_default=True,
        type=click.IntRange(min=0),
        help="Of all that is drawn.",
    ),
    click.option(
        "--size",
        default=1.0,
        show_default=True,
        type=SIZE,
        help="Edits, as a share of the thesis's.",
    ),
    click.option(
        "--editor", default="thesis", show_default=True, help="A bundled editor's name, or a path."
    ),
    click.option(
        "--space", default="thesis10", show_default=True, help="What attributes are drawn from."
    ),
    click.option("--recogniser", default="auto", show_default=True, help="Measures the distance."),
    click.option(
        "--distractors",
        default=300,
        show_default=True,
        type=click.IntRange(min=1),
        help="In the gallery.",
    ),
    click.option("--grades", type=PATH, help="A run graded by a person, for table-4.5."),
    click.option("--include-originals", is_flag=True, help="With 'all': also the sheets of faces."),
    quiet_option,
)


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
    for option in reversed(OPTIONS):
        function = option(function)

    short = NAMES.get(name, "everything, and a page; --out is a folder")
    return click.command(name, help=text, short_help=short)(function)


def _measure(
    name: str,
    faces: Path | None,
    out: Path | None,
    people_file: Path | None,
    include_originals: bool,
    quiet: bool,
    **given: object,
) -> int:
    from attrsearch.cli.console import stage_bar
    from attrsearch.cli.early import experiment_request, new_file, new_folder
    from attrsearch.cli.run import names_in

    if name == EVERYTHING:
        new_folder(out)
    else:
        new_file(out, (".md", ".html", ".svg", ".png"))

    experiment_request(faces, given)

    from attrsearch.experiments.catalogue import find, reproduce_all
    from attrsearch.experiments.catalogue import reproduce as measure
    from attrsearch.experiments.context import ExperimentContext, ExperimentOptions
    from attrsearch.experiments.page import without_people, write_all, write_section
    from attrsearch.experiments.section import to_markdown

    everything = name == EVERYTHING
    if not everything:
        find(name)
    elif out is None:
        raise click.UsageError("'all' needs --out FOLDER.")

    chosen = names_in(people_file) if people_file else []
    options = ExperimentOptions(faces=faces, names=frozenset(chosen) if chosen else None, **given)  # type: ignore[arg-type]

    with stage_bar(quiet) as progress:
        lab = ExperimentContext(options, progress)
        if everything and out is not None:
            count = 0
            for sections in reproduce_all(lab):  # what is finished is kept
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
