"""The second pass: cover every face of every frame, by an edit where that is possible.

Fails closed.  A face whose landmarks are not known gets the last edit of its track warped to its
place; one without a recent edit, without an attribute set, too small or too turned for an edit is
covered by a filter.  Edits are compared with their originals as they are shown, those that were
carried on, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import AttributeSet
from attrsearch.core.boxes import area, iou
from attrsearch.editing.blending import LEAST_SHARE
from attrsearch.editing.editor import Editor, with_second_stage
from attrsearch.editing.filters import Fallback
from attrsearch.video.choices import Place, SetChoices
from attrsearch.video.compositor import Compositor, Cover, Edit, ShownEdit, without_faces
from attrsearch.video.decisions import SMALLEST_EDIT, EditLimits, is_in_view, obstacle
from attrsearch.video.edits import edit_faces, try_sets
from attrsearch.video.placing import has_landmarks
from attrsearch.video.reasons import Reason
from attrsearch.video.trajectories import TrackedBox
from attrsearch.video.verification import FaceInFrame, RenderVerifier

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

GO_ON_SHARE = 0.2
"""A face that was edited in the frame before is edited on as long as an edit is laid on this share
of it (:data:`attrsearch.editing.blending.LEAST_SHARE`)."""
_EditName = tuple[int, int, Place, tuple[int, ...]]
"""Place of the frame, track, set, and the tracks that do not show in what an edit is made from."""
HIDDEN = 12
"""Frames a face is filtered for once too little of it could be seen."""


@dataclass(frozen=True)
class RenderedFace:
    """How a face was covered.

    Attributes:
        face: The face.
        person: Whose it is.
        how: What stands there now.
        reason: Why it is not edited.
        distance: Between the original and what is shown, raw, of the search's recogniser; None
            where nothing was compared.
        label: What it is, where it is no face.
    """

    face: TrackedBox
    person: str
    how: Cover
    reason: Reason = ""
    distance: float | None = None
    label: str = "face"


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
    _edited: set[int] = field(default_factory=set)
    _hidden: dict[int, int] = field(default_factory=dict)
    _refused: set[tuple[int, int]] = field(default_factory=set)
    _reasons: dict[tuple[int, int], Reason] = field(default_factory=dict)
    _shown: list[ShownEdit] = field(default_factory=list)
    _edits: dict[_EditName, Edit] = field(default_factory=dict)

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
        self._edits = {}
        self._refused = set()
        self._choices.begin(faces)

        while True:
            # one try changes the state of tracks; a try that fails is taken back as a whole
            before = self._state()
            shown = self._render_once(frames, faces)
            shown, failed = self._verify(frames, shown)
            if not failed:
                break

            self._restore(before)
            for item in failed:
                self._mend(frames[item.place][1], faces[item.place], item)

        for item in self._shown:
            self._choices.note_shown(item.face.key, self._person(item.face))

        if frames:
            self._compositor.let_go(frames[-1][0])

        self._edits = {}
        if self.verifier is not None:
            self.verifier.forget()

        return shown

    def _render_once(
        self, frames: Sequence[tuple[int, Picture]], faces: Sequence[Sequence[TrackedBox]]
    ) -> list[tuple[Picture, list[RenderedFace]]]:
        """Cover the faces with the sets their tracks are at."""
        self._reasons = {}
        self._shown = []
        jobs: list[tuple[int, TrackedBox]] = []
        for place, there in enumerate(faces):
            for face in there:
                # asked last, because it notes why a face cannot be edited
                shown = self._person(face) in self.visible
                if not shown and self._can_edit(face, frames[place][0]):
                    jobs.append((place, face))

        edits = self._edits_of(frames, faces, jobs)
        ready: list[dict[int, Edit]] = [{} for _ in frames]

        for (place, face), edit in zip(jobs, edits, strict=True):
            if self._shows_enough(face, frames[place][0], edit.layer.share):
                ready[place][face.track] = edit

        covered = []
        for place, (number, picture) in enumerate(frames):
            covered.append(self._cover(place, number, picture, faces[place], ready[place]))

        return covered

    def _edits_of(
        self,
        frames: Sequence[tuple[int, Picture]],
        faces: Sequence[Sequence[TrackedBox]],
        jobs: Sequence[tuple[int, TrackedBox]],
    ) -> list[Edit]:
        """Edits of faces at their places in a batch; what an earlier try made is not made again."""
        edited: list[set[int]] = [set() for _ in frames]
        for place, face in jobs:
            edited[place].add(face.track)

        names: list[_EditName] = []
        missing: dict[_EditName, tuple[Picture, TrackedBox, Editor, AttributeSet]] = {}

        for place, face in jobs:
            hidden = self._others_on(face, faces[place], edited[place])
            # what an edit is made from depends on who else is edited there
            others = tuple(other.track for other in hidden)
            chosen = self._choices.place(face.key, self._person(face))
            name = (place, face.track, chosen, others)
            names.append(name)
            if name not in self._edits:
                picture = without_faces(frames[place][1], hidden, self.fallback)
                wanted = self._choices.current(face.key, self._person(face))
                missing[name] = (picture, face, self._editors[chosen[0]], wanted)

        self._edits |= dict(zip(missing, edit_faces(list(missing.values())), strict=True))
        return [self._edits[name] for name in names]

    def _shows_enough(self, face: TrackedBox, number: int, share: float) -> bool:
        """Whether enough of a face is seen to be edited; a hand before it makes no flicker."""
        before = self._compositor.last.get(face.key)
        goes_on = before is not None and number - before.frame <= 1 and before.shown > 0
        held = number < self._hidden.get(face.key, -1)

        if not held and share >= (GO_ON_SHARE if goes_on else LEAST_SHARE):
            return True

        if not held and goes_on:
            self._hidden[face.key] = number + HIDDEN

        self._reasons[number, face.track] = "hidden"
        return False

    def _verify(
        self,
        frames: Sequence[tuple[int, Picture]],
        shown: list[tuple[Picture, list[RenderedFace]]],
    ) -> tuple[list[tuple[Picture, list[RenderedFace]]], list[ShownEdit]]:
        """Add the distance of every edit; find each face's first that is not far enough away."""
        if self.verifier is None or not self._shown:
            return shown, []

        faces = []
        for item in self._shown:
            before = frames[item.place][1]
            after = shown[item.place][0]
            faces.append(FaceInFrame(before, after, item.face.box, item.landmarks))

        distances, failed = self.verifier.check(faces, [s.face.key for s in self._shown])
        measured: dict[tuple[int, int], float] = {}
        for number, distance in distances.items():
            edit = self._shown[number]
            measured[edit.place, edit.face.track] = distance

        with_distances = []
        for place, (picture, covered) in enumerate(shown):
            known = []
            for face in covered:
                known.append(replace(face, distance=measured.get((place, face.face.track))))

            with_distances.append((picture, known))

        return with_distances, [self._shown[number] for number in failed]

    def _state(self) -> tuple[Compositor, set[int], dict[int, int]]:
        return self._compositor.copy(), set(self._edited), dict(self._hidden)

    def _restore(self, state: tuple[Compositor, set[int], dict[int, int]]) -> None:
        self._compositor, self._edited, self._hidden = state

    def forget(self) -> None:
        """Forget the last edits, at a scene cut."""
        self._compositor.forget()
        self._edited = set()
        self._hidden = {}

    def _person(self, face: TrackedBox) -> str:
        return self.names.get(face.track, self.everyone)

    @cached_property
    def _choices(self) -> SetChoices:
        return SetChoices(self.sets, self.others, len(self._editors))

    @cached_property
    def _editors(self) -> list[Editor]:
        return [] if self.editor is None else with_second_stage(self.editor)

    @cached_property
    def _compositor(self) -> Compositor:
        return Compositor(self.fallback, self.replacement)

    @cached_property
    def _limits(self) -> EditLimits:
        return EditLimits(self.smallest, keeps_pose=bool(self.editor and self.editor.turned))

    def _can_edit(self, face: TrackedBox, frame: int) -> bool:
        """Whether a face is edited in a frame; if not, why is noted."""
        reason = self._why_not(face, frame)
        if reason:
            self._reasons[frame, face.track] = reason
            self._edited.discard(face.key)
            return False

        self._edited.add(face.key)
        return True

    def _why_not(self, face: TrackedBox, frame: int) -> Reason:
        """Why a face is not edited."""
        if self.editor is None or self._person(face) not in self.sets:
            return "never seen well" if self._person(face) in self.unseen else "no feasible set"

        if face.planned is None:
            reason = obstacle(face, self._limits, begun=face.key in self._edited)
        elif face.planned:
            reason = face.planned
        else:
            reason = "" if has_landmarks(face.landmarks, face.box) else "no landmarks"

        if reason:
            return reason

        return "not verified" if self._choices.is_held(face.key, frame) else ""

    def _others_on(
        self, face: TrackedBox, there: Sequence[TrackedBox], edited: set[int]
    ) -> list[TrackedBox]:
        """Other faces an edit would be pasted over: they must not show in what it is made from."""
        found = []

        for other in there:
            if other is face or self._person(other) in self.visible:
                continue

            # of two that are edited, the larger one is in front: its edit is laid on last
            behind = other.track not in edited or area(other.box) < area(face.box)
            if behind and iou(other.box, face.box) > 0:
                found.append(other)

        return found

    def _mend(self, picture: Picture, faces: Sequence[TrackedBox], item: ShownEdit) -> None:
        """What is done about an edit that still verifies: another set, or the filter."""
        # a carried-on edit has no other set to try: it is refused in this one frame
        if item.carried:
            self._refused.add((item.number, item.face.key))
            return

        # it may be the filter under an edit that is still coming that verifies
        if item.strength < 1 and self._compositor.show_at_once(item.face.key):
            return

        if self.verifier is None:
            return

        face = item.face
        person = self._person(face)
        edited = {shown.face.track for shown in self._shown if shown.place == item.place}
        others = self._others_on(face, faces, edited)
        pictures = (picture, without_faces(picture, others, self.fallback))
        left = self._choices.untried(face.key, person)
        enough = try_sets(self._editors, self.verifier, pictures, face, left)
        self._choices.fail(face.key, person, item.number, enough)

    def _cover(
        self,
        place: int,
        number: int,
        picture: Picture,
        faces: Sequence[TrackedBox],
        edits: Mapping[int, Edit],
    ) -> tuple[Picture, list[RenderedFace]]:
        shown = picture.copy()
        done: list[RenderedFace] = []
        hidden = [face for face in faces if self._person(face) not in self.visible]

        # filters first, then edits from small to large, so that a near face is not covered by a
        # far one's filter
        order = sorted(
            hidden,
            key=lambda face: (face.track in edits, float((face.box[2:] - face.box[:2]).prod())),
        )
        for face in order:
            edit = edits.get(face.track)
            landmarks = None
            how: Cover = "edited"

            if edit is not None:
                landmarks = self._compositor.show_edit(number, shown, picture, face, edit)
            elif self._carries_on(face, number):
                landmarks = self._compositor.carry_on(number, shown, picture, face)
                how = "warped"

            if landmarks is None:
                known = self._person(face) in self.sets
                how = self._compositor.filter(number, shown, picture, face, fade=known)
            else:
                strength = self._compositor.strength(face.key)
                self._shown.append(
                    ShownEdit(place, number, face, landmarks, edit is None, strength)
                )

            reason = self._reasons.get((number, face.track), "no landmarks")
            done.append(
                RenderedFace(face, self._person(face), how, "" if how == "edited" else reason)
            )

        return shown, done

    def _carries_on(self, face: TrackedBox, number: int) -> bool:
        """Whether the last edit is carried on, where no edit can be made for want of landmarks."""
        if (
            self._person(face) not in self.sets
            or has_landmarks(face.landmarks, face.box)
            or face.planned
        ):
            return False

        if (number, face.key) in self._refused:
            self._reasons[number, face.track] = "not verified"
            return False

        return face.planned == "" or is_in_view(face)
