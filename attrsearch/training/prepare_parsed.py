"""Prepare pictures for the restoring editor by the bundled face parsing: minutes instead of hours.

Faces are aligned by the detector's five landmarks, then twice anew by the 68 landmarks that face
parsing reads in the aligned square.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.parallel import network
from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.faces.alignment import (
    TIGHT_TEMPLATE,
    compose,
    scale_of,
    similarity,
    transform,
    warp,
)
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.parsing import SIDE, ParsingNetwork, visible_skin
from attrsearch.training.export import load_trained
from attrsearch.training.identity import five_points
from attrsearch.training.prepare import choose
from attrsearch.training.prepare_tight import (
    LARGEST,
    MIN_FACE,
    guess_attributes,
    most_prominent,
    packed_inside,
    read_extended,
)
from attrsearch.training.table import match_table, read_table
from attrsearch.training.tight_faces import (
    STORED,
    ZOOM,
    Floats,
    Pictures,
    TightFaces,
    join_tight,
    to_network,
)

log = logging.getLogger(__name__)

SMALLEST = 0.3
"""Faces that would be reduced further than this are not what an alignment of the folder is for."""
AGREEMENT = 0.25
"""Mean distance of five landmarks from where they should lie, in distances between the eyes."""
EYES = 40.0
"""Distance between the eyes in a training square, in pixels."""
EMPTY = np.zeros((0, STORED * STORED // 8), np.uint8)
BATCH = 64
ALIKE = 30
"""Pictures that the common alignment of a folder is taken from."""
TO_STORED = np.array(
    [
        [1 / ZOOM, 0, (STORED - 1) / 2 - (SIDE - 1) / 2 / ZOOM],
        [0, 1 / ZOOM, (STORED - 1) / 2 - (SIDE - 1) / 2 / ZOOM],
    ],
    np.float32,
)
"""From a training square to a kept square."""


@dataclass(frozen=True)
class _Picture:
    """A picture (h, w, 3), where it is no added border (h, w), and five landmarks (5, 2)."""

    name: str
    pixels: Pictures
    inside: Pictures
    five: Floats


def prepare_parsed(
    folder: Path,
    *,
    table: Path | None = None,
    only: Iterable[str] | None = None,
    without: Iterable[str] = (),
    border: int = 0,
    alike: bool = False,
    progress: Progress[Step] = silent,
) -> TightFaces:
    """Read, align and label the faces of a folder, and of its sub-folders.

    Args:
        folder: Pictures, or one sub-folder of pictures a person.
        table: Attributes of these pictures; the bundled classifier guesses them where it is not
            given.
        only: Names of the people (sub-folders) or pictures to take, file endings optional; all by
            default.
        without: Names of those to leave out.
        border: Pixels by which pictures are extended first, for those that show the inner face
            only.
        alike: The faces lie at the same place in every picture, as in LFW: it is found in a few of
            them.
        progress: Told of the stage ``prepare``, by pictures.

    Raises:
        InputError: No pictures, none of them usable, or a table that does not match them.
    """
    names = choose(folder, set(only) if only is not None else None, set(without))
    known = match_table(read_table(table), names, table) if table is not None else None
    parsing = ParsingNetwork()
    load_trained(parsing, "parsing")
    parsing.eval().to(memory_format=torch.channels_last)
    detector = load_detector("mtcnn", MIN_FACE)
    common = _common_place(folder, names, border, detector) if alike else None

    parts: list[TightFaces] = []
    done = 0
    for batch in _batches(folder, names, border, common, detector):
        done += len(batch)
        seen = [picture for picture in batch if picture is not None]
        if seen:
            parts.append(_prepared(seen, parsing, folder.name))

        progress(Step(stage="prepare", count=done, total=len(names)))

    if not any(map(len, parts)):
        hint = "check the folder"
        raise InputError(
            folder, required="pictures with a face", found=f"none in {len(names)}", hint=hint
        )

    found = join_tight(parts)
    if known is None:
        return replace(found, attributes=guess_attributes(found.crops))

    rows = dict(zip(names, known, strict=True))
    return replace(found, attributes=np.stack(take(rows, found.names)))


def _common_place(folder: Path, names: Sequence[str], border: int, detector: Detector) -> Floats:
    """Where the five landmarks lie in the pictures of a folder (5, 2): the median of a few."""
    found = []
    for place in np.linspace(0, len(names) - 1, min(ALIKE, len(names))).round().astype(int):
        path = folder / names[place]
        try:
            found.append(most_prominent(path, read_extended(path, border)[0], detector)[1])
        except AttrsearchError as error:
            log.warning(str(error))

    if not found:
        raise InputError(
            folder,
            required="pictures with a face",
            found=f"none in {min(ALIKE, len(names))} of them",
            hint="check the folder",
        )

    return np.asarray(np.median(np.stack(found), axis=0), np.float32)


def _batches(
    folder: Path, names: Sequence[str], border: int, common: Floats | None, detector: Detector
) -> Iterator[list[_Picture | None]]:
    """Pictures with a first alignment; None for those that cannot be read or show no face."""
    for start in range(0, len(names), BATCH):
        batch: list[_Picture | None] = []
        for name in names[start : start + BATCH]:
            try:
                pixels, inside = read_extended(folder / name, border)
                five = common
                if five is None:
                    five = most_prominent(folder / name, pixels, detector)[1]
            except AttrsearchError as error:
                log.warning(str(error))
                batch.append(None)
                continue

            batch.append(_Picture(name, pixels, inside, five))

        yield batch


def _prepared(pictures: list[_Picture], parsing: ParsingNetwork, source: str) -> TightFaces:
    """The faces of a few pictures that can be learnt from, attributes still to be filled in."""
    matrices = list(similarity(np.stack([one.five for one in pictures]), TIGHT_TEMPLATE))

    for _ in range(2):
        landmarks, _skin = _parse(pictures, matrices, parsing)
        turns = similarity(_five(landmarks), TIGHT_TEMPLATE)
        matrices = [compose(turn, matrix) for turn, matrix in zip(turns, matrices, strict=True)]

    landmarks, skin = _parse(pictures, matrices, parsing)
    rows = []
    for row, (picture, matrix) in enumerate(zip(pictures, matrices, strict=True)):
        off = _off(_five(landmarks[row : row + 1])[0])
        # where face parsing walked away from the first alignment, it follows no face
        walked = _off(transform(matrix, picture.five))
        scale = scale_of(matrix) / ZOOM
        if off <= AGREEMENT and walked <= 2 * AGREEMENT and SMALLEST <= scale <= LARGEST:
            rows.append(row)
            continue

        required = f"a face enlarged {SMALLEST} to {LARGEST} times with landmarks that agree"
        found = f"{scale:.2f} times, {max(off, walked):.2f} distances between the eyes apart"
        error = InputError(picture.name, required=required, found=found, hint="left out")
        log.warning(str(error))

    kept = [(pictures[row], compose(TO_STORED, matrices[row])) for row in rows]
    crops = [warp(picture.pixels, matrix, STORED) for picture, matrix in kept]
    inside = [packed_inside(picture.inside, matrix) for picture, matrix in kept]
    stacked = np.stack(crops) if rows else np.zeros((0, STORED, STORED, 3), np.uint8)

    return TightFaces(
        stacked,
        transform(TO_STORED, landmarks[rows]),
        np.zeros((len(rows), len(ATTRIBUTES)), np.float32),
        np.stack([_packed_skin(skin[row]) for row in rows]) if rows else EMPTY,
        np.stack(inside) if rows else EMPTY,
        tuple(pictures[row].name for row in rows),
        (source,) * len(rows),
    )


@network
def _parse(
    pictures: list[_Picture], matrices: list[Floats], parsing: ParsingNetwork
) -> tuple[Floats, Floats]:
    """Landmarks (n, 68, 2), pixels of a training square, and skin (n, 128, 128), 0 to 1."""
    squares = []
    for one, matrix in zip(pictures, matrices, strict=True):
        squares.append(warp(one.pixels, matrix, SIDE))

    landmarks, logits = parsing(to_network(np.stack(squares)))
    return landmarks.float().numpy(), visible_skin(logits, SIDE)[:, 0].numpy()


def _five(landmarks: Floats) -> Floats:
    """Eyes, nose and corners of the mouth (n, 5, 2) of 68 landmarks (n, 68, 2)."""
    return np.asarray(five_points(torch.from_numpy(landmarks)).numpy(), np.float32)


def _off(five: Floats) -> float:
    """Mean distance of five landmarks (5, 2) from the template, in distances between the eyes."""
    return float(np.linalg.norm(five - TIGHT_TEMPLATE, axis=1).mean()) / EYES


def _packed_skin(skin: Floats) -> Pictures:
    large = cv2.warpAffine(skin, TO_STORED, (STORED, STORED), flags=cv2.INTER_LINEAR)
    return np.packbits(large > 0.5)
