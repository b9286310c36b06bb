"""Which attribute set a track is shown with, and by which editor: the winner, another, or none.

A set that is right on the best looks at a face may not be right in the dark. When a shown face
still verifies, its track goes on with the set that takes it furthest in that very frame, and stays
with it as long as it does; when none takes it far enough, it is filtered, and for so long that edit
and filter do not flicker.

Where there are two editors, the second takes faces further and leaves marks on them. It is for
faces, mostly small ones, for which no set is enough with the first. So that nobody's face changes
to and fro, a track leaves the second one only once its face has grown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from attrsearch.core.attributes import AttributeSet
from attrsearch.video.trajectories import TrackedBox

Place = tuple[int, int]
"""Number of an editor, and of a set of the person, both from 0."""

HOLD = 25
"""Frames a track is filtered after an edit was shown and all of its sets failed; twice as many
after each further failure, until edits have held for as long again."""
AGAIN = 8
"""Frames after which a track that is filtered is tried again, where no try was shown: nothing
flickers by that."""
GROWN = 1.25
"""How many times as wide a face has to be as when the first editor fell short, to be tried with it
again."""


@dataclass
class SetChoices:
    """The sets of people, and which one each track is at.

    Args:
        sets: Person to attribute set.
        others: Person to further sets, the next one first.
        editors: How many editors there are, the one with the better faces first.
    """

    sets: Mapping[str, AttributeSet]
    others: Mapping[str, Sequence[AttributeSet]] = field(default_factory=dict)
    editors: int = 1
    _place: dict[int, Place] = field(default_factory=dict)
    _until: dict[int, int] = field(default_factory=dict)
    _hold: dict[int, int] = field(default_factory=dict)
    _failed: dict[int, set[Place]] = field(default_factory=dict)
    _came_with: dict[int, Place] = field(default_factory=dict)
    _shown: dict[str, int] = field(default_factory=dict)
    _was_shown: set[int] = field(default_factory=set)
    _width: dict[int, float] = field(default_factory=dict)
    _fell_short: dict[int, float] = field(default_factory=dict)

    def begin(self, faces: Iterable[Sequence[TrackedBox]] = ()) -> None:
        """Other frames come: what failed in those before may do in these.

        Args:
            faces: Of each frame.
        """
        self._failed = {}
        self._came_with = {}
        self._width = {}
        for there in faces:
            self._width |= {face.key: float(face.box[2] - face.box[0]) for face in there}

        for track, (editor, number) in self._place.items():
            if editor > 0 and track in self._width and self._has_grown(track):
                # the same set: the two editors' faces are alike then
                self._place[track] = (0, number)

    def of(self, person: str) -> list[AttributeSet]:
        """All sets of a person, the winner first."""
        winner = self.sets.get(person)
        return [] if winner is None else [winner, *self.others.get(person, ())]

    def current(self, track: int, person: str) -> AttributeSet:
        """The set a track is at."""
        return self.of(person)[self.place(track, person)[1]]

    def place(self, track: int, person: str) -> Place:
        """Which editor and which of a person's sets a track is at.

        A new track begins with the set that the person was last shown with.
        """
        editor, number = self._place.get(track, (0, self._shown.get(person, 0)))
        return editor, number % max(1, len(self.of(person)))

    def note_shown(self, track: int, person: str) -> None:
        """The set of a track is far enough away in the frames that are written now."""
        self._place[track] = self.place(track, person)
        self._shown[person] = self._place[track][1]
        self._was_shown.add(track)

    def is_held(self, track: int, frame: int) -> bool:
        """Whether a track is filtered in a frame because none of its sets was far enough away."""
        return frame < self._until.get(track, -1)

    def untried(self, track: int, person: str) -> dict[Place, AttributeSet]:
        """Sets that have not failed in these frames, but for the one a track is at."""
        out = self._failed.get(track, set()) | {self.place(track, person)}
        left: dict[Place, AttributeSet] = {}

        for editor in range(0 if self._has_grown(track) else 1, self.editors):
            for number, one in enumerate(self.of(person)):
                if (editor, number) not in out:
                    left[editor, number] = one

        return left

    def fail(self, track: int, person: str, frame: int, enough: Mapping[Place, float]) -> None:
        """The set of a track was not far enough away in a frame.

        Go on with the one that is furthest away there, or with the filter.

        Args:
            track: The track.
            person: Whose it is.
            frame: Its number.
            enough: Place to distance of the untried sets that are far enough away there, of the
                first editor that has any.
        """
        now = self.place(track, person)
        came_with = self._came_with.setdefault(track, now)
        reached = min((editor for editor, _ in enough), default=self.editors)
        tried = {place for place in self.untried(track, person) if place[0] <= reached}
        self._failed[track] = self._failed.get(track, set()) | {now} | (tried - enough.keys())

        if reached > 0 and self.editors > 1 and self._has_grown(track):
            self._fell_short[track] = self._width.get(track, 0.0)

        if enough:
            self._place[track] = max(enough, key=lambda place: enough[place])
            return

        # what held before is tried first, once light and pose may be others; and after a filter
        # nobody sees that a face is made by the other editor
        self._place[track] = came_with
        self._fell_short.pop(track, None)
        if track not in self._was_shown:
            self._until[track] = frame + AGAIN
            return

        hold = self._hold.get(track, HOLD)
        if frame - self._until.get(track, frame) >= hold:
            hold = HOLD

        self._until[track] = frame + hold
        self._hold[track] = 2 * hold
        self._was_shown.discard(track)

    def _has_grown(self, track: int) -> bool:
        """Whether a track may be tried with the first editor."""
        return self._width.get(track, 0.0) >= GROWN * self._fell_short.get(track, 0.0)
