"""Thesis 4.3 as Markdown: what was measured beside what the thesis has."""

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


def to_markdown(edits: MeasuredEdits, seed: int = 0) -> str:
    """Train every learner on every face and on all, and put the thesis's figures beside theirs."""
    faces: list[int | None] = [*range(len(edits.names)), None]
    found: dict[str, list[LearnerScores]] = {}
    for name, learner in LEARNERS.items():
        found[name] = [learn_levels(edits, learner, face, seed) for face in faces]

    if edits.pooled is not None:
        found["pooled surrogate"] = [pooled_levels(edits, face) for face in faces]

    ok, good = limits(edits)
    count = edits.utility.shape[1]
    parts = [
        f"{len(edits.names)} faces, {count} attribute sets each. OK: utility above {ok:.3f} (the "
        f"thesis: 1.04), {(edits.utility > ok).mean():.0%} of the edits; Good: above {good:.3f} "
        "(1.15), 25 %.",
        _table_46(found, len(edits.names)),
        _summary(found, edits),
    ]
    return "\n\n".join(parts)


def _table_46(found: dict[str, list[LearnerScores]], faces: int) -> str:
    lines = [["image", "learner", *COLUMNS], ["---"] * (2 + len(COLUMNS))]
    for i in range(faces + 1):
        last = i == faces
        image = "All" if last else str(i + 1)
        # the thesis has as many faces of its own, which are not these: rows beyond them have none
        if last or i < FACES:
            thesis = [THESIS[column][-1 if last else i] for column in COLUMNS]
            lines.append([image, "MLP, thesis", *map(_percent, thesis)])

        for name, rows in found.items():
            lines.append([image, name, *map(_percent, rows[i].scores)])

    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _summary(found: dict[str, list[LearnerScores]], edits: MeasuredEdits) -> str:
    lines = [["", "thesis", *found], ["---"] * (2 + len(found))]
    # the last of each learner's rows is of all faces together
    alone = [rows[:-1] for rows in found.values()]

    for j, column in enumerate(COLUMNS):
        thesis = _percent(float(np.mean(THESIS[column][:-1])))
        own = [_mean([row.scores[j] for row in rows]) for rows in alone]
        lines.append([f"{column}, mean of the faces", thesis, *own])

    tries = [_median([row.tries for row in rows]) for rows in alone]
    lines.append(["tries per accepted candidate (Good), median of the faces", "3.1", *tries])
    kept = [_mean([row.kept for row in rows]) for rows in alone]
    lines.append(["accepted that are Good indeed (25 % by chance)", "–", *kept])
    same = agreement(edits.utility)
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)

    return (
        f"{text}\n\nOf the sets that are bad (the {BAD:.1%} of least utility) on one face, "
        f"{same:.0%} are "
        f"bad on another as well, mean over all pairs ({BAD:.0%} by chance; the thesis, which "
        "graded by eye: 86 %)."
    )


def _mean(values: Sequence[float]) -> str:
    return _percent(float(np.nanmean(values)))


def _median(values: Sequence[float]) -> str:
    return f"{np.median(values):.1f}"


def _percent(value: float) -> str:
    return f"{value:.0%}" if np.isfinite(value) else "–"
