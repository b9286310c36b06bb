"""An audit finds what the protection's way of looking would miss."""

import numpy as np
import pytest

from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.detection.tiles import detect_reduced
from attrsearch.video.audit_view import find_faces, turn_back


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_that_lies_is_found_where_it_is(
    astronaut: Picture, mtcnn: Mtcnn, quarters: int
) -> None:
    upright = detect_reduced(astronaut, mtcnn)
    lying = np.ascontiguousarray(np.rot90(astronaut, -quarters))
    found = find_faces(lying, mtcnn)
    best, overlap = found.nearest(
        turn_back(upright, 4 - quarters, lying.shape[1], lying.shape[0]).boxes[0]
    )
    assert overlap > 0.8
    eyes = found.landmarks[best, :2].mean(0)
    mouth = found.landmarks[best, 3:].mean(0)
    # the eyes are where the top of the head was turned to
    expected = {1: (1, 0), 2: (0, 1), 3: (-1, 0)}[quarters]
    assert np.dot(eyes - mouth, expected) > 0.9 * np.linalg.norm(eyes - mouth)


def test_there_and_back_is_the_same() -> None:
    box = np.array([[3, 5, 10, 20]], np.float32)
    points = np.arange(10, dtype=np.float32).reshape(1, 5, 2)
    seen = Detections(box, np.ones(1, np.float32), points)
    # turned once in a picture of 40 x 30 it is in one of 30 x 40
    again = turn_back(turn_back(seen, 1, 40, 30), 3, 30, 40)
    assert np.array_equal(again.boxes, box)
    assert np.array_equal(again.landmarks, points)


def test_a_small_face_of_a_large_frame_is_found(astronaut: Picture, mtcnn: Mtcnn) -> None:
    large = np.full((700, 2600, 3), 96, np.uint8)
    large[300:550, 2000:2250] = astronaut
    assert len(find_faces(large, mtcnn)) == 1
