"""Scene cuts: where tracks and memory must not go on.

What counts is whether frames resemble each other, not how bright they are: a cut between two dark
shots is a cut, and a flash is none, since the frames before and after it are of one scene.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.video.io.reader import Frame

Picture = npt.NDArray[np.uint8]
Small = npt.NDArray[np.float32]

SMALL = (64, 36)
SHIFTED = 12
"""Pixels of the small picture by which the camera may have moved between two frames."""
ALIKE = 0.5
"""Correlation, at the best shift, above which two frames are of one scene."""
CHANGE = 0.12
"""Mean change of a pixel, as a share of the brighter frame's mean, below which nothing was cut."""
FLAT = 0.7
"""Standard deviation, of 255, below which a frame shows nothing."""
FLASH = 5
"""Frames that a flash, or something before the lens, may last."""


class CutDetector:
    """Tells for each frame whether a new scene begins with it, knowing the past only."""

    def __init__(self) -> None:
        self._last: Small | None = None

    def is_cut(self, picture: Picture) -> bool:
        """Take the next frame (h, w, 3), RGB, uint8."""
        now = _shrink(picture)
        last = self._last
        self._last = now

        return last is not None and not are_alike(last, now)


def mark_cuts(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Frames, and whether a new scene begins with each; a few frames are looked at ahead.

    A frame that resembles the one before does not begin a scene, and neither does one after which,
    within ``FLASH`` frames, the scene before goes on.
    """
    waiting: deque[tuple[Frame, Small]] = deque()
    source = iter(frames)
    last: Small | None = None
    flash = 0

    while True:
        # only a look ahead tells a flash from a cut: after a flash the scene goes on
        while len(waiting) <= FLASH:
            frame = next(source, None)
            if frame is None:
                break

            waiting.append((frame, _shrink(frame.picture)))

        if not waiting:
            return

        frame, now = waiting.popleft()
        if flash:
            # inside of a flash nothing is compared: the scene before it is the one that goes on
            flash -= 1
            yield frame, False
            continue

        if last is None or are_alike(last, now):
            last = now
            yield frame, False
            continue

        back = next((n for n, (_, later) in enumerate(waiting) if are_alike(last, later)), None)
        if back is None:
            last = now
            yield frame, True
        else:
            # the frame looked at last stays that of the scene, not one of the flash
            flash = back
            yield frame, False


def are_alike(first: Small, second: Small) -> bool:
    """Whether two small frames are of one scene, whatever their brightness or the camera's move."""
    # as a share of the brightness: between dark frames the same change is a smaller number
    brightness = max(float(first.mean()), float(second.mean()), 1.0)
    if float(np.abs(first - second).mean()) < CHANGE * brightness:
        return True
    # the best shift of a frame of one colour is chance
    if min(float(first.std()), float(second.std())) < FLAT:
        return False

    # the middle of one is looked for in the other: what was cut off is how far the camera may move
    inner = second[SHIFTED // 2 : -SHIFTED // 2, SHIFTED:-SHIFTED]
    return float(cv2.matchTemplate(first, inner, cv2.TM_CCOEFF_NORMED).max()) > ALIKE


def _shrink(picture: Picture) -> Small:
    small = cv2.resize(
        cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), SMALL, interpolation=cv2.INTER_AREA
    )
    return np.asarray(small, np.float32)
