"""``attrsearch evaluate``."""

from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import json_option, print_json, quiet_option, say, stage_bar
from attrsearch.cli.encryption import key_option
from attrsearch.cli.exit_codes import exit_code
from attrsearch.cli.fields import fill
from attrsearch.cli.run import names_in
from attrsearch.core.progress import named

if TYPE_CHECKING:
    from attrsearch.core.progress import Progress, Step
    from attrsearch.evaluation.config import EvaluationConfig
    from attrsearch.evaluation.evaluate import EvaluationModels, Examined, Examiner
    from attrsearch.evaluation.faces import Cohort
    from attrsearch.evaluation.pairing import Protection
    from attrsearch.evaluation.results import Record


PATH = click.Path(path_type=Path)
COMPARED = {
    "judges": click.option(
        "--judge",
        "judges",
        multiple=True,
        help="Recogniser that judges, or FILE.onnx  [default: all there are]",
    ),
    "run": click.option(
        "--run", type=PATH, help="The run: says what it used, and gets evaluation.json."
    ),
    "distractors": click.option(
        "--distractors", type=PATH, help="Folder of further people for the gallery."
    ),
    "most_distractors": click.option(
        "--most-distractors", default=500, show_default=True, type=click.IntRange(min=1)
    ),
    "people": click.option("--people", type=PATH, help="Only the people named in this file."),
    "max_faces": click.option(
        "--max-faces", type=click.IntRange(min=1), help="At most this many pictures a person."
    ),
    "detector": click.option(
        "--detector",
        default="mtcnn",
        show_default=True,
        help="mtcnn or yunet: says where faces are.",
    ),
    "ledger": click.option("--ledger", type=PATH, help="coverage.parquet of a video's protection."),
    "hifd": click.option("--hifd", type=PATH, help="Folder for the predictions that hifd scores."),
}
"""Options of ``EvaluationConfig``."""


@click.command(
    epilog="Example: attrsearch evaluate faces/ protected/ --run run1 --out evaluation.json"
)
@click.argument("originals", type=PATH)
@click.argument("protected", nargs=-1, required=True, type=PATH)
@click.option("--out", type=PATH, help="JSON file to write; a CSV and a page stand beside it.")
@fill("config", "attrsearch.evaluation.config:EvaluationConfig", COMPARED)
@click.option("--gate", type=PATH, help="TOML file of limits; exit code 1 when one is missed.")
@compute_options
@quiet_option
@json_option
@key_option
def evaluate(
    originals: Path,
    protected: tuple[Path, ...],
    out: Path | None,
    config: "EvaluationConfig",
    gate: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Measure whether PROTECTED still shows who is in the ORIGINALS, and what it keeps.

    Both are folders of pictures, or videos.

    Both are folders of one layout (a sub-folder a person, the same file names), or two videos;
    protected by attrsearch or by anything else. Several PROTECTED folders are set side by side.

    \b
    GATE holds, for example:
      format = "attrsearch/gate"
      version = 1
      [[limits]]
      figure = "rank1"
      judge = "dlib"
      at_most = 0.05
    """  # noqa: D301
    from attrsearch.cli.early import evaluation_request, new_folder
    from attrsearch.evaluation.gate import load_gate, missed

    limits = load_gate(gate) if gate else None
    evaluation_request(originals, protected, config, out)
    new_folder(config.hifd)
    names = frozenset(names_in(config.people)) if config.people else None

    from attrsearch.evaluation.results import write_for_run, write_record
    from attrsearch.report.evaluation import write_evaluation

    with stage_bar(quiet or as_json) as progress:
        record, examiner, examined = _evaluate(originals, protected, config, names, progress)

    if config.hifd:
        _hifd(record, examiner, examined, config.hifd)

    if out:
        page = write_evaluation(record.as_json(), out.with_suffix(".html"))
        written = [*write_record(record, out), page]
        say("wrote " + ", ".join(map(str, written)))

    # a run's report has room for one protection
    if config.run and len(protected) == 1:
        say(f"wrote {write_for_run(record, config.run)}, for its report")

    judged, kept = record.protected
    if as_json:
        from attrsearch.evaluation.results import clean

        print_json(clean(record.as_json()))
    else:
        _show(record)

    lines = missed(limits, judged, kept) if limits else []
    for line in lines:
        say(f"gate: {line}")

    if limits and not lines:
        say(f"gate: all {len(limits.limits)} limits are kept")

    return exit_code(lines)


def _evaluate(
    originals: Path,
    protected: tuple[Path, ...],
    config: "EvaluationConfig",
    names: frozenset[str] | None,
    progress: "Progress[Step]",
) -> "tuple[Record, Examiner, list[Examined]]":
    from attrsearch.evaluation.evaluate import Examiner, load_evaluation_models
    from attrsearch.evaluation.faces import load_cohort, load_embeddings
    from attrsearch.evaluation.judges import load_judges, used_by
    from attrsearch.evaluation.pairing import load_protection, untouched
    from attrsearch.evaluation.results import begin

    judges, notes = load_judges(config.judges, used_by(config.run) if config.run else None)
    eyes, further = load_evaluation_models(config.detector)
    tracks: list[dict[str, Any]] = []

    if originals.is_dir():
        cohort = load_cohort(
            originals,
            eyes.whole,
            eyes.windows[0],
            names=names,
            max_faces=config.max_faces,
            progress=named(progress, "originals"),
        )

        def read(folder: Path) -> "Protection":
            return load_protection(
                cohort,
                originals,
                folder,
                name=_name(folder, protected),
                progress=named(progress, f"read {folder.name}"),
            )

    else:
        cohort, film, tracks = _footage(originals, protected, eyes, config.ledger, progress)

        def read(folder: Path) -> "Protection":
            del folder
            return film

    distractors = {}
    if config.distractors:
        distractors = load_embeddings(
            config.distractors,
            [judge.recogniser for judge in judges],
            eyes.whole,
            eyes.windows[0],
            without=frozenset(cohort.people),
            max_people=config.most_distractors,
            progress=named(progress, "distractors"),
        )

    examiner = Examiner(cohort, judges, eyes, distractors, progress)
    record = begin(examiner, originals, distractors, [*notes, *further])
    record.tracks = tracks
    record.add(examiner.examine(untouched(cohort)))
    examined = []

    # protections are read one at a time: the windows of one fill the memory of many
    for folder in protected:
        found = examiner.examine(read(folder))
        record.add(found)
        # what is examined holds histograms of every face, which only hifd wants
        if config.hifd:
            examined.append(found)

    return record, examiner, examined


def _footage(
    original: Path,
    protected: tuple[Path, ...],
    eyes: "EvaluationModels",
    ledger: Path | None,
    progress: "Progress[Step]",
) -> "tuple[Cohort, Protection, list[dict[str, Any]]]":
    from attrsearch.core.errors import InputError
    from attrsearch.evaluation.footage import load_footage
    from attrsearch.evaluation.metrics.temporal import measure_consistency
    from attrsearch.faces.detection.yunet import YuNet
    from attrsearch.faces.recognition.load import choose_judge, load_recogniser

    if len(protected) != 1:
        hint = "evaluate them one by one"
        raise InputError(
            original, required="one protected video", found=f"{len(protected)}", hint=hint
        )

    knows = load_recogniser("sface")
    whole = YuNet(10, 0.5)
    cohort, protection = load_footage(
        original,
        protected[0],
        whole,
        eyes.windows[0],
        ledger=ledger,
        knows=knows,
        progress=progress,
    )
    if ledger is None:
        return cohort, protection, []

    found = measure_consistency(
        original,
        protected[0],
        ledger,
        whole,
        choose_judge("sface"),
        progress=progress,
    )
    return cohort, protection, [asdict(track) for track in found]


def _hifd(record: "Record", examiner: "Examiner", examined: "list[Examined]", folder: Path) -> None:
    from attrsearch.core.errors import UnavailableError
    from attrsearch.evaluation.hifd import score_hifd, write_hifd

    write_hifd(examiner, examined, folder)
    try:
        scores = score_hifd(folder)
    except UnavailableError as error:
        record.notes.append(str(error))
        return

    for row in record.protections:
        for name, value in scores.get(str(row["protection"]), {}).items():
            row[f"hifd_{name}"] = value


def _show(record: "Record") -> None:
    """The main figures, for a person."""
    width = max(len(str(row["protection"])) for row in record.protections)
    detectors = record.about["detectors"]

    for line in record.notes:
        say(line)

    heads = f"{'TAR 1e-3':>8} {'rank-1':>7} {'chance':>7} {'parrot':>7} {'distance':>8}"
    say(f"{'protection':<{width}}  {'judge':<10} {heads}")

    for row in record.judges:
        cells = (
            f"{_text(row.get('tar_1e-3')):>8} {_text(row['rank1']):>7} {_text(row['chance1']):>7} "
            f"{_text(row['parrot_rank1']):>7} {_text(row['distance']):>8}"
        )
        say(f"{row['protection']:<{width}}  {row['judge']:<10} {cells}")

    heads = " ".join(f"{'recall ' + name:>13} {'IoU ' + name:>10}" for name in detectors)
    say(f"{'protection':<{width}}  {heads} {'natural':>8} {'gender':>7}")

    for row in record.protections:
        pairs = []
        for name in detectors:
            pairs.append(f"{_text(row[f'recall_{name}']):>13} {_text(row[f'iou_{name}']):>10}")

        cells = " ".join(pairs)
        say(
            f"{row['protection']:<{width}}  {cells} {_text(row['naturalness']):>8} "
            f"{_text(row['gender_kept']):>7}"
        )

    for row in record.protections:
        if row.get("told_auc") is not None:
            say(
                f"{row['protection']}: told from real, AUC {_text(row['told_auc'])} (0.5 is "
                "chance), judged real "
                f"{_text(row['told_judged_real'])}, KID {_text(row['told_kid'])} "
                f"(originals {_text(row['told_kid_of_originals'])})"
            )

    for row in record.protections:
        if row["missing"]:
            say(
                f"{row['protection']}: {row['missing']} faces have no protected picture and were "
                "left out"
            )

        scores = []
        for name, value in row.items():
            if name.startswith("hifd_") and value is not None:
                scores.append(f"{name} {_text(value)}")

        if scores:
            say(f"{row['protection']}: {', '.join(scores)}")

    for track in record.tracks:
        say(
            f"track {track['track']} ({track['person']}, {track['frames']} frames): "
            f"spread {track['spread_before']:.3f} → {track['spread_after']:.3f}, "
            f"flicker {track['flicker_before']:.2f} → {track['flicker_after']:.2f}"
        )


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) and isfinite(value) else "–"


def _name(folder: Path, protected: tuple[Path, ...]) -> str:
    """A name that tells several protections apart."""
    names = [other.name for other in protected]
    return folder.name if names.count(folder.name) == 1 else str(folder)
