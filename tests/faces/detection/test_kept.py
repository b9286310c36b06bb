"""What was looked at once is not looked at again, and a damaged file hides no face."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.kept import FILE, KeptDetector, keep_detections

ABOUT: dict[str, object] = {"low_confidence": 0.2}


class Counting:
    """A detector that finds as many faces as a picture's first pixel says, and counts."""

    name = "counting"
    min_face = 10.0

    def __init__(self) -> None:
        self.pictures = 0

    def detect(self, pictures: npt.NDArray[np.uint8]) -> list[Detections]:
        """Faces by the first pixel."""
        self.pictures += len(pictures)
        found = []
        for picture in pictures:
            count = int(picture[0, 0, 0])
            random = np.random.default_rng(int(picture.sum()))
            numbers = random.random((count, 15)).astype(np.float32)
            found.append(
                Detections(numbers[:, :4], numbers[:, 4], numbers[:, 5:].reshape(-1, 5, 2))
            )

        return found


def frames(count: int) -> npt.NDArray[np.uint8]:
    pictures = np.zeros((count, 8, 12, 3), np.uint8)
    pictures[:, 0, 0, 0] = np.arange(count) % 4
    pictures[:, 1, 1, 1] = np.arange(count)
    return pictures


def same(one: list[Detections], other: list[Detections]) -> bool:
    pairs = list(zip(one, other, strict=True))
    boxes = all(np.array_equal(a.boxes, b.boxes) for a, b in pairs)
    sure = all(np.array_equal(a.probabilities, b.probabilities) for a, b in pairs)
    return boxes and sure and all(np.array_equal(a.landmarks, b.landmarks) for a, b in pairs)


def look(place: Path, count: int = 9) -> tuple[list[Detections], Counting]:
    detector = Counting()
    with keep_detections(detector, place, ABOUT) as kept:
        assert kept.name == "counting"
        assert kept.min_face == 10
        return [kept.detect(frame[None])[0] for frame in frames(count)], detector


def test_the_same_frames_are_looked_at_once(tmp_path: Path) -> None:
    first, detector = look(tmp_path / "run" / FILE)
    assert detector.pictures == 9
    assert same(first, Counting().detect(frames(9)))
    again, detector = look(tmp_path / "run" / FILE, 11)
    assert detector.pictures == 2
    assert same(again[:9], first)
    assert same(again, Counting().detect(frames(11)))


def test_a_batch_asks_for_what_is_new(tmp_path: Path) -> None:
    detector = Counting()
    with keep_detections(detector, tmp_path / FILE, ABOUT) as kept:
        kept.detect(frames(5)[1:3])
        assert same(kept.detect(frames(5)), Counting().detect(frames(5)))
        assert isinstance(kept, KeptDetector)
        assert detector.pictures == kept.looked == 5


@pytest.mark.parametrize("cut", [1, 4, 30, 200])
def test_a_record_that_is_not_whole_is_looked_at_again(tmp_path: Path, cut: int) -> None:
    first, _ = look(tmp_path / FILE)
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[:-cut])
    again, detector = look(tmp_path / FILE)
    assert 0 < detector.pictures < 9
    assert same(again, first)
    assert (tmp_path / FILE).read_bytes() == data


def test_a_damaged_record_hides_no_face(tmp_path: Path) -> None:
    first, _ = look(tmp_path / FILE)
    data = bytearray((tmp_path / FILE).read_bytes())
    for place in range(100, len(data), 37):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        (tmp_path / FILE).write_bytes(broken)
        assert same(look(tmp_path / FILE)[0], first), place


def test_other_settings_look_anew(tmp_path: Path) -> None:
    look(tmp_path / FILE)
    detector = Counting()
    with keep_detections(detector, tmp_path / FILE, {"low_confidence": 0.5}) as kept:
        kept.detect(frames(3))

    assert detector.pictures == 3
    assert look(tmp_path / FILE)[1].pictures == 9
