"""``attrsearch run``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from attrsearch.cli.console import (
    json_option,
    name_unfinished,
    print_json,
    quiet_option,
    run_bar,
    say,
    warner,
)
from attrsearch.cli.encryption import encrypt_options
from attrsearch.cli.logs import Reporter, know_faces, log_options

if TYPE_CHECKING:
    from attrsearch.search.run import Progress


@click.command(epilog="Example: attrsearch run faces/ --out run1 --trials 100")
@click.argument("faces", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the run, new or empty."
)
@click.option(
    "--study",
    default="per_identity",
    show_default=True,
    help="Study recipe: a bundled name or a .toml file.",
)
@click.option("--objective", help="Objective recipe instead of the study's.")
@click.option(
    "--space",
    help="Search space instead of the study's: thesis10, full13, asymmetric, one-pass, or a file.",
)
@click.option(
    "--editor", help="Editor weights instead of the study's: anonymiser, base, thesis, or a path."
)
@click.option(
    "--recogniser", help="auto (facenet), facenet, sface, facenet-vggface2, facenet-casia, dlib."
)
@click.option("--detector", help="mtcnn or yunet.")
@click.option("--trials", type=click.IntRange(min=1), help="Candidates a person; nobody gets more.")
@click.option("--surrogate", help="Pooled model of earlier people: auto, none or a file.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the run.")
@click.option(
    "--jobs", type=click.IntRange(1, 10_000), help="Worker processes  [default: the study's, 1]"
)
@click.option(
    "--backend",
    type=click.Choice(["loky", "dask"]),
    help="Where workers run: here, or on a cluster.",
)
@click.option("--scheduler", help="Address of a Dask scheduler: tcp://HOST:8786.")
@click.option(
    "--shard", help="Only part I/N of the people, for job arrays; join parts with attrsearch merge."
)
@click.option(
    "--storage",
    default="",
    help="Database by which all workers share one person's study at a time.",
)
@click.option("--resume", is_flag=True, help="Continue a run that was stopped.")
@click.option("--cluster", is_flag=True, help="FACES is a mixed folder: find the people in it.")
@click.option(
    "--person", "people", multiple=True, help="Only this person; may be given several times."
)
@click.option(
    "--people",
    "people_file",
    type=click.Path(path_type=Path),
    help="Only the people named in this file.",
)
@click.option("--genders", type=click.Path(path_type=Path), help="CSV file: identity,gender.")
@click.option(
    "--calibration", type=click.Path(path_type=Path), help="Calibration file of the recogniser."
)
@click.option(
    "--facenet-weights", type=click.Path(path_type=Path), help="FaceNet weights (.pt) from a path."
)
@click.option("--include-originals", is_flag=True, help="Show untouched pictures in the report.")
@quiet_option
@json_option
@click.option(
    "--metrics",
    type=click.Path(path_type=Path),
    help="Text file of figures for Prometheus, kept fresh.",
)
@log_options
@encrypt_options
def run(
    faces: Path,
    out: Path,
    people: tuple[str, ...],
    people_file: Path | None,
    genders: Path | None,
    facenet_weights: Path | None,
    jobs: int | None,
    backend: str | None,
    scheduler: str | None,
    shard: str | None,
    metrics: Path | None,
    quiet: bool,
    as_json: bool,
    **options: object,
) -> int:
    """Search the best attribute set of every person in FACES.

    FACES is a folder with one sub-folder of pictures a person, a folder with one picture a person,
    or, with --cluster, a folder of mixed pictures.

    With --encrypt, untouched pictures are written encrypted and stay out of the report; attrsearch
    report RUN --include-originals --key FILE shows them.
    """
    from attrsearch.core.recipes.study import load_study, workers_of
    from attrsearch.faces.dataset import read_genders
    from attrsearch.report.page import write_report
    from attrsearch.search.distributed.shards import Shard
    from attrsearch.search.run import run as search

    know_faces(faces, people)
    chosen = [*people, *(names_in(people_file) if people_file else [])] or None
    reporter = Reporter(metrics, quiet)
    with run_bar(quiet or as_json) as show, warner(quiet) as warn:

        def progress(state: "Progress") -> None:
            show(state)
            reporter.progress(state)

        result = search(
            faces,
            out,
            people=chosen,
            workers=workers_of(load_study(str(options["study"])), jobs, backend, scheduler),
            shard=Shard.parse(shard) if shard else None,
            genders=read_genders(genders) if genders else None,
            facenet=facenet_weights,
            warn=warn,
            progress=progress,
            **options,  # type: ignore[arg-type]
        )
        reporter.flush()
        page = write_report(out, include_originals=bool(options["include_originals"]))
    if as_json:
        print_json(
            {
                "identities": result.identities,
                "feasible": result.feasible,
                "failed": len(result.failed),
                "evaluations": result.evaluations,
                "seconds": round(result.seconds, 3),
                "out": str(result.out),
            }
        )
    if not (as_json and quiet):
        name_unfinished(result)
    if not as_json:
        say(
            f"{result.feasible} of {result.identities} people anonymised, {result.evaluations} "
            f"evaluations; {page}"
        )
    return 1 if result.failed or result.infeasible else 0


def names_in(file: Path) -> list[str]:
    """The names in a file, one a line.

    Raises:
        InputError: It cannot be read.
    """
    from attrsearch.core.errors import InputError

    try:
        return [
            line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()
        ]
    except (OSError, UnicodeDecodeError) as error:
        hint = "write one name a line"
        raise InputError(file, required="a file of names", found=str(error), hint=hint) from error
