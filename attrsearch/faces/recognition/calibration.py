"""What distances of a recogniser mean.

Genuine and impostor distributions, thresholds, the FaceNet scale.

The thesis took 1.4 because it is the mean distance of two random people (table 3.1), so a distance
on the FaceNet scale is the raw one times 1.40 over the recogniser's own mean distance of different
people.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from attrsearch.core.bundled import bundled
from attrsearch.core.errors import InputError

Floats = npt.NDArray[np.float32]

FACENET_IMPOSTOR = 1.40
"""Mean distance of two different people on the scale of the thesis (table 3.1)."""

VERIFICATION_FAR = "0.001"
LEAST_PEOPLE = 142
"""So many have ten pairs of different people below the threshold at that rate, a picture each."""
FARS = ("0.01", "0.001", "0.0001")


class DistanceStatistics(BaseModel):
    """Mean, standard deviation and number of a set of distances."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mean: Annotated[float, Field(gt=0, le=2)]
    std: Annotated[float, Field(ge=0, le=2)]
    pairs: Annotated[int, Field(ge=0)]


class Calibration(BaseModel):
    """What distances of a recogniser mean.

    Measured on a folder of people by ``attrsearch calibrate``.

    Attributes:
        genuine: Raw distances between pictures of one person.
        impostor: Raw distances between different people.
        thresholds: False-accept rate to the raw distance below which that share of impostors falls.
        accept: False-accept rate to the share of genuine pairs accepted at that threshold.
        source: What it was measured on.
        detector: Whose landmarks and boxes the faces were cut by.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["attrsearch/calibration"] = "attrsearch/calibration"
    version: Literal[1] = 1
    recogniser: str
    source: str
    detector: str = "mtcnn"
    genuine: DistanceStatistics
    impostor: DistanceStatistics
    thresholds: dict[str, Annotated[float, Field(gt=0, le=2)]]
    accept: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}

    @property
    def scale(self) -> float:
        """Scales raw distances so that 1.40 is the mean distance of two different people."""
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
                hint=f"calibrate on more people (at least {LEAST_PEOPLE})",
            )

        return self.thresholds[VERIFICATION_FAR]


def distances(first: Floats, second: Floats) -> Floats:
    """Euclidean distance of unit vectors along the last axis, from 0 to 2.

    >>> distances(np.float32([[1, 0]]), np.float32([[-1, 0]])).tolist()
    [2.0]
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
        raise InputError(
            file, required=f"a calibration of {name}", found="no such file", hint=hint
        ) from error
    except (ValidationError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(file, required="a calibration file", found=reason, hint=hint) from error

    if found.recogniser != name:
        required = f"a calibration of {name}"
        raise InputError(file, required=required, found=f"one of {found.recogniser}", hint=hint)

    return found


def refuse_few_people(source: object, count: int) -> None:
    """Refuse to calibrate on so few people that no run could use what comes out.

    Raises:
        InputError: Fewer than ``LEAST_PEOPLE``.
    """
    if count < LEAST_PEOPLE:
        required = f"at least {LEAST_PEOPLE} people, for a threshold at FAR {VERIFICATION_FAR}"
        hint = "give a folder with a sub-folder of pictures for each of more people"
        raise InputError(source, required=required, found=str(count), hint=hint)


def usable(found: Calibration) -> Calibration:
    """A calibration as a run will read it from a file.

    Raises:
        InputError: A run would refuse it: it has no threshold to verify with.
    """
    read = Calibration.model_validate_json(found.model_dump_json())
    _ = read.verification  # what every run asks for first
    return read


def measure(
    embeddings: Sequence[Floats], recogniser: str, source: str, detector: str = "mtcnn"
) -> Calibration:
    """Make a calibration from the embeddings of many people.

    A threshold at a false-accept rate is given only where at least ten impostor pairs lie below it.

    Args:
        embeddings: For each person, (pictures, d), rows of unit length.
        recogniser: Its name.
        source: What the pictures are, for the record.
        detector: Whose boxes and landmarks the faces were cut by.

    Raises:
        InputError: Fewer than two people, or nobody with two pictures.
    """
    genuine = np.concatenate([_within(rows) for rows in embeddings] or [np.zeros(0, np.float32)])
    impostor = (
        _within(np.stack([rows[0] for rows in embeddings])) if len(embeddings) > 1 else np.zeros(0)
    )

    if not len(genuine) or not len(impostor):
        raise InputError(
            source,
            required="at least two people, and someone with two pictures",
            found=f"{len(embeddings)} people, {len(genuine)} pairs of one person",
            hint="give a folder with one sub-folder of pictures a person",
        )

    ordered = np.sort(impostor)
    thresholds = {}
    accept = {}

    for far in FARS:
        below = int(float(far) * len(ordered))
        # a threshold that rests on fewer pairs is mostly chance
        if below >= 10:
            thresholds[far] = round(float(ordered[below]), 6)
            accept[far] = round(float((genuine < ordered[below]).mean()), 6)

    spreads = []
    for d in (genuine, impostor):
        mean = round(float(d.mean()), 6)
        std = round(float(d.std()), 6)
        spreads.append(DistanceStatistics(mean=mean, std=std, pairs=len(d)))

    return Calibration(
        recogniser=recogniser,
        source=source,
        detector=detector,
        genuine=spreads[0],
        impostor=spreads[1],
        thresholds=thresholds,
        accept=accept,
    )


def _within(rows: Floats) -> Floats:
    """Distances of all pairs of rows."""
    first, second = np.triu_indices(len(rows), 1)
    # of few rows pair by pair, of many by one product: the pairs themselves would fill the memory
    squared = 2 - 2 * np.einsum("ij,ij->i", rows[first], rows[second]) if len(rows) < 500 else None

    if squared is None:
        squared = (2 - 2 * rows @ rows.T)[first, second]

    # rounding makes the square of a distance of nearly 0 negative
    return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float32)
