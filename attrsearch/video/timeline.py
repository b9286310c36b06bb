"""From tracks to what must be covered in every frame: gaps filled, ends extended, landmarks steadied.

The second pass knows the future: a gap between two sightings is interpolated, and a track begins before its first
sighting and ends after its last, because a face is there before a detector is sure of it.  Tracks of one person that
follow each other closely are one: what lies between them is a gap like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from attrsearch.video.sightings import turn
from attrsearch.video.tracks import SAME_SIZE, Found, TrackedFace

Floats = npt.NDArray[np.float32]

LONGEST_GAP = 30
LEAD, EXTENSION = 6, 3
"""Frames added before a stretch, where nothing remembers the face yet, and after it."""
KNOWN_NEAR = 15
"""Landmarks are known at most this many frames from one in which they were seen: half of the longest gap."""
STEADYING = 1.2
"""Standard deviation of the smoothing of landmarks and boxes over time, in frames."""
TURN_STEADYING, MOST_TURN = 6.0, 1.0
"""The same of how far a head is turned; a detector's landmarks of a profile are now beside, now before the face."""
FASTEST = 0.35
"""How far a person may have moved between two tracks, in widths of the face a frame."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face to cover in one frame.

    Attributes:
        track: Its number.
        box: (4,), pixels.
        landmarks: (5, 2), pixels, steadied; NaN where they are not known.
        found: How it is known to be there.
        probability: Of the detection; of the nearest one where there is none.
        away: Frames to the nearest one in which the face was seen.
        turn: How far it is turned aside (:func:`attrsearch.video.sightings.turn`), steadied over time; None where
            only the landmarks say.
    """

    track: int
    box: Floats
    landmarks: Floats
    found: Found
    probability: float
    away: int = 0
    turn: float | None = None


def build_timeline(
    tracks: Mapping[int, Mapping[int, TrackedFace]],
    cuts: set[int],
    frames: int,
    *,
    people: Mapping[int, str] | None = None,
    gap: int = LONGEST_GAP,
    extension: int = EXTENSION,
    lead: int = LEAD,
) -> dict[int, list[Face]]:
    """What to cover in every frame.

    Args:
        tracks: Track to frame to sighting.
        cuts: Frames that begin a new scene; nothing is carried over them.
        frames: Frames of the video.
        people: Track to person; tracks of one person that may be one are joined.
        gap: Gaps of at most this many frames are filled.
        extension: Frames added after a stretch.
        lead: Frames added before it.

    Returns:
        Frame to faces.
    """
    timeline: dict[int, list[Face]] = {}
    edges = sorted(cuts)
    for sightings in _join(tracks, people or {}, gap):
        for stretch in _stretches(sightings, edges, gap):
            for frame, face in _fill(stretch, sightings, edges, frames, (lead, extension)):
                timeline.setdefault(frame, []).append(face)
    return timeline


def _join(
    tracks: Mapping[int, Mapping[int, TrackedFace]], people: Mapping[int, str], gap: int
) -> list[Mapping[int, TrackedFace]]:
    """Sightings of tracks, those of one person that follow each other within a gap as one."""
    joined: list[Mapping[int, TrackedFace]] = []
    open_ends: dict[str, int] = {}
    for number, sightings in sorted(tracks.items(), key=lambda item: min(item[1], default=0)):
        person = people.get(number)
        place = open_ends.get(person, -1) if person is not None else -1
        if place >= 0 and follows(joined[place], sightings, gap):
            joined[place] = {**joined[place], **sightings}
            continue
        joined.append(sightings)
        if person is not None:
            open_ends[person] = len(joined) - 1
    return joined


def follows(before: Mapping[int, TrackedFace], after: Mapping[int, TrackedFace], gap: int) -> bool:
    """Whether a face can have gone from the end of one track to the beginning of another."""
    last, first = max(before), min(after)
    if not 0 < first - last <= gap + 1:
        return False
    end, begin = before[last].box, after[first].box
    widths = end[2] - end[0], begin[2] - begin[0]
    apart = float(np.linalg.norm((begin[:2] + begin[2:] - end[:2] - end[2:]) / 2))
    reach = (1 + FASTEST * (first - last)) * float(sum(widths)) / 2
    return bool(max(widths) < SAME_SIZE * min(widths) and apart <= reach)


def _stretches(sightings: Mapping[int, TrackedFace], cuts: list[int], gap: int) -> list[list[int]]:
    """Frames of sightings, divided at cuts and at gaps too long to fill."""
    stretches: list[list[int]] = []
    for frame in sorted(sightings):
        if stretches:
            last = stretches[-1][-1]
            if frame - last - 1 <= gap and not any(last < cut <= frame for cut in cuts):
                stretches[-1].append(frame)
                continue
        stretches.append([frame])
    return stretches


def _fill(
    stretch: list[int],
    sightings: Mapping[int, TrackedFace],
    cuts: list[int],
    frames: int,
    added: tuple[int, int],
) -> list[tuple[int, Face]]:
    first, last = stretch[0], stretch[-1]
    begin = max([0, first - added[0], *(cut for cut in cuts if cut <= first)])
    end = min([frames - 1, last + added[1], *(cut - 1 for cut in cuts if cut > last)])
    whole = np.arange(begin, end + 1)
    known = np.array(stretch)
    boxes = _steady(_spread(np.stack([sightings[f].box for f in stretch]), known, whole))
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    points = np.stack([sightings[f].landmarks for f in stretch])
    good = np.isfinite(points).all((1, 2))
    landmarks = np.full((len(whole), 5, 2), np.nan, np.float32)
    turns: list[float | None] = [None] * len(whole)
    if good.any():
        there = np.stack([sightings[f].box for f in stretch])[good]
        shares = (points[good] - there[:, None, :2]) / np.maximum(there[:, None, 2:] - there[:, None, :2], 1e-3)
        # landmarks stay in the box they were seen in, and are not known far from the frame they were seen in
        spread = np.stack([np.interp(whole, known[good], c) for c in shares.reshape(-1, 10).T], 1)
        steady = _steady(spread.astype(np.float32)).reshape(-1, 5, 2)
        near = np.abs(whole[:, None] - known[good]).min(1) <= KNOWN_NEAR
        placed = boxes[:, None, :2] + steady * (boxes[:, None, 2:] - boxes[:, None, :2])
        landmarks[near] = placed[near]
        turned = np.array([min(turn(shape), MOST_TURN) for shape in points[good]])
        turns = [*_steady_turn(np.interp(whole, known[good], turned))]
    faces = []
    for place, frame in enumerate(whole):
        seen = sightings.get(int(frame))
        nearest = seen or sightings[int(known[np.abs(known - frame).argmin()])]
        before = sightings[int(known[max(0, int(np.searchsorted(known, frame, "right")) - 1)])]
        outside: Found = "interpolated" if first < frame < last else "extended"
        face = Face(
            track=before.track,
            box=boxes[place],
            landmarks=landmarks[place],
            found=seen.found if seen else outside,
            probability=nearest.probability,
            away=int(np.abs(known - frame).min()),
            turn=turns[place],
        )
        faces.append((int(frame), face))
    return faces


def _spread(values: Floats, known: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> Floats:
    """Values (k, d) at known frames as values of every frame: linear between, moving on at the ends."""
    columns = [np.interp(whole, known, column) for column in values.T]
    spread = np.stack(columns, 1)
    if len(known) > 1:
        reach = min(len(known) - 1, 3)
        before, after = whole < known[0], whole > known[-1]
        early = (values[reach] - values[0]) / (known[reach] - known[0])
        late = (values[-1] - values[-1 - reach]) / (known[-1] - known[-1 - reach])
        spread[before] = values[0] + (whole[before, None] - known[0]) * early
        spread[after] = values[-1] + (whole[after, None] - known[-1]) * late
    return spread.astype(np.float32)


def _steady(values: Floats) -> Floats:
    """Smooth values (n, d) over time, so that an edit does not shake."""
    if len(values) < 3:
        return values
    return np.asarray(gaussian_filter1d(values, STEADYING, axis=0, mode="nearest"), np.float32)


def _steady_turn(values: npt.NDArray[np.float64]) -> list[float]:
    """How far a head is turned (n,), smoothed over time, so that edits do not come and go."""
    return [float(value) for value in gaussian_filter1d(values, TURN_STEADYING, mode="reflect")]
