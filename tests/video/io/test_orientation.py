"""Footage that was filmed sideways, and says nothing of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from attrsearch.anonymise.videos import set_upright
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.yunet import YuNet
from attrsearch.video.io.frame_folder import FrameFolder
from attrsearch.video.io.orientation import Orientation, find_turn
from attrsearch.video.io.source import VideoFile
from attrsearch.video.pipeline import VideoOptions
from tests.clips import Clip, pictures, textured, write_clip
from tests.video.conftest import Scene


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("orientation", [Orientation(*flags) for flags in np.ndindex(2, 2, 2)])
def test_a_turned_orientation_is_the_upright_picture_turned(
    orientation: Orientation, quarters: int
) -> None:
    stored = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    turned = orientation.turned(quarters)
    expected = np.rot90(orientation.upright(stored), quarters)
    assert np.array_equal(turned.upright(stored), expected)
    assert np.array_equal(turned.stored(expected), stored)
    assert turned.size(6, 4) == expected.shape[1::-1]


@pytest.mark.parametrize("quarters", range(4))
def test_faces_say_which_way_up_they_are(scene: Scene, quarters: int) -> None:
    sideways = [np.rot90(picture, -quarters) for picture in scene.pictures[::8]]
    assert find_turn(sideways, YuNet(20, 0.3)) == quarters


def test_without_faces_nothing_is_turned() -> None:
    assert find_turn(textured(3), YuNet(20, 0.3)) == 0
    assert find_turn([], YuNet(20, 0.3)) == 0


def test_one_doubtful_face_turns_nothing() -> None:
    @dataclass
    class Doubtful:
        name: str = "doubtful"

        def detect(self, shown: Picture) -> list[Detections]:
            sideways = shown.shape[1] < shown.shape[2]
            probability = np.full(1, 0.61 if not sideways else 0.3, np.float32)
            return [
                Detections(np.float32([[0, 0, 9, 9]]), probability, np.zeros((1, 5, 2), np.float32))
            ]

    assert find_turn(textured(1), Doubtful()) == 0


@pytest.mark.parametrize("frames", [False, True])
def test_sideways_footage_is_turned_to_be_read_and_back_to_be_written(
    scene: Scene, tmp_path: Path, frames: bool, caplog: pytest.LogCaptureFixture
) -> None:
    sideways = [np.ascontiguousarray(np.rot90(picture)) for picture in scene.pictures[:9]]
    if frames:
        from PIL import Image

        (tmp_path / "in").mkdir()
        for number, picture in enumerate(sideways, 1):
            Image.fromarray(picture).save(tmp_path / "in" / f"f{number}.png")
        material = FrameFolder(tmp_path / "in", tmp_path / "out")
    else:
        source = write_clip(tmp_path / "a.mp4", sideways, Clip(options={"crf": "8"}))
        material = VideoFile(source, tmp_path / "out.mp4")
    set_upright(material, YuNet(20, 0.3), VideoOptions())
    assert material.turn == 3
    assert material.size == (320, 240)
    assert len(caplog.messages) == 1
    upright = next(material.frames()).picture
    assert np.abs(upright.astype(int) - scene.pictures[0]).mean() < 5
    with material.rewrite() as out:
        for frame in out.frames():
            shown = frame.picture.copy()
            shown[:30, :30] = 0
            out.write(frame, shown)
        out.close()
    written = (
        np.asarray(Image.open(tmp_path / "out" / "f1.png"))
        if frames
        else pictures(tmp_path / "out.mp4")[0]
    )
    assert written.shape == sideways[0].shape
    assert np.rot90(written, 3)[:28, :28].mean() < 12


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    from PIL import Image

    for number in (1, 2, 10, 11, 20):
        Image.fromarray(np.full((64, 64, 3), number, np.uint8)).save(tmp_path / f"f{number}.png")
    read = [
        int(frame.picture[0, 0, 0]) for frame in FrameFolder(tmp_path, tmp_path / "out").frames()
    ]
    assert read == [1, 2, 10, 11, 20]
