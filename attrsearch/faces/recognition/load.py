"""Which recogniser a name means, and which one a search uses."""

from pathlib import Path

from attrsearch.core.errors import UnavailableError, did_you_mean
from attrsearch.faces.recognition.base import CalibratedRecogniser, Recogniser
from attrsearch.faces.recognition.calibration import load_calibration

RECOGNISERS = ("sface", "facenet-vggface2", "facenet-casia", "dlib")


def load_recogniser(
    name: str, calibration: Path | None = None, weights: Path | None = None
) -> CalibratedRecogniser:
    """A recogniser by name, with its calibration; arguments and errors as :func:`load_network`.

    Args:
        name: One of ``RECOGNISERS``.
        calibration: A calibration file instead of the bundled one.
        weights: FaceNet weights instead of the cached or downloaded ones.
    """
    return CalibratedRecogniser(load_network(name, weights), load_calibration(name, calibration))


def load_network(name: str, weights: Path | None = None, download: bool = True) -> Recogniser:
    """A recogniser by name, without a calibration.

    Args:
        name: One of ``RECOGNISERS``.
        weights: FaceNet weights instead of the cached or downloaded ones.
        download: Whether FaceNet's weights may be downloaded.

    Raises:
        UnavailableError: Unknown, not installed, or its weights are not to be had.
    """
    recogniser: Recogniser
    if name == "sface":
        from attrsearch.faces.recognition.sface import SFace  # noqa: PLC0415 - imports torch

        recogniser = SFace()
    elif name in ("facenet-vggface2", "facenet-casia"):
        from attrsearch.faces.recognition.facenet import FaceNet  # noqa: PLC0415 - imports torch

        recogniser = FaceNet(name, weights, download=download)
    elif name == "dlib":
        from attrsearch.faces.recognition.dlib import Dlib  # noqa: PLC0415 - an extra

        recogniser = Dlib()
    else:
        hint = did_you_mean(name, (*RECOGNISERS, "auto"))
        raise UnavailableError(name, required="a known recogniser", found="another name", hint=hint)
    return recogniser


def choose_recogniser(
    name: str, calibration: Path | None = None, weights: Path | None = None
) -> tuple[CalibratedRecogniser, str]:
    """The recogniser a search uses, and a line about the choice (empty where the user made it).

    ``auto`` is FaceNet (VGGFace2), the thesis's own, where its weights can be had, and otherwise
    SFace.
    """
    if name != "auto":
        return load_recogniser(name, calibration, weights), ""
    try:
        return load_recogniser("facenet-vggface2", None, weights), "recogniser: FaceNet (VGGFace2)"
    except UnavailableError as error:
        chosen = load_recogniser("sface", calibration)
        line = (
            "recogniser: SFace on the FaceNet scale, since FaceNet's weights are not here "
            f"({error.found})"
        )
        return chosen, line


def available_recognisers() -> list[CalibratedRecogniser]:
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
