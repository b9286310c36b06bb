"""``attrsearch demo``."""

from pathlib import Path

import click

from attrsearch.cli.console import quiet_option, run_bar, say


@click.command(epilog="Example: attrsearch demo --out demo-run")
@click.option(
    "--out", default="attrsearch-demo", show_default=True, type=click.Path(path_type=Path)
)
@click.option(
    "--trials",
    default=60,
    show_default=True,
    type=click.IntRange(min=1),
    help="Candidates a person.",
)
@quiet_option
def demo(out: Path, trials: int, quiet: bool) -> int:
    """Do the main job on a small bundled sample: search, export, apply, report."""
    from attrsearch.anonymise.images import Applier, apply_all, plan
    from attrsearch.core.sample import sample_folder
    from attrsearch.faces.dataset import read_genders
    from attrsearch.report.page import write_report
    from attrsearch.runs.attributes_file import read_attributes
    from attrsearch.search.config import RunConfig
    from attrsearch.search.run import run

    faces = sample_folder()
    config = RunConfig(
        study="quick",
        trials=trials,
        genders=read_genders(faces / "genders.csv"),
        include_originals=True,
    )
    with run_bar(quiet) as progress:
        result = run(
            faces,
            out,
            config,
            resume=(out / "run.toml").exists(),
            progress=progress,
        )
        page = write_report(out, include_originals=True)
    file = read_attributes(out / "attributes.json")
    done = apply_all(Applier(file), plan(faces, out / "protected", file, None))
    took = f"{result.evaluations} evaluations"
    said = result.verdicts.sentence(result.identities, len(result.failed), took)
    say(f"searched:  {said}")
    say(f"exported:  {out / 'attributes.json'}")
    say(
        f"applied:   {sum(item.edited is not None for item in done)} pictures in "
        f"{out / 'protected'}"
    )
    say(f"report:    {page}")
    if result.infeasible:
        missing = ", ".join(result.infeasible)
        say(
            f"left out:  {missing}, not anonymised by {trials} candidates (longer: --trials 200 "
            "--out longer)"
        )
    return 1 if result.failed else 0
