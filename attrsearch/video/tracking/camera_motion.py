"""How the camera moved between two frames.

A shaking camera moves every face at once, and none of them by itself.
"""

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

WIDTH = 160
"""Width in pixels at which frames are compared."""
BETTER = 0.7
"""Share of the change between frames that a shift must leave at most, to be a movement of the
camera."""
LEAST = 0.012
"""Shifts of less than this share of the picture's width are left to the tracks."""
NONE = np.zeros(2, np.float32)


class CameraMotion:
    """Measures the shift of whole frames, one after the other."""

    def __init__(self) -> None:
        self._last: Floats | None = None
        self._window: Floats | None = None

    def shift(self, picture: Picture) -> Floats:
        """By how much the picture (h, w, 3) is shifted against the last one.

        (2,), pixels, right and down.
        """
        height, width = picture.shape[:2]
        sides = (WIDTH, max(8, round(height * WIDTH / width)))
        small = cv2.resize(
            cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), sides, interpolation=cv2.INTER_AREA
        )
        now = small.astype(np.float32)
        last = self._last
        self._last = now

        if last is None or last.shape != now.shape:
            self._window = np.asarray(cv2.createHanningWindow(sides, cv2.CV_32F), np.float32)
            return NONE

        before = float(np.abs(now - last).mean())
        # frames that hardly differ: a shift between them would be one of their noise
        if before < 1 / 255 * max(1.0, float(now.mean())):
            return NONE

        # the window fades the borders out, where things come and go
        (right, down), _ = cv2.phaseCorrelate(last, now, self._window)
        shift = np.array([right, down], np.float32)
        if float(np.abs(shift).max()) < LEAST * WIDTH or _left(last, now, shift) > BETTER * before:
            return NONE

        return shift * np.float32(width / WIDTH)

    def forget(self) -> None:
        """Forget the last frame, at a scene cut."""
        self._last = None


def _left(last: Floats, now: Floats, shift: Floats) -> float:
    """The mean change that is left when the last frame is moved by a shift, where both overlap."""
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    moved = cv2.warpAffine(
        # no brightness is negative: it marks what lies outside the moved frame
        last,
        matrix,
        now.shape[::-1],
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=-1.0,
    )
    both = moved >= 0

    return float(np.abs(moved - now)[both].mean()) if both.any() else float("inf")
