"""Gather the pictures of each person.

A folder a person, a folder of single faces, or a mixed folder to cluster.

Pictures are read, faces detected and aligned once; what a search needs of a face is kept, the
picture is not.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.faces.alignment import (
    CROP_SIZE,
    CROP_TEMPLATE,
    WINDOW_SIZE,
    compose,
    invert,
    scale_of,
    similarity,
    transform,
    warp,
    window_transform,
)
from attrsearch.faces.attribute_classifier import Traits
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.images import read_picture
from attrsearch.faces.people import PersonFiles

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

WORKING_SIDE = 1024
"""Pictures with a longer side are reduced to it before faces are looked for."""
MIN_FACE = 24.0
"""Smallest face looked for in the reduced picture, in pixels."""
MIN_PROBABILITY = 0.9
CONTEST = 0.5
"""A second face this prominent, as a share of the first, makes the choice worth a warning."""


@dataclass(frozen=True, repr=False)
class AlignedFace:
    """One face of a person, ready for the search.

    Attributes:
        source: The picture file.
        crop: (128, 128, 3), aligned to the editor's template.
        window: (192, 192, 3), the face and its surroundings upright as in the picture.
        crop_to_window: Transform (2, 3) from crop pixels to window pixels.
        others: Boxes (k, 4) of other people's faces in the window.
        size: Side of the crop in the picture, pixels.
    """

    source: Path
    crop: Picture
    window: Picture
    crop_to_window: Floats
    others: Floats
    size: float = float(CROP_SIZE)

    def __repr__(self) -> str:
        return f"AlignedFace({self.source.name}, {self.size:.0f} px)"


@dataclass(frozen=True, repr=False)
class Identity:
    """One person: an id, faces and traits."""

    id: str
    faces: tuple[AlignedFace, ...]
    traits: Traits

    def __repr__(self) -> str:
        return f"Identity({self.id}: {len(self.faces)} faces, {self.traits.gender})"


@dataclass(frozen=True)
class PersonFaces:
    """A person whose faces were found already, in a mixed folder."""

    id: str
    faces: tuple[AlignedFace, ...]


Person = PersonFiles | PersonFaces


def load_faces(
    person: PersonFiles, detector: Detector, max_faces: int | None = None
) -> tuple[AlignedFace, ...]:
    """Read a person's pictures and find the one face of each.

    Pictures that cannot be read or show no face are named in a warning and left out.  Where a
    picture shows several faces, the large one near the middle is taken, with a warning.  Of more
    than ``max_faces`` pictures evenly spaced ones are read.

    Raises:
        InputError: No picture of this person shows a face.
    """
    faces: list[AlignedFace] = []
    count = len(person.files) if max_faces is None else min(max_faces, len(person.files))

    for i in range(count):
        # evenly spaced: neighbours in a folder are often of one moment
        path = person.files[i * len(person.files) // count]
        try:
            faces.append(load_face(path, detector))
        except AttrsearchError as error:
            log.warning(str(error))

    if not faces:
        raise InputError(
            person.id,
            required="at least one picture with a face",
            found=f"none in {len(person.files)} picture(s)",
            hint="add pictures or remove this person",
        )

    return tuple(faces)


def load_face(path: Path, detector: Detector) -> AlignedFace:
    """Read a picture of one person.

    Raises:
        InputError: The picture cannot be read or shows no face.
    """
    return find_face(read_picture(path), detector, path)


def find_face(picture: Picture, detector: Detector, path: Path) -> AlignedFace:
    """The one face of a picture (h, w, 3); of several the one near the middle, with a warning.

    Args:
        picture: RGB, uint8.
        detector: Finds faces.
        path: What the picture is called.

    Raises:
        InputError: It shows no face.
    """
    # reduced: the one face of a picture is not small in it, and large pictures would take seconds
    found = detect_reduced(picture, detector)
    if not len(found):
        hint = "replace or remove the picture"
        raise InputError(path, required="a picture of a face", found="no face", hint=hint)

    scores = prominence(found, picture.shape[1], picture.shape[0])
    chosen = int(scores.argmax())

    if (scores > CONTEST * scores[chosen]).sum() > 1:
        log.warning(
            f"{path}: needs one person, found {len(found)} faces; took the large one near the "
            "middle (crop the picture, or sort a mixed folder with --cluster)"
        )

    return cut_face(picture, found, chosen, path)


def detect_reduced(
    picture: Picture, detector: Detector, least: float = MIN_PROBABILITY, side: int = WORKING_SIDE
) -> Detections:
    """Detect in a picture of any size, reduced to ``side`` pixels.

    Results in the picture's own pixels.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    small = picture

    if scale < 1:
        sides = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(picture, sides, interpolation=cv2.INTER_AREA), np.uint8)

    found = detector.detect(small[None])[0]
    # a box without an inside holds no face, however sure the detector is
    sure = (found.probabilities >= least) & (found.boxes[:, 2:] > found.boxes[:, :2]).all(1)
    # of each side by itself: sides are rounded, and not by the same share
    ratio = np.array([width / small.shape[1], height / small.shape[0]], np.float32)
    return Detections(
        found.boxes[sure] * np.tile(ratio, 2),
        found.probabilities[sure],
        found.landmarks[sure] * ratio,
    )


def prominence(found: Detections, width: int, height: int) -> Floats:
    """How likely each face (k,) is the one the picture was taken of: large and near the middle."""
    middle = np.array([width, height], np.float32) / 2
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    offset = np.linalg.norm((centres - middle) / max(width, height), axis=1)
    size = np.sqrt((found.boxes[:, 2:] - found.boxes[:, :2]).prod(1)) / max(width, height)

    # 8: half-way to a side a face counts for 0.6 of what it does in the middle
    return np.asarray(size * np.exp(-8 * offset**2), np.float32)


def cut_face(picture: Picture, found: Detections, chosen: int, source: Path) -> AlignedFace:
    """Align one of a picture's faces.

    Raises:
        InputError: Its landmarks are no face (all on one point).
    """
    to_crop = similarity(found.landmarks[chosen : chosen + 1], CROP_TEMPLATE)[0]

    if scale_of(to_crop) < 1e-3:
        hint = "replace or remove the picture"
        raise InputError(
            source, required="a face with five landmarks", found="landmarks on one point", hint=hint
        )

    # kept, because a face of somebody else in the window must not be measured for this one
    to_window = window_transform(to_crop)
    others = np.delete(found.boxes, chosen, 0)
    others = transform(to_window, others.reshape(-1, 2, 2)).reshape(-1, 4)
    inside = (others[:, 2:] > 0).all(1) & (others[:, :2] < WINDOW_SIZE).all(1)

    return AlignedFace(
        source=source,
        crop=warp(picture, to_crop, CROP_SIZE),
        window=warp(picture, to_window, WINDOW_SIZE),
        crop_to_window=compose(to_window, invert(to_crop)),
        others=others[inside],
        size=CROP_SIZE / scale_of(to_crop),
    )
