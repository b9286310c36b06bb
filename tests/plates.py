"""Drawn licence plates, and the cascade in OpenCV's wheel that finds them."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Picture = npt.NDArray[np.uint8]

PLATES = Path(cv2.data.haarcascades) / "haarcascade_russian_plate_number.xml"
SIZE = (150, 32)


def with_plate(picture: Picture, left: int, top: int) -> Picture:
    """A picture (h, w, 3) with a plate of made-up letters on something dark."""
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    width, height = SIZE
    pen.rectangle((left - 30, top - 50, left + width + 40, top + height + 48), fill=(40, 40, 60))
    plate = (left, top, left + width, top + height)
    pen.rectangle(plate, fill=(240, 240, 240), outline=(10, 10, 10))
    font = ImageFont.load_default(26)
    pen.text((left + 7, top), "A 123 BC 77", fill=(10, 10, 10), font=font)
    return np.asarray(image)
