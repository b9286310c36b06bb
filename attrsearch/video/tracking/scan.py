"""The first pass over a video: detect, track, remember.

Keep boxes of every frame and the best looks at every face.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.faces.dataset import cut_face
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.detection.tiles import detect_in_tiles, join_detections
from attrsearch.video.io.boxes_file import LabelledBox
from attrsearch.video.io.reader import Frame, Picture
from attrsearch.video.tracking.best_shots import (
    MAX_POOR_SHOTS,
    Sighting,
    Sightings,
    poor_quality,
    quality,
)
from attrsearch.video.tracking.camera_motion import CameraMotion
from attrsearch.video.tracking.lighting import lift
from attrsearch.video.tracking.scene_cuts import mark_cuts
from attrsearch.video.tracking.spill import SpillFile
from attrsearch.video.tracking.spill_rows import TrackRows, part
from attrsearch.video.tracking.tracker import MIN_PREDICTED_IOU, TrackedFace, Tracker

Floats = npt.NDArray[np.float32]


@dataclass
class Scan:
    """What the first pass found.  What is known of a track that has ended lies on a shelf.

    Attributes:
        frames: One more than the number of the last frame; a frame that could not be read has a
            number, too.
        read: How many frames could be read.
        tracks: Track to its sightings, frame by frame; remembered ones are not in it.
        remembered: Track to its faces that the memory restored, frame by frame.
        cuts: Frames that begin a new scene.
        looks: Track to its best looks.
        poor_looks: The same of tracks without a look by which anybody could be known.
        guesses: Tracks for which nothing but few unsure detections speak.
        camera: How far the camera had moved in each frame since the first, (2,) pixels.
        shelf: Where the pages of tracks and the pictures of looks lie.
    """

    frames: int = 0
    read: int = 0
    tracks: dict[int, Mapping[int, TrackedFace]] = field(default_factory=dict)
    remembered: dict[int, Mapping[int, TrackedFace]] = field(default_factory=dict)
    cuts: set[int] = field(default_factory=set)
    looks: dict[int, Sightings] = field(default_factory=dict)
    poor_looks: dict[int, Sightings] = field(default_factory=dict)
    guesses: set[int] = field(default_factory=set)
    camera: list[Floats] = field(default_factory=list)
    shelf: SpillFile = field(default_factory=SpillFile)

    def put_away(self, track: int) -> None:
        """Put what is known of a track on the shelf, because it has ended."""
        for rows in (self.tracks.get(track), self.remembered.get(track)):
            if isinstance(rows, TrackRows):
                rows.put_away()

        for looks in (self.looks, self.poor_looks):
            if track in looks:
                looks[track].put_away(self.shelf)

    def move_camera(self, frame: int, shift: Floats) -> None:
        """Note by how much the camera moved the picture (2,) from the frame before."""
        place = self.camera[-1] if self.camera else np.zeros(2, np.float32)
        while len(self.camera) < frame:  # a frame that could not be read
            self.camera.append(place)

        self.camera.append(place + shift)

    def forget(self, track: int) -> None:
        """Leave a track out, remembered sightings and looks included."""
        self.tracks.pop(track, None)
        self.looks.pop(track, None)
        self.poor_looks.pop(track, None)
        self.remembered.pop(track, None)

    def divide(self, track: int, frame: int) -> int:
        """Give what is known of a track from a frame on to a new one; its number."""
        number = max(self.tracks) + 1

        for known in (self.tracks, self.remembered):
            own = known.pop(track, None)
            if own is not None:
                known[track] = part(own, 0, frame, track, self.shelf)
                known[number] = part(own, frame, float("inf"), number, self.shelf)

        for kept in (self.looks, self.poor_looks):
            looks = kept.pop(track, Sightings()).best
            for name, late in ((track, False), (number, True)):
                chosen = {key: look for key, look in looks.items() if (look.frame >= frame) is late}
                kept[name] = Sightings(chosen)

        return number

    def forget_guess(self, track: int) -> None:
        """Leave a guess out; it has neither remembered sightings nor looks."""
        self.guesses.discard(track)
        self.tracks.pop(track, None)


def scan(
    frames: Iterable[Frame],
    detector: Detector,
    tracker: Tracker,
    *,
    boxes: Mapping[int, list[LabelledBox]] | None = None,
) -> Scan:
    """Go through a video once.

    Args:
        frames: Its frames.
        detector: Finds faces; gives unsure ones, too.
        tracker: Follows them.
        boxes: Faces by frame from a file, instead of the detector's; landmarks are still looked
            for.
    """
    found = Scan()
    camera = CameraMotion()
    followed: set[int] = set()

    for frame, is_cut in mark_cuts(frames):
        if is_cut:
            found.cuts.add(frame.index)
            tracker.clear()
            camera.forget()

        moved = camera.shift(frame.picture)
        tracker.move(moved)
        found.move_camera(frame.index, moved)
        # looked for even where boxes are given: they come without landmarks, and without these no
        # face is edited
        detections = detect_in_frame(frame.picture, detector)

        if boxes is not None:
            detections = with_boxes(detections, boxes.get(frame.index, []))

        found.frames = frame.index + 1
        found.read += 1
        for face in tracker.update(detections, frame.picture):
            _take(found, frame, face)

        for track in found.guesses - tracker.numbers:  # nothing can speak for it any more
            found.forget_guess(track)

        # what has ended is not needed before the second pass
        for track in followed - tracker.numbers:
            found.put_away(track)

        followed = tracker.numbers

    # the video ended before anything more spoke for these
    for track in set(found.guesses):
        found.forget_guess(track)

    for track in followed:
        found.put_away(track)

    return found


def _take(found: Scan, frame: Frame, face: TrackedFace) -> None:
    """Note a face of a frame."""
    (found.guesses.add if face.guess else found.guesses.discard)(face.track)
    if face.source == "remembered":
        # what may be no face at all is not carried on where nothing was seen
        if not face.guess:
            _add(found.remembered, found.shelf, frame.index, face)

        return

    _add(found.tracks, found.shelf, frame.index, face)
    if not face.guess:
        _look(found, frame, face)


def _add(
    known: dict[int, Mapping[int, TrackedFace]], shelf: SpillFile, frame: int, face: TrackedFace
) -> None:
    rows = known.setdefault(face.track, TrackRows(shelf))
    if isinstance(rows, TrackRows):
        rows.add(frame, face)


def detect_in_frame(picture: Picture, detector: Detector) -> Detections:
    """Detect in a frame of any size and light; results in the frame's own pixels.

    In a dark frame faces are looked for in a lifted copy as well.
    """
    found = detect_in_tiles(picture, detector)
    lifted = lift(picture)
    return found if lifted is None else join_detections(found, detect_in_tiles(lifted, detector))


def with_boxes(found: Detections, labelled: list[LabelledBox]) -> Detections:
    """Detections at labelled boxes, with the landmarks of the detections that overlap them."""
    boxes = np.array([item.box for item in labelled], np.float32).reshape(-1, 4)
    landmarks = np.full((len(boxes), 5, 2), np.nan, np.float32)

    for i, box in enumerate(boxes):
        best, overlap = found.nearest(box)
        # with less overlap they may be a neighbour's, and the edit would land beside this face
        if overlap > 0.3:
            landmarks[i] = found.landmarks[best]

    probabilities = np.array([item.probability for item in labelled], np.float32)
    return Detections(boxes, probabilities, landmarks)


def _look(found: Scan, frame: Frame, face: TrackedFace) -> None:
    """Keep a good look at a face for linking and searching; a poor one where there is none."""
    seen = (frame.picture, face.box, face.landmarks, face.probability)
    value = quality(*seen)
    looks = found.looks.setdefault(face.track, Sightings())

    # noted even where this look is not kept: the switch lies between the looks that are
    if face.predicted_iou < MIN_PREDICTED_IOU:
        looks.mark_possible_switch()

    if value > 0:
        # one look to know somebody by is worth more than any number of poor ones
        found.poor_looks.pop(face.track, None)
    elif not looks.best:
        value = poor_quality(*seen)
        looks = found.poor_looks.setdefault(face.track, Sightings(most=MAX_POOR_SHOTS))

    if value <= 0 or not looks.wants(frame.index, value):
        return

    one = Detections(face.box[None], np.ones(1, np.float32), face.landmarks[None])
    cut = cut_face(frame.picture, one, 0, Path(f"frame {frame.index}"))
    looks.add(Sighting(frame.index, value, cut))
