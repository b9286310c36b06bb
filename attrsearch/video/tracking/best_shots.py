"""The best looks at a face while it is tracked: sharp, large, frontal, spread over time."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.faces.alignment import CROP_TEMPLATE, similarity, transform
from attrsearch.faces.dataset import AlignedFace
from attrsearch.video.tracking.spill import Place, SpillFile

Floats = npt.NDArray[np.float32]

KNOWN_WIDTH = 32.0
"""A face narrower than this many pixels is too small to be known."""
POOR_WIDTH = 16.0
"""A face narrower than this says nothing, not even of whom it is like."""
KNOWN_RESIDUAL = 7.0
EDIT_RESIDUAL = 13.0
"""How far aligned landmarks may lie from the template on average, in pixels of a 128-pixel crop: a
face that is turned further is too turned to be known, or to be edited.
"""
EDIT_TURN = 0.4
GO_ON_TURN = 0.55
"""A face turned further (:func:`turn`) is not edited, and one that is being edited is edited up to
the second: an edit of a profile is a second face that looks at the viewer.  0.4 is about 40
degrees.
"""
POSED_RESIDUAL = 30.0
POSED_TURN = 1.2
GO_ON_POSED_TURN = 1.6
"""The same for an editor that keeps the pose of heads that look far aside: up to about 70
degrees."""
SPACING = 10
MAX_SHOTS = 12
MAX_POOR_SHOTS = 3
"""Looks that are not good enough to know anybody by, of tracks that have no better one."""


@dataclass(frozen=True)
class _PutAway:
    """A face whose pictures are on a shelf.

    Their shapes, and where they lie one behind the other.
    """

    face: AlignedFace
    shelf: SpillFile
    place: Place
    shapes: tuple[tuple[int, ...], tuple[int, ...]]

    def read(self) -> AlignedFace:
        pixels = np.frombuffer(self.shelf.get(self.place), np.uint8)
        # the shelf holds bytes: where the crop ends follows from its shape
        crop, window = np.split(pixels, [int(np.prod(self.shapes[0]))])
        return replace(
            self.face, crop=crop.reshape(self.shapes[0]), window=window.reshape(self.shapes[1])
        )


@dataclass(frozen=True)
class Sighting:
    """One look: which frame, how good, and the face as the search takes it, or where it was put."""

    frame: int
    quality: float
    kept: AlignedFace | _PutAway

    @property
    def face(self) -> AlignedFace:
        """The face as the search takes it."""
        return self.kept.read() if isinstance(self.kept, _PutAway) else self.kept

    def put_away(self, shelf: SpillFile) -> "Sighting":
        """The same with its pictures on a shelf: 160 kB that are not in memory."""
        if isinstance(self.kept, _PutAway):
            return self

        face = self.kept
        nothing = np.zeros((0, 0, 3), np.uint8)
        place = shelf.put(face.crop.tobytes() + face.window.tobytes())
        bare = replace(face, crop=nothing, window=nothing)

        return replace(
            self, kept=_PutAway(bare, shelf, place, (face.crop.shape, face.window.shape))
        )


@dataclass
class Sightings:
    """The best sightings of one track, at most one in ``SPACING`` frames and ``most`` in all.

    Where a track may have gone on with somebody else (:meth:`mark_possible_switch`), there is one
    on either side.
    """

    best: dict[tuple[int, int], Sighting] = field(default_factory=dict)
    most: int = MAX_SHOTS
    _doubts: int = 0

    def mark_possible_switch(self) -> None:
        """What is seen from now on may be somebody else."""
        self._doubts += 1

    def wants(self, frame: int, quality: float) -> bool:
        """Whether a sighting of that quality would be kept."""
        there = self.best.get((self._doubts, frame // SPACING))
        if there is not None:
            return quality > there.quality

        if len(self.best) < self.most:
            return True

        return quality > min(item.quality for item in self.best.values())

    def add(self, sighting: Sighting) -> None:
        """Keep a sighting, and let the worst go where there are too many."""
        self.best[self._doubts, sighting.frame // SPACING] = sighting
        if len(self.best) > self.most:
            del self.best[min(self.best, key=lambda key: self.best[key].quality)]

    def put_away(self, shelf: SpillFile) -> None:
        """Put the pictures on a shelf, because the track has ended."""
        self.best = {key: sighting.put_away(shelf) for key, sighting in self.best.items()}

    def sorted(self) -> list[Sighting]:
        """The best first."""
        return sorted(self.best.values(), key=lambda item: -item.quality)


@dataclass(frozen=True)
class TurnLimits:
    """How far a head may be turned and still be edited.

    Attributes:
        turn: What :func:`turn` stays below.
        residual: What :func:`residual` stays below, in pixels of a 128-pixel crop.
    """

    turn: float
    residual: float


def turn_limits(*, keeps_pose: bool, begun: bool) -> TurnLimits:
    """The limits for an editor.

    Args:
        keeps_pose: Whether its edits keep the pose of heads that look far aside.
        begun: Whether the face is being edited already: it then bears a little more, so that it
            does not flicker.
    """
    if keeps_pose:
        return TurnLimits(GO_ON_POSED_TURN if begun else POSED_TURN, POSED_RESIDUAL)
    return TurnLimits(GO_ON_TURN if begun else EDIT_TURN, EDIT_RESIDUAL)


def residual(landmarks: Floats) -> float:
    """Mean distance (pixels of a 128-pixel crop) of aligned landmarks (5, 2) from the template.

    Inf without landmarks.

    It grows as a head turns.

    >>> residual(CROP_TEMPLATE * 3) < 1e-3, residual(np.full((5, 2), np.nan, np.float32))
    (True, inf)
    """
    if not np.isfinite(landmarks).all():
        return float("inf")

    aligned = transform(similarity(landmarks[None], CROP_TEMPLATE)[0], landmarks)
    return float(np.linalg.norm(aligned - CROP_TEMPLATE, axis=1).mean())


def turn(landmarks: Floats) -> float:
    """How far a head is turned aside.

    Where the nose of landmarks (5, 2) stands along the line of the eyes.

    0 between them, 0.5 below one of them, more beside it; inf without landmarks.

    >>> turn(CROP_TEMPLATE) < 0.01, round(turn(CROP_TEMPLATE[[0, 1, 1, 3, 4]]), 3)
    (True, 0.5)
    """
    if not np.isfinite(landmarks).all():
        return float("inf")

    # along the line of the eyes, so that a head that leans is not taken for a turned one
    eyes = landmarks[1] - landmarks[0]
    along = float(np.dot(landmarks[2] - (landmarks[0] + landmarks[1]) / 2, eyes))
    # the eyes of a profile may fall on one point
    return abs(along) / max(float(np.dot(eyes, eyes)), 1e-6)


def quality(
    picture: npt.NDArray[np.uint8], box: Floats, landmarks: Floats, probability: float
) -> float:
    """How well a face can be known, from 0.

    Its width, sharpness, frontality and probability together.

    0 where it is too small or too turned to be known.
    """
    width = float(box[2] - box[0])
    if width < KNOWN_WIDTH or residual(landmarks) > KNOWN_RESIDUAL:
        return 0.0

    return _value(picture, box, residual(landmarks) / KNOWN_RESIDUAL, probability)


def poor_quality(
    picture: npt.NDArray[np.uint8], box: Floats, landmarks: Floats, probability: float
) -> float:
    """How much a face says that is too small or too turned to be known by; as :func:`quality`.

    0 where it says nothing.
    """
    width = float(box[2] - box[0])
    if width < POOR_WIDTH or residual(landmarks) > EDIT_RESIDUAL:
        return 0.0

    return _value(picture, box, residual(landmarks) / EDIT_RESIDUAL, probability)


def _value(picture: npt.NDArray[np.uint8], box: Floats, turned: float, probability: float) -> float:
    """Width, sharpness, frontality and probability of a face; ``turned`` is 1 at its limit."""
    width = float(box[2] - box[0])
    left, top = np.maximum(box[:2], 0).astype(int)
    right, bottom = np.minimum(box[2:], picture.shape[1::-1]).astype(int)
    if right - left < 8 or bottom - top < 8:
        return 0.0

    # all faces at one size: a Laplacian sees edges between pixels, which a large face spreads out
    small = cv2.resize(picture[top:bottom, left:right], (64, 80), interpolation=cv2.INTER_AREA)
    sharpness = float(cv2.Laplacian(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), cv2.CV_32F).std())
    # capped, so that no width and no sharpness outweighs a turned head
    return min(width, 160.0) * min(sharpness, 40.0) * (1 - turned / 2) * probability
