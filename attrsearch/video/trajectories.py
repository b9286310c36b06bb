"""From tracks to what must be covered in every frame.

Gaps filled, ends extended, landmarks steadied.

The second pass knows the future: a gap between two sightings is interpolated, and a track begins
before its first sighting and ends after its last, because a face is there before a detector is sure
of it. Tracks of one person that follow each other closely are one: what lies between them is a gap
like any other.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.video.reasons import Reason
from attrsearch.video.steadying import (
    camera_shift,
    nearest,
    roughness,
    spread,
    steady,
    steady_turn,
)
from attrsearch.video.tracking.best_shots import turn
from attrsearch.video.tracking.tracker import SAME_SIZE, BoxSource, TrackedFace

Floats = npt.NDArray[np.float32]

KNOWN_NEAR = 15
"""Landmarks are known at most this many frames from one in which they were seen: half of the
longest gap."""
MAX_TURN = 1.0
"""How far a head counts as turned at most: landmarks of a profile are now beside, now before the
face, and one frame of them would outweigh all others."""
FASTEST = 0.35
"""How far a person may have moved between two tracks, in widths of the face a frame."""


@dataclass(frozen=True)
class Filling:
    """How many frames without a sighting are covered.

    Attributes:
        gap: Gaps of at most this many frames between two sightings are filled.
        lead: Frames added before a stretch, where nothing remembers the face yet.
        extension: Frames added after it.
    """

    gap: int = 30
    lead: int = 6
    extension: int = 3


@dataclass(frozen=True, slots=True)
class TrackedBox:
    """A face to cover in one frame.

    Attributes:
        track: Its number.
        box: (4,), pixels.
        landmarks: (5, 2), pixels, steadied; NaN where they are not known.
        source: How it is known to be there.
        probability: Of the detection; of the nearest one where there is none.
        frames_from_detection: Frames to the nearest one in which the face was seen.
        turn: How far it is turned aside (:func:`attrsearch.video.tracking.best_shots.turn`),
            steadied over time; None where only the landmarks say.
        way: Number of the first of the tracks that are one way; None where it is a track by itself.
        planned: Why it is not edited, decided for its whole way; empty where it is to be, None
            where nobody planned.
    """

    track: int
    box: Floats
    landmarks: Floats
    source: BoxSource
    probability: float
    frames_from_detection: int = 0
    turn: float | None = None
    way: int | None = None
    planned: Reason | None = None

    @property
    def key(self) -> int:
        """What is the same for a face in all frames of its way."""
        return self.track if self.way is None else self.way


@dataclass(frozen=True)
class _Stretch:
    """Frames ``begin`` to ``end`` are covered because of sightings in ``first`` to ``last``."""

    tracks: Sequence[Mapping[int, TrackedFace]]
    first: int
    last: int
    begin: int
    end: int

    def sightings(self) -> list[tuple[Mapping[int, TrackedFace], int]]:
        """Each sighting as its track and its frame, in order."""
        found = []
        for track in self.tracks:
            for frame in track:
                # the tracks go on in other stretches, beyond a cut or a long gap
                if self.first <= frame <= self.last:
                    found.append((track, frame))

        return found


class Timeline:
    """What to cover in every frame, made as frames are asked for.

    Only what is going on is in memory.

    Args:
        tracks: Track to frame to sighting.
        cuts: Frames that begin a new scene; nothing is carried over them.
        frames: Frames of the video.
        people: Track to person; tracks of one person that may be one are joined.
        remembered: Track to frame to a face that only the memory still holds: it is covered where
            there is nothing else of its track.
        filling: How many frames between, before and after sightings are covered.
        camera: How far the camera had moved in each frame, (2,) pixels: gaps are filled, ends
            extended and boxes steadied as if it stood still.
        plan: Decides for a face's whole way where it is edited, and why not elsewhere.
    """

    def __init__(
        self,
        tracks: Mapping[int, Mapping[int, TrackedFace]],
        cuts: set[int],
        frames: int,
        *,
        people: Mapping[int, str] | None = None,
        remembered: Mapping[int, Mapping[int, TrackedFace]] | None = None,
        filling: Filling | None = None,
        camera: Sequence[Floats] = (),
        plan: Callable[[Sequence[TrackedBox]], Sequence[Reason]] | None = None,
    ) -> None:
        self._plan = plan
        self._camera = np.array(camera, np.float32).reshape(-1, 2)
        edges = sorted(cuts)
        filling = filling or Filling()
        self._stretches: list[_Stretch] = []
        for joined in _join(tracks, people or {}, filling.gap):
            self._stretches += _stretches(joined, edges, frames, filling)

        # the last one is due first: it is taken off the end
        self._waiting = sorted(
            range(len(self._stretches)), key=lambda number: -self._stretches[number].begin
        )
        self._open: dict[int, _Filled] = {}
        held = [(min(rows), max(rows), track) for track, rows in (remembered or {}).items() if rows]
        self._remembered = remembered or {}
        self._held_later = sorted(held, reverse=True)
        self._held: dict[int, int] = {}

    def at(self, frame: int) -> list[TrackedBox]:
        """The faces of a frame.

        Frames are asked for in order, since what has ended is forgotten.
        """
        while self._waiting and self._stretches[self._waiting[-1]].begin <= frame:
            number = self._waiting.pop()
            if self._stretches[number].end >= frame:
                self._open[number] = _Filled(self._stretches[number], self._camera, self._plan)

        going_on = sorted(self._open.items())
        self._open = {number: filled for number, filled in going_on if filled.end >= frame}
        faces = [filled.face(frame) for filled in self._open.values()]
        present = {face.track for face in faces}

        for held in self._remembered_in(frame):
            if held.track not in present:
                box = TrackedBox(
                    held.track, held.box, held.landmarks, held.source, held.probability
                )
                faces.append(box)

        return faces

    def _remembered_in(self, frame: int) -> list[TrackedFace]:
        """What the memory holds in a frame, in the order of the tracks."""
        while self._held_later and self._held_later[-1][0] <= frame:
            _, last, track = self._held_later.pop()
            self._held[track] = last

        self._held = {track: last for track, last in sorted(self._held.items()) if last >= frame}
        faces = []
        for track in self._held:
            # the memory let go of it, and found it again later
            if frame in self._remembered[track]:
                faces.append(self._remembered[track][frame])

        return faces


def _join(
    tracks: Mapping[int, Mapping[int, TrackedFace]], people: Mapping[int, str], gap: int
) -> list[list[Mapping[int, TrackedFace]]]:
    """Tracks, those of one person that follow each other within a gap together."""
    joined: list[list[Mapping[int, TrackedFace]]] = []
    open_ends: dict[str, int] = {}

    for number, sightings in sorted(tracks.items(), key=lambda item: min(item[1], default=0)):
        person = people.get(number)
        place = open_ends.get(person, -1) if person is not None else -1
        if place >= 0 and follows(joined[place][-1], sightings, gap):
            joined[place].append(sightings)
            continue

        joined.append([sightings])
        if person is not None:
            open_ends[person] = len(joined) - 1

    return joined


def follows(before: Mapping[int, TrackedFace], after: Mapping[int, TrackedFace], gap: int) -> bool:
    """Whether a face can have gone from the end of one track to the beginning of another."""
    last = max(before)
    first = min(after)
    if not 0 < first - last <= gap + 1:
        return False

    end = before[last].box
    begin = after[first].box
    widths = end[2] - end[0], begin[2] - begin[0]
    distance = float(np.linalg.norm((begin[:2] + begin[2:] - end[:2] - end[2:]) / 2))
    reach = (1 + FASTEST * (first - last)) * float(sum(widths)) / 2

    return bool(max(widths) < SAME_SIZE * min(widths) and distance <= reach)


def _stretches(
    tracks: Sequence[Mapping[int, TrackedFace]],
    cuts: list[int],
    frames: int,
    filling: Filling,
) -> list[_Stretch]:
    """Tracks that follow each other, divided at cuts and at gaps too long to fill."""
    known = np.array(list(itertools.chain.from_iterable(tracks)), np.int64)
    scenes = np.searchsorted(np.array(cuts, np.int64), known, "right")
    breaks = np.flatnonzero((np.diff(known) > filling.gap + 1) | (np.diff(scenes) > 0))
    stretches = []

    for start, stop in itertools.pairwise([0, *(breaks + 1), len(known)]):
        if start == stop:
            continue

        first = int(known[start])
        last = int(known[stop - 1])
        # neither end crosses a cut: the face is not in the other scene
        begin = max([0, first - filling.lead, *(cut for cut in cuts if cut <= first)])
        end = min([frames - 1, last + filling.extension, *(cut - 1 for cut in cuts if cut > last)])
        stretches.append(_Stretch(tracks, first, last, begin, end))

    return stretches


class _Filled:
    """The faces of every frame of a stretch, as arrays."""

    def __init__(
        self,
        stretch: _Stretch,
        camera: Floats,
        plan: Callable[[Sequence[TrackedBox]], Sequence[Reason]] | None = None,
    ) -> None:
        self.end = stretch.end
        self._planned: Sequence[Reason] | None = None
        self._stretch = stretch
        inside = stretch.sightings()
        self._known = known = np.array([frame for _, frame in inside])
        self._whole = whole = np.arange(stretch.begin, stretch.end + 1)
        seen_boxes = np.empty((len(known), 4), np.float32)
        points = np.empty((len(known), 5, 2), np.float32)
        self._tracks = np.empty(len(known), np.int64)
        self._probabilities = np.empty(len(known))
        self._sources: list[BoxSource] = []

        for place, (track, frame) in enumerate(inside):
            # a track reads its sightings from disk: one at a time
            face = track[frame]
            seen_boxes[place] = face.box
            points[place] = face.landmarks
            self._tracks[place] = face.track
            self._probabilities[place] = face.probability
            self._sources.append(face.source)

        there = camera_shift(camera, known)
        if roughness(seen_boxes - there) >= roughness(seen_boxes):
            camera, there = camera[:0], np.zeros_like(there)  # the camera followed this face

        boxes = steady(spread(seen_boxes - there, known, whole)) + camera_shift(camera, whole)
        # a box that shrinks towards an end, and moves on like that, may shrink to nothing
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        good = np.isfinite(points).all((1, 2))
        landmarks = np.full((len(whole), 5, 2), np.nan, np.float32)
        self._turns: list[float] | None = None

        if good.any():
            there = seen_boxes[good]
            shares = (points[good] - there[:, None, :2]) / np.maximum(
                there[:, None, 2:] - there[:, None, :2], 1e-3
            )
            # landmarks stay in the box they were seen in, and are not known far from the frame
            # they were seen in
            everywhere = np.stack(
                [np.interp(whole, known[good], c) for c in shares.reshape(-1, 10).T], 1
            )
            steadied = steady(everywhere.astype(np.float32)).reshape(-1, 5, 2)
            near = np.abs(whole - known[good][nearest(known[good], whole)]) <= KNOWN_NEAR
            placed = boxes[:, None, :2] + steadied * (boxes[:, None, 2:] - boxes[:, None, :2])
            landmarks[near] = placed[near]
            turned = np.array([min(turn(shape), MAX_TURN) for shape in points[good]])
            self._turns = steady_turn(np.interp(whole, known[good], turned))

        self._boxes = boxes
        self._landmarks = landmarks
        self._nearest = nearest(known, whole)
        self._before = np.maximum(np.searchsorted(known, whole, "right") - 1, 0)

        if plan is not None:
            self._planned = plan([self.face(frame) for frame in whole.tolist()])

    def face(self, frame: int) -> TrackedBox:
        """The face in a frame of the stretch."""
        place = frame - self._stretch.begin
        near = int(self._nearest[place])
        frames_from_detection = abs(int(self._known[near]) - frame)
        inside = self._stretch.first < frame < self._stretch.last

        return TrackedBox(
            track=int(self._tracks[self._before[place]]),
            box=self._boxes[place],
            landmarks=self._landmarks[place],
            source=self._sources[near]
            if frames_from_detection == 0
            else "interpolated"
            if inside
            else "extended",
            probability=float(self._probabilities[near]),
            frames_from_detection=frames_from_detection,
            turn=self._turns[place] if self._turns is not None else None,
            way=int(self._tracks[0]),
            planned=self._planned[place] if self._planned is not None else None,
        )
