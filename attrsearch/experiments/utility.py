"""Table 4.6 for the page: can it be learnt from the attributes which edits have a high utility?

The command ``attrsearch reproduce table-4.6`` has options of its own, and further learners.
"""

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
from attrsearch.experiments.section import Section
from attrsearch.experiments.wording import worded

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
        # the pooled model is none of the thesis's learners, and takes time to load
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
        # the thesis's last column is of all faces together
        place = -1 if face is None else face
        measured = learn_levels(edits, mlp, face, seed).scores
        rows.append(
            {
                "face": None if face is None else face + 1,
                "thesis": [THESIS[column][place] for column in COLUMNS],
                "measured": [float(value) for value in measured],
            }
        )

    ok, good = limits(edits)
    return worded(
        "table-4.6",
        {
            "columns": list(COLUMNS),
            "faces": len(edits.names),
            "sets": edits.utility.shape[1],
            "ok": ok,
            "good": good,
            "rows": rows,
            "agreement": agreement(edits.utility),
            "agreement_by_chance": BAD,
        },
    )
