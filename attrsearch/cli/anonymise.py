"""``attrsearch anonymise``."""

from pathlib import Path
from typing import Any

import click

from attrsearch.cli.console import name_unfinished, quiet_option, run_bar, say, stage_bar, warner
from attrsearch.cli.encryption import encrypt_options
from attrsearch.cli.logs import know, know_faces, log_options
from attrsearch.cli.video_options import (
    add_debug,
    finish,
    footage_options,
    open_eyes_for,
    open_material,
    read_options,
)
from attrsearch.core.errors import OutputError


@click.command(epilog="Example: attrsearch anonymise street.mp4 --out protected.mp4 --audit")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="What to write: as INPUT."
)
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path),
    help="Folder of the search  [default: OUT.run]",
)
@click.option("--study", default="per_identity", show_default=True, help="Study recipe.")
@click.option("--trials", type=click.IntRange(min=1), help="Candidates a person; nobody gets more.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the search.")
@footage_options
@quiet_option
@log_options
@encrypt_options
def anonymise(
    source: Path,
    out: Path,
    run_folder: Path | None,
    study: str,
    trials: int | None,
    seed: int | None,
    **given: Any,
) -> int:
    """Find the people of a video, frames or pictures, search a set for each, and apply it."""
    from attrsearch.video.io.reader import is_video

    folder = run_folder or out.with_name(f"{out.name}.run")
    know_faces(source)
    know((), out, folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = "choose another place with --run"
        raise OutputError(
            folder,
            required="a new or empty folder for the search",
            found="something there",
            hint=hint,
        )
    if not (given["frames"] or is_video(source)):
        return _pictures(source, out, folder, study, trials, seed, given)
    from attrsearch.anonymise.videos import anonymise_video
    from attrsearch.report.page import write_report

    with warner(given["quiet"]) as warn, stage_bar(given["quiet"]) as progress:
        material = open_material(source, out, given, warn)
        given["ledger"] = given["ledger"] or folder / "coverage.parquet"  # the report shows it
        options = add_debug(read_options(given, material.size), source, given)
        eyes = open_eyes_for(options, given)
        protected, result = anonymise_video(
            material,
            folder,
            eyes,
            options,
            study=study,
            trials=trials,
            seed=seed,
            warn=warn,
            progress=progress,
        )
    if result is not None:
        say(f"{result.feasible} of {result.identities} people anonymised; {write_report(folder)}")
    return finish(protected, source, out, eyes, given, material.size)


def _pictures(
    source: Path,
    out: Path,
    folder: Path,
    study: str,
    trials: int | None,
    seed: int | None,
    given: dict[str, Any],
) -> int:
    from attrsearch.anonymise.images import Applier, apply_all, plan
    from attrsearch.report.page import write_report
    from attrsearch.runs.attributes_file import read_attributes
    from attrsearch.search.run import run

    with run_bar(given["quiet"]) as progress, warner(given["quiet"]) as warn:
        result = run(
            source,
            folder,
            study=study,
            trials=trials,
            seed=seed,
            recogniser=given["recogniser"],
            warn=warn,
            progress=progress,
        )
        write_report(folder)
    file = read_attributes(folder / "attributes.json")
    done = apply_all(Applier(file, given["fallback"]), plan(source, out, file, None))
    name_unfinished(result)
    problems = [item for item in done if item.problem]
    for item in problems:
        say(f"not written: {item.problem}")
    edited = sum(item.edited is not None for item in done)
    say(
        f"{result.feasible} of {result.identities} people anonymised; {edited} pictures edited in "
        f"{out}"
    )
    return 1 if problems or result.failed or result.infeasible else 0
