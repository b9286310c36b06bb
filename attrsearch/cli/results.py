"""``attrsearch export``, ``attrsearch report`` and ``attrsearch compare``."""

from pathlib import Path

import click

from attrsearch.cli.console import quiet_option, say, stage_bar
from attrsearch.cli.encryption import key_option
from attrsearch.cli.plugins import PlugInChoice
from attrsearch.report.annotations.kinds import KINDS


@click.command(
    epilog="Examples: attrsearch export run1 --format csv --out sets.csv; "
    "attrsearch export run1 --format coco"
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=PlugInChoice("exporter", ("json", "csv", "parquet", *KINDS)),
    default="json",
    show_default=True,
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write  [default: RUN/attributes.FORMAT, or RUN/annotations_FORMAT]",
)
@click.option("--include-infeasible", is_flag=True, help="Also people who are not anonymised.")
@click.option(
    "--media",
    type=click.Path(path_type=Path),
    help="Of annotations: where the pictures or the video are  [default: where they were]",
)
@quiet_option
@key_option
def export(
    run: Path,
    kind: str,
    out: Path | None,
    include_infeasible: bool,
    media: Path | None,
    quiet: bool,
) -> None:
    """Export the best attribute set of every person of RUN; who is left out is named.

    The formats coco, cvat, fiftyone, label-studio and mot hold annotations instead: the faces on
    the pictures of a run, or on the frames of a video, with person ids and what was done. For a
    video RUN may be its ledger.
    """
    if kind in KINDS:
        _annotate(run, kind, out, media, quiet)
        return

    from attrsearch.cli.early import new_file
    from attrsearch.runs.export import export_run, left_out_people

    target = out or run / f"attributes.{kind}"
    new_file(out)
    count = export_run(run, target, kind, include_infeasible)

    for name, reason in left_out_people(run, include_infeasible).items():
        say(f"left out: {name}: {reason}")

    say(f"{count} people in {target}")


def _annotate(source: Path, kind: str, out: Path | None, media: Path | None, quiet: bool) -> None:
    from attrsearch.cli.early import new_file, new_folder
    from attrsearch.report.annotations.kinds import default_place

    target = out or default_place(source, kind)
    suffix = KINDS[kind]
    new_file(target, (suffix,)) if suffix else new_folder(target)

    from attrsearch.report.annotations.export import export_annotations

    with stage_bar(quiet, DELAY_SECONDS) as progress:
        found = export_annotations(source, target, kind, media, progress)

    word = "pictures" if found.footage is None else "frames"
    say(f"{found.count} annotations on {len(found.pictures)} {word} in {target}")


DELAY_SECONDS = 1.0
"""Seconds before a bar is worth showing."""


@click.command(epilog="Example: attrsearch report run1 --out report.html")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Page to write  [default: RUN/report.html]"
)
@click.option(
    "--include-originals", is_flag=True, help="Show untouched pictures, where the run kept them."
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="Draw the best so far of another run beside this.",
)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    help="A video's ledger  [default: RUN/coverage.parquet]",
)
@quiet_option
@key_option
def report(
    run: Path,
    out: Path | None,
    include_originals: bool,
    against: Path | None,
    ledger: Path | None,
    quiet: bool,
) -> None:
    """Write the report of RUN as one page that works offline.

    With more than 250 people its pictures are files beside it; with fewer they are inside it.
    """
    from attrsearch.cli.early import existing_file, new_file
    from attrsearch.report.page import write_report
    from attrsearch.runs.metadata import read_run

    new_file(out)
    read_run(run)
    if against is not None:
        read_run(against)

    existing_file(ledger, "a ledger")
    with stage_bar(quiet, DELAY_SECONDS) as progress:
        page = write_report(
            run,
            out,
            include_originals=include_originals,
            against=against,
            ledger=ledger,
            progress=progress,
        )

    say(str(page))


@click.command(epilog="Example: attrsearch compare run-tpe run-random")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
def compare(runs: tuple[Path, ...]) -> None:
    """Print a Markdown table that sets RUNS side by side."""
    from attrsearch.runs.compare import compare as table

    click.echo(table(list(runs)))
