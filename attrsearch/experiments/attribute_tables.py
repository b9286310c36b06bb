"""Thesis 4.3 with every learner: what was measured beside what the thesis has, as figures.

``templates/table-4.6-learners.md.j2`` says them.
"""

from collections.abc import Sequence

import numpy as np

from attrsearch.experiments.attribute_learning import (
    BAD,
    COLUMNS,
    LEARNERS,
    THESIS,
    LearnerScores,
    MeasuredEdits,
    agreement,
    learn_levels,
    limits,
    pooled_levels,
)

FACES = 8
"""Faces in the thesis's table."""
Figures = dict[str, object]


def learner_figures(edits: MeasuredEdits, seed: int = 0) -> Figures:
    """Train every learner on every face and on all, and put the thesis's figures beside theirs."""
    faces: list[int | None] = [*range(len(edits.names)), None]
    found: dict[str, list[LearnerScores]] = {}
    for name, learner in LEARNERS.items():
        found[name] = [learn_levels(edits, learner, face, seed) for face in faces]

    if edits.pooled is not None:
        found["pooled surrogate"] = [pooled_levels(edits, face) for face in faces]

    ok, good = limits(edits)
    return {
        "faces": len(edits.names),
        "sets": edits.utility.shape[1],
        "ok": ok,
        "ok_share": float((edits.utility > ok).mean()),
        "good": good,
        "columns": list(COLUMNS),
        "learners": list(found),
        "images": _images(found, len(edits.names)),
        **_means(found),
        "bad": BAD,
        "agreement": agreement(edits.utility),
    }


def _images(found: dict[str, list[LearnerScores]], faces: int) -> list[Figures]:
    """Table 4.6: a face after another, and all together at the end."""
    images: list[Figures] = []

    for i in range(faces + 1):
        last = i == faces
        thesis = None
        # the thesis has as many faces of its own, which are not these: rows beyond them have none
        if last or i < FACES:
            row = -1 if last else i
            thesis = [THESIS[column][row] for column in COLUMNS]

        scores = [list(rows[i].scores) for rows in found.values()]
        images.append({"face": None if last else i + 1, "thesis": thesis, "scores": scores})

    return images


def _means(found: dict[str, list[LearnerScores]]) -> Figures:
    """What each learner comes to over the faces, in the order of the learners."""
    thesis = [float(np.mean(THESIS[column][:-1])) for column in COLUMNS]
    scores = []
    tries = []
    kept = []

    for rows in found.values():
        # the last of a learner's rows is of all faces together
        alone = rows[:-1]
        by_column = zip(*(row.scores for row in alone), strict=True)
        scores.append([_mean(values) for values in by_column])
        # the median, because a learner that accepts nothing on one face has infinitely many
        tries.append(float(np.median([row.tries for row in alone])))
        kept.append(_mean([row.kept for row in alone]))

    return {"thesis_means": thesis, "means": scores, "tries": tries, "kept": kept}


def _mean(values: Sequence[float]) -> float:
    # a face whose edits are all alike has nothing to be learnt, and no score
    return float(np.nanmean(values))
