"""``attrsearch reproduce``: the thesis's tables and figures, measured anew."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from attrsearch.cli.compute import compute_options
from attrsearch.cli.console import quiet_option, say
from attrsearch.cli.exit_codes import exit_code
from attrsearch.cli.fields import Options, fill
from attrsearch.core.errors import InputError
from attrsearch.core.progress import Step
from attrsearch.experiments.cli_tables import Tables

if TYPE_CHECKING:
    from attrsearch.experiments.options import LearningOptions, SearchStudyOptions

PATH = click.Path(path_type=Path)


@click.group(cls=Tables, epilog="Example: attrsearch reproduce table-4.2 faces/ --out table-4.2.md")
def reproduce() -> None:
    """Measure a table or figure of the thesis on FACES, and print its figures beside ours.

    FACES is a folder with one sub-folder of pictures a person, or, for table-4.4 to figure-4.8, a
    folder of single faces. Without --out the figures are printed as Markdown on stdout, without
    pictures.
    """


PLANS = (
    *("random:200:5", "all:50:5", "tpe:50:5", "qmc:50:2", "cmaes:50:2"),
    *("tpe-rejecting:50:2", "portfolio:50:2", "local:50:2", "pooled:50:2"),
)


SEARCH_STUDY: Options = {
    "arms": click.option(
        "--arm", "arms", multiple=True, help="ARM:TRIALS:SEEDS; may be given several times."
    ),
    "study": click.option(
        "--study", default="thesis", show_default=True, help="Study recipe: editor, space, judges."
    ),
    "space": click.option("--space", help="Search space instead of the study's."),
    "editor": click.option("--editor", help="Editor weights instead of the study's."),
    "max_faces": click.option(
        "--max-faces", type=click.IntRange(min=1), help="Pictures searched a person."
    ),
    "surrogate": click.option("--surrogate", help="Pooled model: auto, none or a file."),
    "people_file": click.option(
        "--people", "people_file", type=PATH, help="Only the people in this file."
    ),
    "minutes": click.option(
        "--minutes", type=float, help="Stop after so many minutes; the same command goes on."
    ),
}
"""Options of ``SearchStudyOptions``."""


@reproduce.command("search-study")
@click.argument("faces", type=PATH)
@click.option("--out", required=True, type=PATH, help="Folder for the trials; continued.")
@fill("options", "attrsearch.experiments.options:SearchStudyOptions", SEARCH_STUDY)
@click.option("--plot", type=PATH, help="SVG file to write: utility against evaluations.")
@click.option(
    "--rate", default=78.0, show_default=True, help="Evaluations a second, for the wall-clock."
)
@compute_options
@quiet_option
def search_study(
    faces: Path,
    out: Path,
    options: "SearchStudyOptions",
    plot: Path | None,
    rate: float,
    quiet: bool,
) -> int:
    """Ways of searching beside one another.

    What each reaches after how many evaluations, and at what cost.

    People in FACES must not be among those a pooled model learnt from.
    """
    from attrsearch.cli.console import stage_bar
    from attrsearch.cli.early import experiment_request, new_file, new_folder
    from attrsearch.cli.run import names_in
    from attrsearch.core.files import write_bytes
    from attrsearch.core.recipes.study import Surrogate, load_study

    new_folder(out)
    new_file(plot, (".svg",))
    load_study(options.study)
    experiment_request(faces, options.editor, options.space)

    from attrsearch.experiments.search_arms import Plan
    from attrsearch.experiments.search_curves import search_curves
    from attrsearch.experiments.search_report import curves_of, search_figures
    from attrsearch.experiments.search_study import study_search
    from attrsearch.experiments.search_trials import read_study
    from attrsearch.experiments.wording import say_figures

    recipe = load_study(
        options.study, space=options.space, editor=options.editor, max_faces=options.max_faces
    )
    if options.surrogate:
        recipe = load_study(recipe, surrogate=Surrogate(pooled=options.surrogate).model_dump())

    chosen = names_in(options.people_file) if options.people_file else None
    plans = [Plan.parse(text) for text in options.arms or PLANS]
    with stage_bar(quiet) as progress:
        study_search(
            faces,
            out,
            recipe,
            plans,
            people=chosen,
            minutes=options.minutes,
            progress=progress,
        )

    trials = read_study(out)
    say(say_figures("search-study", search_figures(trials, rate)))
    if plot:
        write_bytes(plot, search_curves(curves_of(trials)))

    return 0


LEARNING: Options = {
    "study": click.option(
        "--study", default="thesis", show_default=True, help="Study recipe: editor, space, judges."
    ),
    "gender": click.option(
        "--gender", default="female", show_default=True, type=click.Choice(["female", "male"])
    ),
    "count": click.option(
        "--count",
        default=8,
        show_default=True,
        type=click.IntRange(min=2),
        help="Faces, one picture each.",
    ),
    "sets": click.option(
        "--sets",
        default=1000,
        show_default=True,
        type=click.IntRange(min=50),
        help="Attribute sets.",
    ),
    "surrogate": click.option(
        "--surrogate", default="auto", show_default=True, help="Pooled model: auto, none or a file."
    ),
    "people_file": click.option(
        "--people", "people_file", type=PATH, help="Only the people in this file."
    ),
    "seed": click.option(
        "--seed",
        default=0,
        show_default=True,
        type=click.IntRange(min=0),
        help="Of sets and learners.",
    ),
}
"""Options of ``LearningOptions``."""
LEARNERS = "table-4.6-learners"
STREETS = "streets-protected"
"""Templates of what is printed."""


@reproduce.command("table-4.6")
@click.argument("faces", type=PATH)
@click.option("--out", type=PATH, help="Markdown or JSON file to write.")
@fill("options", "attrsearch.experiments.options:LearningOptions", LEARNING)
@compute_options
@quiet_option
def attributes(faces: Path, out: Path | None, options: "LearningOptions", quiet: bool) -> int:
    """Table 4.6 and the rest of thesis 4.3: learning from attributes which edits will be good.

    Accuracy and recall of the thesis's network per face and over all faces, tries per accepted
    candidate, agreement of bad sets between faces; XGBoost and the pooled surrogate beside it.
    """
    from attrsearch.cli.console import stage_bar
    from attrsearch.cli.early import experiment_request, new_file
    from attrsearch.cli.run import names_in
    from attrsearch.core.recipes.study import Surrogate, load_study

    new_file(out)
    load_study(options.study)
    experiment_request(faces)

    from attrsearch.experiments.attribute_learning import measure_edits
    from attrsearch.experiments.attribute_tables import learner_figures
    from attrsearch.experiments.page import write_figures
    from attrsearch.experiments.wording import say_figures

    surrogate = Surrogate(pooled=options.surrogate).model_dump()
    recipe = load_study(options.study, seed=options.seed, surrogate=surrogate)
    chosen = names_in(options.people_file) if options.people_file else None

    with stage_bar(quiet) as progress:
        edits = measure_edits(
            faces,
            recipe,
            gender=options.gender,
            count=options.count,
            sets=options.sets,
            people=chosen,
            progress=progress,
        )

    figures = learner_figures(edits, options.seed)
    if out is not None:
        write_figures(out, LEARNERS, figures)

    say(say_figures(LEARNERS, figures))
    return 0


@reproduce.command("streets")
@click.option("--attributes", required=True, type=PATH, help="attributes.json of a run.")
@click.option(
    "--streets",
    default=2,
    show_default=True,
    type=click.IntRange(min=1),
    help="Of each kind of motion.",
)
@click.option(
    "--frames", default=150, show_default=True, type=click.IntRange(min=5), help="Of each street."
)
@click.option("--judge", help="Recogniser for the spread  [default: one the linking did not use]")
@click.option("--out", type=PATH, help="Markdown or JSON file to write.")
@compute_options
@quiet_option
def streets(
    attributes: Path, streets: int, frames: int, judge: str | None, out: Path | None, quiet: bool
) -> int:
    """Protect made-up streets with known faces, and count those that are still shown as they were.

    Three people a street, who walk behind one another and behind posts; bursts of known misses are
    put in. Everybody gets the export's first set. Exit code 1 if a face is shown as it was, or a
    person changes names.
    """
    import tempfile
    from itertools import product

    from attrsearch.cli.early import export_request, new_file
    from attrsearch.faces.recognition.load import resolve

    new_file(out)
    export_request(attributes)
    if judge:
        resolve(judge)

    from attrsearch.anonymise.images import load_export_editor
    from attrsearch.anonymise.videos import load_face_models
    from attrsearch.cli.console import stage_bar
    from attrsearch.experiments.page import write_figures
    from attrsearch.experiments.street_study import StreetModels, street_figures, study_street
    from attrsearch.experiments.synthetic_streets import SPEEDS, make_street
    from attrsearch.experiments.wording import say_figures
    from attrsearch.faces.recognition.load import choose_judge, load_recogniser
    from attrsearch.runs.attributes_file import read_attributes
    from attrsearch.video.pipeline import VideoOptions

    file = read_attributes(attributes)
    chosen = next((record for record in file.identities if record.feasible), None)

    if chosen is None:
        hint = "search longer, or give another export"
        raise InputError(
            attributes, required="a person with a feasible set", found="none", hint=hint
        )

    eyes = load_face_models(VideoOptions())
    scaled = load_recogniser(judge) if judge else choose_judge(eyes.scaled.name)
    editor = load_export_editor(file, None)
    models = StreetModels(eyes.detector, eyes.close_up, eyes.scaled, scaled, editor)
    results = []
    cases = list(product(SPEEDS, range(streets)))

    with stage_bar(quiet) as progress, tempfile.TemporaryDirectory() as folder:
        for number, (motion, seed) in enumerate(cases):
            street = make_street(motion, people=3, frames=frames, seed=seed)
            done = study_street(street, motion, Path(folder), models, chosen.attributes, seed=seed)
            results.append(done)
            progress(Step(stage="streets", count=number + 1, total=len(cases)))

    figures = street_figures(results)
    if out is not None:
        write_figures(out, STREETS, figures)

    say(say_figures(STREETS, figures))
    real = sum(len(item.real) for item in results)
    switches = sum(item.switches for item in results)
    say(
        f"{sum(item.faces for item in results)} faces: {real} shown as they were, {switches} "
        "changes of name"
    )

    return exit_code(real, switches)
