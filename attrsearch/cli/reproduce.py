"""``attrsearch reproduce``: the thesis's tables and figures, measured anew."""

from pathlib import Path

import click

from attrsearch.cli.console import quiet_option, say


@click.group()
def reproduce() -> None:
    """Measure the thesis's tables and figures anew."""


@reproduce.command("figure-4.12")
@click.option(
    "--streets", default=8, show_default=True, type=click.IntRange(min=1), help="Of each kind of motion."
)
@click.option("--out", type=click.Path(path_type=Path), help="Markdown file to write.")
@quiet_option
def memory(streets: int, out: Path | None, quiet: bool) -> int:
    """Figures 4.11 and 4.12: recall, precision and mAP by the length of the detection memory.

    Made-up streets with known faces and a detector that misses at known frames: without memory, with the
    thesis's, and with tracks.
    """
    from attrsearch.cli.console import stage_bar
    from attrsearch.evaluation.memory_study import study_memory, to_markdown
    from attrsearch.files import write_text

    with stage_bar(quiet) as progress:
        table = to_markdown(study_memory(streets=streets, progress=lambda d, n: progress("streets", d, n)))
    if out is not None:
        write_text(out, table)
    say(table)
    return 0
