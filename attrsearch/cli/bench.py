"""``attrsearch bench``."""

from pathlib import Path

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import json_option, print_json


@click.command(epilog="Example: attrsearch bench --json")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    help="A picture of one person  [default: the sample's]",
)
@click.option(
    "--repeats",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="Times each way is timed.",
)
@click.option(
    "--recogniser",
    default="facenet",
    show_default=True,
    type=click.Choice(["facenet", "sface"]),
    help="Embeds faces.",
)
@compute_options
@json_option
def bench(picture: Path | None, repeats: int, recogniser: str, as_json: bool) -> None:
    """Time the batched evaluator beside one candidate at a time, as the thesis did it."""
    from attrsearch.cli.early import existing_file

    existing_file(picture, "a readable picture")

    from attrsearch.search.benchmark import bench as measure

    found = measure(picture, repeats, recogniser)
    if as_json:
        print_json(found.record())
        return

    click.echo(
        f"batched:        {found.evaluations_per_second:8.2f} evaluations/s ({found.cores} "
        f"threads, {found.dtype})"
    )
    click.echo(
        f"one at a time:  {found.one_at_a_time_per_second:8.2f} evaluations/s (fp32, as the thesis)"
    )
    click.echo(f"ratio:          {found.ratio:8.2f}")
    click.echo(
        f"arithmetic:     {found.limit_per_second:8.2f} evaluations/s at most "
        f"({found.gflop:.2f} GFLOP a candidate at {found.peak:.0f} GFLOP/s)"
    )
    click.echo(
        "time goes to:   "
        + ", ".join(f"{name} {share:.0%}" for name, share in found.shares.items())
    )
    costs = ", ".join(f"{name} {cost:.1f} ms" for name, cost in found.embedding_ms.items())
    click.echo(
        f"embedding:      {costs} a face in batches of 32 on one thread ({found.recogniser} was "
        "used)"
    )
