"""``attrsearch evaluate``."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from attrsearch.cli.console import quiet_option, say


@click.command()
@click.argument("original", type=click.Path(path_type=Path))
@click.argument("protected", type=click.Path(path_type=Path))
@click.option(
    "--ledger", required=True, type=click.Path(path_type=Path), help="coverage.parquet of the protection."
)
@click.option("--judge", help="Recogniser that judges  [default: one the search did not use]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@quiet_option
def evaluate(original: Path, protected: Path, ledger: Path, judge: str | None, as_json: bool, quiet: bool) -> int:
    r"""Measure how steady the edited people of a PROTECTED video are, beside its ORIGINAL.

    \b
    spread   distances of one person's embeddings from frame to frame, over the original's own
    flicker  difference of consecutive aligned faces, over the original's own

    \b
    Example: attrsearch evaluate street.mp4 covered.mp4 --ledger coverage.parquet
    """
    from attrsearch.applying.videos import choose_judge
    from attrsearch.cli.console import stage_bar
    from attrsearch.evaluation.consistency import measure_consistency
    from attrsearch.faces.recognise import load_recogniser
    from attrsearch.faces.yunet import YuNet

    with stage_bar(quiet) as progress:
        scaled = load_recogniser(judge) if judge else choose_judge("sface")
        tracks = measure_consistency(
            original, protected, ledger, YuNet(10, 0.5), scaled, progress=lambda done: progress("compare", done, 0)
        )
    if as_json:
        click.echo(json.dumps({"judge": scaled.name, "tracks": [asdict(track) for track in tracks]}))
        return 0
    if not tracks:
        say("no track with enough edited frames to compare")
        return 1
    say(f"{'track':>5}  {'person':<12} {'frames':>6}  {'spread':>15}  {'ratio':>5}  {'flicker':>13}  {'ratio':>5}")
    for track in tracks:
        say(
            f"{track.track:5d}  {track.person:<12} {track.frames:6d}  "
            f"{track.spread_before:6.3f} → {track.spread_after:6.3f}  {track.spread_after / track.spread_before:5.2f}  "
            f"{track.flicker_before:5.2f} → {track.flicker_after:5.2f}  "
            f"{track.flicker_after / track.flicker_before:5.2f}"
        )
    total = sum(track.frames for track in tracks)
    ratio = sum(t.frames * t.spread_after for t in tracks) / sum(t.frames * t.spread_before for t in tracks)
    say(
        f"{len(tracks)} tracks, {total} faces: spread {ratio:.2f} times the original's own, judged by {scaled.name}"
    )
    return 0
