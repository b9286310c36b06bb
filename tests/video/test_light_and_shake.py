"""Dark footage, flashes, cuts between dark shots, and a camera that shakes: every face is covered."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.yunet import YuNet
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.video.io.reader import Frame
from attrsearch.video.io.source import VideoFile
from attrsearch.video.pipeline import SetAssignment, VideoOptions, protect
from attrsearch.video.tracking.camera_motion import CameraMotion
from attrsearch.video.tracking.lighting import lift
from attrsearch.video.tracking.scan import join_detections
from attrsearch.video.tracking.scene_cuts import mark_cuts
from tests.clips import Clip, pictures, street, textured, walker, write_clip
from tests.video.conftest import Scene

SHAKE = 60


def cuts(shown: Sequence[Picture]) -> list[int]:
    frames = [Frame(index, index / 25, picture, None) for index, picture in enumerate(shown)]
    return [frame.index for frame, is_cut in mark_cuts(frames) if is_cut]


def other_scene(frames: int) -> list[Picture]:
    return [picture[::-1].copy() for picture in textured(frames, seed=5)]


@pytest.mark.parametrize("light", [1.0, 0.2, 0.06])
def test_a_cut_is_seen_in_any_light(scene: Scene, light: float) -> None:
    shown = [*scene.pictures[:6], *other_scene(6)]
    assert cuts([(picture * light).astype(np.uint8) for picture in shown]) == [6]


@pytest.mark.parametrize("length", [1, 2, 4])
def test_a_flash_is_no_cut_and_a_cut_behind_it_is_one(scene: Scene, length: int) -> None:
    shown = [picture.copy() for picture in scene.pictures]
    for number in range(6, 6 + length):
        shown[number] = np.full_like(shown[number], 252)
    assert cuts(shown) == []
    assert cuts([*shown[:6], *other_scene(6)]) == [6]


def test_a_camera_that_shakes_makes_no_cut(scene: Scene) -> None:
    assert cuts([np.roll(p, 30 * (-1) ** n, 1) for n, p in enumerate(scene.pictures)]) == []


def test_only_dark_frames_are_lifted(astronaut: Picture) -> None:
    assert lift(astronaut) is None
    dark = (astronaut * 0.06).astype(np.uint8)
    lifted = lift(dark)
    assert lifted is not None
    assert abs(np.percentile(lifted.max(2), 90) - 170) < 20


def test_of_two_looks_the_surer_detection_is_kept() -> None:
    points = np.zeros((1, 5, 2), np.float32)
    one = Detections(np.float32([[0, 0, 10, 10]]), np.float32([0.4]), points)
    two = Detections(
        np.float32([[1, 0, 11, 10], [50, 0, 60, 10]]),
        np.float32([0.8, 0.5]),
        np.repeat(points, 2, 0),
    )
    joined = join_detections(one, two)
    assert joined.boxes[:, 0].tolist() == [1, 50]
    assert join_detections(Detections.none(), two) is two
    assert join_detections(two, Detections.none()) is two


def test_the_camera_is_measured_and_a_walker_is_no_camera(scene: Scene) -> None:
    camera = CameraMotion()
    assert not camera.shift(scene.pictures[0]).any()
    moved = np.roll(scene.pictures[0], (12, -40), (0, 1))
    assert camera.shift(moved) == pytest.approx([-40, 12], abs=2.5)
    camera.forget()
    assert not any(camera.shift(picture).any() for picture in scene.pictures)


def covered(
    shown: list[Picture], boxes: list[list[np.ndarray]], folder: Path, sface: CalibratedRecogniser
) -> tuple[list[tuple[int, int]], float]:
    """Frames and places of true faces that were left, and the mean share of pixels that were changed."""
    source = write_clip(folder / "a.mp4", shown, Clip(options={"crf": "6"}))
    done = protect(
        VideoFile(source, folder / "out.mp4"), detector=YuNet(10, 0.2), close_up=YuNet(48, 0.5), scaled=sface,
        decide=lambda people: SetAssignment({}, {}, None), options=VideoOptions(fallback="mask"),
    )  # fmt: skip
    before, after = pictures(source), pictures(folder / "out.mp4")
    left = [
        (frame, place)
        for frame, there in enumerate(boxes)
        for place, box in enumerate(there)
        if not _is_in([np.float32(item.box) for item in done.boxes.get(frame, [])], box)
    ]
    changed = [
        float((np.abs(a.astype(int) - b).max(2) > 12).mean())
        for a, b in zip(before, after, strict=True)
    ]
    return left, float(np.mean(changed))


def _is_in(found: list[np.ndarray], box: np.ndarray) -> bool:
    """Whether most of a true face is inside of one that was covered."""
    inner = [
        np.maximum(np.minimum(one[2:], box[2:]) - np.maximum(one[:2], box[:2]), 0).prod()
        for one in found
    ]
    return bool(max(inner, default=0) > 0.6 * (box[2:] - box[:2]).prod())


def truth(scene: Scene) -> list[list[np.ndarray]]:
    return [[walker.box(n) for walker in scene.street.walkers] for n in range(len(scene.pictures))]


@pytest.mark.parametrize("light", [0.2, 0.06])
def test_faces_in_the_dark_are_covered(
    scene: Scene, sface: CalibratedRecogniser, tmp_path: Path, light: float
) -> None:
    dark = [(picture * light).astype(np.uint8) for picture in scene.pictures]
    left, _ = covered(dark, truth(scene), tmp_path, sface)
    assert left == []


def test_faces_in_a_flash_are_covered(
    scene: Scene, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    shown = [picture.copy() for picture in scene.pictures]
    for number in (7, 8):  # a face shows a little in an overexposed frame
        shown[number] = (235 + shown[number] * 0.07).astype(np.uint8)
    source = write_clip(tmp_path / "a.mp4", shown, Clip(options={"crf": "6"}))
    done = protect(
        VideoFile(source, tmp_path / "out.mp4"), detector=YuNet(10, 0.2), close_up=YuNet(48, 0.5), scaled=sface,
        decide=lambda people: SetAssignment({}, {}, None), options=VideoOptions(fallback="mask"),
    )  # fmt: skip
    for number in (7, 8):
        assert len(done.boxes[number]) == 2


def test_a_camera_that_shakes_blurs_faces_and_little_else(
    sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    frames = 14
    made = street(
        [walker(frames, (200, 190), (3, 0), 56), walker(frames, (420, 230), (0, 0), 64)], (640, 480)
    )
    random = np.random.default_rng(4)
    shifts = random.integers(-SHAKE // 2, SHAKE // 2 + 1, (frames, 2))
    shown, boxes = [], []
    for number, picture in enumerate(made.render(3)):
        right, down = shifts[number]
        shown.append(np.roll(picture, (down, right), (0, 1)))
        boxes.append([person.box(number) + np.tile(shifts[number], 2) for person in made.walkers])
    left, share = covered(shown, boxes, tmp_path, sface)
    assert left == []
    faces = sum(np.prod(box[2:] - box[:2]) for box in boxes[0]) / (640 * 480)
    assert share < 6 * faces  # the head is 2.25 times a face's box, its soft border a little more
