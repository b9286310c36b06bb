"""Give an edit the sharpness and the grain of the picture it is laid into.

Both are measured on the untouched picture where the edit will lie. Of sharpness the fall of detail
from octave to octave is measured, not its amount: a face with wrinkles is not a sharper picture of
a face without. Only lightness is changed. Every face is worked on by itself, so that nothing
depends on a batch.
"""

import zlib
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SCALES = (0.8, 1.6, 3.2)
"""Standard deviations of the blurs between which detail is measured, in pixels of the picture."""
NOISE = (0.627, 0.0559, 0.0141)
"""Variance that white noise of variance 1 has in each octave of detail."""
GAINS = (0.1, 1.15)
"""The least and the most that an octave of an edit's detail is multiplied by in a round."""
ROUNDS = 2
"""How often an edit is measured and changed: octaves overlap, so once does not reach a very soft
picture."""
MOST_GRAIN = 16.0
GREY = 1.5
"""Mean difference between a pixel's channels, 0 to 255, up to which a picture has no colour."""
CORE = 0.5
LEAST_CORE = 24
"""Pixels well inside the mask below which nothing is measured."""
_LIGHT = np.array([0.299, 0.587, 0.114], np.float32)
_SECOND = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True)
class Finish:
    """What the untouched picture asks of an edit.

    Attributes:
        core: (h, w), the pixels that are measured.
        falls: How much less detail the first octave has than the second, and the second than the
            third; None where too little of the face shows to be measured.
        grain: Standard deviation of the noise, 0 to 255.
        pattern: (h, w), noise of standard deviation 1, decided by the picture.
        grey: Whether the picture has no colour.
    """

    core: npt.NDArray[np.bool_]
    falls: tuple[float, float] | None
    grain: float
    pattern: Floats
    grey: bool


def measure_finish(untouched: npt.NDArray[np.uint8], mask: Floats) -> Finish:
    """Measure what edits of a face should look like.

    Args:
        untouched: (h, w, 3), RGB, the picture around the face.
        mask: (h, w), 0 to 1, where the edit will lie.
    """
    core = mask > CORE
    random = np.random.default_rng(zlib.crc32(np.ascontiguousarray(untouched).tobytes()))
    pattern = random.standard_normal(core.shape, np.float32)
    picture = untouched.astype(np.float32)
    seen = picture[core] if core.any() else picture.reshape(-1, 3)
    grey = float((seen.max(1) - seen.min(1)).mean()) <= GREY
    if core.sum() < LEAST_CORE:
        return Finish(core, None, 0.0, pattern, grey)

    light = picture @ _LIGHT
    grain = _grain(light, core)
    energies = []

    for octave, share in zip(_octaves(light), NOISE, strict=True):
        energies.append(max(float(np.square(octave[core]).mean()) - share * grain**2, 1e-3))

    return Finish(core, _falls(energies), grain, pattern, grey)


def finish(edit: Floats, wanted: Finish) -> Floats:
    """The edit (h, w, 3), RGB, 0 to 255, as the picture it will be laid into would show it.

    >>> flat = np.full((64, 64, 3), 90, np.uint8)
    >>> wanted = measure_finish(flat, np.ones((64, 64), np.float32))
    >>> bool(np.allclose(finish(flat.astype(np.float32), wanted), 90, atol=1e-3))
    True
    """
    light = edit @ _LIGHT
    changed = light

    if wanted.falls is not None:
        for _ in range(ROUNDS):
            changed = _equalised(changed, wanted)

        missing = min(wanted.grain, MOST_GRAIN) ** 2 - _grain(changed, wanted.core) ** 2
        if missing > 0:
            changed = changed + np.float32(np.sqrt(missing)) * wanted.pattern

    if wanted.grey:
        return np.repeat(changed[..., None], 3, 2)

    return np.asarray(edit + (changed - light)[..., None], np.float32)


def _equalised(light: Floats, wanted: Finish) -> Floats:
    """An edit (h, w) whose first two octaves of detail fall as the picture's."""
    if wanted.falls is None:
        return light

    octaves = _octaves(light)
    found = _falls([max(float(np.square(octave[wanted.core]).mean()), 1e-3) for octave in octaves])
    second = float(np.clip(wanted.falls[1] / found[1], *GAINS))
    first = float(np.clip(second * wanted.falls[0] / found[0], *GAINS))
    changed = light + np.float32(first - 1) * octaves[0] + np.float32(second - 1) * octaves[1]

    return np.asarray(changed, np.float32)


def _falls(energies: list[float]) -> tuple[float, float]:
    return float(np.sqrt(energies[0] / energies[1])), float(np.sqrt(energies[1] / energies[2]))


def _octaves(light: Floats) -> tuple[Floats, Floats, Floats]:
    """Detail (h, w) between one blur and the next, the finest first."""
    found = []
    sharper = light

    for scale in SCALES:
        softer = cv2.GaussianBlur(light, (0, 0), scale, borderType=cv2.BORDER_REFLECT_101)
        found.append(np.asarray(sharper - softer, np.float32))
        sharper = np.asarray(softer, np.float32)

    return found[0], found[1], found[2]


def _grain(light: Floats, core: npt.NDArray[np.bool_]) -> float:
    """Standard deviation of the noise (Immerkaer, 1996), by the median, which edges do not move."""
    response = cv2.filter2D(light, cv2.CV_32F, _SECOND, borderType=cv2.BORDER_REFLECT_101)
    return float(np.median(np.abs(response[core]))) / 0.6745 / 6
