"""What protection keeps: detection, geometry, gender, skin tone, attributes, a natural look."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES, MALE
from attrsearch.evaluation.faces import DetectedFaces
from attrsearch.evaluation.metrics.anonymity import Figures, spread_out
from attrsearch.evaluation.metrics.head_pose import CLOSED_EYE, OPEN_MOUTH, Shape
from attrsearch.evaluation.metrics.realism import features, frechet_distance, kernel_distance
from attrsearch.evaluation.metrics.verification import rate
from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE
from attrsearch.faces.attribute_classifier import TraitsClassifier
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.sampling import align_batch

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CHEEKS = ((80, 92, 40, 52), (80, 92, 76, 88))
"""Patches of skin in the aligned crop: top, bottom, left, right."""
MIN_FACES_FOR_FRECHET = 20


@dataclass(frozen=True)
class FaceMeasurements:
    """Faces as everything but the judges sees them.

    Attributes:
        looks: Detector to what it sees; the first decides where the face is.
        crops: (n, 3, 128, 128), aligned by the first detector's landmarks, from -1 to 1.
        skin: (n, 3), CIELAB of the cheeks at the original's place.
        traits: (n, 13), probabilities.
        features: (n, 256), for FID and KID.
        naturalness: (n,).
        shape: From 68 landmarks, where they are to be had.
    """

    looks: Mapping[str, DetectedFaces]
    crops: Tensor
    skin: Floats
    traits: Floats
    features: Floats
    naturalness: Floats
    shape: Shape | None

    def take(self, rows: Ints) -> "FaceMeasurements":
        """The chosen faces."""
        return FaceMeasurements(
            looks={name: look.take(rows) for name, look in self.looks.items()},
            crops=self.crops[torch.from_numpy(rows)],
            skin=self.skin[rows],
            traits=self.traits[rows],
            features=self.features[rows],
            naturalness=self.naturalness[rows],
            shape=None if self.shape is None else self.shape.take(rows),
        )


def crops_of(look: DetectedFaces) -> Tensor:
    """Aligned crops (n, 3, 128, 128) from -1 to 1."""
    return align_batch(look.windows, look.landmarks, CROP_TEMPLATE, CROP_SIZE) / 127.5 - 1


def view(
    looks: Mapping[str, DetectedFaces],
    before: DetectedFaces,
    classifier: TraitsClassifier,
    critic: Critic,
    shape: Shape | None,
) -> FaceMeasurements:
    """Look at faces.

    Args:
        looks: Detector to what it sees of them.
        before: Their originals, by the first detector.
        classifier: Of traits.
        critic: Of looks.
        shape: Read from 68 landmarks, where they are to be had.
    """
    first = next(iter(looks.values()))
    crops = crops_of(first)
    # the cheeks where they were before: an edit that moves the face must not move the patch
    in_place = align_batch(first.windows, before.landmarks, CROP_TEMPLATE, CROP_SIZE)

    return FaceMeasurements(
        looks=looks,
        crops=crops,
        skin=skin_tones(in_place.permute(0, 2, 3, 1).numpy()),
        traits=classifier.probabilities(crops),
        features=features(crops, classifier.network),
        naturalness=critic.windows(first.windows),
        shape=shape,
    )


def skin_tones(crops: Floats) -> Floats:
    """CIELAB (n, 3) of the cheeks of aligned crops (n, 128, 128, 3), RGB from 0 to 255.

    The median of both.
    """
    patches = []
    for top, bottom, left, right in CHEEKS:
        patches.append(crops[:, top:bottom, left:right].reshape(len(crops), -1, 3))

    pixels = np.ascontiguousarray(np.concatenate(patches, 1) / 255, np.float32)
    return np.asarray(np.median(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB), axis=1), np.float32)


def utility_figures(before: FaceMeasurements, after: FaceMeasurements, owners: Ints) -> Figures:
    """What is kept of faces, a row of ``before`` for each of ``after``.

    Intervals are over their people (n,).
    """
    figures: Figures = {}
    for name, look in after.looks.items():
        figures |= detection_figures(name, before.looks[name], look, owners)

    first, original = (next(iter(sight.looks.values())) for sight in (after, before))
    found = first.found
    figures |= spread_out(
        "landmark_error", rate(landmark_error(original, first)[found], owners[found])
    )

    if before.shape is not None and after.shape is not None:
        figures |= shape_figures(before.shape, after.shape, owners, found)

    same = (before.traits[:, MALE] >= 0.5) == (after.traits[:, MALE] >= 0.5)
    figures |= spread_out("gender_kept", rate(same, owners))
    figures |= spread_out(
        "skin_tone_change", rate(np.linalg.norm(after.skin - before.skin, axis=1), owners)
    )
    drift = np.abs(after.traits - before.traits)
    others = [i for i, name in enumerate(ATTRIBUTES) if name != "Male"]
    figures |= spread_out("attribute_drift", rate(drift[:, others].mean(1), owners))
    figures |= {f"drift_{ATTRIBUTES[i]}": float(drift[:, i].mean()) for i in others}
    figures |= spread_out("naturalness", rate(after.naturalness, owners))
    # of few faces the distances of distributions are mostly noise
    enough = len(after.features) >= MIN_FACES_FOR_FRECHET
    figures["fid"] = frechet_distance(before.features, after.features) if enough else None
    figures["kid"] = kernel_distance(before.features, after.features) if enough else None

    return figures


def detection_figures(
    name: str, before: DetectedFaces, after: DetectedFaces, owners: Ints
) -> Figures:
    """Recall, IoU, probability and precision of one detector.

    Recall is over the faces that it finds in the originals; IoU and probability count a face that
    is lost as 0; precision is the share of its detections that stand on a face that was there
    before.
    """
    there = before.found
    hits = int(after.found.sum())
    # what the detector finds beside the face in the original, too, is not the edit's doing
    extra = int(np.maximum(after.extra - before.extra, 0).sum())

    return {
        **spread_out(f"recall_{name}", rate(after.found[there], owners[there])),
        **spread_out(f"iou_{name}", rate(after.overlaps[there], owners[there])),
        **spread_out(f"probability_{name}", rate(after.probabilities[there], owners[there])),
        f"precision_{name}": hits / (hits + extra) if hits + extra else None,
    }


def landmark_error(before: DetectedFaces, after: DetectedFaces) -> Floats:
    """Mean distance (n,) of the five landmarks, as a share of the original's eye distance."""
    eyes = np.linalg.norm(before.landmarks[:, 0] - before.landmarks[:, 1], axis=1)
    moved = np.linalg.norm(after.landmarks - before.landmarks, axis=2).mean(1)
    return np.asarray(moved / np.maximum(eyes, 1e-6), np.float32)


def shape_figures(
    before: Shape, after: Shape, owners: Ints, found: npt.NDArray[np.bool_]
) -> Figures:
    """Pose, eyes and mouth, over the faces that were found."""
    # angles go round: from 179 to -179 degrees it is 2
    turned = np.abs((after.pose - before.pose + 180) % 360 - 180)
    eyes = (before.eyes < CLOSED_EYE) == (after.eyes < CLOSED_EYE)
    mouth = (before.mouth > OPEN_MOUTH) == (after.mouth > OPEN_MOUTH)
    named = {"pitch_change": turned[:, 0], "yaw_change": turned[:, 1], "roll_change": turned[:, 2]}
    named |= {"eyes_kept": eyes.astype(np.float32), "mouth_kept": mouth.astype(np.float32)}
    figures: Figures = {}

    for name, values in named.items():
        figures |= spread_out(name, rate(values[found], owners[found]))

    return figures
