"""``attrsearch demo``."""

from pathlib import Path

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import name_unwritten, quiet_option, run_bar, say, when_stopped
from attrsearch.cli.exit_codes import exit_code


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
@compute_options
@quiet_option
def demo(out: Path, trials: int, quiet: bool) -> int:
    """Do the main job on a small bundled sample: search, export, apply, report."""
    from attrsearch.cli.early import search_request
    from attrsearch.core.sample import sample_folder
    from attrsearch.faces.people import read_genders
    from attrsearch.search.config import RunConfig

    faces = sample_folder()
    begun = (out / "run.toml").exists()
    config = RunConfig(
        study="quick",
        trials=trials,
        genders=read_genders(faces / "genders.csv"),
        include_originals=True,
    )
    search_request(faces, out, config, resume=begun)

    from attrsearch.anonymise.images import Applier, apply_all, count_edited
    from attrsearch.anonymise.plan import plan
    from attrsearch.report.page import write_report
    from attrsearch.runs.attributes_file import read_attributes
    from attrsearch.search.run import run

    def stopped() -> str:
        return f"stopped; the same command again goes on with what is in {out}"

    with when_stopped(stopped), run_bar(quiet) as progress:
        result = run(
            faces,
            out,
            config,
            resume=begun,
            progress=progress,
        )
        page = write_report(out, include_originals=True)

    file = read_attributes(out / "attributes.json")
    done = apply_all(Applier(file), plan(faces, out / "protected", file, None))
    took = f"{result.evaluations} evaluations"
    said = result.verdicts.sentence(result.identities, len(result.failed), took)
    say(f"searched:  {said}")
    say(f"exported:  {out / 'attributes.json'}")
    say(f"applied:   {count_edited(done)} pictures in {out / 'protected'}")
    say(f"report:    {page}")

    if result.infeasible:
        missing = ", ".join(result.infeasible)
        say(
            f"left out:  {missing}, not anonymised by {trials} candidates (longer: --trials 200 "
            "--out longer)"
        )

    problems = name_unwritten(done)
    for name, reason in sorted(result.failed.items()):
        say(f"failed: {name}: {reason}")

    return exit_code(problems, result.failed, result.infeasible)
