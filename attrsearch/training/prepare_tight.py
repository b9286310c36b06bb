"""Prepare pictures for face parsing and the restoring editor.

Tight squares with 68 landmarks and skin labels.

The landmarks are dlib's (extra ``judges``). A face is left out where they do not agree with the
detector's five: on profiles dlib often fails.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.faces.alignment import (
    CROP_SIZE,
    CROP_TEMPLATE,
    TIGHT_TEMPLATE,
    similarity,
    transform,
    warp,
)
from attrsearch.faces.attribute_classifier import TraitsClassifier
from attrsearch.faces.dataset import MIN_PROBABILITY, prominence
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.dlib_landmarks import DlibLandmarks
from attrsearch.faces.images import read_picture
from attrsearch.training.identity import five_points
from attrsearch.training.prepare import choose
from attrsearch.training.skin_labels import skin_label
from attrsearch.training.table import match_table, read_table
from attrsearch.training.tight_faces import STORED, ZOOM, Floats, Pictures, TightFaces

log = logging.getLogger(__name__)

MIN_FACE = 36.0
AGREEMENT = 0.16
"""Mean distance between dlib's and the detector's five landmarks, in distances between the eyes."""
LARGEST = 1.5
"""Faces that would be enlarged further than this are too coarse to learn from."""
LABEL_SIDE = STORED // 2
TEMPLATE = np.asarray((TIGHT_TEMPLATE - (127 / 2)) / ZOOM + (STORED - 1) / 2, np.float32)
"""Where the five landmarks lie in a kept square."""


@dataclass(frozen=True)
class _Prepared:
    """One face: crop (176, 176, 3), landmarks (68, 2), packed skin and inside (3872,)."""

    crop: Pictures
    landmarks: Floats
    skin: Pictures
    inside: Pictures


def prepare_tight(
    folder: Path,
    *,
    table: Path | None = None,
    only: Iterable[str] | None = None,
    without: Iterable[str] = (),
    border: int = 0,
    progress: Progress[Step] = silent,
) -> TightFaces:
    """Read, align and label the faces of a folder, and of its sub-folders.

    Args:
        folder: Pictures, or one sub-folder of pictures a person.
        table: Attributes of these pictures; the bundled classifier guesses them where it is not
            given.
        only: Names of the people (sub-folders) or pictures to take, file endings optional; all by
            default.
        without: Names of those to leave out.
        border: Pixels by which pictures are extended first, for those that show the inner face
            only.
        progress: Told of the stage ``prepare``, by pictures.

    Raises:
        InputError: No pictures, none of them usable, or a table that does not match them.
        UnavailableError: The extra ``judges`` is not installed.
    """
    names = choose(folder, set(only) if only is not None else None, set(without))
    known = match_table(read_table(table), names, table) if table is not None else None
    detector = load_detector("mtcnn", MIN_FACE)
    reader = DlibLandmarks()
    found: list[_Prepared] = []
    kept: list[int] = []

    for number, name in enumerate(names):
        try:
            face = _face(folder / name, border, detector, reader)
        except AttrsearchError as error:
            log.warning(str(error))
        else:
            found.append(face)
            kept.append(number)

        progress(Step(stage="prepare", count=number + 1, total=len(names)))

    if not found:
        hint = "check the folder"
        raise InputError(
            folder, required="pictures with a face", found=f"none in {len(names)}", hint=hint
        )

    crops = np.stack([face.crop for face in found])
    return TightFaces(
        crops,
        np.stack([face.landmarks for face in found]).astype(np.float32),
        guess_attributes(crops) if known is None else known[kept],
        np.stack([face.skin for face in found]),
        np.stack([face.inside for face in found]),
        tuple(take(names, kept)),
        (folder.name,) * len(kept),
    )


def guess_attributes(crops: Pictures, batch: int = 64) -> Floats:
    """The 13 attributes (n, 13), 0 to 1, of kept squares (n, 176, 176, 3), by our classifier."""
    classifier = TraitsClassifier()
    to_crop = similarity(TEMPLATE[None], CROP_TEMPLATE)[0]
    guessed = []

    for start in range(0, len(crops), batch):
        squares = [warp(crop, to_crop, CROP_SIZE) for crop in crops[start : start + batch]]
        faces = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 127.5 - 1
        guessed.append(classifier.probabilities(faces))

    return np.concatenate(guessed) if guessed else np.zeros((0, len(ATTRIBUTES)), np.float32)


def read_extended(path: Path, border: int) -> tuple[Pictures, Pictures]:
    """A picture (h, w, 3) extended by a border of so many pixels, and where it is no border (h, w).

    Raises:
        InputError: It cannot be read.
    """
    picture = read_picture(path)
    inside = np.full(picture.shape[:2], 255, np.uint8)

    if border:
        sides = (border, border, border, border)
        picture = np.asarray(cv2.copyMakeBorder(picture, *sides, cv2.BORDER_REPLICATE), np.uint8)
        inside = np.asarray(cv2.copyMakeBorder(inside, *sides, cv2.BORDER_CONSTANT), np.uint8)

    return picture, inside


def most_prominent(path: Path, picture: Pictures, detector: Detector) -> tuple[Floats, Floats]:
    """Box (4,) and five landmarks (5, 2) of the most prominent face of a picture (h, w, 3).

    Raises:
        InputError: It shows none.
    """
    found = detector.detect(picture[None])[0]
    sure = np.flatnonzero(found.probabilities >= MIN_PROBABILITY)
    if not len(sure):
        raise InputError(path, required="a picture of a face", found="no face", hint="left out")

    scores = prominence(found, picture.shape[1], picture.shape[0])
    chosen = int(sure[scores[sure].argmax()])
    return found.boxes[chosen], found.landmarks[chosen]


def _face(path: Path, border: int, detector: Detector, reader: DlibLandmarks) -> _Prepared:
    """The most prominent face of a picture.

    Raises:
        InputError: The picture cannot be read, or shows no face that can be learnt from.
    """
    picture, inside = read_extended(path, border)
    box, five = most_prominent(path, picture, detector)
    hint = "left out"
    matrix = similarity(five[None], TEMPLATE)[0]
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))

    if not 1e-3 < scale <= LARGEST:
        required = f"a face enlarged {LARGEST} times at most"
        raise InputError(path, required=required, found=f"{scale:.2f} times", hint=hint)

    read = reader.read(picture[None], box[None])[0]
    landmarks = transform(matrix, read)
    own = five_points(torch.from_numpy(landmarks[None])).numpy()[0]
    distance = float(np.linalg.norm(own - transform(matrix, five), axis=1).mean()) * ZOOM / 40

    if distance > AGREEMENT:
        required = f"landmarks that agree within {AGREEMENT} of the distance between the eyes"
        raise InputError(path, required=required, found=f"{distance:.2f}", hint=hint)

    crop = warp(picture, matrix, STORED)
    return _Prepared(crop, landmarks, _packed_skin(crop, landmarks), packed_inside(inside, matrix))


def _packed_skin(crop: Pictures, landmarks: Floats) -> Pictures:
    small = cv2.resize(crop, (LABEL_SIDE, LABEL_SIDE), interpolation=cv2.INTER_AREA)
    half = np.asarray((landmarks + 0.5) / 2 - 0.5, np.float32)
    label = skin_label(np.asarray(small, np.uint8), half)
    large = cv2.resize(label.astype(np.float32), (STORED, STORED), interpolation=cv2.INTER_LINEAR)

    return np.packbits(cv2.GaussianBlur(large, (0, 0), 1.5) > 0.5)


def packed_inside(inside: Pictures, matrix: Floats) -> Pictures:
    """Where a kept square lies inside its picture (h, w), 0 or 255: packed bits (3872,)."""
    return np.packbits(
        cv2.warpAffine(inside, matrix, (STORED, STORED), flags=cv2.INTER_LINEAR) > 127
    )
