"""Faces on pictures and in footage, as every format of annotations needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FACE = "face"
"""The label of a face."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One thing on one picture.

    Attributes:
        box: Left, top, right, bottom in pixels, inside the picture.
        probability: Of the detector.
        label: What it is.
        person: Whose face it is; empty where nobody says.
        track: Which one it is from frame to frame; -1 on pictures.
        facts: What else is known of it, by name.
    """

    box: Box
    probability: float
    label: str = FACE
    person: str = ""
    track: int = -1
    facts: Mapping[str, str | float] | None = None

    @property
    def attributes(self) -> dict[str, str | float]:
        """Person, track and facts under one roof; what is not known is left out."""
        found: dict[str, str | float] = {"person": self.person} if self.person else {}
        found |= {"track": self.track} if self.track >= 0 else {}

        return found | dict(self.facts or {})


@dataclass(frozen=True, slots=True)
class AnnotatedPicture:
    """A picture, or a frame of footage.

    Attributes:
        name: Its path inside the folder of pictures, or what tools call the frame.
        size: Width and height in pixels.
        annotations: What is on it.
        seconds: Its time; 0 for a picture.
    """

    name: str
    size: tuple[int, int]
    annotations: tuple[Annotation, ...]
    seconds: float = 0.0


@dataclass(frozen=True)
class Footage:
    """The video that frames are of.

    Attributes:
        path: The file, or the folder of frames.
        rate: Frames a second.
    """

    path: Path
    rate: float


@dataclass(frozen=True)
class Annotations:
    """All pictures of a run, or all frames of a video in their order.

    Attributes:
        folder: Where the pictures are; of footage, where its file is.
        pictures: The pictures; of footage every frame, from 0, with or without a face.
        footage: None for pictures.
    """

    folder: Path
    pictures: tuple[AnnotatedPicture, ...]
    footage: Footage | None = None

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Every label there is, faces first."""
        found: set[str] = set()
        for picture in self.pictures:
            found.update(item.label for item in picture.annotations)

        return (FACE, *sorted(found - {FACE}))

    @cached_property
    def tracks(self) -> dict[tuple[int, str, str], list[tuple[int, Annotation]]]:
        """Of footage: track, label and person to frame numbers and what is there, in order."""
        found: dict[tuple[int, str, str], list[tuple[int, Annotation]]] = {}
        for frame, picture in enumerate(self.pictures):
            for item in picture.annotations:
                key = (item.track, item.label, item.person)
                found.setdefault(key, []).append((frame, item))

        return found

    @property
    def count(self) -> int:
        """How many annotations there are."""
        return sum(len(picture.annotations) for picture in self.pictures)


def inside(box: Box, size: tuple[int, int]) -> Box | None:
    """The part of a box that lies on a picture of that size; None where there is none.

    >>> inside((-5, 2, 10, 30), (20, 20)), inside((25, 2, 30, 9), (20, 20))
    ((0.0, 2.0, 10.0, 20.0), None)
    """
    width, height = size
    left = min(max(float(box[0]), 0.0), float(width))
    top = min(max(float(box[1]), 0.0), float(height))
    right = min(max(float(box[2]), 0.0), float(width))
    bottom = min(max(float(box[3]), 0.0), float(height))

    return (left, top, right, bottom) if left < right and top < bottom else None
