"""Which attribute set a track is shown with: the winner, another of the person's, or none.

A set that is right on the best looks at a face may not be right in the dark. When a shown face
still verifies, its track goes on with the set that takes it furthest in that very frame, and stays
with it as long as it does; when none takes it far enough, it is filtered, and for so long that edit
and filter do not flicker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from attrsearch.core.attributes import AttributeSet

HOLD = 25
"""Frames a track is filtered after an edit was shown and all of its sets failed; twice as many
after each further failure, until edits have held for as long again."""
AGAIN = 8
"""Frames after which a track that is filtered is tried again, where no try was shown: nothing
flickers by that."""


@dataclass
class SetChoices:
    """The sets of people, and which one each track is at.

    Args:
        sets: Person to attribute set.
        others: Person to further sets, the next one first.
    """

    sets: Mapping[str, AttributeSet]
    others: Mapping[str, Sequence[AttributeSet]] = field(default_factory=dict)
    _place: dict[int, int] = field(default_factory=dict)
    _until: dict[int, int] = field(default_factory=dict)
    _hold: dict[int, int] = field(default_factory=dict)
    _open: dict[int, set[int]] = field(default_factory=dict)
    _came_with: dict[int, int] = field(default_factory=dict)
    _shown: dict[str, int] = field(default_factory=dict)
    _was_shown: set[int] = field(default_factory=set)

    def begin(self) -> None:
        """Other frames come: what failed in those before may do in these."""
        self._open = {}
        self._came_with = {}

    def of(self, person: str) -> list[AttributeSet]:
        """All sets of a person, the winner first."""
        winner = self.sets.get(person)
        return [] if winner is None else [winner, *self.others.get(person, ())]

    def current(self, track: int, person: str) -> AttributeSet:
        """The set a track is at."""
        return self.of(person)[self.place(track, person)]

    def place(self, track: int, person: str) -> int:
        """Which of a person's sets a track is at, from 0.

        A new track begins with the set that the person was last shown with.
        """
        place = self._place.get(track, self._shown.get(person, 0))
        return place % max(1, len(self.of(person)))

    def note_shown(self, track: int, person: str) -> None:
        """The set of a track is far enough away in the frames that are written now."""
        self._place[track] = self._shown[person] = self.place(track, person)
        self._was_shown.add(track)

    def is_held(self, track: int, frame: int) -> bool:
        """Whether a track is filtered in a frame because none of its sets was far enough away."""
        return frame < self._until.get(track, -1)

    def untried(self, track: int, person: str) -> dict[int, AttributeSet]:
        """Sets by place that have not failed in these frames, but for the one a track is at."""
        sets = self.of(person)
        left = self._open.get(track, set(range(len(sets)))) - {self.place(track, person)}
        return {place: sets[place] for place in sorted(left)}

    def fail(self, track: int, person: str, frame: int, enough: Mapping[int, float]) -> None:
        """The set of a track was not far enough away in a frame.

        Go on with the one that is furthest away there, or with the filter.

        Args:
            track: The track.
            person: Whose it is.
            frame: Its number.
            enough: Place to distance of the untried sets that are far enough away there.
        """
        now = self.place(track, person)
        came_with = self._came_with.setdefault(track, now)
        self._open[track] = set(enough)

        if enough:
            self._place[track] = max(enough, key=lambda place: enough[place])
            return

        # what held before is tried first, once light and pose may be others
        self._place[track] = came_with
        if track not in self._was_shown:
            self._until[track] = frame + AGAIN
            return

        hold = self._hold.get(track, HOLD)
        if frame - self._until.get(track, frame) >= hold:
            hold = HOLD

        self._until[track] = frame + hold
        self._hold[track] = 2 * hold
        self._was_shown.discard(track)
