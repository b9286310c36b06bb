"""The second pass: cover every face of every frame, by an edit where that is possible.

Fails closed.  A face whose landmarks are not known gets the last edit of its track warped to its
place; one without a recent edit, without an attribute set, too small or too turned for an edit is
covered by a filter.  Where edits begin or end, edit and filter fade into each other over a few
frames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import AttributeSet
from attrsearch.core.boxes import area, iou
from attrsearch.editing.blending import LEAST_SHARE, Layer, cut_crop, edit_crops, paste
from attrsearch.editing.editor import Editor
from attrsearch.editing.filters import HEAD, Fallback, cover
from attrsearch.faces.alignment import CROP_TEMPLATE, similarity
from attrsearch.faces.sampling import to_editor
from attrsearch.video.choices import SetChoices
from attrsearch.video.placing import belong, replace_face, steady
from attrsearch.video.tracking.best_shots import residual, turn, turn_limits
from attrsearch.video.tracking.kalman import move_points
from attrsearch.video.trajectories import TrackedBox
from attrsearch.video.verification import FaceInFrame, RenderVerifier

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
Cover = Literal["edited", "warped", "filtered", "replaced"]
Reason = Literal[
    "", "too small", "turned", "no landmarks", "never seen well", "no feasible set", "not verified"
]
"""Why a face was not edited; empty where it was."""

SMALLEST_EDIT = 20.0
"""Faces narrower than this many pixels are filtered, not edited."""
RECENT = 25
"""An edit older than this many frames is not warped any more."""
MAX_FRAMES_FROM_DETECTION = 3
"""Further from where it was seen than this many frames, a face may be behind something; no edit is put on that."""
FADE = 5
"""Frames over which an edit fades into a filter and back."""


@dataclass(frozen=True)
class RenderedFace:
    """How a face was covered.

    Attributes:
        face: The face.
        person: Whose it is.
        how: What stands there now.
        reason: Why it is not edited.
        distance: Between the original and what is shown, raw, of the search's recogniser; None where nothing was
            compared.
    """

    face: TrackedBox
    person: str
    how: Cover
    reason: Reason = ""
    distance: float | None = None


@dataclass(frozen=True)
class _Edit:
    """An edit and the crop (size, size, 3) it was made from."""

    source: Picture
    layer: Layer


@dataclass
class _Last:
    """The last edit of a track, what it was made from, and how much of it is shown over the filter, 0 to 1.

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
        verifier: Compares every shown edit with its original; None where that is not done.
        others: Person to further feasible sets, for tracks whose winner still verifies.
        unseen: People of whom no look was good enough to be searched or known by.
    """

    editor: Editor | None
    sets: Mapping[str, AttributeSet]
    names: Mapping[int, str]
    visible: frozenset[str] = frozenset()
    fallback: Fallback = "blur"
    smallest: float = SMALLEST_EDIT
    replacement: Picture | None = None
    everyone: str = ""
    verifier: RenderVerifier | None = None
    others: Mapping[str, Sequence[AttributeSet]] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    _last: dict[int, _Last] = field(default_factory=dict)
    _edited: set[int] = field(default_factory=set)
    _filtered: set[int] = field(default_factory=set)
    _reasons: dict[tuple[int, int], Reason] = field(default_factory=dict)

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
        while True:
            # one try changes the state of tracks; a try that fails is taken back as a whole
            before = self._state()
            shown, jobs = self._render_once(frames, faces)
            shown, failed = self._verify(frames, shown, jobs)
            if not failed:
                break
            self._restore(before)
            for number, face in failed:
                self._choices.fail(face.track, self._person(face), number)
        oldest = (
            frames[-1][0] - RECENT if frames else 0
        )  # an older edit is not shown again: it is let go
        self._last = {track: last for track, last in self._last.items() if last.frame >= oldest}
        return shown

    def _render_once(
        self, frames: Sequence[tuple[int, Picture]], faces: Sequence[Sequence[TrackedBox]]
    ) -> tuple[list[tuple[Picture, list[RenderedFace]]], list[tuple[int, TrackedBox]]]:
        """Cover the faces with the sets their tracks are at; and the edited ones with the place of their frame."""
        self._reasons = {}
        jobs = [
            (place, face)
            for place, there in enumerate(faces)
            for face in there
            if self._person(face) not in self.visible and self._can_edit(face, frames[place][0])
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
        ready = {
            (place, face.track): edit
            for (place, face), edit in zip(jobs, edits, strict=True)
            if edit.layer.share >= LEAST_SHARE
        }
        shown = [
            self._cover(
                number, picture, faces[place], {t: e for (p, t), e in ready.items() if p == place}
            )
            for place, (number, picture) in enumerate(frames)
        ]
        return shown, jobs

    def _verify(
        self,
        frames: Sequence[tuple[int, Picture]],
        shown: list[tuple[Picture, list[RenderedFace]]],
        jobs: Sequence[tuple[int, TrackedBox]],
    ) -> tuple[list[tuple[Picture, list[RenderedFace]]], list[tuple[int, TrackedBox]]]:
        """Add the distance of every edit, and find the first one of each track that is not far enough away."""
        if self.verifier is None or not jobs:
            return shown, []
        faces = [
            FaceInFrame(frames[p][1], shown[p][0], face.box, face.landmarks) for p, face in jobs
        ]
        distances = self.verifier.distances(faces)
        measured = {
            (place, face.track): float(d) for (place, face), d in zip(jobs, distances, strict=True)
        }
        failed: dict[int, tuple[int, TrackedBox]] = {}
        for place, face in jobs:
            if measured[place, face.track] < self.verifier.required:
                failed.setdefault(face.track, (frames[place][0], face))
        with_distances = [
            (
                picture,
                [
                    replace(item, distance=measured.get((place, item.face.track)))
                    for item in covered
                ],
            )
            for place, (picture, covered) in enumerate(shown)
        ]
        return with_distances, list(failed.values())

    def _state(self) -> tuple[dict[int, _Last], set[int], set[int]]:
        last = {track: replace(item) for track, item in self._last.items()}
        return last, set(self._edited), set(self._filtered)

    def _restore(self, state: tuple[dict[int, _Last], set[int], set[int]]) -> None:
        self._last, self._edited, self._filtered = state

    def forget(self) -> None:
        """Forget the last edits, at a scene cut."""
        self._last, self._edited, self._filtered = {}, set(), set()

    def _person(self, face: TrackedBox) -> str:
        return self.names.get(face.track, self.everyone)

    @cached_property
    def _choices(self) -> SetChoices:
        return SetChoices(self.sets, self.others)

    def _can_edit(self, face: TrackedBox, frame: int) -> bool:
        """Whether a face is edited in a frame; if not, why is noted."""
        reason = self._why_not(face, frame)
        if reason:
            self._reasons[frame, face.track] = reason
            self._edited.discard(face.track)
            return False
        self._edited.add(face.track)
        return True

    def _why_not(self, face: TrackedBox, frame: int) -> Reason:
        """Why a face is not edited; once it is, a little more of a turn is borne, so that it does not flicker."""
        if self.editor is None or self._person(face) not in self.sets:
            return "never seen well" if self._person(face) in self.unseen else "no feasible set"
        if face.box[2] - face.box[0] < self.smallest:
            return "too small"
        if not _is_in_view(face) or not np.isfinite(face.landmarks).all():
            return "no landmarks"
        aside = turn(face.landmarks) if face.turn is None else face.turn
        limits = turn_limits(keeps_pose=self.editor.turned, begun=face.track in self._edited)
        if aside >= limits.turn or residual(face.landmarks) >= limits.residual:
            return "turned"
        if not belong(face.landmarks, face.box):
            return "no landmarks"
        return "not verified" if self._choices.is_held(face.track, frame) else ""

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
        crops = [
            cut_crop(picture, self.editor, similarity(face.landmarks[None], CROP_TEMPLATE)[0])
            for picture, face in jobs
        ]
        passes = [self._choices.current(face.track, self._person(face)).passes for _, face in jobs]
        edits: dict[int, _Edit] = {}
        for count in sorted({len(item) for item in passes}):  # an export may mix one pass and two
            chosen = [i for i, item in enumerate(passes) if len(item) == count]
            taken = to_editor([crops[i] for i in chosen])
            layers = edit_crops(self.editor, taken, np.stack([passes[i] for i in chosen]))
            for i, layer in zip(chosen, layers, strict=True):
                edits[i] = _Edit(crops[i], layer)
        return [edits[i] for i in range(len(jobs))]

    def _cover(
        self, number: int, picture: Picture, faces: Sequence[TrackedBox], edits: Mapping[int, _Edit]
    ) -> tuple[Picture, list[RenderedFace]]:
        shown = picture.copy()
        done: list[RenderedFace] = []
        hidden = [face for face in faces if self._person(face) not in self.visible]
        # filters first, then edits from small to large, so that a near face is not covered by a far one's filter
        order = sorted(
            hidden,
            key=lambda face: (face.track in edits, float((face.box[2:] - face.box[:2]).prod())),
        )
        for face in order:
            edit = edits.get(face.track)
            if edit is not None:
                self._show_edit(number, shown, picture, face, edit)
                how: Cover = "edited"
            else:
                how = self._cover_without_edit(number, shown, picture, face)
            reason = (
                "" if how == "edited" else self._reasons.get((number, face.track), "no landmarks")
            )
            done.append(RenderedFace(face, self._person(face), how, reason))
        return shown, done

    def _show_edit(
        self, number: int, shown: Picture, picture: Picture, face: TrackedBox, edit: _Edit
    ) -> None:
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
        source, crop = edit.source.astype(np.float32), edit.layer.crop.astype(np.float32)
        if last is not None and follows:
            source, crop = steady(source, crop, last.source, last.crop)
        layer = replace(edit.layer, crop=_picture(crop))
        self._last[face.track] = _Last(
            number, source, crop, layer, face.box, face.landmarks, strength
        )
        paste(shown, layer, similarity(face.landmarks[None], CROP_TEMPLATE)[0], strength, picture)

    def _cover_without_edit(
        self, number: int, shown: Picture, picture: Picture, face: TrackedBox
    ) -> Cover:
        last = self._last.get(face.track)
        if last is not None and (
            number - last.frame > RECENT or self._person(face) not in self.sets
        ):
            last = None
        turned = bool(np.isfinite(face.landmarks).all()) and belong(face.landmarks, face.box)
        if last is not None and last.shown > 0 and not turned and _is_in_view(face):
            landmarks = move_points(last.landmarks, last.box, face.box)
            cover(
                shown, face.box, self.fallback, margin=0.0
            )  # the warped edit is soft at its border
            paste(shown, last.layer, similarity(landmarks[None], CROP_TEMPLATE)[0], 1.0, picture)
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
                last.layer,
                similarity(landmarks[None], CROP_TEMPLATE)[0],
                last.shown,
                picture,
            )
        return "filtered"


def _picture(crop: Floats) -> Picture:
    return np.asarray(np.round(crop), np.uint8)


def _is_in_view(face: TrackedBox) -> bool:
    """Whether a face is likely to show; before its first sighting, and long after one, it may be behind something."""
    return face.source != "extended" and face.frames_from_detection <= MAX_FRAMES_FROM_DETECTION
