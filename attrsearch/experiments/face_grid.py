"""Sheets of faces, as the thesis's photographs show them.

One row an attribute set or a filter, boxes in white.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.experiments.section import Picture, Section

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

SIDE = 132
LABEL = 92
GAP = 4
PAPER = (255, 255, 255)
INK = (40, 40, 40)


@dataclass(frozen=True)
class Shown:
    """One picture of a sheet.

    Attributes:
        window: (h, w, 3), uint8.
        box: (4,) in its pixels, drawn in white; None where no face was found.
        text: Under the picture.
        truth: (4,), drawn in red: where the face is by another detector.
    """

    window: Pixels
    box: Floats | None = None
    text: str = ""
    truth: Floats | None = None


def sheet(rows: Sequence[tuple[str, Sequence[Shown]]]) -> bytes:
    """A PNG of rows of pictures, each row with a label to its left."""
    texts = False
    for _, row in rows:
        texts |= any(one.text for one in row)

    # pictures without texts stand close together
    step = SIDE + GAP + (16 if texts else 0)
    columns = max(len(row) for _, row in rows)
    margin = LABEL if any(label for label, _ in rows) else 0
    width = margin + columns * (SIDE + GAP)
    height = len(rows) * step
    page = np.full((height, width, 3), PAPER, np.uint8)

    for down, (label, row) in enumerate(rows):
        top = down * step
        for line, words in enumerate(label.split("\n")):
            _write(page, words, (4, top + SIDE // 2 + 14 * line))

        for across, one in enumerate(row):
            left = margin + across * (SIDE + GAP)
            page[top : top + SIDE, left : left + SIDE] = _framed(one)
            _write(page, one.text, (left + 2, top + SIDE + 12))

    done, data = cv2.imencode(".png", cv2.cvtColor(page, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError("a sheet could not be written as PNG")

    return bytes(data.tobytes())


def photographs(
    name: str, title: str, rows: Sequence[tuple[str, Sequence[Shown]]], text: str
) -> Section:
    """A section that is nothing but a sheet: the thesis's photographs."""
    return Section(
        name, title, text, pictures=(Picture(name, text, "png", sheet(rows), people=True),)
    )


def _framed(one: Shown) -> Pixels:
    picture = np.asarray(
        cv2.resize(one.window, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8
    )
    scale = SIDE / one.window.shape[0]
    for box, colour in ((one.truth, (214, 40, 40)), (one.box, (255, 255, 255))):
        if box is not None:
            left, top, right, bottom = (round(float(value) * scale) for value in box)
            cv2.rectangle(picture, (left, top), (right, bottom), colour, 2)

    return picture


def _write(page: Pixels, words: str, place: tuple[int, int]) -> None:
    # OpenCV's letters are ASCII only, and it draws question marks for each byte of another
    ascii_only = words.encode("ascii", "replace").decode()
    cv2.putText(page, ascii_only, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, INK, 1, cv2.LINE_AA)
