"""``attrsearch grade``."""

from contextlib import suppress
from pathlib import Path

import click

from attrsearch.cli.console import json_option, print_json, say


@click.command(epilog="Example: attrsearch grade run1, then: attrsearch grade run1 --learn")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--port", default=0, help="Port of the page  [default: a free one]")
@click.option(
    "--learn", is_flag=True, help="Learn from the grades given so far, instead of asking for more."
)
@json_option
def grade(run: Path, port: int, learn: bool, as_json: bool) -> None:
    """Grade the edits of RUN bad, OK or good on a page of this machine.

    With --learn, train the thesis's network (10-20-40-20-20) to predict the look from the
    attributes, on these grades and the dashboard's, and say how well it does on edits it has not
    seen.
    """
    from attrsearch.report.grading.grades import all_grades, edits_of
    from attrsearch.runs.metadata import read_run

    read_run(run)

    if learn:
        from attrsearch.report.grading.look import learn_look

        edits = edits_of(run)
        found = learn_look(edits, all_grades(run, edits))
        if as_json:
            print_json({"edits": found.edits, "accuracy": found.accuracy, "chance": found.chance})

        say(f"learnt from {found.edits} grades: {found.accuracy:.0%} right on edits not seen")
        say(f"always giving the commonest grade would be right on {found.chance:.0%}")
        return

    from attrsearch.report.grading.server import GradingServer

    # Ctrl+C is how a page is left: no fault
    with suppress(KeyboardInterrupt), GradingServer(run, port) as server:
        say(f"open {server.address} (Ctrl+C ends it)")
        server.serve_forever()
