"""Tracked short-term detection memory.

What is remembered moves as it was moving (the thesis's future work, 5.2).

Each frame: tracks are moved to where they should be; sure detections are matched to them, then
unsure ones; what is not matched starts a track; a track that is not matched is remembered, where it
should be, for as many frames as the memory is long. A track that an unsure detection started is a
guess, until a sure one or enough unsure ones follow.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from attrsearch.core.boxes import covered_share, iou
from attrsearch.faces.detection.base import Detections
from attrsearch.video.tracking.appearance import FOUND, GONE, Likeness, look_at
from attrsearch.video.tracking.kalman import BoxMotion, move_points
from attrsearch.video.tracking.stdm import collides

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
BoxSource = Literal["detected", "low", "remembered", "interpolated", "extended"]

HIGH_CONFIDENCE = 0.5
LOW_CONFIDENCE = 0.1
SAME_SIZE = 2.5
"""A detection more than this many times larger or smaller than a track's box is another face."""
HIDDEN = 0.57
"""A remembered face of which a detected one covers more than this share is behind it."""
GUESSES = 8
LIKELY = 0.45
"""Unsure detections, and their mean probability, that make a track of them a face."""

MIN_PREDICTED_IOU = 0.5
"""A track that goes on with a detection that overlaps its expected place by less may go on with
somebody else."""


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """One face of one frame.

    Attributes:
        track: Its number.
        box: (4,), pixels.
        landmarks: (5, 2), pixels; NaN where the detector gave none.
        probability: Of the detection, or of the last one where it is remembered.
        source: How.
        guess: Whether nothing but unsure detections, and few of them, speak for its track so far.
        predicted_iou: Overlap with where its track was expected; 1 where the track begins, or is
            remembered.
    """

    track: int
    box: Floats
    landmarks: Floats
    probability: float
    source: BoxSource
    guess: bool = False
    predicted_iou: float = 1.0


@dataclass
class _Track:
    number: int
    motion: BoxMotion
    box: Floats
    seen_box: Floats
    landmarks: Floats
    probability: float
    likeness: Likeness | None = None
    frames_since_update: int = 0
    hits: int = 1
    total: float = 0.0
    guess: bool = False


@dataclass
class Tracker:
    """Follows faces from frame to frame.

    Args:
        length: Consecutive frames a face may be remembered in.
        size: Width and height of the frames; a remembered face that has left them is forgotten.
        high_confidence: Probability that starts a track.
        low_confidence: Probability that continues one.
    """

    length: int = 10
    size: tuple[int, int] | None = None
    high_confidence: float = HIGH_CONFIDENCE
    low_confidence: float = LOW_CONFIDENCE
    _tracks: list[_Track] = field(default_factory=list)
    _next: int = 0
    _shift: Floats | None = None

    def update(self, found: Detections, picture: Picture | None = None) -> list[TrackedFace]:
        """Take the detections of the next frame.

        Args:
            found: Its detections, unsure ones, too.
            picture: The frame (h, w, 3), RGB, uint8, in which remembered faces are looked for by
                how they looked; without it they are taken to be where they should be.

        Returns:
            Every face that is there or remembered, guesses included.
        """
        for track in self._tracks:
            track.box = track.motion.predict()

        # after the prediction: the speed of a track is its own, without the camera's
        self._follow_camera(found, picture)
        high_confidence = np.flatnonzero(found.probabilities >= self.high_confidence)
        low_confidence = np.flatnonzero(
            (found.probabilities < self.high_confidence)
            & (found.probabilities >= self.low_confidence)
        )
        known = [track for track in self._tracks if not track.guess]
        guesses = [track for track in self._tracks if track.guess]
        faces: list[TrackedFace] = []

        # as in ByteTrack: sure detections choose first, and an unsure one has to fit better
        for indices, least in ((high_confidence, 0.1), (low_confidence, 0.2)):
            left = indices
            # a guess gets what no known track wants
            for waiting in (known, guesses):
                pairs = match([track.box for track in waiting], found.boxes[left], least)
                for place, index in pairs:
                    faces.append(self._continue(waiting[place], found, int(left[index])))

                # from the end, so that the places before keep their numbers
                for place in sorted((place for place, _ in pairs), reverse=True):
                    del waiting[place]

                left = np.delete(left, [index for _, index in pairs])

            faces += [self._begin(found, int(i)) for i in left]

        waiting = known + guesses
        if picture is not None:
            self._look(faces, picture)

        return faces + self._remember(waiting, faces, picture)

    def move(self, shift: Floats) -> None:
        """The camera moved the next frame by (2,) pixels.

        Tracks that went with it are moved when it is taken.
        """
        self._shift = shift

    def _follow_camera(self, found: Detections, picture: Picture | None) -> None:
        """Move the tracks that went with the camera.

        One that the camera followed stays where it is.
        """
        shift = self._shift
        self._shift = None
        if shift is None or not shift.any():
            return

        both = np.tile(shift, 2)
        for track in self._tracks:
            here = track.box
            there = track.box + both
            stays, moves = (_best_overlap(box, found.boxes) for box in (here, there))

            # detections do not tell, or there are none near: how the face looked decides
            if stays == moves and picture is not None and track.likeness is not None:
                stays, moves = (track.likeness.find(picture, box)[1] for box in (here, there))

            # in doubt it went with the camera, as most of a picture does
            if moves >= stays:
                track.motion.move(shift)
                track.box = there
                track.seen_box = track.seen_box + both
                track.landmarks = track.landmarks + shift

    @property
    def numbers(self) -> set[int]:
        """Tracks that may go on."""
        return {track.number for track in self._tracks}

    def clear(self) -> None:
        """Forget every track, at a scene cut; numbers go on."""
        self._tracks = []

    def _continue(self, track: _Track, found: Detections, index: int) -> TrackedFace:
        box = found.boxes[index]
        probability = float(found.probabilities[index])
        predicted_iou = float(iou(track.box, box))
        track.motion.correct(box)
        track.box = track.seen_box = box
        track.landmarks = found.landmarks[index]
        track.probability = probability
        track.frames_since_update = 0
        track.hits = track.hits + 1
        track.total = track.total + probability
        state: BoxSource = "detected" if probability >= self.high_confidence else "low"
        # many unsure detections at one place are no accident
        likely = track.hits >= GUESSES and track.total / track.hits >= LIKELY
        track.guess = track.guess and state == "low" and not likely

        return TrackedFace(
            track.number, box, track.landmarks, probability, state, track.guess, predicted_iou
        )

    def _begin(self, found: Detections, index: int) -> TrackedFace:
        box = found.boxes[index]
        landmarks = found.landmarks[index]
        probability = float(found.probabilities[index])
        guess = probability < self.high_confidence
        track = _Track(
            self._next,
            BoxMotion(box),
            box,
            box,
            landmarks,
            probability,
            total=probability,
            guess=guess,
        )
        self._tracks.append(track)
        self._next += 1

        return TrackedFace(
            track.number, box, landmarks, probability, "low" if guess else "detected", guess
        )

    def _look(self, faces: list[TrackedFace], picture: Picture) -> None:
        """Keep how the faces of this frame look."""
        seen = {face.track for face in faces if not face.guess}
        for track in self._tracks:
            if track.number in seen:
                track.likeness = look_at(picture, track.box)

    def _remember(
        self, tracks: list[_Track], faces: list[TrackedFace], picture: Picture | None
    ) -> list[TrackedFace]:
        seen = np.array([face.box for face in faces if not face.guess], np.float32).reshape(-1, 4)
        restored = []

        for track in tracks:
            track.frames_since_update += 1
            # nothing tells that it still moves: an old speed would carry it away
            track.motion.damp()

            # a track is remembered no longer than it was seen: one hit may have been a mistake
            if track.frames_since_update > min(self.length, track.hits - 1) or self._has_left(
                track.box
            ):
                self._tracks.remove(track)
                continue

            # somebody stands before this face: it is covered with theirs, and may come back
            if len(seen) and covered_share(track.box, seen).max() > HIDDEN:
                continue

            if picture is not None and track.likeness is not None:
                place, alike = track.likeness.find(picture, track.box)
                # the track waits, but nothing is covered where something else stands
                if alike < GONE:
                    continue

                # in between, too little of it is seen to move it: it stays where its motion says
                if alike >= FOUND:
                    track.box = track.motion.correct(place)

            landmarks = move_points(track.landmarks, track.seen_box, track.box)
            restored.append(
                TrackedFace(
                    track.number, track.box, landmarks, track.probability, "remembered", track.guess
                )
            )

        return restored

    def _has_left(self, box: Floats) -> bool:
        if self.size is None:
            return False

        # by its middle: of a face that is half outside a half is seen
        x, y = (box[:2] + box[2:]) / 2
        return not (0 <= x < self.size[0] and 0 <= y < self.size[1])


def match(expected: list[Floats], boxes: Floats, least: float) -> list[tuple[int, int]]:
    """Pairs of expected boxes and detections with the greatest total overlap.

    Args:
        expected: Where tracks should be, each (4,).
        boxes: (k, 4).
        least: A pair overlaps by at least this, or its circles collide and its sizes are alike.

    Returns:
        Indices of an expected box and a detection, for each pair.
    """
    if not expected or not len(boxes):
        return []

    there = np.stack(expected)
    overlap = iou(there[:, None], boxes[None])
    touching = np.stack([collides(box, boxes) for box in there])
    # a face does not change its size at once: another size is another face
    ratio = np.sqrt(_areas(there)[:, None] / _areas(boxes)[None])
    alike = (ratio < SAME_SIZE) & (ratio > 1 / SAME_SIZE)
    # a pair that only touches counts for a little, so that it is made where nothing better is
    gain = np.where(((overlap >= least) | touching) & alike, 0.05 + overlap, 0.0)
    rows, columns = linear_sum_assignment(-gain)

    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if gain[i, j] > 0]


def _best_overlap(box: Floats, boxes: Floats) -> float:
    return float(iou(box, boxes).max()) if len(boxes) else 0.0


def _areas(boxes: Floats) -> Floats:
    return np.asarray(np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-3), np.float32)
