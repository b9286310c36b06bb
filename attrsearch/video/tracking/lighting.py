"""Dark frames are lifted before faces are looked for.

A detector was shown few pictures of the night.
"""

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

DARK = 60.0
"""Ninth decile of brightness, 0 to 255, below which a frame is dark."""
LIFTED = 170.0
"""What that decile becomes."""
MOST = 24.0
"""No frame is multiplied by more: there is nothing but noise below."""
NOISY = 5.0
"""Frames multiplied by more are smoothed a little: their steps would be edges."""


def lift(picture: Picture) -> Picture | None:
    """A brighter copy of a dark frame (h, w, 3), RGB, uint8; None where it is bright enough.

    >>> bright, dark = np.full((8, 8, 3), 90, np.uint8), np.full((8, 8, 3), 17, np.uint8)
    >>> lift(bright) is None, int(lift(dark).max())
    (True, 170)
    """
    # a hundred rows and columns tell how bright a frame is
    grey = picture[:: max(1, picture.shape[0] // 128), :: max(1, picture.shape[1] // 128)].max(2)
    # not the brightest pixel: a street lamp lights no face
    bright = float(np.percentile(grey, 90))
    if bright >= DARK:
        return None

    gain = min(MOST, LIFTED / max(bright, 1.0))
    lifted = np.asarray(cv2.convertScaleAbs(picture, alpha=gain), np.uint8)
    return np.asarray(cv2.GaussianBlur(lifted, (3, 3), 0), np.uint8) if gain > NOISY else lifted
