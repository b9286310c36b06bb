"""Every frame is the one the ledger counts, whichever was shown before."""

import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.errors import InputError
from attrsearch.report.studio.frames import FrameReader, as_jpeg, cut
from attrsearch.video.io.reader import VideoReader
from tests.clips import Clip, textured, write_clip

FRAMES = 30
ODD = [0, 3, 4, 9, 10, 11, 20, 22, 30, 31, 40, 41, 42, 50, 61]


@pytest.mark.parametrize(
    "clip",
    [
        Clip(options={"g": "12", "bf": "2"}),
        Clip(rotation=90, options={"g": "10"}),
        Clip(codec="mpeg4"),
        Clip(times=ODD * 1, time_base=Fraction(1, 50), options={"g": "6"}),
    ],
    ids=["b-frames", "turned", "mpeg4", "odd times"],
)
def test_any_order_gives_the_same_frames(tmp_path: Path, clip: Clip) -> None:
    count = FRAMES if clip.times is None else len(clip.times)
    path = write_clip(tmp_path / "clip.mp4", textured(count), clip)
    with VideoReader(path) as reader:
        frames = [frame.picture.copy() for frame in reader.frames()]

    opened = FrameReader(path)
    assert opened.count == len(frames) == count
    order = [*range(count), *random.Random(0).sample(range(count), count), 0, 0, count - 1]
    for number in order:
        assert np.array_equal(opened.picture(number), frames[number]), number
    with pytest.raises(InputError, match=f"a frame from 0 to {count - 1}, found {count}"):
        opened.picture(count)
    opened.close()


def test_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match="a readable video"):
        FrameReader(tmp_path / "clip.mp4")


def test_faces_at_the_border() -> None:
    picture = np.zeros((50, 80, 3), np.uint8)
    assert cut(picture, (-20, -20, 10, 10)).shape[:2] == (24, 24)
    assert cut(picture, (70, 40, 200, 300)).size > 0
    assert as_jpeg(picture, 20)[:2] == b"\xff\xd8"
