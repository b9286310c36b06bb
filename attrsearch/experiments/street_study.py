"""Whole made-up streets, protected, against known truth.

Is any face shown as it was, and does anybody change names?

The detector is the product's; on top of what it misses by itself, known bursts of misses are put
in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import AttributeSet
from attrsearch.core.boxes import iou
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.editing.editor import Editor
from attrsearch.evaluation.metrics.temporal import (
    TrackConsistency,
    identity_switches,
    measure_consistency,
)
from attrsearch.experiments.memory_study import missed_frames
from attrsearch.experiments.synthetic_streets import Motion, Street
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.video.audit import UNCHANGED
from attrsearch.video.io.reader import VideoReader
from attrsearch.video.io.source import VideoFile
from attrsearch.video.pipeline import SetAssignment, VideoOptions, protect
from attrsearch.video.tracking.reidentify import People

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

MIDDLE = 0.3
"""Half the part of a face that must have changed, as a share of its sides."""


@dataclass(frozen=True)
class StreetResult:
    """What became of one street.

    Attributes:
        motion: How its people move.
        faces: True faces, of all frames, of which at least half is visible.
        missed: How many of them the detector was made to miss.
        real: Frame and walker of those whose pixels did not change.
        switches: How often a walker's name changed.
        covers: How the faces were covered, and how often.
        tracks: Spread and flicker of each edited track.
    """

    motion: Motion
    faces: int
    missed: int
    real: tuple[tuple[int, int], ...]
    switches: int
    covers: Mapping[str, int]
    tracks: tuple[TrackConsistency, ...]


@dataclass(frozen=True)
class StreetModels:
    """What protects a street, and what judges it.

    Attributes:
        detector: Finds faces in frames; known misses are added to its own.
        close_up: Finds a face again in its window.
        scaled: Links tracks into people.
        judge: Embeds faces for the spread; not what the people were linked by.
        editor: Makes the edits.
    """

    detector: Detector
    close_up: Detector
    scaled: CalibratedRecogniser
    judge: CalibratedRecogniser
    editor: Editor


@dataclass
class _Forgetful:
    """A detector that misses known faces in known frames.

    Frames are given to it one by one, in order.
    """

    inner: Detector
    street: Street
    misses: npt.NDArray[np.bool_]
    name: str = "forgetful"
    frame: int = 0
    missed: int = 0

    def detect(self, pictures: Picture) -> list[Detections]:
        return [self._forget(found) for found in self.inner.detect(pictures)]

    def _forget(self, found: Detections) -> Detections:
        kept = np.ones(len(found), bool)
        for item in self.street.truth()[self.frame]:
            if self.misses[item.track, self.frame]:
                on = iou(found.boxes, np.array(item.box, np.float32)) > 0.2
                self.missed += bool(on.any())
                kept &= ~on

        self.frame += 1
        return Detections(found.boxes[kept], found.probabilities[kept], found.landmarks[kept])


def study_street(
    street: Street,
    motion: Motion,
    folder: Path,
    models: StreetModels,
    attributes: AttributeSet,
    *,
    seed: int = 0,
    progress: Progress[Step] = silent,
) -> StreetResult:
    """Film a street, protect the film, and compare it with the truth.

    Args:
        street: The street.
        motion: How its people move, for the result.
        folder: An existing folder for the films.
        models: What protects it, and what judges it.
        attributes: The set everybody gets.
        seed: Decides the street's wall and the misses.
        progress: Told of the passes ``find`` and ``cover``, by frames.
    """
    film = folder / "street.mp4"
    covered = folder / "covered.mp4"
    ledger = folder / "coverage.parquet"
    _film(street, film, seed)
    forgetful = _Forgetful(models.detector, street, missed_frames(street, seed) > 0)

    def decide(people: People) -> SetAssignment:
        return SetAssignment({}, dict.fromkeys(people.names.values(), attributes), models.editor)

    done = protect(
        VideoFile(film, covered),
        detector=forgetful,
        close_up=models.close_up,
        scaled=models.scaled,
        decide=decide,
        options=VideoOptions(ledger=ledger),
        progress=progress,
    )
    truth = street.truth()
    named = {}
    for frame, there in truth.items():
        named[frame] = [(item.track, np.array(item.box, np.float32)) for item in there]

    # with the detector as it is: the misses are of the street, not of the comparison
    tracks = measure_consistency(film, covered, ledger, models.detector, models.judge)
    return StreetResult(
        motion=motion,
        faces=sum(map(len, truth.values())),
        missed=forgetful.missed,
        real=tuple(shown_real(street, film, covered)),
        switches=identity_switches(ledger, named),
        covers=done.counts,
        tracks=tuple(tracks),
    )


def shown_real(street: Street, film: Path, covered: Path) -> list[tuple[int, int]]:
    """Frame and walker of every true face whose visible middle did not change."""
    real = []
    truth = street.truth()

    with VideoReader(film) as first, VideoReader(covered) as second:
        for before, after in zip(first.frames(), second.frames(), strict=True):
            # a post hides the face before and after: its columns say nothing of the protection
            free = np.ones(before.picture.shape[1], bool)
            for left, right in street.posts.astype(int):
                free[max(0, left) : right] = False

            for item in truth[before.index]:
                box = np.array(item.box, np.float32)
                if _change(before.picture, after.picture, box, free) <= UNCHANGED:
                    real.append((before.index, item.track))

    return real


def _change(before: Picture, after: Picture, box: Floats, free: npt.NDArray[np.bool_]) -> float:
    centre = (box[:2] + box[2:]) / 2
    half = (box[2:] - box[:2]) * MIDDLE
    left, top = np.maximum(np.floor(centre - half), 0).astype(int)
    right, bottom = np.ceil(centre + half).astype(int)
    columns = np.flatnonzero(free[left:right]) + left
    if not len(columns):
        return float("inf")

    region = np.s_[top:bottom, columns]
    return float(np.abs(before[region].astype(np.int16) - after[region]).mean())


def _film(street: Street, path: Path, seed: int) -> None:
    """Write a street as a video of 25 frames a second."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height = street.size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "16", "preset": "veryfast"}

        for picture in street.render(seed):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))

        out.mux(stream.encode(None))


def street_figures(results: Sequence[StreetResult]) -> dict[str, object]:
    """Coverage, names, and steadiness beside the original's own, street by street."""
    streets = []

    for item in results:
        streets.append(
            {
                "motion": item.motion,
                "faces": item.faces,
                "missed": item.missed,
                "real": len(item.real),
                "switches": item.switches,
                "covers": dict(sorted(item.covers.items())),
                "spread": _ratio(item.tracks, "spread_before", "spread_after"),
                "flicker": _ratio(item.tracks, "flicker_before", "flicker_after"),
            }
        )

    return {"streets": streets}


def _ratio(tracks: Sequence[TrackConsistency], before: str, after: str) -> float:
    """How many times the original's own something is, over all compared frames."""
    own = 0.0
    shown = 0.0

    for track in tracks:
        first = getattr(track, before)
        second = getattr(track, after)
        # a track of one frame has no flicker, and counts on neither side
        if np.isfinite(first) and np.isfinite(second):
            own += track.frames * first
            shown += track.frames * second

    return float(shown / own) if own else float("nan")
