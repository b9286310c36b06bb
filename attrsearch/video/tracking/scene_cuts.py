"""Scene cuts: where tracks and memory must not go on."""

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

SMALL = (64, 36)
CHANGE = 22.0
"""Mean change of a pixel's brightness, 0 to 255, below which nothing was cut."""
ALIKE = 0.75
"""Correlation of brightness histograms above which two frames are of one scene."""


class CutDetector:
    """Tells for each frame whether a new scene begins with it."""

    def __init__(self) -> None:
        self._last: npt.NDArray[np.float32] | None = None

    def is_cut(self, picture: Picture) -> bool:
        """Take the next frame (h, w, 3), RGB, uint8."""
        small = cv2.resize(
            cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), SMALL, interpolation=cv2.INTER_AREA
        )
        now, last = small.astype(np.float32), self._last
        self._last = now
        if last is None or np.abs(now - last).mean() < CHANGE:
            return False
        first, second = (
            np.histogram(frame, 32, (0, 256))[0].astype(np.float32) for frame in (last, now)
        )
        alike = np.corrcoef(first, second)[0, 1] if first.std() and second.std() else 0.0
        return bool(alike < ALIKE)
