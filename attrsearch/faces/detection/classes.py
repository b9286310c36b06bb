"""Classes besides faces: what is found by a detector of its own, and filtered, never edited."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.boxes import centres
from attrsearch.core.errors import InputError
from attrsearch.core.plugins import find, made, unknown
from attrsearch.core.recipes.base import DETECTORS
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector

Floats = npt.NDArray[np.float32]

FACE = "face"
LABEL = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MIN_WIDTH = 16.0
"""Narrower things are not looked for, pixels."""
CASCADE = ".xml"
HEAD_WIDTHS = 2.5
"""How many times as wide as its face a head can be."""


@dataclass(frozen=True)
class ClassRequest:
    """A class that somebody asked for.

    Attributes:
        label: What is found: ``plate``, ``head``.
        detector: Name of its detector; empty where ``path`` is a cascade of OpenCV.
        path: The detector's model, or None.
    """

    label: str
    detector: str
    path: Path | None


@dataclass(frozen=True)
class FilteredClass:
    """A class, and what finds it."""

    label: str
    detector: Detector


def parse_class(text: str) -> ClassRequest:
    """A class as it is typed: ``LABEL=CASCADE.xml``, ``LABEL=NAME`` or ``LABEL=NAME:MODEL``.

    Nothing is loaded.

    Raises:
        InputError: It is typed otherwise, or there is no such file.
        UnavailableError: There is no such detector.
    """
    label, _, value = text.partition("=")
    hint = "write for example plate=plates.xml, or head=NAME:model.onnx with a plug-in's name"
    required = "LABEL=DETECTOR, with a label of small letters"

    if not LABEL.fullmatch(label) or not value:
        raise InputError(f"--also {text}", required=required, found="something else", hint=hint)
    if label == FACE:
        hint = "choose another word: faces are found by --detector"
        raise InputError(f"--also {text}", required=required, found="the label face", hint=hint)

    name, colon, place = value.partition(":")
    # asked before the suffix: a plug-in may be called what ends in .xml
    known = name in DETECTORS or find("detector", name) is not None
    if known:
        path = Path(place) if colon else None
    elif value.lower().endswith(CASCADE):
        name = ""
        path = Path(value)
    else:
        raise unknown("detector", name, DETECTORS)

    if path is not None and not path.is_file():
        required = "a file with the model"
        found = "no such file"
        raise InputError(path, required=required, found=found, hint="check the path")

    return ClassRequest(label, name, path)


def is_head_of(box: Floats, faces: Floats) -> bool:
    """Whether a thing is the head of one of some faces: it holds the face, and little more.

    Args:
        box: The thing's, (4,).
        faces: Boxes (k, 4).

    >>> face = np.float32([[40, 40, 60, 70]])
    >>> is_head_of(np.float32([30, 25, 70, 80]), face), is_head_of(np.float32([0, 0, 99, 99]), face)
    (True, False)
    """
    middle = centres(faces)
    inside = ((middle >= box[:2]) & (middle <= box[2:])).all(1)
    wide = faces[:, 2] - faces[:, 0]
    return bool((inside & (box[2] - box[0] <= HEAD_WIDTHS * wide)).any())


def load_classes(texts: Sequence[str]) -> tuple[FilteredClass, ...]:
    """The classes that were asked for, with their detectors.

    Raises:
        InputError: One is typed otherwise, or there is no such file.
        UnavailableError: No such detector, or a broken plug-in.
        WeightsError: A file is no model.
    """
    return tuple(_load(parse_class(text)) for text in texts)


def _load(request: ClassRequest) -> FilteredClass:
    if not request.detector and request.path is not None:
        from attrsearch.faces.detection.cascade import Cascade  # noqa: PLC0415 - imports cv2

        return FilteredClass(request.label, Cascade(request.path, MIN_WIDTH))

    if request.path is None:
        return FilteredClass(request.label, load_detector(request.detector, MIN_WIDTH))

    detector: Detector | None = made("detector", request.detector, MIN_WIDTH, request.path)
    if detector is None:
        required = "a detector that takes a model"
        hint = f"leave :{request.path} out"
        raise InputError(request.detector, required=required, found="a built-in one", hint=hint)

    return FilteredClass(request.label, detector)
