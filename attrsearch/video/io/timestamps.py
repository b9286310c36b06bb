"""Timestamps that may start late and fall.

Rebased to the beginning, and made to rise where streams were joined.
"""

from dataclasses import dataclass
from fractions import Fraction

JOINED = Fraction(1, 2)
"""Seconds by which timestamps fall where two recordings were joined; smaller falls are jitter."""


@dataclass
class RisingTime:
    """Makes the timestamps of one stream rise.

    Args:
        time_base: Seconds of a unit.
    """

    time_base: Fraction
    _shift: int = 0
    _last: int | None = None
    _step: int = 1

    def rise(self, stamp: int, duration: int = 0) -> int:
        """The next timestamp, later than the one before.

        >>> time = RisingTime(Fraction(1, 10))
        >>> [time.rise(stamp, 1) for stamp in (100, 101, 102, 0, 1, 1)]
        [100, 101, 102, 103, 104, 105]
        """
        shown = stamp + self._shift

        if self._last is not None and shown <= self._last:
            if (self._last - shown) * self.time_base >= JOINED:
                # another recording begins: all that follows is moved behind the one before
                self._shift += self._last + max(duration, self._step) - shown
                shown = stamp + self._shift
            else:
                shown = self._last + 1

        if self._last is not None:
            self._step = max(1, shown - self._last)

        self._last = shown
        return shown

    @property
    def shift(self) -> int:
        """By how much the last timestamp was moved to stand behind an earlier recording."""
        return self._shift
