"""Sort a mixed folder into people: every face of every picture, grouped by its embedding."""

import logging
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.faces.dataset import AlignedFace, PersonFaces, cut_face, detect_reduced
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.images import list_pictures, read_picture
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.window_detection import WINDOW_MIN_FACE, detect_in_windows

log = logging.getLogger(__name__)

MIN_WIDTH = 40.0
"""Faces narrower than this many pixels carry too little to be grouped, and are left out."""


def cluster_folder(
    folder: Path, detector: Detector, scaled: CalibratedRecogniser
) -> list[PersonFaces]:
    """Group the faces of a folder of pictures into people, the most pictured first.

    Args:
        folder: Pictures of several people, several to a picture or one; sub-folders are read too.
        detector: Finds the faces.
        scaled: Recogniser and calibration; faces further apart on average than its verification
            threshold are different people.

    Returns:
        People named ``person_001`` and so on.

    Raises:
        InputError: No face in any picture.
    """
    inner = []
    for path in folder.rglob("*"):
        # a link may lead out of the folder, or round in a circle
        if path.is_dir() and not path.is_symlink():
            inner.append(path)

    folders = [folder, *sorted(inner)]
    faces: list[AlignedFace] = []

    for path in chain.from_iterable(map(list_pictures, folders)):
        try:
            picture = read_picture(path)
            found = _large(detect_reduced(picture, detector))
            for index in range(len(found)):
                faces.append(cut_face(picture, found, index, path))
        except AttrsearchError as error:
            log.warning(str(error))

    seen = None
    if faces:
        # smaller faces than in pictures: a window has every face at the same size
        seen = detect_in_windows(faces, load_detector(detector.name, WINDOW_MIN_FACE))

    if seen is None or not seen.kept:
        hint = "give a folder of pictures with faces of at least 40 pixels"
        raise InputError(folder, required="pictures with faces", found="no face", hint=hint)

    labels = group(seen.embed(scaled.recogniser), scaled.calibration.verification)
    people = []
    for number in range(int(labels.max()) + 1):
        own = [faces[seen.kept[i]] for i in np.flatnonzero(labels == number)]
        people.append(PersonFaces(f"person_{number + 1:03d}", tuple(own)))

    return people


def group(embeddings: npt.NDArray[np.float32], threshold: float) -> npt.NDArray[np.int64]:
    """Labels (n,) of embeddings (n, d) by average linkage, 0 the largest group.

    >>> group(np.float32([[1, 0], [0, 1], [0.1, 0.995]]), 1.1).tolist()
    [1, 0, 0]
    """
    if len(embeddings) == 1:
        return np.zeros(1, np.int64)

    # slow to import, and seldom wanted
    from sklearn.cluster import AgglomerativeClustering  # noqa: PLC0415

    model = AgglomerativeClustering(
        n_clusters=None, distance_threshold=threshold, linkage="average"
    )
    labels = model.fit_predict(embeddings)
    # scikit-learn numbers groups as it likes; who is pictured most is to be person_001
    order = np.argsort(-np.bincount(labels), kind="stable")
    return np.asarray(np.argsort(order)[labels], np.int64)


def _large(found: Detections) -> Detections:
    wide = found.boxes[:, 2] - found.boxes[:, 0] >= MIN_WIDTH
    return Detections(found.boxes[wide], found.probabilities[wide], found.landmarks[wide])
