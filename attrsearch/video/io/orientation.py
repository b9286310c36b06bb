"""Which way up pictures are stored.

The eight orientations of a display matrix, and footage filmed sideways.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.tiles import detect_reduced

Picture = npt.NDArray[np.uint8]

SURE = 0.6
"""Probability from which a detection speaks for the turn it was made in."""
CLEARLY = 1.3
"""How many times as much must speak for a turn as for the stored orientation before footage is
turned."""
ENOUGH = 0.3
"""How much more must speak for it than that: about one sure face."""
LOOKED_AT = 960
"""Longest side in pixels of what is looked at to see which way up footage is."""
NUMBERS = 9
"""Of a display matrix: 32-bit integers, row by row, the first two columns 16.16."""


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is set upright: transposed first, then mirrored.

    Attributes:
        transposed: Rows become columns.
        left_right: The picture (after transposing) is mirrored left to right.
        upside_down: It is mirrored top to bottom.
    """

    transposed: bool = False
    left_right: bool = False
    upside_down: bool = False

    @property
    def is_stored(self) -> bool:
        """Whether pictures are stored upright."""
        return not (self.transposed or self.left_right or self.upside_down)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the upright picture."""
        return (height, width) if self.transposed else (width, height)

    def upright(self, stored: Picture) -> Picture:
        """A stored picture (h, w, c) set upright."""
        picture = stored.swapaxes(0, 1) if self.transposed else stored
        if self.left_right:
            picture = picture[:, ::-1]

        if self.upside_down:
            picture = picture[::-1]

        return np.ascontiguousarray(picture)

    def stored(self, upright: Picture) -> Picture:
        """The inverse of :meth:`upright`."""
        picture = upright
        if self.upside_down:
            picture = picture[::-1]

        if self.left_right:
            picture = picture[:, ::-1]

        if self.transposed:
            picture = picture.swapaxes(0, 1)

        return np.ascontiguousarray(picture)

    def turned(self, quarters: int) -> "Orientation":
        """This orientation, and the upright picture turned by so many quarters counterclockwise.

        >>> Orientation().turned(1).turned(3) == Orientation()
        True
        >>> picture = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
        >>> bool((Orientation().turned(1).upright(picture) == np.rot90(picture)).all())
        True
        """
        turned = self

        for _ in range(quarters % 4):
            # a quarter turn counterclockwise: rows become columns, then top and bottom change
            # places
            turned = Orientation(
                transposed=not turned.transposed,
                left_right=turned.upside_down,
                upside_down=not turned.left_right,
            )

        return turned


def read_matrix(data: bytes) -> tuple[int, ...] | None:
    """The nine numbers of a display matrix as FFmpeg stores it; None where it is something else."""
    if len(data) != 4 * NUMBERS:
        return None
    return struct.unpack(f"={NUMBERS}i", data)


def orientation_of(matrix: Sequence[int]) -> Orientation:
    """The nearest of the eight orientations.

    A stored point (p, q) is shown at ``x = a p + c q``, ``y = b p + d q``, where the matrix begins
    with a, b, _, c, d.

    >>> orientation_of((65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)) == Orientation()
    True
    >>> orientation_of((-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    Orientation(transposed=False, left_right=True, upside_down=False)
    """
    # the third of a row is for projections, which no camera writes
    a, b, _, c, d = matrix[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(transposed=False, left_right=a < 0, upside_down=d < 0)

    return Orientation(transposed=True, left_right=c < 0, upside_down=b < 0)


def find_turn(pictures: Iterable[Picture], detector: Detector) -> int:
    """Quarter turns counterclockwise after which faces stand upright.

    0 where nothing clearly speaks for a turn.

    Args:
        pictures: A sample of the footage, each (h, w, 3), RGB, uint8.
        detector: Finds upright faces.
    """
    votes = np.zeros(4)

    for picture in pictures:
        for quarters in range(4):
            turned = np.ascontiguousarray(np.rot90(picture, quarters))
            # far faces are lost; near ones tell as well which way is up, at a quarter of the cost
            found = detect_reduced(turned, detector, LOOKED_AT)
            sure = found.probabilities[found.probabilities >= SURE]
            # a detector is surer of upright faces, so what it is nearly sure of counts for little
            votes[quarters] += float((sure**4).sum())

    best = int(votes.argmax())
    return best if votes[best] > CLEARLY * votes[0] + ENOUGH else 0
