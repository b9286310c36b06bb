"""Every edited face is compared, as it is shown, with its original in the same frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from attrsearch.core.picking import take
from attrsearch.faces.alignment import (
    CROP_TEMPLATE,
    WINDOW_SIZE,
    similarity,
    transform,
    warp,
    window_transform,
)
from attrsearch.faces.recognition.base import CalibratedRecogniser

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

MARGIN = 1.03
"""An edit has to be further away than the threshold by this factor: encoding the video moves
embeddings a little."""


@dataclass(frozen=True)
class FaceInFrame:
    """A face of a frame before and after it was covered.

    Attributes:
        before: The frame (h, w, 3), RGB, uint8.
        after: The same frame, covered.
        box: (4,), pixels.
        landmarks: (5, 2), pixels.
    """

    before: Picture
    after: Picture
    box: Floats
    landmarks: Floats


@dataclass(frozen=True)
class RenderVerifier:
    """Measures how far shown faces are from their originals.

    Args:
        scaled: The recogniser of the search, calibrated.
    """

    scaled: CalibratedRecogniser
    _originals: dict[tuple[int, bytes], tuple[Picture, Floats]] = field(default_factory=dict)
    _embedded: dict[bytes, Floats] = field(default_factory=dict)

    @property
    def required(self) -> float:
        """Raw distance from which an edit is taken to be somebody else."""
        return self.scaled.calibration.verification * MARGIN

    def check(
        self, faces: Sequence[FaceInFrame], ways: Sequence[int]
    ) -> tuple[dict[int, float], list[int]]:
        """Compare shown faces with their originals; one that fails is enough for its way.

        Args:
            faces: In the order of their frames.
            ways: What is the same for a face in all frames of its way.

        Returns:
            Place among ``faces`` to raw distance, of those that were compared; and the place of the
            first face of each way that is not far enough away.
        """
        first: dict[int, int] = {}
        for place, way in enumerate(ways):
            first.setdefault(way, place)

        measured = self._compare(faces, list(first.values()))
        failed = {ways[p]: p for p, distance in measured.items() if distance < self.required}

        # a way that fails in its first frame is tried anew: its other frames need not be looked at
        later = []
        for place, way in enumerate(ways):
            if way not in failed and place != first[way]:
                later.append(place)

        measured |= self._compare(faces, later)

        for place in later:
            if measured[place] < self.required:
                failed.setdefault(ways[place], place)

        return measured, list(failed.values())

    def _compare(self, faces: Sequence[FaceInFrame], places: Sequence[int]) -> dict[int, float]:
        """Distances of the faces at some places."""
        if not places:
            return {}

        distances = self.distances(take(faces, places))
        return dict(zip(places, map(float, distances), strict=True))

    def distances(self, faces: Sequence[FaceInFrame]) -> Floats:
        """Raw distances (n,) between originals and shown faces, all embedded in one batch.

        Both are aligned by the original's landmarks: whoever has the original knows where to look.
        An original is embedded once, however many edits it is compared with, and so is an edit that
        is shown again when another face of its frames is tried anew, until :meth:`forget`.
        """
        if not faces:
            return np.zeros(0, np.float32)

        names = [(id(face.before), face.landmarks.tobytes()) for face in faces]
        new = {}
        for name, face in zip(names, faces, strict=True):
            if name not in self._originals:
                new[name] = face

        pictures = [(face.before, face) for face in new.values()]
        pictures += [(face.after, face) for face in faces]
        embedded = self._embed(pictures)

        # originals come first; the rest are edits
        for (name, face), vector in zip(new.items(), embedded, strict=False):
            # the picture is kept as long as its id is a name
            self._originals[name] = (face.before, vector)

        before = np.stack([self._originals[name][1] for name in names])
        return np.asarray(np.linalg.norm(before - embedded[len(new) :], axis=1), np.float32)

    def forget(self) -> None:
        """Forget originals and edits: their frames are done."""
        self._originals.clear()
        self._embedded.clear()

    def _embed(self, pictures: Sequence[tuple[Picture, FaceInFrame]]) -> Floats:
        """Embeddings (n, d) of faces in pictures, each in its window."""
        views: dict[bytes, tuple[Picture, Floats, Floats]] = {}
        names: list[bytes] = []

        for picture, face in pictures:
            matrix = window_transform(similarity(face.landmarks[None], CROP_TEMPLATE)[0])
            window = warp(picture, matrix, WINDOW_SIZE)
            box = transform(matrix, face.box.reshape(2, 2)).reshape(4)
            points = transform(matrix, face.landmarks)
            # an edit that stands still gives the same window again, and is embedded once
            name = blake2b(window.tobytes() + box.tobytes() + points.tobytes()).digest()
            names.append(name)
            if name not in self._embedded:
                views[name] = (window, box, points)

        if views:
            windows, boxes, landmarks = map(np.stack, zip(*views.values(), strict=True))
            embedded = self.scaled.recogniser.embed(windows, boxes, landmarks)
            self._embedded.update(zip(views, embedded, strict=True))

        return np.stack(take(self._embedded, names))
