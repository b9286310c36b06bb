"""Which attribute set a track is shown with: the winner, the next feasible one, or none.

A set that is right on the best looks at a face may not be right in the dark. When a shown face
still verifies, its track goes on with the person's next feasible set; when there is none left, it
is filtered, and for so long that edit and filter do not flicker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from attrsearch.core.attributes import AttributeSet

HOLD = 25
"""Frames a track is filtered after its last set failed; twice as many after each further
failure."""


@dataclass
class SetChoices:
    """The sets of people, and which one each track is at.

    Args:
        sets: Person to attribute set.
        others: Person to further feasible sets, the next one first.
    """

    sets: Mapping[str, AttributeSet]
    others: Mapping[str, Sequence[AttributeSet]] = field(default_factory=dict)
    _place: dict[int, int] = field(default_factory=dict)
    _until: dict[int, int] = field(default_factory=dict)
    _hold: dict[int, int] = field(default_factory=dict)

    def of(self, person: str) -> list[AttributeSet]:
        """All sets of a person, the winner first."""
        winner = self.sets.get(person)
        return [] if winner is None else [winner, *self.others.get(person, ())]

    def current(self, track: int, person: str) -> AttributeSet:
        """The set a track is at."""
        return self.of(person)[self._place.get(track, 0)]

    def place(self, track: int, person: str) -> int:
        """Which of a person's sets a track is at, from 0."""
        return self._place.get(track, 0) % max(1, len(self.of(person)))

    def is_held(self, track: int, frame: int) -> bool:
        """Whether a track is filtered in a frame because none of its sets was far enough away."""
        return frame < self._until.get(track, -1)

    def fail(self, track: int, person: str, frame: int) -> None:
        """The set of a track was not far enough away in a frame.

        Go on to the next one, or to the filter.
        """
        place = self._place.get(track, 0) + 1
        if place < len(self.of(person)):
            self._place[track] = place
            return

        hold = self._hold.get(track, HOLD)
        self._until[track] = frame + hold
        self._hold[track] = 2 * hold
        # after the filter the winner is tried again: light and pose may be others by then
        self._place[track] = 0
