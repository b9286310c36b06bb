"""Write what a search found for a person: pictures, trials, the record.

And what the run says of itself.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attrsearch.core.encryption import encrypting
from attrsearch.core.images import to_jpeg
from attrsearch.core.recipes.objective import Constraint
from attrsearch.faces.dataset import AlignedFace
from attrsearch.runs.attributes_file import (
    DetectorRecord,
    EditorRecord,
    PersonRecord,
    RecogniserRecord,
    named_passes,
)
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import Provenance
from attrsearch.runs.person_part import HeldOut, PersonPart
from attrsearch.runs.trials_file import predictions_table, trials_table, with_goals, with_times
from attrsearch.search.evaluator import Evaluator, Request, Subject, hide_others
from attrsearch.search.importance import importance
from attrsearch.search.lockstep import Finished
from attrsearch.search.models import Components, Settings
from attrsearch.search.objective import CandidateResults
from attrsearch.search.plugged import plug_ins_of

Floats = npt.NDArray[np.float32]

SHOWN_FACES = 4
RUNNERS = 2
APART = 0.8
"""A runner-up differs from every better one shown by at least this much (Euclidean, over the
attributes).
"""


def write_finished(
    item: Finished, evaluator: Evaluator, folder: RunFolder, include_originals: bool
) -> None:
    """Write a person's pictures, trials and record."""
    results = item.results
    winner = item.winner
    runners = runners_up(item)
    evaluated = np.array([proposal.evaluated for proposal in item.proposals], bool)
    numbers = np.flatnonzero(evaluated)  # trial numbers of the measured candidates
    chance = by_chance(item)
    first, second = named_passes(item.attributes[winner])
    record = PersonRecord(
        id=item.id,
        gender=item.traits.gender,
        feasible=item.feasible,
        first_pass=first,
        second_pass=second,
        faces=len(item.subject),
        evaluations=len(item.attributes),
        utility=round(float(results.utility[winner]), 6),
        detection=round(float(results.detection[winner]), 6),
        iou=round(float(results.iou[winner]), 6),
        distance=round(float(results.distance[winner]), 6),
        distance_raw=round(float(results.distance_raw[winner]), 6),
    )
    part = PersonPart(
        record=record,
        gender_certainty=round(item.traits.certainty, 6),
        worst_distance=round(float(results.worst_distance[winner]), 6),
        heldback=held_out_of(item.held_out, item.held_out_faces),
        winner=int(numbers[winner]),
        runners=tuple(int(numbers[i]) for i in runners),
        feasible_trials=int(results.feasible.sum()),
        seconds=round(float(item.seconds.sum()), 3),
        images=write_images(
            item.id,
            item.subject,
            item.faces,
            item.attributes,
            (winner, *runners, chance),
            evaluator,
            folder,
            include_originals,
        ),
        random=int(numbers[chance]),
        importance=_importance(item),
        screened_out=item.screened_out,
        joined=item.joined,
    )
    columns = (
        "detection",
        "iou",
        "distance",
        "distance_raw",
        "worst_distance",
        "utility",
        "feasible",
    )
    measured: dict[str, Any] = {name: getattr(results, name) for name in columns}
    attributes = item.space.attributes(np.array([proposal.point for proposal in item.proposals]))
    sources = [proposal.source for proposal in item.proposals]
    table = trials_table(
        item.id, item.seed, attributes, {**measured, "seconds": item.seconds}, sources, evaluated
    )
    timed = with_times(table, item.times[:, 0], item.times[:, 1])
    folder.write_person(part, with_goals(timed, results.values), _predictions(item))


def _predictions(item: Finished) -> pa.Table:
    rows = [(p.utility, p.distance, p.feasible, p.correlation) for p in item.proposals]
    values = np.array(rows, np.float64).reshape(-1, 4)
    # most candidates of a sampler were never predicted: they have no row
    trials = np.flatnonzero(np.isfinite(values[:, 0])).astype(np.int32)
    return predictions_table(item.id, trials, values[trials], item.overhead)


def by_chance(item: Finished) -> int:
    """Index of the candidate shown as what chance gives.

    The sampler's first, which samplers draw at random.
    """
    sources = [proposal.source for proposal in item.proposals if proposal.evaluated]
    return sources.index("sampler") if "sampler" in sources else 0


def runners_up(item: Finished) -> list[int]:
    """Trial numbers of the best alternatives that look different.

    Apart in attributes, as good as possible.
    """
    flat = item.attributes.reshape(len(item.attributes), -1)
    order = [int(i) for i in item.results.order()]
    # runners-up have to differ from the winner, too
    chosen = [item.winner]

    for i in order:
        if len(chosen) > RUNNERS:
            break

        if min(float(np.linalg.norm(flat[i] - flat[j])) for j in chosen) >= APART:
            chosen.append(i)

    return chosen[1:]


def write_images(
    identity: str,
    subject: Subject,
    faces: Sequence[AlignedFace],
    attributes: Floats,
    trials: Sequence[int],
    evaluator: Evaluator,
    folder: RunFolder,
    include_originals: bool,
) -> dict[str, tuple[str, ...]]:
    """Write the pictures of a person.

    Args:
        identity: The person.
        subject: The searched faces, measured.
        faces: The same.
        attributes: Every candidate, (n, passes, 13).
        trials: Indices of the winner, of the runners-up, and of the one that chance gave.
        evaluator: Makes the edits.
        folder: The run.
        include_originals: Also the untouched pictures.

    Returns:
        Kind to files inside the run.
    """
    windows = evaluator.render(Request(subject, attributes[list(trials)]))
    runners = range(1, len(trials) - 1)
    shown = min(SHOWN_FACES, len(subject))

    def save(name: str, window: Any, face: int, private: bool = False) -> str:
        data = to_jpeg(hide_others(window, faces[face], subject.masks[face]))
        return folder.write_image(identity, f"{name}.jpg", data, private)

    best = []
    for face in range(shown):
        best.append(save(f"best_{face}", windows[0, face], face))

    others = []
    for i in runners:
        others.append(save(f"runner_{i}", windows[i, 0], 0))

    drawn = save("random_0", windows[len(trials) - 1, 0], 0)
    images = {"best": tuple(best), "runner": tuple(others), "random": (drawn,)}

    if include_originals:
        originals = []
        for face in range(shown):
            originals.append(save(f"original_{face}", faces[face].window, face, private=True))

        images["original"] = tuple(originals)

    return images


def held_out_of(results: CandidateResults | None, faces: int) -> HeldOut | None:
    """What was measured on the faces kept from the search: one candidate."""
    if results is None:
        return None

    names = ("detection", "iou", "distance", "worst_distance")
    rounded = {name: round(float(getattr(results, name)[0]), 6) for name in names}
    return HeldOut(faces=faces, feasible=bool(results.feasible[0]), **rounded)


def _importance(item: Finished) -> dict[str, float]:
    space = item.space
    return importance(space.names, space.values(item.attributes), item.results.utility)


def provenance(settings: Settings, components: Components) -> Provenance:
    """What a run writes about itself."""
    study = settings.study
    evaluator = components.evaluator
    main = evaluator.recognisers[0]
    distance_limits = []
    for constraint in settings.objective.constraints:
        # a limit at the verification threshold is another for each recogniser
        if _is_mean_distance(constraint) and constraint.above != "verification":
            distance_limits.append(float(constraint.above))

    recognisers = []
    for scaled in evaluator.recognisers:
        recognisers.append({**scaled.record, "sha256": scaled.recogniser.sha256})

    return Provenance(
        editor=EditorRecord(name=evaluator.editor.name, sha256=evaluator.editor.sha256),
        recogniser=RecogniserRecord(
            name=main.name,
            scale=round(main.calibration.scale, 6),
            threshold=max(distance_limits, default=0.0),
        ),
        detector=DetectorRecord(name=evaluator.detector.name),
        objective=settings.objective.name,
        study=study.name,
        seed=study.seed,
        settings={
            "study": study.model_dump(exclude={"workers"}),
            "objective": settings.objective.model_dump(),
            "space": settings.space.model_dump(),
            "editor_sha256": evaluator.editor.sha256,
            "surrogate_sha256": components.pooled.sha256 if components.pooled else None,
            "encrypted": encrypting() or None,
            "sampler": settings.hooks.sampler_name or None,
            "plugins": plug_ins_of(study, settings.objective) or None,
            "recognisers": recognisers,
        },
    )


def _is_mean_distance(constraint: Constraint) -> bool:
    return constraint.term == "distance" and constraint.aggregate == "mean"
