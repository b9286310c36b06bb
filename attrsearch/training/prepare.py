"""Prepare pictures for training: detect, align and cache, with the product's own face code."""

import logging
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE, scale_of, similarity, warp
from attrsearch.faces.dataset import MIN_FACE, MIN_PROBABILITY, WORKING_SIDE, prominence
from attrsearch.faces.detection.base import Detections, Detector, detect_each
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.images import list_pictures, read_picture
from attrsearch.training.dataset import FaceSet
from attrsearch.training.table import match_table, read_table

log = logging.getLogger(__name__)

Picture = npt.NDArray[np.uint8]
Alignment = Literal["detect", "celeba", "none"]

CHUNK = 64
CELEBA_SIDES = (218, 178)
CELEBA_SQUARE = (24, 4, 170)
"""AttGAN's crop of CelebA's aligned pictures: top, left and side, in their 218 x 178 pixels."""


def prepare(
    folder: Path,
    *,
    alignment: Alignment = "detect",
    table: Path | None = None,
    only: Iterable[str] | None = None,
    without: Iterable[str] = (),
    progress: Progress[Step] = silent,
) -> FaceSet:
    """Read, align and gather the faces of a folder, and of its sub-folders.

    Args:
        folder: Pictures, or one sub-folder of pictures a person.
        alignment: ``detect`` finds the face and aligns it by its landmarks; ``celeba`` takes the
            usual square out of CelebA's aligned pictures; ``none`` takes square pictures that are
            aligned to the template.
        table: Attributes of these pictures; where it is not given they stay unknown.
        only: Names of the people (sub-folders) or pictures to take, file endings optional; all by
            default.
        without: Names of those to leave out.
        progress: Told of the stage ``prepare``, by pictures.

    Raises:
        InputError: No pictures, none of them usable, or a table that does not match them.
    """
    names = choose(folder, set(only) if only is not None else None, set(without))
    known = match_table(read_table(table), names, table) if table is not None else None
    detector = load_detector("mtcnn", MIN_FACE) if alignment == "detect" else None
    crops: list[Picture] = []
    kept: list[int] = []

    for start in range(0, len(names), CHUNK):
        part = range(start, min(start + CHUNK, len(names)))
        cut = _crops(folder, take(names, part), alignment, detector)
        for index, crop in zip(part, cut, strict=True):
            if crop is not None:
                kept.append(index)
                crops.append(crop)

        progress(Step(stage="prepare", count=part.stop, total=len(names)))

    if not crops:
        hint = "check the folder and --alignment"
        raise InputError(
            folder, required="pictures with a face", found=f"none in {len(names)}", hint=hint
        )

    unknown = np.full((len(kept), len(ATTRIBUTES)), np.nan, np.float32)
    attributes = unknown if known is None else known[kept]
    return FaceSet(np.stack(crops), tuple(take(names, kept)), attributes)


def read_names(path: Path) -> list[str]:
    """Names in a text file, one a line.

    Raises:
        InputError: It cannot be read, or is empty.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            path, required="a text file of names", found=str(error), hint="check the path"
        ) from error

    # an empty line is no name: an editor leaves one at the end of a file
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise InputError(
            path, required="names, one a line", found="none", hint="write some or leave it out"
        )

    return names


def choose(folder: Path, only: set[str] | None, without: set[str]) -> list[str]:
    """Pictures of a folder and its sub-folders to take, as paths inside it.

    Args:
        folder: Pictures, or one sub-folder of pictures a person.
        only: Names of the people or pictures to take, file endings optional; all by default.
        without: Names of those to leave out.

    Raises:
        InputError: No such folder, or nothing is left.
    """
    if not folder.is_dir():
        raise InputError(
            folder, required="a folder of pictures", found="no such folder", hint="check the path"
        )

    folders = sorted(filter(Path.is_dir, folder.iterdir()))
    children = [child for child in folders if not child.name.startswith(".")]
    found = [*chain.from_iterable(map(list_pictures, children)), *list_pictures(folder)]
    names = []

    for path in found:
        name = path.relative_to(folder)
        means = {name.as_posix(), path.name, path.stem, name.parts[0]}
        if (only is None or means & only) and not means & without:
            names.append(name.as_posix())

    if not names:
        hint = "check the folder and the names to take and to leave out"
        raise InputError(
            folder, required="pictures", found=f"none of {len(found)} chosen", hint=hint
        )

    return names


def _crops(
    folder: Path, names: Sequence[str], alignment: Alignment, detector: Detector | None
) -> list[Picture | None]:
    pictures: list[Picture | None] = []
    for name in names:
        try:
            pictures.append(read_picture(folder / name))
        except AttrsearchError as error:
            log.warning(str(error))
            pictures.append(None)

    if detector is None:
        cut = _celeba_square if alignment == "celeba" else _whole_square
        pairs = zip(pictures, names, strict=True)
        return [None if picture is None else cut(picture, folder / name) for picture, name in pairs]

    there = [(i, picture) for i, picture in enumerate(pictures) if picture is not None]
    reduced = [_reduce(picture) for _, picture in there]
    crops: list[Picture | None] = [None] * len(names)

    for (i, picture), small, found in zip(
        there, reduced, detect_each(detector, reduced), strict=True
    ):
        crops[i] = _aligned(picture, small, found)
        if crops[i] is None:
            log.warning(f"{folder / names[i]}: needs a picture of a face, found no face; left out")

    return crops


def _reduce(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    if scale == 1:
        return picture

    sides = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, sides, interpolation=cv2.INTER_AREA), np.uint8)


def _aligned(picture: Picture, small: Picture, found: Detections) -> Picture | None:
    """The most prominent face, aligned; None where there is none."""
    sure = found.probabilities >= MIN_PROBABILITY
    found = Detections(found.boxes[sure], found.probabilities[sure], found.landmarks[sure])
    if not len(found):
        return None

    chosen = int(prominence(found, small.shape[1], small.shape[0]).argmax())
    ratio = np.array(
        [picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]], np.float32
    )
    to_crop = similarity(found.landmarks[chosen : chosen + 1] * ratio, CROP_TEMPLATE)[0]
    return warp(picture, to_crop, CROP_SIZE) if scale_of(to_crop) >= 1e-3 else None


def _celeba_square(picture: Picture, path: Path) -> Picture:
    height, width = picture.shape[:2]
    scale = height / CELEBA_SIDES[0]
    if abs(width - scale * CELEBA_SIDES[1]) > 1:
        required = "CelebA's aligned shape (178 x 218 or a fraction)"
        found = f"{width} x {height}"
        raise InputError(path, required=required, found=found, hint="use --alignment detect")

    top, left, side = (round(value * scale) for value in CELEBA_SQUARE)
    return _resized(picture[top : top + side, left : left + side])


def _whole_square(picture: Picture, path: Path) -> Picture:
    height, width = picture.shape[:2]
    if height != width:
        hint = "use --alignment detect"
        raise InputError(path, required="a square picture", found=f"{width} x {height}", hint=hint)

    return _resized(picture)


def _resized(square: Picture) -> Picture:
    smooth = cv2.INTER_AREA if square.shape[0] > CROP_SIZE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (CROP_SIZE, CROP_SIZE), interpolation=smooth), np.uint8)
