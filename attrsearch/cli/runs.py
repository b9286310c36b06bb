"""``attrsearch check`` and ``attrsearch merge``: runs as they lie on disk."""

from pathlib import Path

import click

from attrsearch.cli.console import (
    json_option,
    name_unfinished,
    print_json,
    quiet_option,
    say,
    stage_bar,
)
from attrsearch.cli.exit_codes import exit_code

DELAY_SECONDS = 1.0
SHOWN = 20


@click.command(epilog="Examples: attrsearch check run1; attrsearch check run1 --repair")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--repair", is_flag=True, help="Mend what can be mended; damaged people are moved aside."
)
@quiet_option
@json_option
def check(run: Path, repair: bool, quiet: bool, as_json: bool) -> int:
    """Verify the checksums of RUN, and its tables; repair one that was interrupted.

    Exit code 0: everything is whole, or was mended; 1: it is not, or people have to be searched
    again with --resume.
    """
    from attrsearch.runs.check import check_run

    with stage_bar(quiet or as_json, DELAY_SECONDS) as progress:
        found = check_run(run, repair, progress)

    if as_json:
        counts = {
            "people": found.people,
            "files": found.files,
            "unsealed": found.unsealed,
            "again": len(found.again),
        }
        print_json(
            {
                **counts,
                "finished": found.finished,
                "findings": [str(item) for item in found.findings],
            }
        )
    else:
        for item in found.findings[:SHOWN]:
            say(str(item))

        if len(found.findings) > SHOWN:
            say(f"… and {len(found.findings) - SHOWN} more (--json has all)")

        words = [f"{found.people} people whole, {found.files} files match their checksums"]
        words += (
            [f"{found.unsealed} written by a version without checksums"] if found.unsealed else []
        )
        words += (
            [f"{len(found.again)} to be searched again (attrsearch run … --resume)"]
            if found.again
            else []
        )
        say("; ".join(words))

    return exit_code(not found.whole)


@click.command(epilog="Example: attrsearch merge part1 part2 part3 --out run1")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the merged run."
)
@quiet_option
@json_option
def merge(runs: tuple[Path, ...], out: Path, quiet: bool, as_json: bool) -> int:
    """Join RUNS of different people, such as the shards of a job array, into one.

    Every file is checked against its checksum first; settings must be the same, and all shards
    there.
    """
    from attrsearch.cli.early import new_folder
    from attrsearch.report.page import write_report
    from attrsearch.runs.merge import merge_runs

    new_folder(out)
    with stage_bar(quiet or as_json, DELAY_SECONDS) as progress:
        merged = merge_runs(runs, out, progress)

    page = write_report(out)
    counts = merged.counts
    people = counts.people + len(merged.failed)

    if as_json:
        result = {"identities": people, "feasible": counts.feasible, "failed": len(merged.failed)}
        result |= counts.verdicts.figures()
        print_json({**result, "evaluations": counts.evaluations, "out": str(out)})
    else:
        took = f"{counts.evaluations} evaluations"
        said = counts.verdicts.sentence(people, len(merged.failed), took)
        say(f"{said}; {page}")

    name_unfinished(counts.verdicts, merged.failed)
    return counts.verdicts.exit_code(merged.failed)
