"""Tracks that went on with somebody else: two people passed each other, and one detection served for both.

Such a track has two kinds of looks, one before and one after.  It is divided where it overlapped another track most.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from attrsearch.boxes import iou
from attrsearch.video.scan import Scan

Floats = npt.NDArray[np.float32]

FEWEST = 2
"""Looks on either side: a single one may be a bad one."""


def find_swap(embeddings: Floats, threshold: float) -> int | None:
    """Where looks become those of somebody else: how many come before, or None.

    Args:
        embeddings: (n, d) of a track's looks, in the order of their frames.
        threshold: Raw distance between means from which they are two people.

    >>> one, two = np.float32([1, 0]), np.float32([0, 1])
    >>> find_swap(np.stack([one, one, two, two, two]), 1.1), find_swap(np.stack([one, one, one, two]), 1.1)
    (2, None)
    """
    best, place = threshold, None
    for before in range(FEWEST, len(embeddings) - FEWEST + 1):
        means = embeddings[:before].sum(0), embeddings[before:].sum(0)
        first, second = (mean / max(float(np.linalg.norm(mean)), 1e-9) for mean in means)
        apart = float(np.linalg.norm(first - second))
        if apart > best:
            best, place = apart, before
    return place


def crossing(found: Scan, track: int, first: int, last: int) -> int:
    """The frame after ``first``, up to ``last``, in which a track overlaps another most; the middle one if in none."""
    own = found.tracks[track]
    frames = [frame for frame in range(first + 1, last + 1) if frame in own]
    overlaps = [
        max(
            (
                float(iou(own[frame].box, sightings[frame].box))
                for number, sightings in found.tracks.items()
                if number != track and frame in sightings
            ),
            default=0.0,
        )
        for frame in frames
    ]
    return frames[int(np.argmax(overlaps))] if max(overlaps) > 0 else frames[len(frames) // 2]


def divide(found: Scan, track: int, frames: Sequence[int], embeddings: Floats, threshold: float) -> int | None:
    """Divide a track where its looks become somebody else's.

    Args:
        found: The scan; changed.
        track: Its number.
        frames: Frames (n,) of its looks, in order.
        embeddings: (n, d) of them.
        threshold: As :func:`find_swap` takes it.

    Returns:
        The number of its second part; None where it is one person's.
    """
    before = find_swap(embeddings, threshold)
    if before is None:
        return None
    return found.divide(track, crossing(found, track, frames[before - 1], frames[before]))
