"""Sort a mixed folder into people: every face of every picture, grouped by its embedding."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.cluster import AgglomerativeClustering

from attrsearch.errors import AttrsearchError, InputError
from attrsearch.faces.detect import Detections, Detector
from attrsearch.faces.people import Face, Warn, cut_face, detect_reduced
from attrsearch.faces.pictures import list_pictures, read_picture
from attrsearch.faces.recognise import Scaled

MIN_WIDTH = 40.0
"""Faces narrower than this many pixels carry too little to be grouped, and are left out."""


def cluster_folder(
    folder: Path, detector: Detector, scaled: Scaled, warn: Warn
) -> list[tuple[str, tuple[Face, ...]]]:
    """Group the faces of a folder of pictures into people, the most pictured first.

    Args:
        folder: Pictures of several people, several to a picture or one; sub-folders are read too.
        detector: Finds the faces.
        scaled: Recogniser and calibration; faces further apart on average than its verification threshold
            are different people.
        warn: Called with one line for every picture left out.

    Returns:
        Names ``person_001`` and so on, with their faces.

    Raises:
        InputError: No face in any picture.
    """
    folders = [folder, *sorted(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())]
    faces: list[Face] = []
    embeddings: list[npt.NDArray[np.float32]] = []
    for path in (path for place in folders for path in list_pictures(place)):
        try:
            picture = read_picture(path)
            found = _large(detect_reduced(picture, detector))
            for index in range(len(found)):
                face = cut_face(picture, found, index, path)
                seen = detector.detect(face.window[None])[0]
                best, _ = seen.nearest(np.array([40, 30, 152, 172], np.float32))
                if best >= 0:
                    faces.append(face)
                    embeddings.append(
                        scaled.recogniser.embed(face.window[None], seen.boxes[[best]], seen.landmarks[[best]])[0]
                    )
        except AttrsearchError as error:
            warn(str(error))
    if not faces:
        hint = "give a folder of pictures with faces of at least 40 pixels"
        raise InputError(folder, required="pictures with faces", found="no face", hint=hint)
    labels = group(np.stack(embeddings), scaled.calibration.verification)
    return [
        (f"person_{number + 1:03d}", tuple(faces[i] for i in np.flatnonzero(labels == number)))
        for number in range(int(labels.max()) + 1)
    ]


def group(embeddings: npt.NDArray[np.float32], threshold: float) -> npt.NDArray[np.int64]:
    """Labels (n,) of embeddings (n, d) by average linkage, 0 the largest group.

    >>> group(np.float32([[1, 0], [0, 1], [0.1, 0.995]]), 1.1).tolist()
    [1, 0, 0]
    """
    if len(embeddings) == 1:
        return np.zeros(1, np.int64)
    model = AgglomerativeClustering(n_clusters=None, distance_threshold=threshold, linkage="average")
    labels = model.fit_predict(embeddings)
    order = np.argsort(-np.bincount(labels), kind="stable")
    return np.asarray(np.argsort(order)[labels], np.int64)


def _large(found: Detections) -> Detections:
    wide = found.boxes[:, 2] - found.boxes[:, 0] >= MIN_WIDTH
    return Detections(found.boxes[wide], found.probabilities[wide], found.landmarks[wide])
