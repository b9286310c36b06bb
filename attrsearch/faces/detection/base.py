"""What a face detector is, and what it returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from attrsearch.core.boxes import iou
from attrsearch.core.picking import take

Floats = npt.NDArray[np.float32]
Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Detections:
    """The faces found in one picture, the surest first.

    Attributes:
        boxes: (k, 4) left, top, right, bottom in pixels.
        probabilities: (k,) from 0 to 1.
        landmarks: (k, 5, 2) left eye, right eye, nose, left and right mouth corner as seen in the
            picture.
    """

    boxes: Floats
    probabilities: Floats
    landmarks: Floats

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def none(cls) -> "Detections":
        """No face.

        >>> len(Detections.none())
        0
        """
        return cls(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32)
        )

    def nearest(self, box: Floats) -> tuple[int, float]:
        """Index and IoU of the detection that overlaps a box most; (-1, 0.0) where none does."""
        if not len(self):
            return -1, 0.0

        overlaps = iou(self.boxes, box)
        best = int(overlaps.argmax())
        return (best, float(overlaps[best])) if overlaps[best] > 0 else (-1, 0.0)


class Detector(Protocol):
    """Finds faces in pictures of one size."""

    name: str

    def detect(self, pictures: Pictures) -> list[Detections]:
        """Find the faces of each picture.

        Args:
            pictures: (n, h, w, 3), RGB, uint8.
        """
        ...


def detect_each(detector: Detector, pictures: Sequence[Pictures]) -> list[Detections]:
    """Detect in pictures (h, w, 3) of any sizes; those of one size share a batch."""
    found: list[Detections] = [Detections.none()] * len(pictures)
    by_size: dict[tuple[int, ...], list[int]] = {}

    for index, picture in enumerate(pictures):
        by_size.setdefault(picture.shape, []).append(index)

    for indices in by_size.values():
        batch = np.stack(take(pictures, indices))
        for index, detections in zip(indices, detector.detect(batch), strict=True):
            found[index] = detections

    return found
