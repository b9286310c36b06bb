"""Temporal consistency of a track: the spread of its embeddings, and flicker.

Both are measured on the original, too, over the same frames and with the same alignment: faces
turn, light changes and encoders add noise there as well, and that is the floor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment

from attrsearch.core.boxes import iou
from attrsearch.core.encryption import open_private
from attrsearch.core.errors import InputError
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE, similarity, warp
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.video.io.reader import VideoReader
from attrsearch.video.tracking.scan import detect_in_frame

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

NARROWEST = 36.0
"""Faces narrower than this many pixels have no embedding worth comparing."""
SHORTEST = 5
"""Tracks seen in fewer frames than this are left out."""
INNER = slice(32, 104)
"""The part of the aligned crop that is face, whatever the hair and the background do."""


@dataclass(frozen=True)
class TrackConsistency:
    """One track; ``before`` is the original.

    Attributes:
        track: Its number in the ledger.
        person: Who it is.
        frames: Frames compared.
        spread_before: Mean raw distance of the frames' embeddings to their mean.
        spread_after: The same of the protected video.
        flicker_before: Mean absolute difference of consecutive aligned faces, 0 to 255.
        flicker_after: The same of the protected video.
    """

    track: int
    person: str
    frames: int
    spread_before: float
    spread_after: float
    flicker_before: float
    flicker_after: float


@dataclass
class _TrackHistory:
    person: str
    frames: list[int] = field(default_factory=list)
    before: list[Floats] = field(default_factory=list)
    after: list[Floats] = field(default_factory=list)
    flicker: list[tuple[float, float]] = field(default_factory=list)
    last: tuple[int, Picture, Picture] | None = None


def measure_consistency(
    original: Path,
    protected: Path,
    ledger: Path,
    detector: Detector,
    judge: CalibratedRecogniser,
    *,
    progress: Progress[Step] = silent,
) -> list[TrackConsistency]:
    """Compare every edited track of a protected video with the same frames of its original.

    Args:
        original: The untouched video.
        protected: What was made of all of it.
        ledger: ``coverage.parquet`` of the protection.
        detector: Finds the landmarks, in the original, that both are aligned by.
        judge: Embeds the faces.
        progress: Told of the stage ``steadiness``, by frames.

    Raises:
        InputError: Not a ledger, or not a video.
    """
    faces = read_ledger(ledger)
    tracks: dict[int, _TrackHistory] = {}

    with VideoReader(original) as first, VideoReader(protected) as second:
        for before, after in zip(first.frames(), second.frames(), strict=False):
            rows = faces.get(before.index)
            if rows is not None:
                found = detect_in_frame(before.picture, detector)
                _compare(tracks, before.index, rows, found, (before.picture, after.picture), judge)

            progress(Step(stage="steadiness", count=before.index + 1))

    long_enough = []
    for number, seen in sorted(tracks.items()):
        if len(seen.frames) >= SHORTEST:
            long_enough.append(_summarise(number, seen))

    return long_enough


def read_ledger(path: Path) -> Mapping[int, pd.DataFrame]:
    """Edited faces of a ledger, by frame.

    Raises:
        InputError: Missing, or not a ledger.
    """
    hint = "attrsearch apply VIDEO … --ledger coverage.parquet writes one"

    try:
        table = pd.read_parquet(open_private(path))
        edited = table[
            table["cover"].isin(["edited", "warped"])
            & (table["right"] - table["left"] >= NARROWEST)
        ]
    except (OSError, ValueError, KeyError) as error:
        found = str(error).splitlines()[0][:100]
        raise InputError(
            path, required="a ledger of a protected video", found=found, hint=hint
        ) from error

    return {int(str(frame)): rows for frame, rows in edited.groupby("frame")}


def _compare(
    tracks: dict[int, _TrackHistory],
    frame: int,
    rows: pd.DataFrame,
    found: Detections,
    pictures: tuple[Picture, Picture],
    judge: CalibratedRecogniser,
) -> None:
    """Add one frame's faces to their tracks."""
    boxes = rows[["left", "top", "right", "bottom"]].to_numpy(np.float32)
    chosen: list[int] = []
    nearest: list[int] = []
    for i, box in enumerate(boxes):
        best, overlap = found.nearest(box)
        # less than for a hit: the ledger's boxes are smoothed over time, the detector's are not
        if overlap > 0.4:
            chosen.append(i)
            nearest.append(best)

    if not chosen:
        return

    landmarks = found.landmarks[nearest]
    there = found.boxes[nearest]
    embedded = [_embed(picture, there, landmarks, judge) for picture in pictures]

    for place, i in enumerate(chosen):
        row = rows.iloc[i]
        seen = tracks.setdefault(int(row["track"]), _TrackHistory(str(row["person"])))
        matrix = similarity(landmarks[place][None], CROP_TEMPLATE)[0]
        crops = [warp(picture, matrix, CROP_SIZE)[INNER, INNER] for picture in pictures]

        # after a gap the face has moved on, and a difference would be of that
        if seen.last is not None and seen.last[0] == frame - 1:
            before = _difference(seen.last[1], crops[0])
            after = _difference(seen.last[2], crops[1])
            seen.flicker.append((before, after))

        seen.last = (frame, crops[0], crops[1])
        seen.frames.append(frame)
        seen.before.append(embedded[0][place])
        seen.after.append(embedded[1][place])


def _embed(
    picture: Picture, boxes: Floats, landmarks: Floats, judge: CalibratedRecogniser
) -> Floats:
    same = np.repeat(picture[None], len(boxes), 0)
    return judge.recogniser.embed(same, boxes, landmarks)


def _difference(first: Picture, second: Picture) -> float:
    return float(np.abs(first.astype(np.int16) - second).mean())


def _summarise(number: int, seen: _TrackHistory) -> TrackConsistency:
    flicker = np.array(seen.flicker or [(np.nan, np.nan)])
    return TrackConsistency(
        track=number,
        person=seen.person,
        frames=len(seen.frames),
        spread_before=spread(seen.before),
        spread_after=spread(seen.after),
        flicker_before=float(flicker[:, 0].mean()),
        flicker_after=float(flicker[:, 1].mean()),
    )


def spread(embeddings: Sequence[Floats]) -> float:
    """Mean distance of embeddings, each (d,), to their mean.

    >>> spread([np.float32([1, 0]), np.float32([-1, 0])])
    1.0
    """
    rows = np.stack(embeddings)
    return float(np.linalg.norm(rows - rows.mean(0), axis=1).mean())


def identity_switches(ledger: Path, truth: Mapping[int, Sequence[tuple[int, Floats]]]) -> int:
    """How often a true person's name changes from one sighting to the next.

    Args:
        ledger: ``coverage.parquet``.
        truth: Frame to true persons and their boxes (4,).
    """
    table = pd.read_parquet(open_private(ledger))
    names: dict[int, str] = {}
    switches = 0

    for frame, rows in table.groupby("frame"):
        boxes = rows[["left", "top", "right", "bottom"]].to_numpy(np.float32)
        there = truth.get(int(str(frame)), ())
        true_boxes = np.array([box for _, box in there], np.float32).reshape(-1, 1, 4)
        overlaps = iou(true_boxes, boxes[None])

        # an assignment, because a box can be one person's only
        for i, best in zip(*linear_sum_assignment(-overlaps), strict=True):
            if overlaps[i, best] < 0.5:
                continue

            person = there[i][0]
            name = str(rows.iloc[best]["person"])
            switches += names.get(person, name) != name
            names[person] = name

    return switches
