"""The smallest face that is found does not depend on how large the picture is."""

import itertools
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.tiles import SIDE, detect_in_tiles, detect_reduced, tiles
from attrsearch.faces.detection.yunet import YuNet


@dataclass
class Squares:
    """Finds bright squares of 20 pixels and more: a detector whose limits are known exactly."""

    name: str = "squares"
    shown: list[tuple[int, int]] = field(default_factory=list)

    def detect(self, pictures: Picture) -> list[Detections]:
        (picture,) = pictures
        self.shown.append(picture.shape[1::-1])
        table = cv2.connectedComponentsWithStats((picture[..., 0] > 128).astype(np.uint8))[2][1:]
        table = table[table[:, 2] >= 20].astype(np.float32)
        boxes = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], 1).reshape(-1, 4)
        return [
            Detections(
                boxes,
                np.full(len(boxes), 0.9, np.float32),
                np.zeros((len(boxes), 5, 2), np.float32),
            )
        ]


def picture_of(size: tuple[int, int], squares: list[tuple[int, int, int]]) -> Picture:
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    for left, top, side in squares:
        picture[top : top + side, left : left + side] = 255
    return picture


@pytest.mark.parametrize(
    "size", [(640, 480), (1920, 1080), (3840, 2160), (7680, 1000), (800, 5000)]
)
def test_small_and_large_faces_are_found_once_whatever_the_size(size: tuple[int, int]) -> None:
    width, height = size
    squares = [
        (10, 10, 22),
        (width - 40, height - 60, 24),
        (width // 2 - 11, height // 2 - 11, 22),
        (90, 90, 160),
    ]
    found = detect_in_tiles(picture_of(size, squares), Squares())
    expected = sorted((left, top, left + side, top + side) for left, top, side in squares)
    assert len(found) == len(squares)
    assert np.abs(np.array(sorted(map(tuple, found.boxes))) - expected).max() < 9


def test_reduced_only_the_small_ones_are_lost() -> None:
    picture = picture_of((7680, 1000), [(10, 10, 22), (90, 90, 300)])
    assert len(detect_reduced(picture, Squares())) == 1


@pytest.mark.parametrize("place", range(1400, 2000, 75))
def test_a_face_where_tiles_meet_is_found_whole(place: int) -> None:
    found = detect_in_tiles(picture_of((3400, 500), [(place, 200, 60)]), Squares())
    assert len(found) == 1
    assert np.abs(found.boxes[0] - (place, 200, place + 60, 260)).max() <= 1


def test_small_pictures_are_looked_at_once() -> None:
    detector = Squares()
    detect_in_tiles(picture_of((SIDE, 1080), []), detector)
    assert detector.shown == [(SIDE, 1080)]


@pytest.mark.parametrize(
    ("length", "overlap"), [(1921, 48), (6000, 150), (8000, 200), (40_000, 900)]
)
def test_tiles_cover_the_picture_and_overlap(length: int, overlap: int) -> None:
    spans = [(left, right) for left, _, right, _ in tiles(length, 100, SIDE, overlap)]
    assert spans[0][0] == 0
    assert spans[-1][1] == length
    for (_, end), (begin, _) in itertools.pairwise(spans):
        assert end - begin >= overlap - 1


def test_a_face_of_a_panorama_is_found(astronaut: Picture) -> None:
    panorama = np.full((400, 6000, 3), 90, np.uint8)
    small = cv2.resize(astronaut, (90, 90), interpolation=cv2.INTER_AREA)
    panorama[100:190, 4321:4411] = small
    (box,) = YuNet(10, 0.5).detect(small[None])[0].boxes
    assert box[2] - box[0] < 40
    assert len(detect_reduced(panorama, YuNet(10, 0.5))) == 0
    found = detect_in_tiles(panorama, YuNet(10, 0.5))
    assert len(found) == 1
    assert 4321 < found.boxes[0, 0] < 4411


def test_a_face_that_shrinks_below_the_least_goes_on_and_none_begins(astronaut: Picture) -> None:
    small = cv2.resize(astronaut, (90, 90), interpolation=cv2.INTER_AREA)[None]
    found = YuNet(10, 0.2).detect(small)[0]
    width = float(found.boxes[0, 2] - found.boxes[0, 0])
    assert found.probabilities[0] > 0.6
    assert len(YuNet(width * 1.2, 0.2).detect(small)[0]) == 0
    assert len(YuNet(width * 1.5, 0.2, 0.75).detect(small)[0]) == 0
    (unsure,) = YuNet(width * 1.2, 0.2, 0.75).detect(small)[0].probabilities
    # a track begins from 0.6 on, and goes on from 0.2 on
    assert 0.2 < unsure < 0.6
