"""Short-term detection memory (STDM) as the thesis defines it: section 3.3 and appendix C.2.

Entries carry a miss counter.  A new detection replaces the remembered one it collides with; one
that nothing collides with is restored, where it was last seen, until its counter passes the memory
length.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from attrsearch.core.boxes import centres

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Remembered:
    """An entry of the memory.

    Attributes:
        box: (4,), where the face was last seen.
        probability: Of that detection.
        frames_since_update: Consecutive frames it has been restored in; 0 for a fresh detection.
    """

    box: Floats
    probability: float
    frames_since_update: int = 0


class DetectionMemory:
    """The thesis's memory.

    Args:
        length: Consecutive frames a detection may be restored in; the thesis found 2 best.
    """

    def __init__(self, length: int = 2) -> None:
        self.length = length
        self._store: list[Remembered] = []

    def update(self, boxes: Floats, probabilities: Floats) -> list[Remembered]:
        """Take the detections of a new frame.

        Args:
            boxes: (k, 4), pixels.
            probabilities: (k,).

        Returns:
            The detections of the frame, then those restored from memory (``frames_since_update``
            above 0).
        """
        fresh = [Remembered(box, float(p)) for box, p in zip(boxes, probabilities, strict=True)]
        restored = []
        for entry in self._store:
            age = entry.frames_since_update
            # what is detected again is not remembered beside it
            if age < self.length and not (len(boxes) and collides(entry.box, boxes).any()):
                restored.append(replace(entry, frames_since_update=age + 1))

        self._store = fresh + restored

        return list(self._store)

    def clear(self) -> None:
        """Forget everything, at a scene cut."""
        self._store = []


def collides(box: Floats, others: Floats) -> npt.NDArray[np.bool_]:
    """Whether the inscribed circle of a box (4,) meets those of others (k, 4).

    Thesis equations 3.3 and 3.4.

    >>> square = np.float32([0, 0, 10, 10])
    >>> moves = np.float32([[10, 0, 10, 0], [10.1, 0, 10.1, 0], [8, 8, 8, 8]])
    >>> collides(square, square + moves).tolist()
    [True, False, False]
    """
    distance = np.linalg.norm(centres(others) - centres(box), axis=-1)
    return np.asarray(distance <= radius(others) + radius(box))


def radius(boxes: Floats) -> Floats:
    """Radius of the circle inside a box: half its shorter side."""
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).min(-1) / 2, np.float32)
