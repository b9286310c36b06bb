"""The faces an evaluation is about.

People of a folder, each face in its window, seen by detectors and recognisers.

An original and what was made of it are cut at the same place, so that they can be compared window
by window.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.boxes import iou
from attrsearch.core.chunks import slices
from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.parallel import in_parallel
from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.evaluation.judges import HeldOutRecogniser
from attrsearch.faces.alignment import CROP_TEMPLATE, similarity, window_transform
from attrsearch.faces.dataset import (
    AlignedFace,
    Picture,
    cut_face,
    detect_reduced,
    prominence,
)
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.images import read_picture
from attrsearch.faces.people import PersonFiles, find_people
from attrsearch.faces.recognition.base import CalibratedRecogniser, Recogniser
from attrsearch.faces.window_detection import MIN_OVERLAP, detect_in_windows

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CHUNK = 32
"""Windows, or people, at a time: enough to fill every core, few enough to hold."""


@dataclass(frozen=True)
class DetectedFaces:
    """One face of each of n windows, as a detector sees it.

    Attributes:
        windows: (n, 192, 192, 3), uint8.
        found: (n,), whether the detector found a face at the place.
        probabilities: (n,), 0 where it did not.
        boxes: (n, 4), pixels of the window; those of the original where it did not.
        landmarks: (n, 5, 2), likewise.
        overlaps: (n,), IoU with the original's box, 0 where it did not.
        extra: (n,), faces found elsewhere in the window.
    """

    windows: Picture
    found: npt.NDArray[np.bool_]
    probabilities: Floats
    boxes: Floats
    landmarks: Floats
    overlaps: Floats
    extra: Ints

    def __len__(self) -> int:
        return len(self.windows)

    def take(self, rows: Ints) -> "DetectedFaces":
        """The chosen faces."""
        return DetectedFaces(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def embed(self, recogniser: Recogniser) -> Floats:
        """Embeddings (n, d).

        A face that was not found is embedded at the original's place: an attacker can see where a
        blur is.
        """
        parts = slices(len(self), CHUNK)
        rows = in_parallel(
            lambda p: recogniser.embed(self.windows[p], self.boxes[p], self.landmarks[p]), parts
        )
        return np.concatenate(rows) if rows else np.zeros((0, 1), np.float32)

    def embed_by(
        self, judges: Sequence[HeldOutRecogniser | CalibratedRecogniser]
    ) -> dict[str, Floats]:
        """Embeddings (n, d) by every judge, by its name."""
        return {judge.name: self.embed(judge.recogniser) for judge in judges}


@dataclass(frozen=True)
class Cohort:
    """Faces of people, one a picture.

    Attributes:
        people: Names, (p,).
        owners: (n,), which of the people each face is of.
        faces: n of them.
        to_windows: (n, 2, 3), from the pixels of the picture to those of the window.
        sizes: (n, 2), width and height of the pictures.
        look: As the first detector sees them; every face was found.
    """

    people: tuple[str, ...]
    owners: Ints
    faces: tuple[AlignedFace, ...]
    to_windows: Floats
    sizes: Ints
    look: DetectedFaces

    def __len__(self) -> int:
        return len(self.faces)


@dataclass(frozen=True)
class _Read:
    face: AlignedFace
    to_window: Floats
    size: tuple[int, int]


def load_cohort(
    folder: Path,
    whole: Detector,
    window: Detector,
    *,
    names: frozenset[str] | None = None,
    max_faces: int | None = None,
    progress: Progress[Step] = silent,
) -> Cohort:
    """Read the people of a folder.

    Args:
        folder: One sub-folder of pictures a person.
        whole: Finds faces in pictures.
        window: Finds faces in windows of 192 pixels.
        names: Only these people.
        max_faces: At most this many pictures a person, evenly spaced.
        progress: Told of the stage ``read``, by people.

    Raises:
        InputError: No people, none of a name asked for, or no face in any picture.
    """
    people = _chosen(find_people(folder), names, folder)
    left_out: list[str] = []

    def leave_out(line: str) -> None:
        left_out.append(line)
        log.warning(line)

    # a part at a time, or progress would be told once everybody is read
    names_read: list[str] = []
    reads: list[_Read] = []
    for start in range(0, len(people), CHUNK):
        part = people[start : start + CHUNK]
        found = in_parallel(lambda p: _read(p, whole, max_faces, leave_out), part)
        for person, rows in zip(part, found, strict=True):
            names_read += [person.id] * len(rows)
            reads += rows

        progress(Step(stage="read", count=start + len(part), total=len(people)))

    if not reads:
        hint = "give a folder with one sub-folder of pictures a person"
        found_none = f"none in {len(left_out)} pictures ({left_out[0]})" if left_out else "none"
        raise InputError(folder, required="pictures that show faces", found=found_none, hint=hint)

    matrices = np.stack([read.to_window for read in reads])
    sizes = np.array([read.size for read in reads], np.int64)
    cohort, _ = make_cohort(names_read, [read.face for read in reads], matrices, sizes, window)
    return cohort


def _chosen(
    people: list[PersonFiles], names: frozenset[str] | None, folder: Path
) -> list[PersonFiles]:
    """The people of those names; all of them where no names are given."""
    unknown = sorted((names or frozenset()) - {person.id for person in people})

    if unknown:
        found = f"{len(people)} people without {unknown[0]}"
        raise InputError(
            folder, required=f"a person named {unknown[0]}", found=found, hint="check the name"
        )

    if names is None:
        return people

    return [person for person in people if person.id in names]


def make_cohort(
    names: Sequence[str],
    faces: Sequence[AlignedFace],
    to_windows: Floats,
    sizes: Ints,
    window: Detector,
) -> tuple[Cohort, list[int]]:
    """A cohort of faces whose people are known.

    Args:
        names: Whose face each of n is.
        faces: n of them.
        to_windows: (n, 2, 3).
        sizes: (n, 2).
        window: Finds faces in windows.

    Returns:
        The cohort, and which of the faces are in it: those that are found again in their windows.

    Raises:
        InputError: None is.
    """
    kept, look = _first_look(faces, window)

    if not kept:
        hint = "give pictures of faces that the detector finds"
        raise InputError(
            "faces", required="at least one that is found in its window", found="none", hint=hint
        )

    people = tuple(dict.fromkeys(take(names, kept)))
    cohort = Cohort(
        people=people,
        owners=np.array([people.index(names[i]) for i in kept], np.int64),
        faces=tuple(take(faces, kept)),
        to_windows=to_windows[kept],
        sizes=sizes[kept],
        look=look,
    )
    return cohort, kept


def detect_again(windows: Picture, before: DetectedFaces, detector: Detector) -> DetectedFaces:
    """Detect the same faces in windows (n, 192, 192, 3) made from those of ``before``."""
    parts = slices(len(windows), CHUNK)
    detections: list[Detections] = []
    for part in in_parallel(lambda p: detector.detect(windows[p]), parts):
        detections += part

    found = np.zeros(len(windows), bool)
    boxes = before.boxes.copy()
    landmarks = before.landmarks.copy()
    probabilities = np.zeros(len(windows), np.float32)
    extra = np.zeros(len(windows), np.int64)

    for row, one in enumerate(detections):
        # what lies elsewhere in the window is another face, or none: not this one
        best, overlap = one.nearest(before.boxes[row])
        found[row] = overlap > MIN_OVERLAP
        extra[row] = len(one) - int(found[row])
        if found[row]:
            boxes[row] = one.boxes[best]
            landmarks[row] = one.landmarks[best]
            probabilities[row] = one.probabilities[best]

    overlaps = np.where(found, iou(boxes, before.boxes), 0).astype(np.float32)
    return DetectedFaces(windows, found, probabilities, boxes, landmarks, overlaps, extra)


def load_embeddings(
    folder: Path,
    recognisers: Sequence[Recogniser],
    whole: Detector,
    window: Detector,
    *,
    without: frozenset[str] = frozenset(),
    max_people: int | None = None,
    progress: Progress[Step] = silent,
) -> dict[str, Floats]:
    """One picture each of the people of a folder, embedded by several recognisers.

    The pictures are let go.

    Args:
        folder: One sub-folder of pictures a person.
        recognisers: Embed them.
        whole: Finds faces in pictures.
        window: Finds faces in windows.
        without: People who are left out.
        max_people: At most this many people, evenly spaced.
        progress: Told of the stage ``read``, by people.

    Returns:
        Recogniser to (people, d), the same people in each.
    """
    people = [person for person in find_people(folder) if person.id not in without]
    count = len(people) if max_people is None else min(max_people, len(people))
    people = [people[i * len(people) // count] for i in range(count)]
    rows: dict[str, list[Floats]] = {recogniser.name: [] for recogniser in recognisers}

    for start in range(0, count, CHUNK):
        part = people[start : start + CHUNK]
        reads: list[_Read] = []
        for some in in_parallel(lambda p: _read(p, whole, 1, lambda _: None), part):
            reads += some

        _, look = _first_look([read.face for read in reads], window)

        for recogniser in recognisers:
            rows[recogniser.name].append(look.embed(recogniser))

        progress(Step(stage="read", count=start + len(part), total=count))

    # a part in which no face was found has no width either, and cannot be joined
    return {name: np.concatenate([*filter(len, parts)]) for name, parts in rows.items()}


def _first_look(
    faces: Sequence[AlignedFace], detector: Detector
) -> tuple[list[int], DetectedFaces]:
    """Untouched faces, each in its own window: indices of those that are found there, and how."""
    starts = range(0, len(faces), CHUNK)
    seen = in_parallel(lambda i: detect_in_windows(faces[i : i + CHUNK], detector), starts)
    kept: list[int] = []
    for start, one in zip(starts, seen, strict=True):
        kept += [start + i for i in one.kept]

    # nothing can be concatenated of no parts, so that each begins with one of no rows
    windows = [one.windows for one in seen] or [np.zeros((0, 1, 1, 3), np.uint8)]
    probabilities = [np.zeros(0, np.float32)]
    boxes = [np.zeros((0, 4), np.float32)]
    landmarks = [np.zeros((0, 5, 2), np.float32)]

    for one in seen:
        probabilities.append(one.probabilities)
        boxes.append(one.boxes)
        landmarks.append(one.landmarks)

    count = len(kept)
    look = DetectedFaces(
        windows=np.concatenate(windows),
        found=np.ones(count, bool),
        probabilities=np.concatenate(probabilities),
        boxes=np.concatenate(boxes),
        landmarks=np.concatenate(landmarks),
        overlaps=np.ones(count, np.float32),
        extra=np.zeros(count, np.int64),
    )

    return kept, look


def _read(
    person: PersonFiles, detector: Detector, max_faces: int | None, leave_out: Callable[[str], None]
) -> list[_Read]:
    """The prominent face of each of a person's pictures."""
    count = len(person.files) if max_faces is None else min(max_faces, len(person.files))
    reads = []

    for i in range(count):
        # evenly spaced: neighbours in a folder are often of one moment
        path = person.files[i * len(person.files) // count]
        try:
            reads.append(_read_one(path, detector))
        except AttrsearchError as error:
            leave_out(str(error))

    return reads


def _read_one(path: Path, detector: Detector) -> _Read:
    picture = read_picture(path)
    found = detect_reduced(picture, detector)
    if not len(found):
        hint = "it is left out of the evaluation"
        raise InputError(path, required="a picture of a face", found="no face", hint=hint)

    height, width = picture.shape[:2]
    chosen = int(prominence(found, width, height).argmax())
    face = cut_face(picture, found, chosen, path)
    to_window = window_transform(similarity(found.landmarks[chosen : chosen + 1], CROP_TEMPLATE)[0])

    return _Read(face, to_window, (width, height))
