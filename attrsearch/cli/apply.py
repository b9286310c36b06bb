"""``attrsearch apply``."""

from pathlib import Path

import click

from attrsearch.cli.console import bar, quiet_option, say


@click.command(epilog="Example: attrsearch apply faces/ --attributes run1/attributes.json --out protected/")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--attributes", required=True, type=click.Path(path_type=Path), help="attributes.json of a run.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Picture or folder to write.")
@click.option("--person", help="Whose pictures these are  [default: the name of folder or file]")
@click.option("--fallback", type=click.Choice(["blur", "pixelate", "mask"]), default="blur", show_default=True)
@click.option("--editor", help="Editor weights by path, where the export names none of ours.")
@quiet_option
def apply(
    source: Path, attributes: Path, out: Path, person: str | None, fallback: str, editor: str | None, quiet: bool
) -> int:
    """Protect a picture, or a folder of pictures, with exported attribute sets.

    A picture belongs to the person whose name its folder or file has. The person's face is edited, every other
    face is covered by the fallback filter, and a picture in which no face is found is not written.
    """
    from attrsearch.applying.pictures import Applier, apply_all, plan
    from attrsearch.export import read_attributes

    file = read_attributes(attributes)
    work = plan(source, out, file, person)
    applier = Applier(file, fallback, editor)  # type: ignore[arg-type]
    with bar(len(work), "picture", quiet) as advance:
        done = apply_all(applier, work, lambda: advance(1))
    problems = [item for item in done if item.problem]
    for item in problems:
        say(f"not written: {item.problem}")
    edited = sum(item.edited is not None for item in done)
    covered = sum(item.covered for item in done)
    say(f"{len(done) - len(problems)} pictures written to {out}: {edited} faces edited, {covered} covered")
    return 1 if problems else 0
