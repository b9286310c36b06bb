"""``attrsearch attack``."""

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attrsearch.cli.console import json_option, print_json, quiet_option, say, stage_bar
from attrsearch.cli.encryption import key_option
from attrsearch.core.logs import collected
from attrsearch.core.progress import Progress, Step, named, silent

if TYPE_CHECKING:
    from attrsearch.evaluation.attacks.scene import Scene
    from attrsearch.evaluation.metrics.anonymity import Figures

log = logging.getLogger(__name__)


@click.group()
def attack() -> None:
    """Attack protected pictures or videos, as people who know more and more would.

    ORIGINALS and PROTECTED are as for attrsearch evaluate. Every judge judges every attack, beside
    measured chance.
    """


def _common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Arguments and options of every attack; what cannot be attacked is refused before all else."""

    @functools.wraps(function)
    def checked(**options: Any) -> Any:
        from attrsearch.cli.early import evaluation_request, export_request

        evaluation_request(options)
        if "attributes" in options:
            export_request(options)

        if options.get("second"):
            originals, protected = options["second"]
            places = {"originals": originals, "protected": protected}
            evaluation_request({**options, **places, "ledger": options["second_ledger"]})

        return function(**options)

    decorated: Callable[..., Any] = checked
    path = click.Path(path_type=Path)

    for decorate in reversed(
        (
            click.argument("originals", type=path),
            click.argument("protected", type=path),
            click.option("--out", type=path, help="JSON file to write."),
            click.option(
                "--into", type=path, help="Evaluation (JSON) whose page gets a line of this attack."
            ),
            click.option(
                "--judge",
                "judges",
                multiple=True,
                help="Recogniser, or FILE.onnx  [default: all there are]",
            ),
            click.option("--run", type=path, help="The run: says which judges its search used."),
            click.option(
                "--max-faces",
                type=click.IntRange(min=1),
                help="At most this many pictures a person.",
            ),
            click.option("--ledger", type=path, help="coverage.parquet of a video's protection."),
            quiet_option,
            json_option,
            key_option,
        )
    ):
        decorated = decorate(decorated)

    return decorated


def _attributes(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options of attacks by someone who owns the export."""
    file = click.option(
        "--attributes",
        required=True,
        type=click.Path(path_type=Path),
        help="The export that protected them.",
    )
    editor = click.option(
        "--editor", help="Editor weights, where they are not those of the export's name."
    )
    return file(editor(function))


@attack.command(epilog="Example: attrsearch attack naive faces/ protected/ --distractors others/")
@_common
@click.option(
    "--distractors",
    type=click.Path(path_type=Path),
    help="Folder of further people for the gallery.",
)
def naive(**options: Any) -> None:
    """Match protected faces with a gallery of originals."""
    from attrsearch.evaluation.attacks.scene import naive as match

    _run(options, lambda scene, progress: match(scene))  # noqa: ARG005


@attack.command(
    epilog="Example: attrsearch attack parrot faces/ protected/ --attributes run1/attributes.json"
)
@_common
@_attributes
@click.option(
    "--space",
    help="Space of the random sets  [default: one-pass, or thesis10 for sets of two passes]",
)
@click.option(
    "--probed",
    default=20,
    show_default=True,
    type=click.IntRange(min=1),
    help="People for 'same set'.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
def parrot(**options: Any) -> None:
    """Edit the gallery too: with random sets, the probe's own set, the whole exported file.

    Train a classifier.
    """
    from attrsearch.core.recipes.space import load_space
    from attrsearch.evaluation.attacks.parrot import parrot as match

    def go(scene: "Scene", progress: Progress[Step]) -> "list[Figures]":
        attacker = _attacker(scene, options)
        single = attacker.file.identities[0].second_pass is None
        space = load_space(options["space"] or ("one-pass" if single else "thesis10"))
        return match(
            scene,
            attacker,
            space,
            probed=options["probed"],
            seed=options["seed"],
            progress=progress,
        )

    _run(options, go)


@attack.command(
    epilog=(
        "Example: attrsearch attack inversion faces/ protected/ --attributes run1/attributes.json"
    )
)
@_common
@_attributes
@click.option(
    "--train", type=click.Path(path_type=Path), help="Folder of other people: also train a network."
)
@click.option(
    "--most",
    default=600,
    show_default=True,
    type=click.IntRange(min=16),
    help="People to train on.",
)
@click.option(
    "--steps", default=300, show_default=True, type=click.IntRange(min=1), help="Of training."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
def inversion(**options: Any) -> None:
    """Apply the negated set once, twice, three times.

    With --train, a network trained to undo edits.
    """
    from attrsearch.evaluation.attacks.editing import with_sets
    from attrsearch.evaluation.attacks.inversion import learnt, negation

    def go(scene: "Scene", progress: Progress[Step]) -> "list[Figures]":
        attacker = _attacker(scene, options)
        scene, without = with_sets(scene, attacker)
        if without:
            say(f"left out: no set in {options['attributes']}: {', '.join(without)}")

        rows = negation(scene, attacker)
        if options["train"] is None:
            return rows

        sets, crops = _lessons(scene, attacker, options)
        steps = options["steps"]
        seed = options["seed"]
        return rows + learnt(
            scene, attacker.editor, sets, crops, steps=steps, seed=seed, progress=progress
        )

    _run(options, go)


@attack.command(
    epilog="Example: attrsearch attack averaging street.mp4 covered.mp4 --ledger coverage.parquet"
)
@_common
@click.option(
    "--distractors",
    type=click.Path(path_type=Path),
    help="Folder of further people for the gallery.",
)
def averaging(**options: Any) -> None:
    """Average the protected faces of a person: over a track's frames, or over an album."""
    from attrsearch.evaluation.attacks.several import averaging as match

    _run(options, lambda scene, progress: match(scene))  # noqa: ARG005


@attack.command(
    epilog=(
        "Example: attrsearch attack linking one.mp4 one_covered.mp4 --second two.mp4 "
        "two_covered.mp4"
    )
)
@_common
@click.option(
    "--second",
    nargs=2,
    type=click.Path(path_type=Path),
    help="ORIGINALS and PROTECTED of another set or video.",
)
@click.option(
    "--second-ledger", type=click.Path(path_type=Path), help="coverage.parquet of the second video."
)
def linking(**options: Any) -> None:
    """Link a person across two protected videos or sets, or halves of one, without originals."""
    from attrsearch.evaluation.attacks.several import linking as match

    def go(scene: "Scene", progress: Progress[Step]) -> "list[Figures]":  # noqa: ARG001
        if not options["second"]:
            return match(scene)

        originals, protected = options["second"]
        other = {
            **options,
            "originals": originals,
            "protected": protected,
            "ledger": options["second_ledger"],
        }
        # what is said of the first setting holds for the second
        with collected():
            second = _scene(other, silent)

        return match(scene, second)

    _run(options, go)


def _run(options: dict[str, Any], attack_scene: "Callable[[Scene, Any], list[Figures]]") -> None:
    from attrsearch.evaluation.results import add_attacks, clean, write_attacks
    from attrsearch.report.evaluation import write_evaluation

    quiet = options["quiet"]
    as_json = options["as_json"]
    with stage_bar(quiet or as_json) as progress:
        scene = _scene(options, progress)
        rows = attack_scene(scene, progress)

    if options["out"]:
        write_attacks(rows, options["out"])

    if options["into"]:
        data = add_attacks(rows, options["into"])
        write_evaluation(data, options["into"].with_suffix(".html"))

    if as_json:
        print_json({"attacks": clean(rows)})
        return

    for row in clean(rows):
        rates = "not measured"
        if row["rank1"] is not None:
            rates = f"rank-1 {row['rank1']:.3f} [{row['rank1_low']:.2f}, {row['rank1_high']:.2f}]"

        chance = (
            f"chance {row['chance1']:.3f}"
            if row["chance1"] is not None
            else "one person only, so no chance"
        )
        say(
            f"{row['attack']}, {row['variant']}, {row['judge']}: {rates}, {chance}, "
            f"{row['probes']} probes"
        )


def _scene(options: dict[str, Any], progress: Progress[Step]) -> "Scene":
    from attrsearch.evaluation.attacks.scene import open_scene
    from attrsearch.evaluation.faces import load_cohort, load_embeddings
    from attrsearch.evaluation.footage import load_footage
    from attrsearch.evaluation.judges import load_judges, used_by
    from attrsearch.evaluation.pairing import load_protection
    from attrsearch.faces.dataset import MIN_FACE
    from attrsearch.faces.detection.load import load_detector
    from attrsearch.faces.detection.yunet import YuNet
    from attrsearch.faces.recognition.load import load_recogniser
    from attrsearch.faces.window_detection import WINDOW_MIN_FACE

    originals = options["originals"]
    protected = options["protected"]
    judges, notes = load_judges(
        options["judges"], used_by(options["run"]) if options["run"] else None
    )

    for note in notes:
        log.warning(note)

    whole = load_detector("mtcnn", MIN_FACE)
    window = load_detector("mtcnn", WINDOW_MIN_FACE)

    if originals.is_dir():
        cohort = load_cohort(originals, whole, window, max_faces=options["max_faces"])
        protection = load_protection(cohort, originals, protected)
    else:
        knows = None if options["ledger"] else load_recogniser("sface")
        cohort, protection = load_footage(
            originals, protected, YuNet(10, 0.5), window, ledger=options["ledger"], knows=knows
        )

    distractors = {}
    if options.get("distractors"):
        distractors = load_embeddings(
            options["distractors"], [judge.recogniser for judge in judges], whole, window,
            without=frozenset(cohort.people), progress=named(progress, "distractors"),
        )  # fmt: skip

    return open_scene(cohort, protection, judges, window, distractors)


def _attacker(scene: "Scene", options: dict[str, Any]) -> Any:
    from attrsearch.anonymise.images import load_export_editor
    from attrsearch.evaluation.attacks.editing import Attacker
    from attrsearch.runs.attributes_file import read_attributes

    file = read_attributes(options["attributes"])
    return Attacker(load_export_editor(file, options["editor"]), scene.detector, file)


def _lessons(scene: "Scene", attacker: Any, options: dict[str, Any]) -> Any:
    """The sets of the export, and crops of other people to learn from."""
    from attrsearch.evaluation.attacks.editing import lessons
    from attrsearch.faces.dataset import MIN_FACE
    from attrsearch.faces.detection.load import load_detector

    whole = load_detector("mtcnn", MIN_FACE)
    return lessons(scene, attacker, options["train"], whole, options["most"])
