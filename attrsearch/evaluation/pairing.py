"""What was made of a cohort's faces: each protected face cut exactly where its original was."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.parallel import in_parallel
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.evaluation.faces import CHUNK, Cohort
from attrsearch.evaluation.places import check_places
from attrsearch.faces.alignment import WINDOW_SIZE, compose, warp
from attrsearch.faces.dataset import Picture
from attrsearch.faces.images import SUFFIXES, read_picture

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Protection:
    """Protected faces of a cohort.

    Attributes:
        name: What it is called.
        rows: (n,), which of the cohort's faces there are.
        windows: (n, 192, 192, 3), uint8.
        missing: Faces of the cohort without a protected picture.
    """

    name: str
    rows: Ints
    windows: Picture
    missing: int


def untouched(cohort: Cohort) -> Protection:
    """The originals themselves, as if they had been protected."""
    return Protection("original", np.arange(len(cohort)), cohort.look.windows, 0)


def load_protection(
    cohort: Cohort,
    originals: Path,
    folder: Path,
    *,
    name: str | None = None,
    progress: Progress[Step] = silent,
) -> Protection:
    """Cut the protected faces out of a folder of the same layout as the originals'.

    A protected picture has the name of its original, whatever its suffix, and may have another
    size.

    Args:
        cohort: The originals.
        originals: Where they are.
        folder: Where the protected ones are.
        name: What to call them; the folder's name where it is not given.
        progress: Told of the stage ``pair``, by faces.

    Raises:
        InputError: No such folder, or not one protected picture of these originals.
    """
    check_places(originals, [folder])
    windows: list[Picture | None] = []

    for start in range(0, len(cohort), CHUNK):
        part = range(start, min(start + CHUNK, len(cohort)))
        windows += in_parallel(lambda row: _cut(cohort, row, originals, folder), part)
        progress(Step(stage="pair", count=len(windows), total=len(cohort)))

    rows = [row for row, window in enumerate(windows) if window is not None]
    if not rows:
        example = cohort.faces[0].source.relative_to(originals)
        hint = "protect the same folder: attrsearch apply ORIGINALS --out PROTECTED"
        raise InputError(
            folder, required=f"pictures such as {example}", found="none of them", hint=hint
        )

    return Protection(
        name=name or folder.name,
        rows=np.array(rows, np.int64),
        windows=np.stack([window for window in windows if window is not None]),
        missing=len(cohort) - len(rows),
    )


def _cut(cohort: Cohort, row: int, originals: Path, folder: Path) -> Picture | None:
    relative = cohort.faces[row].source.relative_to(originals)
    path = _protected_file(folder / relative)
    if path is None:
        log.warning(f"{folder / relative}: no protected picture; it is left out")
        return None

    try:
        picture = read_picture(path)
    except AttrsearchError as error:
        log.warning(str(error))
        return None

    # some protections write pictures of another size than they were given
    place = compose(cohort.to_windows[row], resized(cohort.sizes[row], picture))
    return warp(picture, place, WINDOW_SIZE)


def _protected_file(path: Path) -> Path | None:
    # the original's own first, then PNG, which is what most protections write
    for suffix in dict.fromkeys([path.suffix, ".png", *sorted(SUFFIXES)]):
        found = path.with_suffix(suffix)
        if found.is_file():
            return found

    return None


def resized(size: Ints, picture: Picture) -> Floats:
    """The transform (2, 3) between the pixels of pictures of two sizes (width, height).

    >>> resized(np.array([8, 8]), np.zeros((4, 4, 3), np.uint8)).tolist()
    [[2.0, 0.0, 0.5], [0.0, 2.0, 0.5]]
    """
    # each side by itself, and from the middles of pixels, which are at whole numbers
    x = size[0] / picture.shape[1]
    y = size[1] / picture.shape[0]
    return np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5]], np.float32)
