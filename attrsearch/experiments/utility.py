"""Table 4.6 for the page: can it be learnt from the attributes which edits have a high utility?

The command ``attrsearch reproduce table-4.6`` has options of its own, and further learners.
"""

from collections.abc import Sequence

from attrsearch.core.recipes.study import Surrogate, load_study
from attrsearch.experiments.attribute_learning import (
    BAD,
    COLUMNS,
    THESIS,
    MeasuredEdits,
    agreement,
    learn_levels,
    limits,
    measure_edits,
    mlp,
)
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.section import Comparison, Section, number, percent

FACES = 8
SETS = 1000
SCREENED = 50
"""Fewest sets that a network can be trained and tested on."""


def study(lab: ExperimentContext) -> dict[str, Section]:
    """Table 4.6."""
    options = lab.options
    recipe = load_study(
        "thesis",
        seed=options.seed,
        editor=options.editor,
        space=options.space,
        recogniser=options.recogniser,
        surrogate=Surrogate(pooled="none").model_dump(),
    )
    edits = measure_edits(
        lab.faces,
        recipe,
        gender="female",
        count=FACES,
        sets=options.count(SETS, SCREENED),
        people=[person.id for person in lab.listed],
        progress=lab.progress,
    )

    return {"table-4.6": _table(edits, options.seed)}


def _table(edits: MeasuredEdits, seed: int) -> Section:
    faces: list[int | None] = [*range(len(edits.names)), None]
    rows = []

    for face in faces:
        name = "all together" if face is None else f"face {face + 1}"
        place = -1 if face is None else face
        measured = learn_levels(edits, mlp, face, seed).scores
        thesis = [THESIS[column][place] for column in COLUMNS]
        rows.append(Comparison(name, _row(thesis), _row(measured)))

    ok, good = limits(edits)
    return Section(
        "table-4.6",
        "maximising the utility function",
        f"One picture each of {len(edits.names)} women, {edits.utility.shape[1]} random sets "
        "each, the same for all. The thesis's network learns from 70 % of the edits whether "
        "utility is above its mean (OK) or its 75th percentile (Good), and is asked about the "
        f"rest. Each cell: {', '.join(COLUMNS)}.",
        (
            Comparison("utility of OK and of Good", "1.04, 1.15", f"{number(ok)}, {number(good)}"),
            *rows,
            Comparison(
                "bad on one face and on another, too",
                "86 %",
                f"{percent(agreement(edits.utility))} (by chance {percent(BAD)})",
            ),
        ),
    )


def _row(values: Sequence[float]) -> str:
    return ", ".join(percent(float(value)) for value in values)
