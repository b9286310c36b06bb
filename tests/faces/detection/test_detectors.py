"""Every detector keeps the same promises.

MTCNN equals facenet-pytorch's, whatever shares its batch.
"""

import warnings
from functools import cache

import cv2
import numpy as np
import pytest

from attrsearch.core.errors import UnavailableError
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections, Detector, detect_each
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.detection.yunet import YuNet


@cache
def cached_detector(name: str) -> Detector:
    return load_detector(name, 24)


class DetectorContract:
    """What every detector must do."""

    name: str

    @pytest.fixture
    def detector(self) -> Detector:
        return cached_detector(self.name)

    def test_finds_the_face(self, detector: Detector, astronauts: Picture) -> None:
        for found in detector.detect(astronauts):
            assert len(found) == 1
            assert found.probabilities[0] > 0.8
            left, top, right, bottom = found.boxes[0]
            assert 0 <= left < right <= 250
            assert 0 <= top < bottom <= 250
            eyes, nose, mouth = (
                found.landmarks[0, :2],
                found.landmarks[0, 2],
                found.landmarks[0, 3:],
            )
            assert eyes[0, 0] < nose[0] < eyes[1, 0]
            assert mouth[0, 0] < mouth[1, 0]
            assert eyes[:, 1].max() < nose[1] < mouth[:, 1].min()

    def test_no_face_is_no_detection(self, detector: Detector) -> None:
        grey = np.full((2, 120, 90, 3), 128, np.uint8)
        assert [len(found) for found in detector.detect(grey)] == [0, 0]

    def test_no_picture_is_no_result(self, detector: Detector) -> None:
        assert detector.detect(np.zeros((0, 120, 90, 3), np.uint8)) == []

    def test_a_picture_smaller_than_any_face(self, detector: Detector) -> None:
        assert len(detector.detect(np.zeros((1, 16, 16, 3), np.uint8))[0]) == 0

    def test_the_surest_come_first(self, detector: Detector, astronauts: Picture) -> None:
        both = np.concatenate([astronauts[0], astronauts[1]], 1)[None]
        found = detector.detect(both)[0]
        assert len(found) == 2
        assert found.probabilities[0] >= found.probabilities[1]

    def test_mirror_image(self, detector: Detector, astronauts: Picture) -> None:
        plain, mirrored = (
            detector.detect(p[None])[0].boxes[0] for p in (astronauts[0], astronauts[0][:, ::-1])
        )
        assert np.abs(250 - mirrored[[2, 0]] - plain[[0, 2]]).max() < 8


class TestMtcnn(DetectorContract):
    name = "mtcnn"


class TestYuNet(DetectorContract):
    name = "yunet"


@pytest.mark.parametrize("width", [14, 60, 300, 900])
def test_yunet_is_sure_of_faces_of_every_size(astronaut: Picture, width: int) -> None:
    """Beyond 400 pixels it is by the reduced frame.

    Of the full one alone it is not, and such a face would go free.
    """
    left, top, right, bottom = Mtcnn(60).detect(astronaut[None])[0].boxes[0]
    scale = width / (right - left)
    large = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((1080, 1920, 3), 110, np.uint8)
    x, y = (round(960 - (left + right) / 2 * scale), round(540 - (top + bottom) / 2 * scale))
    shown = large[max(0, -y) : 1080 - y, max(0, -x) : 1920 - x]
    frame[max(0, y) : max(0, y) + shown.shape[0], max(0, x) : max(0, x) + shown.shape[1]] = shown
    found = YuNet(10, 0.2).detect(frame[None])[0]
    box = np.float32([960 - width / 2, 540 - width * 0.62, 960 + width / 2, 540 + width * 0.62])
    best, overlap = found.nearest(box)
    assert overlap > 0.5
    assert found.probabilities[best] > (0.3 if width < 20 else 0.8)
    assert (np.diff(found.probabilities) <= 0).all()
    inside = (found.landmarks[best] - box[:2]) / (box[2:] - box[:2])
    assert ((inside > 0) & (inside < 1)).all()


def crowd(astronauts: Picture) -> Picture:
    """Pictures with none to several faces of several sizes, (5, 250, 250, 3)."""
    generator = np.random.default_rng(0)
    small = astronauts[:, ::2, ::2]
    tiles = np.concatenate(
        [np.concatenate([small[0], small[1]], 1), np.concatenate([small[2], small[3]], 1)], 0
    )
    noise = generator.integers(0, 255, (250, 250, 3), np.uint8)
    return np.stack([astronauts[0], astronauts[2], tiles, noise, astronauts[3][::-1].copy()])


@pytest.mark.parametrize("min_face", [20, 40])
def test_mtcnn_equals_facenet_pytorch(astronauts: Picture, min_face: int) -> None:
    from facenet_pytorch import MTCNN

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MTCNN(keep_all=True, device="cpu", min_face_size=min_face)
        boxes, probabilities, points = theirs.detect(crowd(astronauts), landmarks=True)
    ours = Mtcnn(min_face).detect(crowd(astronauts))
    for found, box, probability, point in zip(ours, boxes, probabilities, points, strict=True):
        assert len(found) == (0 if box is None else len(box))
        if box is not None:
            order = np.argsort(-np.asarray(probability, float), kind="stable")
            assert np.allclose(found.boxes, np.asarray(box, float)[order], atol=1e-3)
            assert np.allclose(
                found.probabilities, np.asarray(probability, float)[order], atol=1e-5
            )
            assert np.allclose(found.landmarks, np.asarray(point, float)[order], atol=1e-3)


def test_mtcnn_does_not_depend_on_its_batch(astronauts: Picture) -> None:
    pictures, detector = crowd(astronauts), Mtcnn(20)
    together = detector.detect(pictures)
    backwards = detector.detect(pictures[::-1].copy())[::-1]
    for i, found in enumerate(together):
        alone = detector.detect(pictures[i : i + 1])[0]
        for other in (alone, backwards[i]):
            assert np.array_equal(found.boxes, other.boxes)
            assert np.array_equal(found.probabilities, other.probabilities)
            assert np.array_equal(found.landmarks, other.landmarks)


def test_pictures_of_several_sizes(astronauts: Picture, mtcnn: Mtcnn) -> None:
    pictures = [astronauts[0], astronauts[1][:, 20:230], astronauts[2]]
    found = detect_each(mtcnn, pictures)
    assert [len(detections) for detections in found] == [1, 1, 1]
    assert np.array_equal(found[2].boxes, mtcnn.detect(astronauts[2:3])[0].boxes)


def test_nearest_of_nothing() -> None:
    assert Detections.none().nearest(np.array([0, 0, 1, 1], np.float32)) == (-1, 0.0)


def test_unknown_detector() -> None:
    with pytest.raises(UnavailableError, match="did you mean mtcnn"):
        load_detector("mtcn", 20)
