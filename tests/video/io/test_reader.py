"""Reading videos: upright, with their times, up to where they break off."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.errors import InputError
from attrsearch.video.io.reader import VideoReader
from tests.clips import Clip, pictures, textured, write_clip


def test_what_a_video_says_of_itself(tmp_path: Path) -> None:
    with VideoReader(write_clip(tmp_path / "a.mp4", textured(10))) as reader:
        info = reader.info
        frames = list(reader.frames())
    assert (info.width, info.height, info.rate, info.frames, info.orientation.is_stored) == (
        320,
        240,
        25,
        10,
        True,
    )
    assert info.seconds == pytest.approx(0.4)
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 25 for i in range(10)])
    assert frames[0].picture.shape == (240, 320, 3)
    assert reader.problem == ""


@pytest.mark.parametrize(("rotation", "quarters"), [(90, 1), (180, 2), (-90, 3)])
def test_frames_stand_upright(tmp_path: Path, rotation: int, quarters: int) -> None:
    path = write_clip(tmp_path / "a.mp4", textured(3), Clip(rotation=rotation))
    stored = pictures(path)
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.height) == (
            (240, 320) if quarters % 2 else (320, 240)
        )
        for frame, picture in zip(reader.frames(), stored, strict=True):
            assert np.array_equal(frame.picture, np.rot90(picture, quarters))


def test_start_and_end(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", textured(20))
    with VideoReader(path, 0.2, 0.4) as reader:
        frames = list(reader.frames())
    assert [round(frame.seconds * 25) for frame in frames] == [5, 6, 7, 8, 9]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert reader.problem == ""


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
def test_a_part_of_a_long_video_is_read_without_the_rest(tmp_path: Path, name: str) -> None:
    clip = Clip(codec="mpeg4") if name == "a.avi" else Clip(options={"g": "25"})
    path = write_clip(tmp_path / name, textured(250, (96, 64)), clip)
    with VideoReader(path) as reader:
        whole = list(reader.frames())
    with VideoReader(path, 5.0, 5.4) as reader:
        packets = list(reader.packets())
    assert len(packets) < (150 if name != "a.ts" else 251)  # of 250; a stream has no index to go by
    with VideoReader(path, 5.0, 5.4) as reader:
        part = list(reader.frames())
    assert [round(frame.seconds * 25) for frame in part] == list(range(125, 135))
    assert [frame.index for frame in part] == list(range(10))
    for frame, same in zip(part, whole[125:135], strict=True):
        assert np.array_equal(frame.picture, same.picture)
    assert reader.problem == ""


def test_the_last_seconds_of_a_slow_video(tmp_path: Path) -> None:
    """A frame every two seconds: what the decoder still holds when the end is passed is not lost."""
    path = write_clip(
        tmp_path / "a.mp4", textured(20, (96, 64)), Clip(times=[50 * i for i in range(20)])
    )
    with VideoReader(path, 9.0, 21.0) as reader:
        assert [round(frame.seconds) for frame in reader.frames()] == [10, 12, 14, 16, 18, 20]


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("a.mp4", Clip(movflags="faststart", sound="aac")),
        ("a.mkv", Clip()),
        ("a.mkv", Clip(sound="aac")),
        ("a.webm", Clip(codec="libvpx-vp9")),
        ("a.avi", Clip(codec="mpeg4")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.codec + value.sound,
)
def test_a_broken_tail_is_said(tmp_path: Path, name: str, clip: Clip) -> None:
    path = write_clip(tmp_path / name, textured(40), clip)
    with VideoReader(path) as reader:
        assert len(list(reader.frames())) == 40
    assert reader.problem == ""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    with VideoReader(path) as reader:
        read = len(list(reader.frames()))
    assert 5 < read < 38
    place = f"after frame {read}" + (" of 40" if path.suffix in (".mp4", ".avi") else "")
    reason = (
        r"\((the file ends|Invalid data found when processing input)\)"  # as the cut hits a packet
    )
    assert re.fullmatch(
        f"{re.escape(f'{path}: breaks off {place}')} {reason}; processed up to there",
        reader.problem,
    )


def test_a_damaged_middle_is_said(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", textured(40), Clip(movflags="faststart"))
    data = bytearray(path.read_bytes())
    begin, end = int(0.5 * len(data)), int(0.75 * len(data))
    data[begin:end] = b"\xff" * (
        end - begin
    )  # whole packets, so that none of them can be made sense of
    path.write_bytes(data)
    with VideoReader(path) as reader:
        list(reader.frames())
    assert "breaks off after frame" in reader.problem
    assert "(Invalid data found when processing input)" in reader.problem


def test_no_video_at_all(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    sound = write_clip(tmp_path / "a.mkv", textured(3), Clip(sound="aac"))
    _keep_sound_only(sound, tmp_path / "sound.mkv")
    for name, line in (
        ("text.mp4", "needs a readable video, found Invalid data found when processing input"),
        ("empty.mp4", "needs a readable video, found Invalid data found when processing input"),
        ("gone.mp4", "needs a readable video, found No such file or directory"),
        ("sound.mkv", "needs a video with pictures, found no video stream"),
    ):
        with pytest.raises(InputError) as error:
            VideoReader(tmp_path / name)
        assert str(error.value) == f"{tmp_path / name}: {line}; give a video such as street.mp4"


def _keep_sound_only(source: Path, target: Path) -> None:
    import av

    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        copy = out.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)


def test_a_name_that_looks_like_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clip(tmp_path / "a.mp4", textured(3)).rename(tmp_path / "clip:1.mp4")
    monkeypatch.chdir(tmp_path)
    with VideoReader(Path("clip:1.mp4")) as reader:
        assert len(list(reader.frames())) == 3


PIPED = """
from attrsearch.core.errors import InputError
from attrsearch.video.io.reader import VideoReader
try:
    with VideoReader("-") as reader:
        print(sum(1 for _ in reader.frames()))
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("clip", "said"),
    [
        (Clip(movflags="faststart"), "40"),
        (Clip(), "-: needs a stream that can be read from beginning to end, found an MP4 whose"),
    ],
)
def test_an_mp4_that_needs_seeking_says_so(tmp_path: Path, clip: Clip, said: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 240, 320, 3), np.uint8)
    path = write_clip(tmp_path / "a.mp4", list(noise), clip)
    done = subprocess.run(
        [sys.executable, "-c", PIPED], input=path.read_bytes(), capture_output=True, check=True
    )
    assert done.stdout.decode().startswith(said)
