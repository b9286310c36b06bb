"""The second pass: cover every face of every frame, by an edit where that is possible.

Fails closed.  A face whose landmarks are not known gets the last edit of its track warped to its
place; one without a recent edit, without an attribute set, too small or too turned for an edit is
covered by a filter.  Where edits begin or end, edit and filter fade into each other over a few
frames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import AttributeSet
from attrsearch.core.boxes import area, iou
from attrsearch.editing.blending import paste, uncrop
from attrsearch.editing.editor import Editor
from attrsearch.editing.filters import HEAD, Fallback, cover
from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE, compose, scale_of, similarity, warp
from attrsearch.faces.sampling import to_editor
from attrsearch.video.tracking.best_shots import (
    EDIT_RESIDUAL,
    EDIT_TURN,
    GO_ON_TURN,
    residual,
    turn,
)
from attrsearch.video.tracking.kalman import move_points
from attrsearch.video.trajectories import TrackedBox

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
Cover = Literal["edited", "warped", "filtered", "replaced"]

SMALLEST_EDIT = 20.0
"""Faces narrower than this many pixels are filtered, not edited."""
CROP_WIDTHS = (40.0, 150.0)
"""How wide a face's box may be in its crop, in pixels; about 75 is usual."""
RECENT = 25
"""An edit older than this many frames is not warped any more."""
MAX_FRAMES_FROM_DETECTION = 3
"""Further from where it was seen than this many frames, a face may be behind something; no edit is
put on that.
"""
FADE = 5
"""Frames over which an edit fades into a filter and back."""
QUIET, MOVED = 6.0, 20.0
"""Changes of an aligned face, 0 to 255: up to the first it is noise, and from the second on nothing
is kept.
"""
MAX_KEPT = 0.95
"""Share of the last edit that is kept in the next one where nothing changed: an edit makes more of
noise than it is.
"""
AROUND = 11
"""Over how many pixels of a crop of 128 the change is averaged: a mouth that opens is edited anew,
the rest is kept.
"""


@dataclass(frozen=True)
class RenderedFace:
    """How a face was covered."""

    face: TrackedBox
    person: str
    how: Cover


@dataclass(frozen=True)
class _Edit:
    """An edited crop (size, size, 3) and what it was made from."""

    source: Picture
    crop: Picture


@dataclass
class _Last:
    """The last edit of a track, what it was made from, and its share over the filter, 0 to 1."""

    frame: int
    source: Floats
    crop: Floats
    box: Floats
    landmarks: Floats
    shown: float


@dataclass
class Renderer:
    """Covers faces.

    Args:
        editor: Makes the edits; None where every face is filtered.
        sets: Person to attribute set; people without one are filtered.
        names: Track to person.
        visible: People who are left as they are, because they consent.
        fallback: Filter of last resort.
        smallest: Width in pixels below which a face is filtered.
        replacement: Picture that replaces faces instead of a filter (the thesis's object
            replacement), or None.
        everyone: The person of tracks that are not in ``names``.
    """

    editor: Editor | None
    sets: Mapping[str, AttributeSet]
    names: Mapping[int, str]
    visible: frozenset[str] = frozenset()
    fallback: Fallback = "blur"
    smallest: float = SMALLEST_EDIT
    replacement: Picture | None = None
    everyone: str = ""
    _last: dict[int, _Last] = field(default_factory=dict)
    _edited: set[int] = field(default_factory=set)
    _filtered: set[int] = field(default_factory=set)

    def render(
        self, frames: Sequence[tuple[int, Picture]], faces: Sequence[Sequence[TrackedBox]]
    ) -> list[tuple[Picture, list[RenderedFace]]]:
        """Cover the faces of several frames; the edits of all share a batch.

        Args:
            frames: Frame number and picture (h, w, 3), uint8, in order.
            faces: For each frame, what to cover.

        Returns:
            For each frame, the covered picture and how each face was covered.
        """
        jobs = [
            (place, face)
            for place, there in enumerate(faces)
            for face in there
            if self._can_edit(face) and self._person(face) not in self.visible
        ]
        edited = {(place, face.track) for place, face in jobs}
        edits = self._edit(
            [
                (
                    self._without_others(
                        frames[place][1], face, faces[place], {t for p, t in edited if p == place}
                    ),
                    face,
                )
                for place, face in jobs
            ]
        )
        ready = {(place, face.track): edit for (place, face), edit in zip(jobs, edits, strict=True)}
        shown = [
            self._cover(
                number, picture, faces[place], {t: e for (p, t), e in ready.items() if p == place}
            )
            for place, (number, picture) in enumerate(frames)
        ]
        oldest = (
            frames[-1][0] - RECENT if frames else 0
        )  # an older edit is not shown again: it is let go
        self._last = {track: last for track, last in self._last.items() if last.frame >= oldest}
        return shown

    def forget(self) -> None:
        """Forget the last edits, at a scene cut."""
        self._last, self._edited, self._filtered = {}, set(), set()

    def _person(self, face: TrackedBox) -> str:
        return self.names.get(face.track, self.everyone)

    def _can_edit(self, face: TrackedBox) -> bool:
        """Whether a face is edited.

        An edited one may turn a little more, so that it does not flicker.
        """
        possible = self.editor is not None and self._person(face) in self.sets
        if possible and face.box[2] - face.box[0] >= self.smallest:
            most = GO_ON_TURN if face.track in self._edited else EDIT_TURN
            if (
                _is_in_view(face)
                and (turn(face.landmarks) if face.turn is None else face.turn) < most
                and residual(face.landmarks) < EDIT_RESIDUAL
                and _belong(face.landmarks, face.box)
            ):
                self._edited.add(face.track)
                return True
        self._edited.discard(face.track)
        return False

    def _without_others(
        self, picture: Picture, face: TrackedBox, there: Sequence[TrackedBox], edited: set[int]
    ) -> Picture:
        """What an edit is made from: other faces that it would be pasted over do not show in it."""
        others = [
            other
            for other in there
            if other is not face
            and self._person(other) not in self.visible
            and iou(other.box, face.box) > 0
            and (other.track not in edited or area(other.box) < area(face.box))
        ]
        if not others:
            return picture
        hidden = picture.copy()
        for other in others:
            cover(hidden, other.box, self.fallback, margin=0.0)
        return hidden

    def _edit(self, jobs: Sequence[tuple[Picture, TrackedBox]]) -> list[_Edit]:
        """Edits of faces in pictures."""
        if not jobs or self.editor is None:
            return []
        size = self.editor.size
        crops = [warp(picture, _to_crop(face.landmarks, size), size) for picture, face in jobs]
        passes = [self.sets[self._person(face)].passes for _, face in jobs]
        edited: list[Picture] = [np.zeros(0, np.uint8)] * len(jobs)
        for count in sorted({len(item) for item in passes}):  # an export may mix one pass and two
            chosen = [i for i, item in enumerate(passes) if len(item) == count]
            encoded = self.editor.encode(to_editor([crops[i] for i in chosen]))
            out = uncrop(self.editor.edit(encoded, np.stack([passes[i] for i in chosen])).numpy())
            for i, picture in zip(chosen, out, strict=True):
                edited[i] = picture
        return [_Edit(source, crop) for source, crop in zip(crops, edited, strict=True)]

    def _cover(
        self, number: int, picture: Picture, faces: Sequence[TrackedBox], edits: Mapping[int, _Edit]
    ) -> tuple[Picture, list[RenderedFace]]:
        shown = picture.copy()
        done: list[RenderedFace] = []
        hidden = [face for face in faces if self._person(face) not in self.visible]
        # filters first, then edits from small to large, so that a near face is not covered by a far
        # one's filter
        order = sorted(
            hidden,
            key=lambda face: (face.track in edits, float((face.box[2:] - face.box[:2]).prod())),
        )
        for face in order:
            edit = edits.get(face.track)
            if edit is not None:
                self._show_edit(number, shown, face, edit)
                how: Cover = "edited"
            else:
                how = self._cover_without_edit(number, shown, face)
            done.append(RenderedFace(face, self._person(face), how))
        return shown, done

    def _show_edit(self, number: int, shown: Picture, face: TrackedBox, edit: _Edit) -> None:
        """Paste an edit; over the filter, and by and by, where the frames before were filtered."""
        last = self._last.get(face.track)
        strength = 1.0
        if face.track in self._filtered:
            before = last.shown if last is not None and number - last.frame <= FADE else 0.0
            strength = min(1.0, before + 1 / FADE)
        if (
            strength < 1
        ):  # what the filter covers shrinks from the head to the face, as the edit comes
            cover(shown, face.box, self.fallback, reach=HEAD + strength * (1 - HEAD))
        else:
            self._filtered.discard(face.track)
        follows = last is not None and number - last.frame == 1
        source, crop = edit.source.astype(np.float32), edit.crop.astype(np.float32)
        if last is not None and follows:
            source, crop = steady(source, crop, last.source, last.crop)
        self._last[face.track] = _Last(number, source, crop, face.box, face.landmarks, strength)
        paste(shown, _picture(crop), similarity(face.landmarks[None], CROP_TEMPLATE)[0], strength)

    def _cover_without_edit(self, number: int, shown: Picture, face: TrackedBox) -> Cover:
        last = self._last.get(face.track)
        if last is not None and (
            number - last.frame > RECENT or self._person(face) not in self.sets
        ):
            last = None
        turned = bool(np.isfinite(face.landmarks).all()) and _belong(face.landmarks, face.box)
        if last is not None and last.shown > 0 and not turned and _is_in_view(face):
            landmarks = move_points(last.landmarks, last.box, face.box)
            cover(
                shown, face.box, self.fallback, margin=0.0
            )  # the warped edit is soft at its border
            paste(shown, _picture(last.crop), similarity(landmarks[None], CROP_TEMPLATE)[0])
            return "warped"
        self._filtered.add(face.track)
        if self.replacement is not None:
            replace_face(shown, face.box, self.replacement)
            return "replaced"
        cover(shown, face.box, self.fallback, reach=HEAD)
        if last is not None and last.shown > 0:
            last.shown, last.frame = max(0.0, last.shown - 1 / FADE), number
            landmarks = move_points(last.landmarks, last.box, face.box)
            paste(
                shown,
                _picture(last.crop),
                similarity(landmarks[None], CROP_TEMPLATE)[0],
                last.shown,
            )
        return "filtered"


def steady(
    source: Floats, edit: Floats, last_source: Floats, last_edit: Floats
) -> tuple[Floats, Floats]:
    """An edit of which as much is the last one's as the face stood still, place by place.

    Two edits of nearly the same picture differ by more than the pictures do, and drift.  What was
    kept of earlier pictures is kept of their edits; a face that turns by and by moves away from
    both.

    Args:
        source: What the edit was made from (size, size, 3), 0 to 255.
        edit: The edit of this frame.
        last_source: What this gave for the frame before.
        last_edit: The same of its edit.

    Returns:
        The source and the edit to show.

    >>> new, old = np.full((1, 1, 3), 100, np.float32), np.zeros((1, 1, 3), np.float32)
    >>> [round(float(steady(old + moved, new, old, old)[1].max())) for moved in (0, 13, 20, 60)]
    [5, 52, 100, 100]
    """
    side = max(1, round(AROUND * len(edit) / CROP_SIZE))
    change = cv2.blur(cv2.absdiff(source, last_source).mean(2), (side, side))
    kept = (MAX_KEPT * np.clip((MOVED - change) / (MOVED - QUIET), 0, 1)).astype(np.float32)[
        ..., None
    ]
    return source + kept * (last_source - source), edit + kept * (last_edit - edit)


def _picture(crop: Floats) -> Picture:
    return np.asarray(np.round(crop), np.uint8)


def _is_in_view(face: TrackedBox) -> bool:
    """Whether a face is likely to show.

    Before its first sighting, and long after one, it may be behind something.
    """
    return face.source != "extended" and face.frames_from_detection <= MAX_FRAMES_FROM_DETECTION


def _belong(landmarks: Floats, box: Floats) -> bool:
    """Whether landmarks (5, 2) are those of the face in a box (4,).

    In its middle, and of its size.
    """
    sides = box[2:] - box[:2]
    offset = np.abs(landmarks.mean(0) - (box[:2] + box[2:]) / 2) / np.maximum(sides, 1e-3)
    width = float(sides[0]) * scale_of(similarity(landmarks[None], CROP_TEMPLATE)[0])
    return bool((offset < 0.3).all()) and CROP_WIDTHS[0] < width < CROP_WIDTHS[1]


def replace_face(picture: Picture, box: Floats, replacement: Picture) -> None:
    """Put a picture over a face, in place (thesis 3.3.1)."""
    height, width = picture.shape[:2]
    left, top = np.floor(np.maximum(box[:2], 0)).astype(int)
    right, bottom = np.ceil(np.minimum(box[2:], (width, height))).astype(int)
    if left < right and top < bottom:
        sides = (int(right - left), int(bottom - top))
        picture[top:bottom, left:right] = cv2.resize(
            replacement, sides, interpolation=cv2.INTER_AREA
        )


def _to_crop(landmarks: Floats, size: int) -> Floats:
    """From picture pixels to pixels of a crop of that size."""
    zoom = size / CROP_SIZE
    matrix = similarity(landmarks[None], CROP_TEMPLATE)[0]
    if scale_of(matrix) == 0 or zoom == 1:
        return np.asarray(matrix, np.float32)
    return compose(
        np.array([[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2]], np.float32), matrix
    )
