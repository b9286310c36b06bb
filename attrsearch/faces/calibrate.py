"""Measure a recogniser on a folder of people: ``attrsearch calibrate``."""

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import AttrsearchError
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.faces.dataset import MIN_FACE, load_faces
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.people import find_people
from attrsearch.faces.recognition.base import Recogniser
from attrsearch.faces.recognition.calibration import Calibration, measure
from attrsearch.faces.window_detection import WINDOW_MIN_FACE, detect_in_windows

log = logging.getLogger(__name__)

MAX_PICTURES = 8
"""Pictures of one person beyond these are left out, so that no one person decides the result."""


def calibrate(
    folder: Path,
    recogniser: Recogniser,
    *,
    detector: str = "mtcnn",
    progress: Progress[Step] = silent,
) -> Calibration:
    """Measure distances within and between the people of a folder.

    Args:
        folder: One sub-folder of pictures a person.
        recogniser: Embeds the faces, cut the way the search cuts them.
        detector: Finds the faces.
        progress: Told of the stage ``calibrate``, by people.

    Raises:
        InputError: Too few people or pictures.
    """
    whole = load_detector(detector, MIN_FACE)
    window = load_detector(detector, WINDOW_MIN_FACE)
    embeddings: list[npt.NDArray[np.float32]] = []
    people = find_people(folder)

    for number, person in enumerate(people, 1):
        try:
            # cut and found again as in a search, or the thresholds would be of other faces
            faces = load_faces(person, whole, MAX_PICTURES)
            rows = detect_in_windows(faces, window).embed(recogniser)
        except AttrsearchError as error:
            log.warning(str(error))
        else:
            embeddings += [rows] if len(rows) else []

        progress(Step(stage="calibrate", count=number, total=len(people)))

    return measure(embeddings, recogniser.name, folder.name, detector)
