"""Licence plates by a cascade."""

from pathlib import Path

import cv2

from attrsearch.faces.detection.cascade import Cascade

PLATES = "haarcascade_russian_plate_number.xml"


class Plates(Cascade):
    """Finds licence plates.

    Args:
        min_width: Narrower plates are left out, pixels.
        model: A cascade; OpenCV's own of Russian plates where none is given.
    """

    def __init__(self, min_width: float = 16, model: Path | None = None) -> None:
        super().__init__(model or Path(cv2.data.haarcascades + PLATES), min_width)
        self.name = "plates"
