"""Which detector a name means."""

from attrsearch.core.plugins import made, unknown
from attrsearch.core.recipes.base import DETECTORS
from attrsearch.faces.detection.base import Detector


def load_detector(name: str, min_face: float) -> Detector:
    """The detector of that name for faces of at least ``min_face`` pixels.

    The names are ``mtcnn``, ``yunet``, and those of plug-ins.

    Raises:
        UnavailableError: Unknown name, or a broken plug-in.
    """
    if name == "mtcnn":
        from attrsearch.faces.detection.mtcnn import Mtcnn  # noqa: PLC0415 - imports torch

        return Mtcnn(min_face=min_face)

    if name == "yunet":
        from attrsearch.faces.detection.yunet import YuNet  # noqa: PLC0415 - imports cv2

        return YuNet(min_face=min_face)

    plugged: Detector | None = made("detector", name, min_face)
    if plugged is None:
        raise unknown("detector", name, DETECTORS)

    return plugged
