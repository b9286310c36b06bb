"""``attrsearch calibrate``."""

from pathlib import Path

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import quiet_option, say, stage_bar


@click.command(epilog="Example: attrsearch calibrate faces/ --recogniser dlib --out dlib.json")
@click.argument("faces", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Calibration file to write."
)
@click.option(
    "--recogniser",
    default="facenet",
    show_default=True,
    help="facenet, sface, facenet-vggface2, facenet-casia, dlib.",
)
@click.option(
    "--facenet-weights", type=click.Path(path_type=Path), help="FaceNet weights (.pt) from a path."
)
@compute_options
@quiet_option
def calibrate(
    faces: Path, out: Path, recogniser: str, facenet_weights: Path | None, quiet: bool
) -> None:
    """Measure distances within and between the people of FACES, and write a calibration file.

    FACES holds one sub-folder of pictures a person, of at least 142 people: a run needs a threshold
    at FAR 1e-3.
    """
    from attrsearch.cli.early import existing_file, new_file
    from attrsearch.core.files import write_text
    from attrsearch.faces.people import find_people
    from attrsearch.faces.recognition.calibration import refuse_few_people, usable
    from attrsearch.faces.recognition.load import resolve

    resolve(recogniser)
    new_file(out)
    existing_file(facenet_weights, "FaceNet weights")
    refuse_few_people(faces, len(find_people(faces)))

    from attrsearch.faces.calibrate import calibrate as measure
    from attrsearch.faces.recognition.load import load_network

    network = load_network(recogniser, facenet_weights)
    with stage_bar(quiet) as progress:
        found = measure(faces, network, progress=progress)

    within = found.genuine
    between = found.impostor
    say(
        f"{found.recogniser}: same person {within.mean:.3f} ± {within.std:.3f} ({within.pairs} "
        "pairs)"
    )
    say(
        f"different people {between.mean:.3f} ± {between.std:.3f} ({between.pairs} pairs), scale "
        f"{found.scale:.4f}"
    )

    for far, value in found.thresholds.items():
        say(
            f"threshold {value:.3f} at FAR {far}: {found.accept[far]:.1%} of pairs of one "
            "person accepted"
        )

    # people without a face were left out on the way: what a run would refuse is not written
    write_text(out, usable(found).model_dump_json(indent=1) + "\n")
