"""Lay edits and filters on frames, and remember what was laid on before.

Where edits begin or end, edit and filter fade into each other over a few frames.  An edit of a face
that stands still stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from attrsearch.editing.blending import Layer, paste
from attrsearch.editing.filters import Fallback
from attrsearch.editing.head import cover_head
from attrsearch.faces.alignment import CROP_TEMPLATE, similarity
from attrsearch.video.placing import replace_face, steady
from attrsearch.video.tracking.kalman import move_points
from attrsearch.video.trajectories import TrackedBox

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
Cover = Literal["edited", "warped", "filtered", "replaced"]

RECENT = 25
"""An edit older than this many frames is not warped any more."""
FADE = 5
"""Frames over which an edit fades into a filter and back."""
UNDER = 0.8
"""What lies under a carried-on edit, as a share of the head: an edit is soft at its border."""
AT_LAST = 0.6
"""What lies under an edit that has nearly come, as a share of the head."""


def without_faces(picture: Picture, faces: Sequence[TrackedBox], how: Fallback) -> Picture:
    """A picture (h, w, 3) whose faces are filtered; the picture itself where there are none."""
    if not faces:
        return picture

    hidden = picture.copy()
    for face in faces:
        cover_head(hidden, face.box, how, face.landmarks)

    return hidden


@dataclass(frozen=True)
class Edit:
    """An edit and the crop (size, size, 3) it was made from."""

    source: Picture
    layer: Layer


@dataclass(frozen=True)
class ShownEdit:
    """An edit that stands in a frame.

    Attributes:
        place: Of the frame in its batch.
        number: Of the frame.
        face: Whose it is.
        landmarks: (5, 2), by which it was laid on.
        carried: Whether it is the last edit, carried on.
        strength: How much of it is shown over the filter, 0 to 1.
    """

    place: int
    number: int
    face: TrackedBox
    landmarks: Floats
    carried: bool
    strength: float = 1.0


@dataclass
class LastEdit:
    """The last edit of a face, what it was made from, and how much of it is shown, 0 to 1.

    ``crop`` (size, size, 3) is the edit before it was rounded.
    """

    frame: int
    source: Floats
    crop: Floats
    layer: Layer
    box: Floats
    landmarks: Floats
    shown: float


@dataclass
class Compositor:
    """Covers faces in frames, in place.

    Args:
        fallback: The filter.
        replacement: Picture that replaces faces instead of it, or None.
    """

    fallback: Fallback = "blur"
    replacement: Picture | None = None
    last: dict[int, LastEdit] = field(default_factory=dict)
    _filtered: set[int] = field(default_factory=set)
    _at_once: set[int] = field(default_factory=set)

    def copy(self) -> "Compositor":
        """The same, with a memory of its own."""
        # items are changed in place while a filter fades: copies that share them would fade, too
        last = {key: replace(item) for key, item in self.last.items()}
        return Compositor(
            self.fallback, self.replacement, last, set(self._filtered), set(self._at_once)
        )

    def strength(self, key: int) -> float:
        """How much of a face's last edit is shown over the filter, 0 to 1."""
        return self.last[key].shown

    def show_at_once(self, key: int) -> bool:
        """Let the next edit of a face not come by and by: the filter under it says too much.

        Returns:
            Whether that is new.
        """
        is_new = key not in self._at_once
        self._at_once.add(key)
        return is_new

    def forget(self) -> None:
        """Forget the last edits, at a scene cut."""
        self.last = {}
        self._filtered = set()
        self._at_once = set()

    def let_go(self, frame: int) -> None:
        """Forget edits that are too old in a frame to be shown again."""
        self.last = {key: item for key, item in self.last.items() if item.frame >= frame - RECENT}

    def show_edit(
        self, number: int, shown: Picture, picture: Picture, face: TrackedBox, edit: Edit
    ) -> Floats:
        """Paste an edit; over the filter, and by and by, where the frames before were filtered.

        Args:
            number: Of the frame.
            shown: The frame (h, w, 3), changed.
            picture: The same as it was.
            face: The face.
            edit: Its edit.

        Returns:
            The landmarks (5, 2) by which it was laid on.
        """
        last = self.last.get(face.key)
        strength = 1.0

        # a face that is edited from its first frame on has nothing to fade from
        if face.key in self._filtered and face.key not in self._at_once:
            before = last.shown if last is not None and number - last.frame <= FADE else 0.0
            strength = min(1.0, before + 1 / FADE)

        # what the filter covers shrinks from the head to the face, as the edit comes
        if strength < 1:
            share = 1 + strength * (AT_LAST - 1)
            cover_head(shown, face.box, self.fallback, face.landmarks, share)
        else:
            self._filtered.discard(face.key)
            self._at_once.discard(face.key)

        source = edit.source.astype(np.float32)
        crop = edit.layer.crop.astype(np.float32)
        # from the very frame before only: over a gap the old edit would show through the new one;
        # and of crops that are cut alike
        if last is not None and number - last.frame == 1 and last.layer.is_cut_as(edit.layer):
            source, crop = steady(source, crop, last.source, last.crop)

        # what is remembered is not rounded: small changes would be rounded away frame after frame
        layer = replace(edit.layer, crop=np.asarray(np.round(crop), np.uint8))
        self.last[face.key] = LastEdit(
            number, source, crop, layer, face.box, face.landmarks, strength
        )
        self._paste(shown, picture, layer, face.landmarks, strength)
        return face.landmarks

    def can_carry_on(self, number: int, face: TrackedBox) -> bool:
        """Whether there is a recent edit to carry on."""
        last = self.last.get(face.key)
        return last is not None and number - last.frame <= RECENT and last.shown > 0

    def carry_on(
        self, number: int, shown: Picture, picture: Picture, face: TrackedBox
    ) -> Floats | None:
        """Move the last edit to where the face is now; arguments as :meth:`show_edit`.

        Returns:
            The landmarks (5, 2) by which it was laid on; None where there is no recent edit.
        """
        if not self.can_carry_on(number, face):
            return None

        last = self.last[face.key]
        landmarks = move_points(last.landmarks, last.box, face.box)
        # should the moved edit not sit right, a filter is under it
        cover_head(shown, face.box, self.fallback, landmarks, UNDER)
        self._paste(shown, picture, last.layer, landmarks, 1.0)
        return landmarks

    def filter(
        self, number: int, shown: Picture, picture: Picture, face: TrackedBox, *, fade: bool
    ) -> Cover:
        """Cover the head; what was shown of an edit fades out over it.

        Args:
            number: Of the frame.
            shown: The frame (h, w, 3), changed.
            picture: The same as it was.
            face: The face.
            fade: Whether the last edit may be seen while it fades.
        """
        self._filtered.add(face.key)
        if self.replacement is not None:
            replace_face(shown, face.box, self.replacement)
            return "replaced"

        cover_head(shown, face.box, self.fallback, face.landmarks)

        if fade and self.can_carry_on(number, face):
            last = self.last[face.key]
            last.shown = max(0.0, last.shown - 1 / FADE)
            # counts as shown, so that the fade goes on in the next frame
            last.frame = number
            landmarks = move_points(last.landmarks, last.box, face.box)
            self._paste(shown, picture, last.layer, landmarks, last.shown)

        return "filtered"

    def _paste(
        self, shown: Picture, picture: Picture, layer: Layer, landmarks: Floats, strength: float
    ) -> None:
        paste(
            shown, layer, similarity(landmarks[None], CROP_TEMPLATE)[0], strength, untouched=picture
        )
