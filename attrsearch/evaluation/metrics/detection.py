"""Recall, precision and average precision of detections against ground truth (thesis 2.1.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from attrsearch.core.boxes import iou
from attrsearch.video.io.boxes_file import LabelledBox

OVERLAP = 0.5
"""A detection counts from this overlap with the truth on."""


@dataclass(frozen=True)
class DetectionScores:
    """How detections fare.

    Attributes:
        recall: Share of true faces that were found.
        precision: Share of detections that are true faces.
        average_precision: Area under precision over recall, detections in the order of their
            probability.
        switches: How often a true face changed its track.
    """

    recall: float
    precision: float
    average_precision: float
    switches: int


def score_detections(
    truth: Mapping[int, Sequence[LabelledBox]],
    found: Mapping[int, Sequence[LabelledBox]],
    overlap: float = OVERLAP,
    ignored: Mapping[int, Sequence[LabelledBox]] | None = None,
) -> DetectionScores:
    """Compare detections with the truth, frame by frame, each true face with one detection.

    Args:
        truth: Frame to true faces.
        found: Frame to detections.
        overlap: Least intersection over union of a hit.
        ignored: Frame to faces that are neither to be found nor wrong to be found (too hidden to be
            sure of): detections on them that hit no true face are left out, as in the MOT
            Challenge.
    """
    hits: list[bool] = []
    scores: list[float] = []
    total = switches = 0
    followed: dict[int, int] = {}

    for frame in sorted(set(truth) | set(found)):
        there = truth.get(frame, ())
        seen = found.get(frame, ())
        total += len(there)
        matched = _match(there, seen, overlap)

        for i, j in matched.items():
            person = there[i].track
            track = seen[j].track
            if person in followed and track >= 0 and followed[person] != track:
                switches += 1

            followed[person] = track

        taken = set(matched.values())
        for j in taken:
            hits.append(True)
            scores.append(seen[j].probability)

        others = [item for j, item in enumerate(seen) if j not in taken]
        left_out = set(_match((ignored or {}).get(frame, ()), others, overlap).values())

        for j, item in enumerate(others):
            if j not in left_out:
                hits.append(False)
                scores.append(item.probability)

    true = sum(hits)
    return DetectionScores(
        recall=true / total if total else 1.0,
        precision=true / len(hits) if hits else 1.0,
        average_precision=average_precision(np.array(scores), np.array(hits, bool), total),
        switches=switches,
    )


def average_precision(
    scores: npt.NDArray[np.float64], hits: npt.NDArray[np.bool_], total: int
) -> float:
    """Area under the precision-recall curve, precision made monotone.

    >>> average_precision(np.array([0.9, 0.8]), np.array([True, False]), 2)
    0.5
    """
    if not total or not len(scores):
        return 0.0 if total else 1.0

    right = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    recall = right / total
    precision = right / np.arange(1, len(hits) + 1)
    # at a given recall the best precision that a threshold of as much or more recall reaches
    envelope = np.maximum.accumulate(precision[::-1])[::-1]

    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * envelope))


def _match(
    there: Sequence[LabelledBox], seen: Sequence[LabelledBox], overlap: float
) -> dict[int, int]:
    if not there or not seen:
        return {}

    first = np.array([item.box for item in there], np.float32)
    second = np.array([item.box for item in seen], np.float32)
    overlaps = iou(first[:, None], second[None])
    rows, columns = linear_sum_assignment(-np.where(overlaps >= overlap, overlaps, 0.0))

    matched = {}

    for i, j in zip(rows, columns, strict=True):
        # an assignment is of as many pairs as it can be, whether they overlap or not
        if overlaps[i, j] >= overlap:
            matched[int(i)] = int(j)

    return matched
