"""Tracks that went on with somebody else.

Two people passed each other, and one detection served for both.

Such a track has two kinds of looks, one before and one after.  It is divided where it fitted its
motion least, or where it overlapped another track most.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from attrsearch.core.boxes import iou
from attrsearch.video.tracking.scan import Scan
from attrsearch.video.tracking.tracker import MIN_PREDICTED_IOU

Floats = npt.NDArray[np.float32]

MIN_SHOTS_A_SIDE = 2
"""Looks on either side that tell by themselves: a single one may be a bad one."""


def find_swap(embeddings: Floats, threshold: float, others: Floats | None = None) -> int | None:
    """Where looks become those of somebody else: how many come before, or None.

    Args:
        embeddings: (n, d) of a track's looks, in the order of their frames.
        threshold: Raw distance between means from which they are two people.
        others: (m, d) of the looks of other tracks: a single look that is none of its own track's
            and is somebody else's tells, too.

    >>> one, two = np.float32([1, 0]), np.float32([0, 1])
    >>> changes, ends = [one, one, two, two, two], [one, one, one, two]
    >>> find_swap(np.stack(changes), 1.1), find_swap(np.stack(ends), 1.1)
    (2, None)
    >>> find_swap(np.stack([one, one, one, two]), 1.1, two[None])
    3
    """
    best = threshold
    place = None

    # a track has a dozen looks at most: every place can be tried
    for before in range(1, len(embeddings)):
        sides = embeddings[:before], embeddings[before:]
        short = [side for side in sides if len(side) < MIN_SHOTS_A_SIDE]
        # a few looks are odd by chance, unless they are plainly somebody else's
        if short and not any(_is_known(side, others, threshold) for side in short):
            continue

        first, second = map(_mean, sides)
        distance = float(np.linalg.norm(first - second))
        if distance > best:
            best = distance
            place = before

    return place


def meeting(found: Scan, track: int, first: int, last: int) -> int:
    """The frame after ``first``, up to ``last``, of a likely identity switch.

    The one in which it fitted least, if it did not fit; else the one in which it overlaps another
    track most; the middle one if none.
    """
    own = found.tracks[track]
    frames = [frame for frame in range(first + 1, last + 1) if frame in own]
    predicted_ious = [own[frame].predicted_iou for frame in frames]
    # where a track jumped, it went on with the other one's detection
    if min(predicted_ious) < MIN_PREDICTED_IOU:
        return frames[int(np.argmin(predicted_ious))]

    # two people are taken for each other where they are one before the other
    overlaps = []
    for frame in frames:
        most = 0.0
        for number, sightings in found.tracks.items():
            if number != track and frame in sightings:
                most = max(most, float(iou(own[frame].box, sightings[frame].box)))

        overlaps.append(most)

    return frames[int(np.argmax(overlaps))] if max(overlaps) > 0 else frames[len(frames) // 2]


def divide(
    found: Scan,
    track: int,
    frames: Sequence[int],
    embeddings: Floats,
    threshold: float,
    others: Floats | None = None,
) -> int | None:
    """Divide a track where its looks become somebody else's.

    Args:
        found: The scan; changed.
        track: Its number.
        frames: Frames (n,) of its looks, in order.
        embeddings: (n, d) of them.
        threshold: As :func:`find_swap` takes it.
        others: As :func:`find_swap` takes them.

    Returns:
        The number of its second part; None where it is one person's.
    """
    before = find_swap(embeddings, threshold, others)
    if before is None:
        return None

    return found.divide(track, meeting(found, track, frames[before - 1], frames[before]))


def _is_known(looks: Floats, others: Floats | None, threshold: float) -> bool:
    """Whether looks (n, d) are those of somebody else, too."""
    if others is None or not len(others):
        return False
    return bool(np.linalg.norm(others - _mean(looks), axis=1).min() < threshold)


def _mean(rows: Floats) -> Floats:
    mean = rows.sum(0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)
