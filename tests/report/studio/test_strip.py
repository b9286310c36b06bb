"""A long film: what is read, decoded and sent to come to any of its places."""

import io
import random
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from attrsearch.report.studio.frames import FrameReader, FrameReaders
from attrsearch.report.studio.strip import COLUMNS, COUNT, WIDTH, FilmStrips, strip_layout
from tests.clips import Clip, textured, write_clip

TIMES = 150
GROUP = 20


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes at five frames a second: a short clip, over and over."""
    folder = tmp_path_factory.mktemp("long")
    short = write_clip(folder / "short.mp4", textured(GROUP), Clip(options={"g": str(GROUP)}))
    with av.open(str(short)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
        stream = source.streams.video[0]
        with av.open(str(folder / "long.mp4"), "w") as target:
            out = target.add_stream_from_template(stream)
            step = packets[0].duration
            for turn in range(TIMES):
                for packet in packets:
                    moved = av.Packet(bytes(packet))
                    moved.stream = out
                    moved.time_base = packet.time_base
                    moved.pts = packet.pts + turn * GROUP * step
                    moved.dts = packet.dts + turn * GROUP * step
                    moved.is_keyframe = packet.is_keyframe
                    target.mux(moved)

    return folder / "long.mp4"


def test_any_place_costs_one_group_of_frames(long_clip: Path) -> None:
    reader = FrameReader(long_clip)
    assert reader.count == TIMES * GROUP
    assert reader.decoded == 0  # opening decodes nothing
    for number in random.Random(0).sample(range(reader.count), 40):
        before = reader.decoded
        reader.picture(number)
        assert reader.decoded - before <= number - reader.start_of(number) + 1 <= GROUP
    reader.close()


def test_a_strip_is_one_small_picture(long_clip: Path) -> None:
    readers = FrameReaders()
    reader = readers.reader(long_clip)
    layout = strip_layout(reader)
    assert len(layout["frames"]) == COUNT
    assert layout["frames"] == sorted(set(layout["frames"]))
    # no place is further from a small picture than two of the groups that decoding starts with
    assert max(np.diff(layout["frames"])) <= reader.count / COUNT + 2 * GROUP
    strips = FilmStrips(readers)
    sheet = strips.strip(long_clip)
    assert reader.decoded == COUNT  # each by itself
    assert strips.strip(long_clip) is sheet
    assert len(sheet) < 400_000
    with Image.open(io.BytesIO(sheet)) as image:
        assert image.size == (COLUMNS * WIDTH, COUNT // COLUMNS * layout["height"])


def test_a_short_clip_of_one_group_has_a_strip(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", textured(30), Clip(options={"g": "250"}))
    reader = FrameReader(clip)
    assert strip_layout(reader)["frames"] == list(range(30))
