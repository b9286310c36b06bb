"""A video written again: other pictures, and everything else as it was."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from attrsearch.core.errors import AttrsearchError, InputError, OutputError
from attrsearch.video.io.encoders import Encoding
from attrsearch.video.io.reader import VideoReader
from attrsearch.video.io.source import VideoFile
from attrsearch.video.io.writer import VideoRewriter
from tests.clips import Clip, packets, pictures, textured, times, write_clip

IDENTIFYING = {"title": "Mum", "location": "+48.0+011.0/", "make": "Phone", "comment": "at home"}


def rewrite(
    source: Path,
    target: Path,
    start: float = 0.0,
    end: float | None = None,
    encoding: Encoding | None = None,
) -> Path:
    """Write a video again with a black square in the upright picture's upper left corner."""
    with VideoReader(source, start, end) as reader, VideoRewriter(reader, target, encoding) as out:
        for frame in out.frames():
            picture = frame.picture.copy()
            picture[:40, :40] = 0
            out.write(frame, picture)
        out.close()
    return target


def described(path: Path) -> dict[str, Any]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        first = next(iter(container.decode(video=0)))
        return {
            "size": (first.width, first.height),
            "rotation": first.rotation,
            "format": stream.codec_context.pix_fmt,
            "range": first.color_range,
            "matrix": first.colorspace,
            "codec": stream.codec_context.codec.canonical_name,
        }


def seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return container.duration / av.time_base


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("a.mp4", Clip(sound="aac", subtitles="mov_text")),
        ("a.mkv", Clip(sound="aac", subtitles="srt")),
        ("a.mov", Clip(sound="pcm_s16le")),
        ("a.avi", Clip(codec="mpeg4", sound="libmp3lame")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.sound,
)
def test_sound_and_subtitles_are_copied_to_the_bit(tmp_path: Path, name: str, clip: Clip) -> None:
    source = write_clip(tmp_path / name, textured(15), clip)
    target = rewrite(source, tmp_path / f"out{source.suffix}")
    for kind in ("audio", "subtitle") if clip.subtitles else ("audio",):
        before, after = packets(source, kind), packets(target, kind)
        assert len(before) > 1
        assert after == before
    assert times(target) == times(source)
    assert abs(seconds(target) - seconds(source)) <= 1 / 25


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_uneven_timestamps_stay(tmp_path: Path, suffix: str) -> None:
    base = Fraction(1, 1000) if suffix == ".mkv" else Fraction(1, 90000)
    uneven = [
        int(t / base) for t in map(Fraction, ("0", "0.033", "0.05", "0.13", "0.14", "0.22", "0.44"))
    ]
    clip = Clip(times=uneven, time_base=base, options={"bf": "0"})
    source = write_clip(tmp_path / f"a{suffix}", textured(7), clip)
    target = rewrite(source, tmp_path / f"out{suffix}")
    assert (
        times(target) == times(source) == pytest.approx([float(t * base) for t in uneven], abs=1e-6)
    )
    assert abs(seconds(target) - seconds(source)) <= 1 / 25


@pytest.mark.parametrize("rotation", [90, 180, -90])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_stored_orientation_and_the_rotation_stay(
    tmp_path: Path, rotation: int, suffix: str
) -> None:
    source = write_clip(tmp_path / f"a{suffix}", textured(3), Clip(rotation=rotation))
    target = rewrite(source, tmp_path / f"out{suffix}")
    assert described(target) == described(source)
    assert abs(described(target)["rotation"]) == abs(rotation)
    with VideoReader(target) as reader:
        upright = next(reader.frames()).picture
    assert upright[:36, :36].mean() < 20  # the square is where it was drawn: in the upright picture
    assert upright[-36:, -36:].mean() > 40


@pytest.mark.parametrize(
    "clip",
    [
        Clip(),
        Clip(full=True),
        Clip(full=True, pix_fmt="yuvj420p"),
        Clip(colorspace=1),
        Clip(colorspace=1, full=True),
        Clip(colorspace=5),
        Clip(colorspace=9),
        Clip(pix_fmt="yuv422p"),
        Clip(pix_fmt="yuv444p"),
        Clip(pix_fmt="yuv420p10le"),
    ],
    ids=lambda clip: f"{clip.pix_fmt}-{clip.colorspace}{'-full' if clip.full else ''}",
)
def test_colours_stay(tmp_path: Path, clip: Clip) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(4), clip)
    target = rewrite(source, tmp_path / "out.mp4")
    assert described(target) == described(source)
    before, after = np.stack(pictures(source)), np.stack(pictures(target))
    apart = (after[:, 50:].astype(int) - before[:, 50:]).mean((0, 1, 2))
    assert np.abs(apart).max() < 2.2  # a wrong range or colour matrix moves a channel by 4 to 15


@pytest.mark.parametrize(
    ("name", "clip", "codec"),
    [
        ("a.mkv", Clip(codec="ffv1", pix_fmt="bgr0"), "ffv1"),
        ("a.mkv", Clip(codec="ffv1", pix_fmt="gray"), "ffv1"),
        ("a.mkv", Clip(codec="libsvtav1"), "av1"),
        ("a.webm", Clip(codec="libvpx-vp9"), "vp9"),
        ("a.mp4", Clip(codec="libx265"), "hevc"),
        ("a.avi", Clip(codec="mpeg4"), "mpeg4"),
        ("a.mov", Clip(codec="mjpeg", pix_fmt="yuvj420p", full=True), "mjpeg"),
    ],
    ids=lambda value: value.codec + value.pix_fmt if isinstance(value, Clip) else value,
)
def test_the_codec_is_that_of_the_input(tmp_path: Path, name: str, clip: Clip, codec: str) -> None:
    source = write_clip(tmp_path / name, textured(4), clip)
    target = rewrite(source, tmp_path / f"out{source.suffix}")
    assert described(target) == described(source) | {"codec": codec}
    assert len(pictures(target)) == 4


def test_codec_and_quality_can_be_chosen(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(6), Clip(codec="libx265"))
    fine = rewrite(source, tmp_path / "fine.mp4", encoding=Encoding("libx264", 5))
    coarse = rewrite(source, tmp_path / "coarse.mp4", encoding=Encoding("libx264", 45))
    assert described(fine)["codec"] == described(coarse)["codec"] == "h264"
    assert fine.stat().st_size > 3 * coarse.stat().st_size


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_metadata_is_dropped_unless_it_is_kept(tmp_path: Path, suffix: str) -> None:
    source = write_clip(
        tmp_path / f"a{suffix}", textured(3), Clip(sound="aac", metadata=IDENTIFYING)
    )
    dropped = rewrite(source, tmp_path / f"dropped{suffix}")
    kept = rewrite(source, tmp_path / f"kept{suffix}", encoding=Encoding(keep_metadata=True))

    def everything(path: Path) -> dict[str, str]:
        with av.open(str(path)) as container:
            found = dict(container.metadata)
            for stream in container.streams:
                found |= dict(stream.metadata)
            return {key.lower(): value for key, value in found.items()}

    own = everything(source)
    assert {"title", "location", "comment"} <= set(own)
    assert not set(IDENTIFYING) & set(everything(dropped))
    for value in IDENTIFYING.values():
        assert value not in "".join(everything(dropped).values())
        assert value.encode() not in dropped.read_bytes()
    assert {key: value for key, value in everything(kept).items() if key in IDENTIFYING} == {
        key: value for key, value in own.items() if key in IDENTIFYING
    }


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv"])
def test_a_part_of_a_video(tmp_path: Path, suffix: str) -> None:
    source = write_clip(tmp_path / f"a{suffix}", textured(25), Clip(sound="aac"))
    target = rewrite(source, tmp_path / f"out{suffix}", 0.2, 0.6)
    shown = times(target)
    assert len(shown) == 10
    assert shown[-1] - shown[0] == pytest.approx(9 / 25, abs=0.002)
    sound = packets(target, "audio")
    whole = [data for data, _ in packets(source, "audio")]
    first = whole.index(sound[0][0])
    assert [data for data, _ in sound] == whole[first : first + len(sound)]  # untouched
    assert len(sound) * 1024 / 48000 == pytest.approx(0.4, abs=0.03)
    assert sound[0][1] - shown[0] == pytest.approx(0.0, abs=0.03)  # in step with the pictures


def test_a_part_that_is_not_there(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(5))
    with pytest.raises(
        InputError, match="needs frames to write, found none; check --start and --end"
    ):
        rewrite(source, tmp_path / "out.mp4", 9.0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("target", "encoding", "line"),
    [
        (
            "out.mp4",
            Encoding("nonsense"),
            "nonsense: needs a video encoder that is here, found none of that name",
        ),
        (
            "out.mp4",
            Encoding("theora"),
            "theora: needs a video encoder that is here",
        ),  # a decoder only
        ("out.mp4", Encoding("aac"), "aac: needs a video encoder that is here"),
        ("out.xyz", Encoding(), "out.xyz: needs a video that can be written"),
        ("a.mkv/out.mkv", Encoding(), "out.mkv: needs a video that can be written, found"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, target: str, encoding: Encoding, line: str) -> None:
    source = write_clip(tmp_path / "a.mkv", textured(3), Clip(subtitles="srt"))
    with pytest.raises(OutputError) as error:
        rewrite(source, tmp_path / target, encoding=encoding)
    assert line in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


def test_what_an_encoder_refuses(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.ts", textured(3))
    with pytest.raises(
        OutputError, match="needs pictures and timestamps that mpeg4 can encode, found"
    ):
        rewrite(
            source, tmp_path / "out.ts", encoding=Encoding("mpeg4")
        )  # its clock is too coarse for 1/90000
    assert [path.name for path in tmp_path.iterdir()] == ["a.ts"]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(5))
    before = rewrite(source, tmp_path / "out.mp4").read_bytes()

    def write(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(VideoRewriter, "write", write)
    with pytest.raises(ZeroDivisionError):
        rewrite(source, tmp_path / "out.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "out.mp4"]
    assert (tmp_path / "out.mp4").read_bytes() == before


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi", ".webm"])
def test_only_what_was_written_here_is_replaced(tmp_path: Path, suffix: str) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(3))
    target = rewrite(source, tmp_path / f"out{suffix}")
    rewrite(source, target)

    for foreign in (b"notes", source.read_bytes()):
        target.write_bytes(foreign)
        with pytest.raises(AttrsearchError, match="a file that attrsearch did not write"):
            rewrite(source, target)
        assert target.read_bytes() == foreign


def test_a_kind_that_cannot_say_who_wrote_it_is_never_replaced(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(3))
    target = rewrite(source, tmp_path / "out.ts")
    with pytest.raises(AttrsearchError, match="a file that attrsearch did not write"):
        rewrite(source, target)


@pytest.mark.parametrize("codec", ["libx265", "libx264"])
def test_a_film_of_one_frame(tmp_path: Path, codec: str) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(1))
    for number in range(5):
        target = rewrite(source, tmp_path / f"{number}.mp4", encoding=Encoding(codec))
        assert times(target) == [0]


def test_the_input_is_never_the_output(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(3))
    (tmp_path / "link.mp4").symlink_to(source)
    for target in (source, tmp_path / "link.mp4", tmp_path / "x" / ".." / "a.mp4"):
        with pytest.raises(
            AttrsearchError, match="needs an output that is not the input, found the same file"
        ):
            VideoFile(source, target)
