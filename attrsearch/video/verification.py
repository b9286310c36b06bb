"""Every edited face is compared, as it is shown, with its original in the same frame, by the search's recogniser."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.faces.alignment import (
    CROP_TEMPLATE,
    WINDOW_SIZE,
    similarity,
    transform,
    warp,
    window_transform,
)
from attrsearch.faces.recognition.base import CalibratedRecogniser

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

MARGIN = 1.03
"""An edit has to be further away than the threshold by this factor: encoding the video moves
embeddings a little."""


@dataclass(frozen=True)
class FaceInFrame:
    """A face of a frame before and after it was covered.

    Attributes:
        before: The frame (h, w, 3), RGB, uint8.
        after: The same frame, covered.
        box: (4,), pixels.
        landmarks: (5, 2), pixels.
    """

    before: Picture
    after: Picture
    box: Floats
    landmarks: Floats


@dataclass(frozen=True)
class RenderVerifier:
    """Measures how far shown faces are from their originals.

    Args:
        scaled: The recogniser of the search, calibrated.
    """

    scaled: CalibratedRecogniser

    @property
    def required(self) -> float:
        """Raw distance from which an edit is taken to be somebody else."""
        return self.scaled.calibration.verification * MARGIN

    def distances(self, faces: Sequence[FaceInFrame]) -> Floats:
        """Raw distances (n,) between originals and shown faces, all embedded in one batch.

        Both are aligned by the original's landmarks: whoever has the original knows where to look.
        """
        if not faces:
            return np.zeros(0, np.float32)

        windows: list[Picture] = []
        boxes: list[Floats] = []
        points: list[Floats] = []

        for face in faces:
            matrix = window_transform(similarity(face.landmarks[None], CROP_TEMPLATE)[0])
            box = transform(matrix, face.box.reshape(2, 2)).reshape(4)
            landmarks = transform(matrix, face.landmarks)

            for picture in (face.before, face.after):
                windows.append(warp(picture, matrix, WINDOW_SIZE))
                boxes.append(box)
                points.append(landmarks)

        embedded = self.scaled.recogniser.embed(
            np.stack(windows), np.stack(boxes), np.stack(points)
        )
        return np.asarray(np.linalg.norm(embedded[0::2] - embedded[1::2], axis=1), np.float32)
