"""``attrsearch run``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from attrsearch.cli.compute import CHOICES
from attrsearch.cli.console import (
    json_option,
    name_unfinished,
    print_json,
    quiet_option,
    run_bar,
    say,
    when_stopped,
)
from attrsearch.cli.encryption import encrypt_options
from attrsearch.cli.fields import Values, fill
from attrsearch.cli.logs import LOG, Reporter, know, know_first, log_options

if TYPE_CHECKING:
    from attrsearch.search.config import Execution, RunConfig
    from attrsearch.search.run import RunProgress


CONFIG = {
    "study": click.option(
        "--study",
        default="per_identity",
        show_default=True,
        help="Study recipe: a bundled name or a .toml file.",
    ),
    "objective": click.option("--objective", help="Objective recipe instead of the study's."),
    "space": click.option(
        "--space",
        help=(
            "Search space instead of the study's: thesis10, full13, asymmetric, one-pass, or a "
            "file."
        ),
    ),
    "editor": click.option(
        "--editor",
        help="Editor instead of the study's: two-stage, anonymiser, base, thesis, or a path.",
    ),
    "recogniser": click.option(
        "--recogniser",
        help="auto (facenet), facenet, sface, facenet-vggface2, facenet-casia, dlib.",
    ),
    "detector": click.option("--detector", help="mtcnn or yunet."),
    "trials": click.option(
        "--trials", type=click.IntRange(min=1), help="Candidates a person; nobody gets more."
    ),
    "surrogate": click.option(
        "--surrogate", help="Pooled model of earlier people: auto, none or a file."
    ),
    "seed": click.option("--seed", type=click.IntRange(min=0), help="Seed of the run."),
    "cluster": click.option(
        "--cluster", is_flag=True, help="FACES is a mixed folder: find the people in it."
    ),
    "people": click.option(
        "--person", "people", multiple=True, help="Only this person; may be given several times."
    ),
    "people_file": click.option(
        "--people",
        "people_file",
        type=click.Path(path_type=Path),
        help="Only the people named in this file.",
    ),
    "genders": click.option(
        "--genders", type=click.Path(path_type=Path), help="CSV file: identity,gender."
    ),
    "calibration": click.option(
        "--calibration", type=click.Path(path_type=Path), help="Calibration file of the recogniser."
    ),
    "facenet": click.option(
        "--facenet-weights",
        "facenet",
        type=click.Path(path_type=Path),
        help="FaceNet weights (.pt) from a path.",
    ),
    "include_originals": click.option(
        "--include-originals", is_flag=True, help="Show untouched pictures in the report."
    ),
}
"""Options of ``RunConfig``."""

EXECUTION = {
    "jobs": click.option(
        "--jobs", type=click.IntRange(1, 10_000), help="Worker processes  [default: the study's, 1]"
    ),
    "backend": click.option(
        "--backend",
        type=click.Choice(["loky", "dask"]),
        help="Where workers run: here, or on a cluster.",
    ),
    "scheduler": click.option("--scheduler", help="Address of a Dask scheduler: tcp://HOST:8786."),
    "shard": click.option(
        "--shard",
        help="Only part I/N of the people, for job arrays; join parts with attrsearch merge.",
    ),
    "storage": click.option(
        "--storage",
        default="",
        help="Database by which all workers share one person's study at a time.",
    ),
    **CHOICES,
}
"""Options of ``Execution``."""


def read_config(given: Values) -> Values:
    """Fields of ``RunConfig``: the files that options name are read.

    Raises:
        InputError: One of them cannot be read.
    """
    from attrsearch.faces.people import read_genders

    file = given.pop("people_file")
    people = (*given["people"], *(names_in(file) if file else ()))
    genders = read_genders(given["genders"]) if given["genders"] else None
    return given | {"people": people or None, "genders": genders}


@click.command(epilog="Example: attrsearch run faces/ --out run1 --trials 100")
@click.argument("faces", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the run, new or empty."
)
@know_first("faces")
@fill("config", "attrsearch.search.config:RunConfig", CONFIG, read_config)
@fill("execution", "attrsearch.search.config:Execution", EXECUTION)
@click.option("--resume", is_flag=True, help="Continue a run that was stopped.")
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
    config: "RunConfig",
    execution: "Execution",
    resume: bool,
    metrics: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Search the best attribute set of every person in FACES.

    FACES is a folder with one sub-folder of pictures a person, a folder with one picture a person,
    or, with --cluster, a folder of mixed pictures.

    With --encrypt, untouched pictures are written encrypted and stay out of the report; attrsearch
    report RUN --include-originals --key FILE shows them.
    """
    from attrsearch.cli.early import new_file, search_request

    know(config.people or ())
    new_file(metrics)
    execution.workers(config.load_study())
    search_request(faces, out, config, resume=resume)

    from attrsearch.report.page import write_report
    from attrsearch.search.run import run as search

    reporter = Reporter(metrics, quiet)

    def stopped() -> str:
        if not (out / "run.toml").exists():
            return "stopped before the search began; the same command again begins it"

        people = sum(1 for _ in (out / "people").glob("*.json"))
        return f"stopped; {out} keeps {people} finished people, --resume goes on with the others"

    with when_stopped(stopped), run_bar(quiet or as_json or LOG.json) as show:

        def progress(state: "RunProgress") -> None:
            show(state)
            reporter.progress(state)

        result = search(faces, out, config, execution, resume=resume, progress=progress)
        reporter.flush()
        page = write_report(out, include_originals=config.include_originals)

    if as_json:
        print_json(
            {
                "identities": result.identities,
                "feasible": result.feasible,
                **result.verdicts.figures(),
                "failed": len(result.failed),
                "evaluations": result.evaluations,
                "seconds": round(result.seconds, 3),
                "out": str(result.out),
            }
        )

    if not (as_json and quiet):
        name_unfinished(result.verdicts, result.failed)

    if not as_json:
        took = f"{result.evaluations} evaluations"
        said = result.verdicts.sentence(result.identities, len(result.failed), took)
        say(f"{said}; {page}")

    return result.verdicts.exit_code(result.failed)


def names_in(file: Path) -> list[str]:
    """The names in a file, one a line.

    Raises:
        InputError: It cannot be read.
    """
    from attrsearch.core.errors import InputError

    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        hint = "write one name a line"
        raise InputError(file, required="a file of names", found=str(error), hint=hint) from error

    # an empty line is no name: an editor leaves one at the end of a file
    return [line.strip() for line in lines if line.strip()]
