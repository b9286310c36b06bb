"""Faces as a detector sees them in their own windows.

Where every measurement of an untouched face starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.faces.dataset import AlignedFace
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.recognition.base import Recogniser

Floats = npt.NDArray[np.float32]

WINDOW_MIN_FACE = 48.0
"""Smallest face looked for in a window of 192 pixels, where the face in question is about 75 wide.
"""
MIN_OVERLAP = 0.3


@dataclass(frozen=True)
class WindowDetections:
    """The faces that were found again; arrays over those only.

    Attributes:
        kept: Their indices among the faces given.
        windows: (n, 192, 192, 3), uint8.
        boxes: (n, 4), pixels of the window.
        landmarks: (n, 5, 2), pixels of the window.
        probabilities: (n,).
    """

    kept: tuple[int, ...]
    windows: npt.NDArray[np.uint8]
    boxes: Floats
    landmarks: Floats
    probabilities: Floats

    def embed(self, recogniser: Recogniser) -> Floats:
        """Embeddings (n, d) of the faces."""
        return recogniser.embed(self.windows, self.boxes, self.landmarks)


def detect_in_windows(faces: Sequence[AlignedFace], detector: Detector) -> WindowDetections:
    """Find each face again in its own window; a face that is not found is left out."""
    windows = np.stack([face.window for face in faces])
    found = detector.detect(windows)
    kept: list[int] = []
    boxes = []
    landmarks = []
    probabilities = []

    for i, (one, box) in enumerate(zip(found, _expected(faces), strict=True)):
        # another face may look into the window: the one in the middle is meant
        best, overlap = one.nearest(box)
        if overlap > MIN_OVERLAP:
            kept.append(i)
            boxes.append(one.boxes[best])
            landmarks.append(one.landmarks[best])
            probabilities.append(one.probabilities[best])

    return WindowDetections(
        kept=tuple(kept),
        windows=windows[kept],
        # reshaped, because of no face at all an array has no columns
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        landmarks=np.array(landmarks, np.float32).reshape(-1, 5, 2),
        probabilities=np.array(probabilities, np.float32),
    )


def _expected(faces: Sequence[AlignedFace]) -> Floats:
    """About where each face lies in its window, (n, 4).

    The middle of the crop, through the alignment.
    """
    # where a detector's box lies about the template's face, forehead and chin included
    middle = np.array([64, 74], np.float32)
    half = np.array([37.5, 55], np.float32)
    middles = []
    for face in faces:
        matrix = face.crop_to_window
        middles.append(matrix[:, :2] @ middle + matrix[:, 2])

    centres = np.stack(middles)
    return np.concatenate([centres - half, centres + half], 1).astype(np.float32)
