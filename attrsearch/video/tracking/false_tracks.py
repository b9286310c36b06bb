"""Tracks that are no face but a part of someone's head.

Hair, an ear, a hat that a detector took for a face.

Such a track stays on the head of a surer face, at least as large, in most of its frames.  Covering
it puts a second face, or a blot, onto that head.  Somebody who walks behind another leaves that
head, and is surer.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from attrsearch.video.tracking.tracker import TrackedFace

Floats = npt.NDArray[np.float32]
Tracks = Mapping[int, Mapping[int, TrackedFace]]

ABOVE = 0.4
BESIDE = 0.1
"""How far a head reaches above and beside its face box, as shares of the box's height and width."""
MOSTLY = 0.7
"""Share of its frames in which such a track is on the other's head."""
DOUBTFUL = 0.6
"""Mean probability below which a track may be a part of a head."""
SURER = 0.2
"""By how much the mean probability of the face exceeds that of a part of its head."""


def find_ghosts(tracks: Tracks) -> set[int]:
    """Tracks that are a part of another's head.

    Args:
        tracks: Track to frame to sighting.
    """
    sure = {number: _mean_probability(sightings) for number, sightings in tracks.items()}
    found = set()

    for number, sightings in tracks.items():
        if sure[number] >= DOUBTFUL:
            continue

        # of two doubtful tracks neither is the other's ear: a face has to be clearly surer
        for other, faces in tracks.items():
            surer = sure[other] >= sure[number] + SURER
            if surer and _share_on_head(sightings, faces) >= MOSTLY:
                found.add(number)
                break

    return found


def _share_on_head(sightings: Mapping[int, TrackedFace], faces: Mapping[int, TrackedFace]) -> float:
    """In what share of its sightings a track lies on the head of another."""
    on = 0
    for frame, face in sightings.items():
        if frame in faces and _is_on_head(face.box, faces[frame].box):
            on += 1

    return on / len(sightings)


def _is_on_head(box: Floats, face: Floats) -> bool:
    """Whether a box's middle lies on the head of a face box about as wide, or wider."""
    width, height = face[2:] - face[:2]
    x, y = (box[:2] + box[2:]) / 2
    across = face[0] - BESIDE * width <= x <= face[2] + BESIDE * width

    # a part of a head is no wider than the head; a wider box is somebody nearer
    return bool(
        across and face[1] - ABOVE * height <= y <= face[3] and box[2] - box[0] <= 1.1 * width
    )


def _mean_probability(sightings: Mapping[int, TrackedFace]) -> float:
    return float(np.mean([face.probability for face in sightings.values()]))
