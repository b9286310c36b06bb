"""Which detector a name means."""

from attrsearch.core.errors import UnavailableError, did_you_mean
from attrsearch.faces.detection.base import Detector


def load_detector(name: str, min_face: float) -> Detector:
    """The detector of that name (``mtcnn`` or ``yunet``) for faces of at least ``min_face`` pixels.

    Raises:
        UnavailableError: Unknown name.
    """
    if name == "mtcnn":
        from attrsearch.faces.detection.mtcnn import Mtcnn  # noqa: PLC0415 - imports torch

        return Mtcnn(min_face=min_face)
    if name == "yunet":
        from attrsearch.faces.detection.yunet import YuNet  # noqa: PLC0415 - imports cv2

        return YuNet(min_face=min_face)
    hint = did_you_mean(name, ("mtcnn", "yunet"))
    raise UnavailableError(name, required="a known face detector", found="another name", hint=hint)
