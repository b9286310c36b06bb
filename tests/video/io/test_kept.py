"""Nothing of a file is lost: containers, flags, light, transparency and tracks as they were, or named."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from attrsearch.core.errors import AttrsearchError, OutputError
from attrsearch.video.io.containers import is_video
from attrsearch.video.io.encoders import Encoding
from attrsearch.video.io.orientation import Orientation
from attrsearch.video.io.reader import VideoReader
from attrsearch.video.io.source import VideoFile
from attrsearch.video.io.writer import VideoRewriter
from tests.clips import Clip, packets, pictures, textured, times, write_clip

HDR = (
    "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=1000,400:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
)


def rewrite(source: Path, target: Path, encoding: Encoding | None = None) -> list[str]:
    """Write a video again with a black square in the upright picture's upper left corner; what was lost."""
    with VideoReader(source) as reader, VideoRewriter(reader, target, encoding) as out:
        for frame in out.frames():
            picture = frame.picture.copy()
            picture[:40, :40] = 0
            out.write(frame, picture)
        out.close()
        assert not reader.problem
        return out.lost


def first_frame(path: Path) -> Any:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def side_data(frame: Any) -> dict[str, bytes]:
    return {
        frame.side_data[i].type.name: bytes(frame.side_data[i]) for i in range(len(frame.side_data))
    }


def copied(source: Path, target: Path, offset: float) -> Path:
    """The same packets, later."""
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        streams = {
            stream.index: out.add_stream_from_template(stream) for stream in container.streams
        }
        for packet in container.demux():
            if packet.dts is None:
                continue
            shift = round(offset / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = streams[packet.stream.index]
            out.mux(packet)
    return target


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_all_eight_orientations_are_applied_and_written_back(
    tmp_path: Path, suffix: str, degrees: int, mirrored: bool
) -> None:
    source = tmp_path / f"a{suffix}"
    marked = [picture.copy() for picture in textured(2)]
    for picture in marked:
        picture[:60, :80] = (255, 0, 0)
    with av.open(str(source), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25)
        stream.width, stream.height = 320, 240
        stream.set_display_rotation(degrees, hflip=mirrored)
        for picture in marked:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    with VideoReader(source) as reader:
        upright = next(reader.frames()).picture
    expected = np.rot90(marked[0], degrees // 90)  # mirrored after the turn, as players do
    expected = expected[:, ::-1] if mirrored else expected
    assert upright.shape == expected.shape
    assert np.abs(upright.astype(int) - expected).mean() < 12
    target = tmp_path / f"out{suffix}"
    rewrite(source, target)
    matrices = [side_data(first_frame(path)).get("DISPLAYMATRIX") for path in (source, target)]
    assert matrices[0] == matrices[1]
    with VideoReader(target) as reader:
        again = next(reader.frames()).picture
    assert again[:36, :36].mean() < 20
    assert np.abs(again[60:].astype(int) - expected[60:]).mean() < 12


def test_a_turn_that_a_container_cannot_say_is_in_the_pixels(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(2), Clip(rotation=90))
    rewrite(source, tmp_path / "out.ts")
    with VideoReader(tmp_path / "out.ts") as reader:
        assert reader.info.orientation == Orientation()
        assert next(reader.frames()).picture.shape == (320, 240, 3)


@pytest.mark.parametrize(("name", "offset"), [("a.mkv", 0.3), ("t.ts", 80_000.0)])
def test_late_starts_are_whole_and_rebased(tmp_path: Path, name: str, offset: float) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(20), Clip(sound="aac"))
    late = copied(source, tmp_path / f"late_{name}", offset)
    with VideoReader(late) as reader:
        assert len(list(reader.frames())) == 20
        assert not reader.problem
    rewrite(late, tmp_path / "out.mp4")
    assert times(tmp_path / "out.mp4")[0] < 0.2
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.duration / av.time_base < 1.2
    sound, film = packets(tmp_path / "out.mp4", "audio")[0][1], times(tmp_path / "out.mp4")[0]
    before = packets(late, "audio")[0][1] - times(late)[0]
    assert sound - film == pytest.approx(before, abs=0.03)


def test_joined_streams_fall_back_and_are_repaired(tmp_path: Path) -> None:
    one = write_clip(tmp_path / "a.ts", textured(30), Clip(sound="mp2"))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() * 2)
    assert min(np.diff(times(joined))) < -0.5
    rewrite(joined, tmp_path / "out.mp4")
    after = times(tmp_path / "out.mp4")
    assert len(after) == 60
    assert min(np.diff(after)) > 0.01
    assert max(np.diff(after)) < 0.2
    assert len(packets(tmp_path / "out.mp4", "audio")) == len(packets(joined, "audio"))


def _cover_first(path: Path) -> None:
    """Put the user data, in which the cover is, before the tracks, as taggers do."""
    data = path.read_bytes()

    def boxes(start: int, end: int) -> list[tuple[bytes, int, int]]:
        found = []
        while start < end:
            size, kind = struct.unpack(">I4s", data[start : start + 8])
            found.append((kind, start, size))
            start += size
        return found

    _, start, size = next(box for box in boxes(0, len(data)) if box[0] == b"moov")
    order = {b"mvhd": 0, b"udta": 1}
    inner = sorted(boxes(start + 8, start + size), key=lambda box: order.get(box[0], 2))
    moved = b"".join(data[begin : begin + length] for _, begin, length in inner)
    path.write_bytes(data[: start + 8] + moved + data[start + size :])


def test_cover_art_is_not_the_film(tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as out:
        film: Any = out.add_stream("libx264", rate=25)
        film.width, film.height = 320, 240
        cover: Any = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 100, 100, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        red = av.VideoFrame.from_ndarray(
            np.full((100, 100, 3), (255, 0, 0), np.uint8), format="rgb24"
        )
        out.mux(cover.encode(red.reformat(format="yuvj420p")))
        for picture in textured(10):
            out.mux(film.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(film.encode(None))
    _cover_first(source)
    with av.open(str(source)) as container:
        assert container.streams.video[0].disposition & Disposition.attached_pic
    lost = rewrite(source, tmp_path / "out.mp4")
    assert len(pictures(tmp_path / "out.mp4")) == 10
    assert lost == ["cover art (it may show faces)"]


def test_interlacing_stays(tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    write_clip(source, textured(6), Clip(options={"flags": "+ildct+ilme", "x264-params": "tff=1"}))
    before = first_frame(source)
    assert before.interlaced_frame
    rewrite(source, tmp_path / "out.mp4")
    assert first_frame(tmp_path / "out.mp4").interlaced_frame
    with av.open(str(source)) as one, av.open(str(tmp_path / "out.mp4")) as two:
        orders = [item.streams.video[0].codec_context.field_order for item in (one, two)]
    assert orders[0] == orders[1] > 1


def test_hdr10_stays(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as out:
        stream: Any = out.add_stream("libx265", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p10le"
        stream.codec_context.codec_tag = "hvc1"
        stream.options = {"x265-params": HDR}
        ramp = np.tile(np.linspace(64, 940, 320).astype(np.uint16), (240, 1))
        for _ in range(3):
            frame = av.VideoFrame(320, 240, "yuv420p10le")
            planes = [
                ramp,
                np.full((120, 160), 512, np.uint16),
                np.full((120, 160), 512, np.uint16),
            ]
            for plane, values in zip(frame.planes, planes, strict=True):
                rows = np.frombuffer(plane, np.uint16).reshape(plane.height, -1)
                rows[:, : values.shape[1]] = values
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    capfd.readouterr()
    assert rewrite(source, tmp_path / "out.mp4", Encoding(quality=4)) == []
    assert capfd.readouterr().err == ""  # x265 talks unless told not to
    before, after = first_frame(source), first_frame(tmp_path / "out.mp4")
    kept = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")
    assert {name: side_data(after)[name] for name in kept} == {
        name: side_data(before)[name] for name in kept
    }
    assert (after.color_trc, after.color_primaries, after.colorspace) == (16, 9, 9)
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.codec_tag, context.pix_fmt) == ("hvc1", "yuv420p10le")
    levels = np.frombuffer(after.planes[0], np.uint16).reshape(240, -1)[200, :320]
    assert len(np.unique(levels)) > 256  # through 8 bits there would be at most that many


def _hole(frame: Any, depth: int) -> None:
    """Make the left half of a frame with transparency transparent."""
    kind = np.uint16 if depth > 8 else np.uint8
    alpha = np.frombuffer(frame.planes[3], kind).reshape(240, -1)
    alpha[:] = (1 << depth) - 1
    alpha[:, :160] = 0


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "depth"),
    [("a.webm", "libvpx-vp9", "yuva420p", 8), ("a.mov", "prores_ks", "yuva444p10le", 10)],
)
def test_transparency_stays(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, depth: int
) -> None:
    source = tmp_path / name
    with av.open(str(source), "w") as out:
        stream: Any = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, pix_fmt
        stream.options = (
            {"auto-alt-ref": "0"} if "vp9" in codec else {"profile": "4444", "alpha_bits": "16"}
        )
        if "vp9" in codec:
            stream.metadata["alpha_mode"] = "1"
        for picture in textured(3):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            _hole(frame, depth)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    target = tmp_path / f"out{source.suffix}"
    assert rewrite(source, target) == []
    with VideoReader(target) as reader:
        frame = reader.first_frame
    assert frame.format.name.startswith("yuva")
    alpha = np.frombuffer(
        frame.planes[3], np.uint8 if frame.format.name == "yuva420p" else np.uint16
    )
    alpha = alpha.reshape(240, -1)
    assert alpha[:, :150].max() == 0
    assert alpha[:, 170:320].min() > 0


def test_rgb_stays(tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as out:
        stream: Any = out.add_stream("libx264rgb", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "rgb24"
        for picture in textured(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    assert rewrite(source, tmp_path / "out.mp4") == []
    before, after = first_frame(source), first_frame(tmp_path / "out.mp4")
    assert (after.format.name, after.colorspace) == (before.format.name, before.colorspace)
    assert (
        np.abs(pictures(source)[0].astype(int) - pictures(tmp_path / "out.mp4")[0])[:, 60:].mean()
        < 4
    )


def _tracks(path: Path) -> Path:
    """A film with two sounds, subtitles, a font and a chapter."""
    plain = write_clip(
        path.with_name("plain.mkv"), textured(20), Clip(sound="aac", subtitles="ass")
    )
    with av.open(str(plain)) as container, av.open(str(path), "w") as out:
        film, sound, words = container.streams
        new = {film.index: [out.add_stream_from_template(film, opaque=True)]}
        new[sound.index] = [out.add_stream_from_template(sound) for _ in range(2)]
        new[words.index] = [out.add_stream_from_template(words)]
        new[sound.index][0].disposition = Disposition(0)
        new[sound.index][1].disposition = Disposition.default | Disposition.comment
        new[words.index][0].disposition = Disposition.forced
        out.add_attachment("serif.ttf", "application/x-truetype-font", b"a font" * 100)
        out.add_attachment("me.jpg", "image/jpeg", b"a face" * 100)
        out.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 400,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": "One"},
                }
            ]
        )
        for packet in list(container.demux()):
            if packet.pts is None:
                continue
            for stream in new[packet.stream.index]:
                packet.stream = stream
                out.mux(packet)
    return path


def test_tracks_chapters_and_fonts_stay(tmp_path: Path) -> None:
    source = _tracks(tmp_path / "a.mkv")
    lost = rewrite(source, tmp_path / "out.mkv")
    with av.open(str(source)) as one, av.open(str(tmp_path / "out.mkv")) as two:
        wanted = [
            (s.type, int(s.disposition)) for s in one.streams if s.type in ("audio", "subtitle")
        ]
        assert [
            (s.type, int(s.disposition)) for s in two.streams if s.type in ("audio", "subtitle")
        ] == wanted
        assert [s.name for s in two.streams if s.type == "attachment"] == ["serif.ttf"]
        chapters = [(c["metadata"]["title"], c["end"] * c["time_base"]) for c in two.chapters()]
    assert chapters == [("One", Fraction(2, 5))]
    assert lost == ["cover art (it may show faces)"]


def test_what_a_container_cannot_hold_is_named(tmp_path: Path) -> None:
    source = _tracks(tmp_path / "a.mkv")
    lost = rewrite(source, tmp_path / "out.mp4")
    assert any(line.startswith("subtitle 3 (") and "mp4 cannot hold" in line for line in lost)
    assert any(line.startswith("font serif.ttf") for line in lost)
    assert len(packets(tmp_path / "out.mp4", "audio")) == len(packets(source, "audio"))


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.avi", "mpeg4"), ("a.mp4", "libx265"), ("a.webm", "libvpx-vp9"), ("a.ts", "mpeg2video")],
)
def test_quality_means_the_same_for_every_encoder(tmp_path: Path, name: str, codec: str) -> None:
    random = np.random.default_rng(0)
    noise = random.integers(-5, 6, (240, 320, 3))
    film = [(picture + noise).clip(0, 255).astype(np.uint8) for picture in textured(5)]
    best = write_clip(tmp_path / "a.mkv", film, Clip(codec="ffv1", pix_fmt="bgr0"))
    ratios = {}
    for encoder, target in (("libx264", "x.mkv"), (codec, name)):
        for quality in (18, 40):
            place = tmp_path / f"{quality}{target}"
            rewrite(best, place, Encoding(encoder, quality))
            error = (np.stack(pictures(place))[:, 60:].astype(int) - np.stack(film)[:, 60:]) ** 2
            ratios[encoder, quality] = 10 * np.log10(255**2 / error.mean())
    assert ratios[codec, 18] > ratios[codec, 40] + 1.5
    for quality in (18, 40):
        assert abs(ratios[codec, quality] - ratios["libx264", quality]) < 5, ratios


@pytest.mark.parametrize(
    ("name", "clip", "kind"),
    [
        ("00001.MTS", Clip(), "mpegts"),
        ("raw.h264", Clip(), "h264"),
        ("an.gif", Clip(codec="gif", pix_fmt="rgb8"), "gif"),
        ("phone.3gp", Clip(), "3gp"),
        ("film.unknown", Clip(), "mp4"),
    ],
)
def test_videos_are_known_by_their_content(
    tmp_path: Path, name: str, clip: Clip, kind: str
) -> None:
    made = write_clip(tmp_path / ("made.mp4" if kind == "mp4" else name), textured(6), clip)
    source = made.rename(tmp_path / name)
    assert is_video(source)
    suffix = ".mp4" if kind == "mp4" else source.suffix
    rewrite(source, tmp_path / f"out{suffix}")
    assert len(pictures(tmp_path / f"out{suffix}")) == 6


def test_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("a" * 5000)
    assert not is_video(tmp_path / "notes")
    assert not is_video(tmp_path / "missing")
    assert not is_video(tmp_path)


@pytest.mark.parametrize("target", ["12:30.mp4", "é" * 117 + ".mp4", "%03d.mp4", "new/out.mp4"])
def test_names_that_can_be_written(tmp_path: Path, target: str) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(2))
    material = VideoFile(source, tmp_path / target)
    assert material.lost == []
    with material.rewrite() as out:
        for frame in out.frames():
            out.write(frame, frame.picture)
        out.close()
    assert len(pictures(tmp_path / target)) == 2


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("out.xyz", "xyz"),
        ("x" * 300 + ".mp4", "too long"),
        ("folder.mp4", "folder"),
        ("a.mp4/out.mp4", ""),
    ],
)
def test_what_cannot_be_written_is_said_before_any_work(
    tmp_path: Path, target: str, found: str
) -> None:
    source = write_clip(tmp_path / "a.mp4", textured(2))
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(AttrsearchError) as error:
        VideoFile(source, tmp_path / target)
    assert isinstance(error.value, OutputError)
    assert found in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "folder.mp4"]
