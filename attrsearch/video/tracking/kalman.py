"""Motion of a face box: a constant-velocity Kalman filter (OpenCV's) on centre and size."""

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

POSITION_NOISE = 0.05
VELOCITY_NOISE = 0.02
MEASUREMENT_NOISE = 0.05
"""Standard deviations as shares of the box's mean side (velocities: a frame)."""


class BoxMotion:
    """Where a face box will be.

    State: centre x and y, width, height, and the change of each a frame, in pixels.

    Args:
        box: (4,), the first sighting.
    """

    def __init__(self, box: Floats) -> None:
        self._filter = cv2.KalmanFilter(8, 4)
        self._filter.transitionMatrix = np.eye(8, dtype=np.float32) + np.eye(
            8, k=4, dtype=np.float32
        )
        self._filter.measurementMatrix = np.eye(4, 8, dtype=np.float32)
        side = float((box[2:] - box[:2]).mean())
        # of the speed nothing is known yet: the next sightings tell
        spread = np.array([MEASUREMENT_NOISE] * 4 + [0.3] * 4, np.float32) * side
        self._filter.errorCovPost = np.diag(spread**2)
        self._filter.statePost = np.concatenate([_measure(box), np.zeros(4, np.float32)])[:, None]

    def predict(self) -> Floats:
        """Advance one frame; the box (4,) expected there."""
        # noise in shares of the face: a near one moves by more pixels than a far one
        side = max(1.0, float(self._filter.statePost[2:4].mean()))
        noise = np.array([POSITION_NOISE] * 4 + [VELOCITY_NOISE] * 4, np.float32) * side
        self._filter.processNoiseCov = np.diag(noise**2)

        return _box(self._filter.predict()[:4, 0])

    def correct(self, box: Floats) -> Floats:
        """Take the box (4,) that was found in the frame predicted last; the smoothed box."""
        side = float((box[2:] - box[:2]).mean())
        self._filter.measurementNoiseCov = (
            np.eye(4, dtype=np.float32) * (MEASUREMENT_NOISE * side) ** 2
        )
        return _box(self._filter.correct(_measure(box)[:, None])[:4, 0])

    def move(self, shift: Floats) -> None:
        """The camera moved everything by (2,) pixels; the speed stays what it was."""
        state = self._filter.statePost.copy()
        state[:2, 0] += shift
        self._filter.statePost = state

    def damp(self) -> None:
        """A frame without a sighting: the size stops changing, and the speed dies away."""
        state = self._filter.statePost.copy()
        state[4:6] *= 0.95
        state[6:] = 0
        self._filter.statePost = state


def _measure(box: Floats) -> Floats:
    return np.concatenate([(box[:2] + box[2:]) / 2, box[2:] - box[:2]]).astype(np.float32)


def _box(values: Floats) -> Floats:
    # a size that is predicted may fall below nothing
    half = np.maximum(values[2:4], 1) / 2
    return np.concatenate([values[:2] - half, values[:2] + half]).astype(np.float32)


def move_points(points: Floats, before: Floats, after: Floats) -> Floats:
    """Points (…, 2) that move and scale with a box from ``before`` (4,) to ``after`` (4,)."""
    scale = (after[2:] - after[:2]) / np.maximum(before[2:] - before[:2], 1e-3)
    return np.asarray((points - before[:2]) * scale + after[:2], np.float32)
