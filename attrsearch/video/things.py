"""Things besides faces in footage, such as plates: followed like faces, filtered in every frame.

The same kind of tracker follows them: the memory covers a thing where its detector loses it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from attrsearch.core.parallel import ahead
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.editing.filters import Fallback, cover
from attrsearch.faces.detection.classes import FilteredClass, is_head_of
from attrsearch.video.io.reader import Frame
from attrsearch.video.io.source import FrameSource
from attrsearch.video.render import RenderedFace
from attrsearch.video.tracking.scan import scan
from attrsearch.video.tracking.tracker import Tracker
from attrsearch.video.trajectories import Timeline, TrackedBox

Picture = npt.NDArray[np.uint8]

STAGE = "things"
SURE = 0.6
UNSURE = 0.2
"""Probabilities that start and continue the track of a thing."""


@dataclass(frozen=True)
class FollowedThings:
    """The things of one class.

    Attributes:
        label: What they are.
        timeline: Where they are in every frame.
        first: Added to their numbers, so that no number in a video stands for two tracks.
    """

    label: str
    timeline: Timeline
    first: int

    def at(self, frame: int) -> list[TrackedBox]:
        """The things of a frame; frames are asked for in order."""
        found = self.timeline.at(frame)
        return [replace(thing, track=thing.track + self.first) for thing in found]


def follow_things(
    material: FrameSource,
    classes: Sequence[FilteredClass],
    memory: int,
    first: int,
    progress: Progress[Step] = silent,
) -> list[FollowedThings]:
    """Go through footage once for every class, and follow its things.

    Args:
        material: The footage.
        classes: What is looked for.
        memory: Frames a thing that is lost is remembered in.
        first: The number of their first track.
        progress: Told of the stage ``things``, by frames of all classes.
    """
    followed = []
    total = material.count * len(classes)

    for place, kind in enumerate(classes):
        frames = _counted(ahead(material.frames()), progress, place * material.count, total)
        # one a class: a head and the face in it overlap, and would take each other's tracks
        tracker = Tracker(memory, material.size, SURE, UNSURE)
        found = scan(frames, kind.detector, tracker)
        timeline = Timeline(
            found.tracks,
            found.cuts,
            found.frames,
            remembered=found.remembered,
            camera=found.camera,
        )
        followed.append(FollowedThings(kind.label, timeline, first))
        first += max((*found.tracks, *found.remembered), default=-1) + 1

    return followed


def cover_things(
    picture: Picture,
    frame: int,
    things: Sequence[FollowedThings],
    kept: Sequence[TrackedBox],
    how: Fallback,
) -> list[RenderedFace]:
    """Filter the things of a frame, in place; what was done.

    Args:
        picture: The frame (h, w, 3), RGB, uint8, as it is shown; changed.
        frame: Its number.
        things: What there is.
        kept: Faces that are edited, or left as they are: what is their head is left to that.
        how: The filter.
    """
    faces = np.array([face.box for face in kept], np.float32).reshape(-1, 4)
    done = []

    for kind in things:
        for thing in kind.at(frame):
            if not is_head_of(thing.box, faces):
                cover(picture, thing.box, how)
                done.append(RenderedFace(thing, "", "filtered", label=kind.label))

    return done


def _counted(
    frames: Iterator[Frame], progress: Callable[[Step], None], before: int, total: int
) -> Iterator[Frame]:
    for done, frame in enumerate(frames, before + 1):
        yield frame
        progress(Step(stage=STAGE, count=done, total=total))
