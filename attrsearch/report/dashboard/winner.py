"""Make another trial of a person the winner.

Measured again first, then written as the search would have.
"""

from pathlib import Path
from typing import Any

import numpy as np

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.report.cohort import CANDIDATES, read_trials
from attrsearch.runs.attributes_file import PersonRecord, named_passes
from attrsearch.runs.export import write_again
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.person_part import PersonPart
from attrsearch.runs.review import decide
from attrsearch.search.remeasure import Verifier
from attrsearch.search.writer import held_out_of, write_images

TERMS = ("utility", "detection", "iou", "distance", "distance_raw")


def read_candidates(
    run: Path, identity: str, passes: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A person's candidates, (n, passes, 13)."""
    trials = read_trials(run, identity, candidates=True)
    flat = np.stack([np.asarray(trials[name], np.float32) for name in CANDIDATES], 1)
    return flat.reshape(-1, 2, len(ATTRIBUTES))[:, :passes]


def choose_in_run(
    run: Path, identity: str, trial: int, verifier: Verifier, who: str
) -> dict[str, Any]:
    """Make a trial the winner, log who chose it, and write the exports of the run again.

    Args:
        run: The run's folder.
        identity: A finished person.
        trial: Number of the trial.
        verifier: Measures it.
        who: In whose name it is logged.

    Returns:
        What was logged: ``from``, ``to``, ``feasible``, ``distance``, ``utility`` and
        ``heldback_feasible``.

    Raises:
        InputError: No such person or trial, or it cannot be measured.
    """
    before = RunFolder(run).read_person(identity)
    after = choose_winner(run, identity, trial, verifier)
    record = after.record
    held = after.heldback
    details = {
        "from": before.winner,
        "to": after.winner,
        "feasible": record.feasible,
        "distance": record.distance,
        "utility": record.utility,
        "heldback_feasible": None if held is None else held.feasible,
    }
    decide(run, identity, who, "winner", details, chosen_by=who, grade=None)
    write_again(run)
    return details


def choose_winner(run: Path, identity: str, trial: int, verifier: Verifier) -> PersonPart:
    """Measure a trial again, and write it as the person's winner.

    The old winner takes the new one's place among the runners-up, where it stood there.

    Args:
        run: The run's folder.
        identity: The person.
        trial: Number of the trial.
        verifier: Measures it.

    Returns:
        The person as written.

    Raises:
        InputError: No such person or trial, or it cannot be measured.
    """
    folder = RunFolder(run)
    part = folder.read_person(identity)
    passes = 1 if part.record.second_pass is None else 2
    attributes = read_candidates(run, identity, passes)

    if not 0 <= trial < len(attributes):
        required = f"a trial of {identity}, 0 to {len(attributes) - 1}"
        raise InputError(
            "trial", required=required, found=str(trial), hint="choose one of the list"
        )

    found = verifier.measure(identity, part.record.gender, attributes[[trial]], part.joined)
    results = found.searched
    first, second = named_passes(attributes[trial])
    swapped = []
    for number in part.runners:
        swapped.append(part.winner if number == trial else number)

    runners = tuple(swapped)
    evaluator = verifier.components.evaluator
    images = write_images(
        identity,
        found.subject,
        found.faces,
        attributes,
        (trial, *runners, part.random or 0),
        evaluator,
        folder,
        include_originals=False,
    )

    if "original" in part.images:  # they are what they were
        images["original"] = part.images["original"]

    record = PersonRecord.model_validate(
        {
            **part.record.model_dump(),
            "feasible": bool(results.feasible[0]),
            "first_pass": first,
            "second_pass": second,
            "faces": len(found.subject),
            **{name: round(float(getattr(results, name)[0]), 6) for name in TERMS},
        }
    )
    changed = part.model_copy(
        update={
            "record": record,
            "worst_distance": round(float(results.worst_distance[0]), 6),
            "heldback": held_out_of(found.held_out, found.held_out_faces),
            "winner": trial,
            "runners": runners,
            "images": images,
        }
    )
    folder.write_part(changed)
    return changed
