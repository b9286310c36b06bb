"""``attrsearch attack``."""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import json_option, print_json, quiet_option, say, stage_bar
from attrsearch.cli.encryption import key_option
from attrsearch.cli.fields import Options, fill
from attrsearch.core.logs import collected
from attrsearch.core.progress import Progress, Step, named, silent

if TYPE_CHECKING:
    from attrsearch.evaluation.attacks.editing import Attacker
    from attrsearch.evaluation.attacks.scene import Scene
    from attrsearch.evaluation.config import (
        CompareConfig,
        ExportAttackConfig,
        InversionConfig,
        LinkingConfig,
        ParrotConfig,
    )
    from attrsearch.evaluation.metrics.anonymity import Figures

log = logging.getLogger(__name__)

PATH = click.Path(path_type=Path)
CONFIG = "attrsearch.evaluation.config"


@click.group()
def attack() -> None:
    """Attack protected pictures or videos, as people who know more and more would.

    ORIGINALS and PROTECTED are as for attrsearch evaluate. Every judge judges every attack, beside
    measured chance.
    """


@dataclass(frozen=True)
class Call:
    """What every attack is given besides its configuration.

    Attributes:
        originals: Pictures or a video.
        protected: The same protected.
        out: JSON file to write.
        into: Evaluation whose page gets a line of this attack.
        quiet: Whether nothing is said of its progress.
        as_json: Whether the result is printed as JSON.
    """

    originals: Path
    protected: Path
    out: Path | None
    into: Path | None
    quiet: bool
    as_json: bool


def call(command: Callable[..., Any]) -> Callable[..., Any]:
    """Arguments and options of every attack; the command gets them as a :class:`Call`."""

    @functools.wraps(command)
    def called(*, config: "CompareConfig", **given: Any) -> Any:
        from attrsearch.cli.early import evaluation_request, existing_file

        asked = Call(**given)
        # what cannot be attacked is refused before all else
        evaluation_request(asked.originals, [asked.protected], config, asked.out)
        existing_file(asked.into, "an evaluation (JSON)")
        return command(asked, config)

    decorated: Callable[..., Any] = called
    for decorate in (
        key_option,
        json_option,
        quiet_option,
        compute_options,
        click.option(
            "--into", type=PATH, help="Evaluation (JSON) whose page gets a line of this attack."
        ),
        click.option("--out", type=PATH, help="JSON file to write."),
        click.argument("protected", type=PATH),
        click.argument("originals", type=PATH),
    ):
        decorated = decorate(decorated)

    return decorated


COMPARED: Options = {
    "judges": click.option(
        "--judge",
        "judges",
        multiple=True,
        help="Recogniser, or FILE.onnx  [default: all there are]",
    ),
    "run": click.option("--run", type=PATH, help="The run: says which judges its search used."),
    "max_faces": click.option(
        "--max-faces", type=click.IntRange(min=1), help="At most this many pictures a person."
    ),
    "ledger": click.option("--ledger", type=PATH, help="coverage.parquet of a video's protection."),
}
"""Options of ``CompareConfig`` that every attack has."""

GALLERY: Options = {
    "distractors": click.option(
        "--distractors", type=PATH, help="Folder of further people for the gallery."
    ),
}

EXPORT: Options = {
    "attributes": click.option(
        "--attributes", required=True, type=PATH, help="The export that protected them."
    ),
    "editor": click.option(
        "--editor", help="Editor weights, where they are not those of the export's name."
    ),
}
"""Options of ``ExportAttackConfig``: attacks by someone who owns the export."""

SEED = click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))

PARROT: Options = {
    "space": click.option(
        "--space",
        help="Space of the random sets  [default: one-pass, or thesis10 for sets of two passes]",
    ),
    "probed": click.option(
        "--probed",
        default=20,
        show_default=True,
        type=click.IntRange(min=1),
        help="People for 'same set'.",
    ),
    "seed": SEED,
}

INVERSION: Options = {
    "train": click.option(
        "--train", type=PATH, help="Folder of other people: also train a network."
    ),
    "most": click.option(
        "--most",
        default=600,
        show_default=True,
        type=click.IntRange(min=16),
        help="People to train on.",
    ),
    "steps": click.option(
        "--steps", default=300, show_default=True, type=click.IntRange(min=1), help="Of training."
    ),
    "seed": SEED,
}

LINKING: Options = {
    "second": click.option(
        "--second", nargs=2, type=PATH, help="ORIGINALS and PROTECTED of another set or video."
    ),
    "second_ledger": click.option(
        "--second-ledger", type=PATH, help="coverage.parquet of the second video."
    ),
}


@attack.command(epilog="Example: attrsearch attack naive faces/ protected/ --distractors others/")
@fill("config", f"{CONFIG}:CompareConfig", COMPARED | GALLERY)
@call
def naive(asked: Call, config: "CompareConfig") -> None:
    """Match protected faces with a gallery of originals."""
    from attrsearch.evaluation.attacks.scene import naive as match

    _run(asked, config, lambda scene, progress: match(scene))  # noqa: ARG005


@attack.command(
    epilog="Example: attrsearch attack parrot faces/ protected/ --attributes run1/attributes.json"
)
@fill("config", f"{CONFIG}:ParrotConfig", COMPARED | EXPORT | PARROT)
@call
def parrot(asked: Call, config: "ParrotConfig") -> None:
    """Edit the gallery too: with random sets, the probe's own set, the whole exported file.

    Train a classifier.
    """
    from attrsearch.cli.early import export_request

    export_request(config.attributes, config.editor, config.space)

    from attrsearch.core.recipes.space import load_space
    from attrsearch.evaluation.attacks.parrot import parrot as match

    def go(scene: "Scene", progress: Progress[Step]) -> "list[Figures]":
        attacker = _attacker(scene, config)
        # random sets have as many passes as those they are compared with
        single = attacker.file.identities[0].second_pass is None
        space = load_space(config.space or ("one-pass" if single else "thesis10"))
        return match(
            scene, attacker, space, probed=config.probed, seed=config.seed, progress=progress
        )

    _run(asked, config, go)


@attack.command(
    epilog=(
        "Example: attrsearch attack inversion faces/ protected/ --attributes run1/attributes.json"
    )
)
@fill("config", f"{CONFIG}:InversionConfig", COMPARED | EXPORT | INVERSION)
@call
def inversion(asked: Call, config: "InversionConfig") -> None:
    """Apply the negated set once, twice, three times.

    With --train, a network trained to undo edits.
    """
    from attrsearch.cli.early import export_request

    export_request(config.attributes, config.editor)

    from attrsearch.evaluation.attacks.editing import lessons, with_sets
    from attrsearch.evaluation.attacks.inversion import learnt, negation
    from attrsearch.faces.dataset import MIN_FACE
    from attrsearch.faces.detection.load import load_detector

    def go(scene: "Scene", progress: Progress[Step]) -> "list[Figures]":
        attacker = _attacker(scene, config)
        scene, without = with_sets(scene, attacker)
        if without:
            say(f"left out: no set in {config.attributes}: {', '.join(without)}")

        rows = negation(scene, attacker)
        if config.train is None:
            return rows

        whole = load_detector("mtcnn", MIN_FACE)
        sets, crops = lessons(scene, attacker, config.train, whole, config.most)
        trained = learnt(
            scene,
            attacker.editor,
            sets,
            crops,
            steps=config.steps,
            seed=config.seed,
            progress=progress,
        )
        return rows + trained

    _run(asked, config, go)


@attack.command(
    epilog="Example: attrsearch attack averaging street.mp4 covered.mp4 --ledger coverage.parquet"
)
@fill("config", f"{CONFIG}:CompareConfig", COMPARED | GALLERY)
@call
def averaging(asked: Call, config: "CompareConfig") -> None:
    """Average the protected faces of a person: over a track's frames, or over an album."""
    from attrsearch.evaluation.attacks.several import averaging as match

    _run(asked, config, lambda scene, progress: match(scene))  # noqa: ARG005


@attack.command(
    epilog=(
        "Example: attrsearch attack linking one.mp4 one_covered.mp4 --second two.mp4 "
        "two_covered.mp4"
    )
)
@fill("config", f"{CONFIG}:LinkingConfig", COMPARED | LINKING)
@call
def linking(asked: Call, config: "LinkingConfig") -> None:
    """Link a person across two protected videos or sets, or halves of one, without originals."""
    from attrsearch.cli.early import evaluation_request

    other = config.model_copy(update={"ledger": config.second_ledger})
    if config.second:
        evaluation_request(config.second[0], [config.second[1]], other, None)

    from attrsearch.evaluation.attacks.several import linking as match

    def go(scene: "Scene", progress: Progress[Step]) -> "list[Figures]":  # noqa: ARG001
        if not config.second:
            return match(scene)

        # what is said of the first setting holds for the second
        with collected():
            second = _scene(*config.second, other, silent)

        return match(scene, second)

    _run(asked, config, go)


def _run(
    asked: Call, config: "CompareConfig", attack_scene: "Callable[[Scene, Any], list[Figures]]"
) -> None:
    from attrsearch.evaluation.results import add_attacks, clean, write_attacks
    from attrsearch.report.evaluation import write_evaluation

    with stage_bar(asked.quiet or asked.as_json) as progress:
        scene = _scene(asked.originals, asked.protected, config, progress)
        rows = attack_scene(scene, progress)

    if asked.out:
        write_attacks(rows, asked.out)

    if asked.into:
        data = add_attacks(rows, asked.into)
        write_evaluation(data, asked.into.with_suffix(".html"))

    if asked.as_json:
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


def _scene(
    originals: Path, protected: Path, config: "CompareConfig", progress: Progress[Step]
) -> "Scene":
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

    judges, notes = load_judges(config.judges, used_by(config.run) if config.run else None)
    for note in notes:
        log.warning(note)

    whole = load_detector("mtcnn", MIN_FACE)
    window = load_detector("mtcnn", WINDOW_MIN_FACE)

    if originals.is_dir():
        cohort = load_cohort(originals, whole, window, max_faces=config.max_faces)
        protection = load_protection(cohort, originals, protected)
    else:
        # a ledger says who a face is; without one the people have to be recognised
        knows = None if config.ledger else load_recogniser("sface")
        cohort, protection = load_footage(
            originals, protected, YuNet(10, 0.5), window, ledger=config.ledger, knows=knows
        )

    distractors = {}
    if config.distractors:
        distractors = load_embeddings(
            config.distractors,
            [judge.recogniser for judge in judges],
            whole,
            window,
            without=frozenset(cohort.people),
            progress=named(progress, "distractors"),
        )

    return open_scene(cohort, protection, judges, window, distractors)


def _attacker(scene: "Scene", config: "ExportAttackConfig") -> "Attacker":
    from attrsearch.anonymise.images import load_export_editor
    from attrsearch.evaluation.attacks.editing import Attacker
    from attrsearch.runs.attributes_file import read_attributes

    file = read_attributes(config.attributes)
    return Attacker(load_export_editor(file, config.editor), scene.detector, file)
