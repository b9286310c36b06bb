"""Faces of an original and a protected video, cut at the same places of the same frames."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from attrsearch.core.boxes import iou
from attrsearch.core.errors import InputError
from attrsearch.core.picking import take
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.evaluation.faces import Cohort, make_cohort
from attrsearch.evaluation.metrics.temporal import NARROWEST, read_ledger
from attrsearch.evaluation.pairing import Protection, resized
from attrsearch.faces.alignment import (
    CROP_TEMPLATE,
    WINDOW_SIZE,
    compose,
    similarity,
    warp,
    window_transform,
)
from attrsearch.faces.clustering import group
from attrsearch.faces.dataset import AlignedFace, Picture, cut_face
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.video.io.reader import VideoReader
from attrsearch.video.tracking.scan import detect_in_frame

Floats = npt.NDArray[np.float32]

FRAMES = 120
"""Frames looked at in a video, evenly spaced."""
MAX_FACES = 600
MIN_PROBABILITY = 0.8
ON_LEDGER = 0.3


@dataclass
class _Cut:
    faces: list[AlignedFace] = field(default_factory=list)
    to_windows: list[Floats] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    protected: list[Picture] = field(default_factory=list)


def load_footage(
    original: Path,
    protected: Path,
    whole: Detector,
    window: Detector,
    *,
    ledger: Path | None = None,
    knows: CalibratedRecogniser | None = None,
    frames: int = FRAMES,
    progress: Progress[Step] = silent,
) -> tuple[Cohort, Protection]:
    """Read both videos in step.

    Args:
        original: The untouched video.
        protected: What was made of all of it.
        whole: Finds faces in frames.
        window: Finds faces in windows.
        ledger: ``coverage.parquet`` of the protection: who is who.
        knows: Groups faces into people where there is no ledger.
        frames: How many frames are looked at, evenly spaced.
        progress: Told of the stage ``frames``, by frames.

    Raises:
        InputError: Not a video, videos of different length, or no face that is wide enough.
    """
    with VideoReader(original) as first, VideoReader(protected) as second:
        counts = [reader.info.frames for reader in (first, second)]
        # containers count a frame more or less at the end, and some count none at all
        if min(counts) > 0 and abs(counts[0] - counts[1]) > 2:
            hint = "give the video that was protected, whole"
            found = f"{counts[0]} and {counts[1]}"
            raise InputError(
                protected, required="as many frames as the original", found=found, hint=hint
            )

        # rounded up: rather fewer frames than were asked for, over the whole of the video
        step = max(1, -(-max(counts) // frames))
        people = read_ledger(ledger) if ledger else None
        cut = _Cut()

        for before, after in zip(first.frames(), second.frames(), strict=False):
            if before.index % step == 0 and len(cut.faces) < MAX_FACES:
                _cut_frame(
                    cut, original, (before.index, before.picture, after.picture), whole, people
                )
                progress(Step(stage="frames", count=before.index, total=max(counts)))

    if not cut.faces:
        hint = f"an evaluation needs faces of at least {NARROWEST:g} pixels"
        raise InputError(
            original, required="a video that shows faces", found="none wide enough", hint=hint
        )

    cohort, kept = make_cohort(
        cut.names, cut.faces, np.stack(cut.to_windows), np.array(cut.sizes), window
    )
    if people is None and knows is not None:
        cohort = _grouped(cohort, knows)

    windows = np.stack(take(cut.protected, kept))
    return cohort, Protection(protected.stem, np.arange(len(cohort)), windows, 0)


def _cut_frame(
    cut: _Cut,
    video: Path,
    frame: tuple[int, Picture, Picture],
    detector: Detector,
    people: Mapping[int, pd.DataFrame] | None,
) -> None:
    """Add the faces of one frame (its number, the original, the protected)."""
    index, picture, protected = frame
    rows = None if people is None else people.get(index)
    found = detect_in_frame(picture, detector)

    for i in range(len(found)):
        box = found.boxes[i]
        if found.probabilities[i] < MIN_PROBABILITY or box[2] - box[0] < NARROWEST:
            continue

        name = "" if people is None else _person(rows, box)
        # what the ledger does not know was not protected as anybody
        if name is None:
            continue

        face = cut_face(picture, found, i, video / f"frame_{index:06d}_{i}")
        to_window = window_transform(similarity(found.landmarks[i : i + 1], CROP_TEMPLATE)[0])
        size = (picture.shape[1], picture.shape[0])
        place = compose(to_window, resized(np.array(size), protected))
        cut.faces.append(face)
        cut.to_windows.append(to_window)
        cut.sizes.append(size)
        cut.names.append(name)
        cut.protected.append(warp(protected, place, WINDOW_SIZE))


def _person(rows: pd.DataFrame | None, box: Floats) -> str | None:
    """Who the ledger says is at a place; None where it says nothing."""
    if rows is None or rows.empty:
        return None

    overlaps = iou(rows[["left", "top", "right", "bottom"]].to_numpy(np.float32), box)
    best = int(overlaps.argmax())
    return str(rows.iloc[best]["person"]) if overlaps[best] > ON_LEDGER else None


def _grouped(cohort: Cohort, knows: CalibratedRecogniser) -> Cohort:
    """The same faces, grouped into people by how alike the originals are."""
    labels = group(cohort.look.embed(knows.recogniser), knows.calibration.verification)
    names = tuple(f"person_{number + 1:03d}" for number in range(int(labels.max()) + 1))
    return Cohort(names, labels, cohort.faces, cohort.to_windows, cohort.sizes, cohort.look)
