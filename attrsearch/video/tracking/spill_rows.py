"""Faces of a video as rows, in the order of their frames, on pages that lie on a shelf.

Only the numbers of their frames stay in memory: four bytes a face, where a face as objects takes
more than a kilobyte.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from attrsearch.video.io.boxes_file import LabelledBox
from attrsearch.video.tracking.spill import Place, SpillFile
from attrsearch.video.tracking.tracker import BoxSource, TrackedFace

Floats = npt.NDArray[np.float32]

PAGE = 512
"""Rows on a page."""
ROW = np.dtype(
    [
        ("track", np.int32),
        ("box", np.float32, 4),
        ("landmarks", np.float32, (5, 2)),
        ("probability", np.float64),
        ("predicted_iou", np.float64),
        ("source", np.uint8),
        ("guess", np.bool_),
    ]
)
SOURCES: tuple[BoxSource, ...] = get_args(BoxSource)
NO_LANDMARKS = np.full((5, 2), np.nan, np.float32)


class _Rows:
    """Rows in the order of their frames; of one frame there may be several."""

    def __init__(self, shelf: SpillFile) -> None:
        self._shelf = shelf
        self._frames = array("i")
        self._pages: list[Place] = []
        self._starts = array("i")
        self._page: list[TrackedFace] = []

    def _append(self, frame: int, face: TrackedFace) -> None:
        # rows are found by bisection, which needs their order
        if self._frames and frame < self._frames[-1]:
            raise ValueError(
                f"rows are in the order of their frames; {frame} comes before {self._frames[-1]}"
            )

        self._frames.append(frame)
        self._page.append(face)
        if len(self._page) == PAGE:
            self.put_away()

    def put_away(self) -> None:
        """Put what is in memory on the shelf, because no more is to come for now."""
        if not self._page:
            return

        rows = np.zeros(len(self._page), ROW)
        for name in ("track", "box", "landmarks", "probability", "predicted_iou", "guess"):
            rows[name] = [getattr(face, name) for face in self._page]

        rows["source"] = [SOURCES.index(face.source) for face in self._page]
        self._starts.append(len(self._frames) - len(self._page))
        self._pages.append(self._shelf.put(rows.tobytes()))
        self._page = []

    def _face(self, number: int) -> TrackedFace:
        """The face of a row."""
        # the last page is in memory until it is full
        first = len(self._frames) - len(self._page)
        if number >= first:
            return self._page[number - first]

        page = bisect_right(self._starts, number) - 1
        rows: npt.NDArray[Any] = np.frombuffer(self._shelf.get(self._pages[page]), ROW)
        row = rows[number - self._starts[page]]
        return TrackedFace(
            track=int(row["track"]),
            box=row["box"],
            landmarks=row["landmarks"],
            probability=float(row["probability"]),
            source=SOURCES[row["source"]],
            guess=bool(row["guess"]),
            predicted_iou=float(row["predicted_iou"]),
        )


class TrackRows(_Rows, Mapping[int, TrackedFace]):
    """A track: frame to sighting."""

    def add(self, frame: int, face: TrackedFace) -> None:
        """Add the sighting of a later frame."""
        self._append(frame, face)

    def __getitem__(self, frame: int) -> TrackedFace:
        number = bisect_left(self._frames, frame)
        if number == len(self._frames) or self._frames[number] != frame:
            raise KeyError(frame)
        return self._face(number)

    def __contains__(self, frame: object) -> bool:
        if not isinstance(frame, int | np.integer):
            return False

        number = bisect_left(self._frames, int(frame))
        return number < len(self._frames) and self._frames[number] == frame

    def __iter__(self) -> Iterator[int]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


class BoxRows(_Rows, Mapping[int, list[LabelledBox]]):
    """Boxes of a whole video: frame to boxes, as :data:`attrsearch.video.io.boxes_file.Labels`."""

    def add(self, frame: int, track: int, box: Floats, probability: float) -> None:
        """Add a box of a frame that is not before the last one's."""
        self._append(frame, TrackedFace(track, box, NO_LANDMARKS, probability, "detected"))

    def __getitem__(self, frame: int) -> list[LabelledBox]:
        numbers = range(bisect_left(self._frames, frame), bisect_right(self._frames, frame))
        if not numbers:
            raise KeyError(frame)
        return [_labelled(self._face(number)) for number in numbers]

    def __iter__(self) -> Iterator[int]:
        last = None
        for frame in self._frames:
            # rows are in the order of frames, several of one frame behind each other
            if frame != last:
                yield frame

            last = frame

    def __len__(self) -> int:
        return sum(1 for _ in self)


def part(
    sightings: Mapping[int, TrackedFace], first: int, end: float, track: int, shelf: SpillFile
) -> TrackRows:
    """A track's sightings from ``first`` to before ``end``, as those of another number."""
    rows = TrackRows(shelf)
    for frame, face in sightings.items():
        if first <= frame < end:
            rows.add(frame, replace(face, track=track))

    rows.put_away()
    return rows


def _labelled(face: TrackedFace) -> LabelledBox:
    left, top, right, bottom = map(float, face.box)
    return LabelledBox((left, top, right, bottom), face.track, min(1.0, face.probability))
