"""Are edits with random sets told from real faces?

``python tools/told_from_real.py FACES PEOPLE.txt [EDITOR] [SPACE]``: FACES holds a folder a person,
PEOPLE.txt names those to take, one a line.  Up to three pictures of each get one random set of the
space, as a search begins.
"""

import sys
from pathlib import Path

import numpy as np

from attrsearch.core.recipes.space import load_space
from attrsearch.editing.editor import load_editor
from attrsearch.evaluation.faces import load_cohort
from attrsearch.evaluation.metrics.told_from_real import (
    FeatureReader,
    ToldFromReal,
    face_crops,
    measure_told_from_real,
    unsharp_masked,
)
from attrsearch.evaluation.metrics.utility import crops_of
from attrsearch.evaluation.metrics.verification import Interval
from attrsearch.faces.attribute_classifier import TraitsClassifier, vote
from attrsearch.faces.dataset import MIN_FACE
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.search.evaluator import Evaluator, Request
from attrsearch.search.space import person_space

PICTURES = 3


def main() -> None:
    """Edit, judge, and print a row for the edits and for each control."""
    faces = Path(sys.argv[1])
    names = frozenset(Path(sys.argv[2]).read_text(encoding="utf-8").split())
    editor = load_editor(sys.argv[3] if len(sys.argv) > 3 else "anonymiser")
    space = load_space(sys.argv[4] if len(sys.argv) > 4 else "one-pass")

    whole = load_detector("mtcnn", MIN_FACE)
    window = load_detector("mtcnn", WINDOW_MIN_FACE)
    cohort = load_cohort(faces, whole, window, names=names, max_faces=PICTURES)
    traits = TraitsClassifier().probabilities(crops_of(cohort.look))
    evaluator = Evaluator(editor, window, ())
    random = np.random.default_rng(0)
    windows = []
    kept = []
    for person in range(len(cohort.people)):
        rows = np.flatnonzero(cohort.owners == person)
        voted = vote(traits[rows])
        own = person_space(space, voted.gender, voted.certainty)
        asked = own.attributes(random.uniform(own.low, own.high)[None])
        subject, found = evaluator.prepare([cohort.faces[row] for row in rows])
        if subject is not None:
            windows.append(evaluator.render(Request(subject, asked))[0])
            kept.append(rows[found])

    taken = np.concatenate(kept)
    people = cohort.owners[taken]
    originals = face_crops(cohort.look.windows[taken])
    edits = face_crops(np.concatenate(windows))
    reader = FeatureReader()
    sharp_edits = np.stack([unsharp_masked(one, 1.0, 1.0) for one in edits])
    sharp_originals = np.stack([unsharp_masked(one, 1.0, 1.0) for one in originals])
    _print("edits", measure_told_from_real(originals, edits, people, features=reader))
    _print(
        "edits, sharpened", measure_told_from_real(originals, sharp_edits, people, features=reader)
    )
    _print(
        "originals, sharpened",
        measure_told_from_real(originals, sharp_originals, people, features=reader),
    )


def _print(name: str, found: ToldFromReal) -> None:
    cells = [_cell(value) for value in (found.auc, found.judged_real, found.kid)]
    print(f"| {name} | " + " | ".join(cells) + f" | {found.faces} of {found.people} people |")


def _cell(value: Interval) -> str:
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"


if __name__ == "__main__":
    main()
