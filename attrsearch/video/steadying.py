"""Numbers of a stretch of frames as those of every frame: spread between sightings, and smoothed.

Boxes and points are arrays; what they mean is :mod:`attrsearch.video.trajectories`' matter.
"""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

Floats = npt.NDArray[np.float32]

STEADYING = 1.2
"""Standard deviation of the smoothing of landmarks and boxes over time, in frames."""
TURN_STEADYING = 6.0
"""The same of how far a head is turned; a detector's landmarks of a profile are now beside, now
before the face."""


def camera_shift(camera: Floats, frames: npt.NDArray[np.int64]) -> Floats:
    """How far the camera had moved in frames (n,), as a shift of boxes, (n, 4)."""
    if not len(camera):
        return np.zeros((len(frames), 4), np.float32)
    return np.tile(camera[np.clip(frames, 0, len(camera) - 1)], 2)


def roughness(boxes: Floats) -> float:
    """How unevenly boxes (n, 4) move, pixels."""
    return float(np.abs(np.diff(boxes, 2, axis=0)).mean()) if len(boxes) > 2 else 0.0


def nearest(known: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Places (n,) of the numbers nearest to those wanted (n,) among known ones (k,), sorted.

    The first of two as near.

    >>> nearest(np.array([2, 6, 7]), np.array([0, 2, 3, 4, 5, 6, 9])).tolist()
    [0, 0, 0, 0, 1, 1, 2]
    """
    after = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(wanted - known[before]) <= np.abs(known[after] - wanted), before, after)


def spread(values: Floats, known: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> Floats:
    """Values (k, d) at known frames as values of every frame.

    Linear between, moving on at the ends.
    """
    columns = [np.interp(whole, known, column) for column in values.T]
    moved = np.stack(columns, 1)

    if len(known) > 1:
        # the speed over a few sightings: between two of them it is mostly noise
        reach = min(len(known) - 1, 3)
        before = whole < known[0]
        after = whole > known[-1]
        early = (values[reach] - values[0]) / (known[reach] - known[0])
        late = (values[-1] - values[-1 - reach]) / (known[-1] - known[-1 - reach])
        moved[before] = values[0] + (whole[before, None] - known[0]) * early
        moved[after] = values[-1] + (whole[after, None] - known[-1]) * late

    return moved.astype(np.float32)


def steady(values: Floats) -> Floats:
    """Smooth values (n, d) over time, so that an edit does not shake."""
    if len(values) < 3:
        return values
    return np.asarray(gaussian_filter1d(values, STEADYING, axis=0, mode="nearest"), np.float32)


def steady_turn(values: npt.NDArray[np.float64]) -> list[float]:
    """How far a head is turned (n,), smoothed over time, so that edits do not come and go."""
    return [float(value) for value in gaussian_filter1d(values, TURN_STEADYING, mode="reflect")]
