"""Which recogniser a name means, and which one a search uses."""

from pathlib import Path

from attrsearch.core.errors import AttrsearchError, InputError, UnavailableError
from attrsearch.core.plugins import find, made, unknown
from attrsearch.faces.recognition.base import CalibratedRecogniser, Recogniser
from attrsearch.faces.recognition.calibration import load_calibration

RECOGNISERS = ("facenet", "sface", "facenet-vggface2", "facenet-casia", "dlib")
"""The first is the one a search uses that names none."""

SAME_TRAINING = {"facenet-casia": "facenet"}
"""Names of one network: both are Sandberg's 20180408-102900, published in two forms."""


def load_recogniser(
    name: str, calibration: Path | None = None, weights: Path | None = None
) -> CalibratedRecogniser:
    """A recogniser by name, with its calibration; arguments and errors as :func:`load_network`.

    Args:
        name: One of ``RECOGNISERS``, or ``auto``.
        calibration: A calibration file instead of the bundled one.
        weights: FaceNet weights instead of the cached ones.
    """
    network = load_network(name, weights)
    # a plug-in may bring its own
    own: Path | None = getattr(network, "calibration", None)
    return CalibratedRecogniser(network, load_calibration(network.name, calibration or own))


def load_network(name: str, weights: Path | None = None) -> Recogniser:
    """A recogniser by name, without a calibration; nothing is downloaded.

    Args:
        name: One of ``RECOGNISERS``. ``auto`` is ``facenet`` or, with ``weights``,
            ``facenet-vggface2``: what is used follows from what was typed, never from what is to be
            had.
        weights: A ``.pt`` file of facenet-pytorch instead of the cached one.

    Raises:
        UnavailableError: Unknown, not installed, or its weights are not to be had.
    """
    name = resolve(name, weights)
    recogniser: Recogniser

    if name == "sface":
        from attrsearch.faces.recognition.sface import SFace  # noqa: PLC0415 - imports torch

        recogniser = SFace()
    elif name.startswith("facenet"):
        from attrsearch.faces.recognition.facenet import FaceNet  # noqa: PLC0415 - imports torch

        recogniser = FaceNet(name, weights)
    elif name == "dlib":
        from attrsearch.faces.recognition.dlib import Dlib  # noqa: PLC0415 - an extra

        recogniser = Dlib()
    else:
        # resolve found it, and whoever gave it may have taken it back since
        plugged: Recogniser | None = made("recogniser", name)
        if plugged is None:
            raise unknown("recogniser", name, (*RECOGNISERS, "auto"))

        recogniser = plugged

    return recogniser


def resolve(name: str, weights: Path | None = None) -> str:
    """The recogniser that a name means; nothing is loaded.

    Raises:
        UnavailableError: Unknown.
    """
    if name == "auto":
        return RECOGNISERS[0] if weights is None else "facenet-vggface2"
    if name not in RECOGNISERS and find("recogniser", name) is None:
        raise unknown("recogniser", name, (*RECOGNISERS, "auto"))

    return name


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


def choose_judge(*used: str) -> CalibratedRecogniser:
    """A recogniser that nothing before used: dlib where it is installed, otherwise another.

    Args:
        used: Names of those that linked people, searched, or compared what was shown.

    Raises:
        InputError: There is none.
    """
    for name in ("dlib", *RECOGNISERS):
        # a judge that is the searched network under another name would judge itself
        if SAME_TRAINING.get(name, name) not in used:
            try:
                return load_recogniser(name)
            except AttrsearchError:
                continue

    hint = "pip install 'attrsearch[judges]'"
    raise InputError(
        "audit", required="a recogniser that the search did not use", found="none", hint=hint
    )
