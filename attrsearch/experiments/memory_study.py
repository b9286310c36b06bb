"""Thesis figures 4.11 and 4.12: what a detection memory of each length finds, and what it invents.

The thesis could only count what a second detector still found in the covered video; here the truth
is known, because the street is made up and the detector's misses are put in at known frames.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from attrsearch.core.progress import Progress, Step, silent
from attrsearch.evaluation.metrics.detection import DetectionScores, score_detections
from attrsearch.experiments.synthetic_streets import SPEEDS, Motion, Street, make_street
from attrsearch.faces.detection.base import Detections
from attrsearch.video.io.boxes_file import LabelledBox
from attrsearch.video.tracking.stdm import DetectionMemory
from attrsearch.video.tracking.tracker import Tracker

Picture = npt.NDArray[np.uint8]

LENGTHS = range(11)
METHODS = ("none", "stdm", "tracked")
MISSES = 0.12
"""Share of frames in which a burst of misses begins for a face."""
LONGEST = 6
"""A burst lasts one to this many frames."""
JITTER = 0.03
MISSED = 2
UNSURE = 1
"""States of a face in a frame; 0 is found."""
FALSE = 0.02
"""Share of frames with a false detection."""


@dataclass(frozen=True)
class MemoryRow:
    """One method with one memory length on one kind of motion."""

    motion: Motion
    method: str
    length: int
    scores: DetectionScores


def imagine_detections(street: Street, seed: int = 0) -> list[Detections]:
    """What a detector with known failings would say of a street's true faces.

    Jittered, in bursts missed or unsure.
    """
    # a street's own generator has the seed as well: 7 keeps the two streams apart
    random = np.random.default_rng([7, seed])
    missed = _draw_misses(street, random)
    truth = street.truth()
    result = []

    for frame in range(street.frames):
        boxes = []
        scores = []

        for item in truth[frame]:
            state = missed[item.track, frame]
            if state == MISSED:
                continue

            box = np.array(item.box)
            # a detector errs in proportion to a face's size
            side = box[2] - box[0]
            boxes.append(box + random.normal(0, JITTER * side, 4))
            scores.append(random.uniform(0.15, 0.4) if state else random.uniform(0.7, 1.0))

        if random.random() < FALSE:
            corner = random.uniform(0, 1, 2) * (street.size[0] - 80, street.size[1] - 100)
            boxes.append(np.concatenate([corner, corner + np.array([50.0, 62.0])]))
            scores.append(random.uniform(0.5, 0.7))

        result.append(_detections(boxes, scores))

    return result


def missed_frames(street: Street, seed: int = 0) -> npt.NDArray[np.int64]:
    """Which walkers (rows) are missed (2) or unsurely seen (1) in which frames (columns)."""
    return _draw_misses(street, np.random.default_rng([7, seed]))


def _draw_misses(street: Street, random: np.random.Generator) -> npt.NDArray[np.int64]:
    missed = np.zeros((len(street.walkers), street.frames), np.int64)
    for walker in range(len(street.walkers)):
        frame = 0
        while frame < street.frames:
            if random.random() < MISSES:
                length = int(random.integers(1, LONGEST + 1))
                missed[walker, frame : frame + length] = MISSED if random.random() < 0.6 else UNSURE
                frame += length

            # one frame at least is found between two bursts, which would be one burst otherwise
            frame += 1

    return missed


def study_memory(
    motions: Iterable[Motion] = tuple(SPEEDS),
    streets: int = 8,
    lengths: Iterable[int] = LENGTHS,
    progress: Progress[Step] = silent,
) -> list[MemoryRow]:
    """Every method and length on several made-up streets of each kind of motion.

    Args:
        motions: Kinds of motion.
        streets: Streets of each kind.
        lengths: Memory lengths.
        progress: Told of the stage ``streets``.
    """
    rows = []
    done = 0
    motions = tuple(motions)
    # without a memory there is nothing whose length could matter
    cases: list[tuple[str, int]] = [("none", 0), *product(METHODS[1:], lengths)]

    for motion in motions:
        truth: dict[int, list[LabelledBox]] = {}
        ignored: dict[int, list[LabelledBox]] = {}
        found: dict[tuple[str, int], dict[int, list[LabelledBox]]] = {case: {} for case in cases}

        for number in range(streets):
            street = make_street(motion, seed=number)
            pictures = list(street.render(number))
            detections = imagine_detections(street, number)

            # streets are scored as one film: frames and people are numbered apart
            for frame, faces in street.truth().items():
                named = [LabelledBox(face.box, face.track + 1000 * number) for face in faces]
                truth[number * 10_000 + frame] = named

            for frame, faces in street.ignored().items():
                ignored[number * 10_000 + frame] = faces

            for case in cases:
                for frame, faces in enumerate(follow(street, detections, pictures, *case)):
                    found[case][number * 10_000 + frame] = faces

            done += 1
            progress(Step(stage="streets", count=done, total=streets * len(motions)))

        for case in cases:
            scores = score_detections(truth, found[case], ignored=ignored)
            rows.append(MemoryRow(motion, *case, scores))

    return rows


def follow(
    street: Street, detections: list[Detections], pictures: list[Picture], method: str, length: int
) -> list[list[LabelledBox]]:
    """Faces of every frame by one method."""
    if method == "tracked":
        return _track(street, detections, pictures, length)

    memory = DetectionMemory(length if method == "stdm" else 0)
    result = []

    for found in detections:
        # the thesis's memory knows detections or none: unsure ones are left out
        sure = found.probabilities >= 0.5
        entries = memory.update(found.boxes[sure], found.probabilities[sure])
        result.append([LabelledBox(_tuple(entry.box), -1, entry.probability) for entry in entries])

    return result


def _track(
    street: Street, detections: list[Detections], pictures: list[Picture], length: int
) -> list[list[LabelledBox]]:
    tracker = Tracker(length, street.size)
    result = []

    for found, picture in zip(detections, pictures, strict=True):
        faces = []
        for face in tracker.update(found, picture):
            # a guess is a place that is covered to be safe: nobody claims that a face is there
            if not face.guess:
                faces.append(LabelledBox(_tuple(face.box), face.track, face.probability))

        result.append(faces)

    return result


def _detections(boxes: list[npt.NDArray[np.float64]], scores: list[float]) -> Detections:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    order = np.argsort(-np.array(scores)) if scores else np.zeros(0, int)
    landmarks = np.full((len(array), 5, 2), np.nan, np.float32)
    return Detections(array[order], np.array(scores, np.float32)[order], landmarks)


def _tuple(box: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    left, top, right, bottom = map(float, box)
    return left, top, right, bottom
