"""A judge that the search never saw.

How many of a run's edited faces it still takes for the person.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attrsearch.core.errors import InputError
from attrsearch.core.picking import take
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.images import read_picture
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.calibration import distances
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.training.dataset import Floats, Pictures

FACE = np.array([58, 43, 134, 153], np.float32)
"""About where the face lies in a window of 192 pixels."""


@dataclass(frozen=True)
class Judged:
    """What a judge says of a run's winners.

    Attributes:
        faces: Edited faces that could be judged.
        matched: Share of them it still takes for the person, at a false-accept rate of one in a
            thousand.
        distance: Mean distance on the FaceNet scale.
    """

    faces: int
    matched: float
    distance: float


def judge_run(run: Path, judge: CalibratedRecogniser, originals: Path | None = None) -> Judged:
    """Compare the winners' pictures with the untouched ones.

    Args:
        run: A run.
        judge: A recogniser the search did not use.
        originals: A run of the same people that kept untouched pictures (``--include-originals``);
            ``run`` itself by default.

    Raises:
        InputError: No pair of pictures in which the face is found.
    """
    read_run(run)
    edited = []
    untouched = []

    for part in RunFolder(run).read_people():
        for name in part.images.get("best", ()):
            original = (originals or run) / name.replace("/best_", "/original_")
            if (run / name).is_file() and original.is_file():
                edited.append(read_picture(run / name))
                untouched.append(read_picture(original))

    after = _faces(edited)
    before = _faces(untouched)
    # whoever is not found cannot be recognised, which is another figure than this one
    kept = [i for i in range(len(after)) if min(len(after[i]), len(before[i])) > 0]
    if not kept:
        hint = "search with --include-originals"
        raise InputError(run, required="edited and untouched pictures", found="no pair", hint=hint)

    first = _embed(take(untouched, kept), take(before, kept), judge)
    second = _embed(take(edited, kept), take(after, kept), judge)
    raw = distances(first, second)
    matched = float((raw < judge.calibration.verification).mean())

    return Judged(len(kept), matched, float(raw.mean() * judge.calibration.scale))


def _faces(windows: list[Pictures]) -> list[Detections]:
    """The face of each window; none where it is not found."""
    if not windows:
        return []

    found = []
    for detections in load_detector("mtcnn", WINDOW_MIN_FACE).detect(np.stack(windows)):
        best, _ = detections.nearest(FACE)
        one = slice(best, best + 1) if best >= 0 else slice(0, 0)
        found.append(
            Detections(
                detections.boxes[one], detections.probabilities[one], detections.landmarks[one]
            )
        )

    return found


def _embed(windows: list[Pictures], faces: list[Detections], judge: CalibratedRecogniser) -> Floats:
    boxes = np.concatenate([one.boxes for one in faces])
    landmarks = np.concatenate([o.landmarks for o in faces])
    return judge.recogniser.embed(np.stack(windows), boxes, landmarks)
