"""Tiny clips for the tests, written with PyAV: sound, subtitles, rotation, odd timestamps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from attrsearch.experiments.synthetic_streets import Street, Walker

Picture = npt.NDArray[np.uint8]
RATE = 25
HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,16

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
SIZE = (320, 240)


@dataclass(frozen=True)
class Clip:
    """How a clip is written.

    Attributes:
        times: Timestamps in units of ``time_base``; every frame at ``RATE`` by default.
        rotation: Degrees counterclockwise it is shown turned by.
        sound: Codec of a sound track as long as the pictures, or empty.
        subtitles: Codec of a subtitle track of two lines, or empty.
        full: Whether the colours take the full range.
    """

    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    times: Sequence[int] | None = None
    time_base: Fraction = Fraction(1, RATE)
    rotation: int = 0
    sound: str = ""
    subtitles: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    full: bool = False
    colorspace: int | None = None
    movflags: str = ""
    options: dict[str, str] = field(default_factory=dict)


def write_clip(path: Path, pictures: Iterable[Picture], clip: Clip | None = None) -> Path:
    """Write pictures (h, w, 3), RGB, uint8 as a clip.

    The container is that of the path's suffix.
    """
    clip = clip or Clip()
    pictures = list(pictures)
    options = {"movflags": clip.movflags} if clip.movflags else {}
    with av.open(str(path), "w", options=options) as out:
        out.metadata.update(clip.metadata)
        stream: Any = out.add_stream(clip.codec, rate=RATE)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = clip.pix_fmt
        stream.codec_context.time_base = clip.time_base
        stream.options = clip.options
        if clip.colorspace is not None:
            stream.codec_context.colorspace = clip.colorspace
        if clip.full:
            stream.codec_context.color_range = 2
        if clip.rotation:
            stream.set_display_rotation(clip.rotation)
        sound: Any = out.add_stream(clip.sound, rate=48000, layout="mono") if clip.sound else None
        words: Any = None
        if clip.subtitles:
            words = out.add_stream(clip.subtitles)
            words.codec_context.subtitle_header = HEADER
        times = list(clip.times if clip.times is not None else range(len(pictures)))
        for time, picture in zip(times, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(
                format=clip.pix_fmt,
                dst_color_range=2 if clip.full else 1,
                dst_colorspace=clip.colorspace,
            )
            frame.color_range = 2 if clip.full else 1
            frame.pts, frame.time_base = time, clip.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound is not None:
            _write_sound(out, sound, float(times[-1] * clip.time_base) + 1 / RATE)
        if words is not None:
            _write_words(out, words)
    return path


def _write_sound(out: Any, stream: Any, seconds: float) -> None:
    """A tone that changes, so that no two packets are alike."""
    time = np.arange(int(seconds * 48000), dtype=np.float32) / 48000
    wave = (0.3 * np.sin(2 * np.pi * (300 + 400 * time) * time)).astype(np.float32)
    for begin in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(
            wave[None, begin : begin + 1024], format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = 48000, begin, Fraction(1, 48000)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def _write_words(out: Any, stream: Any) -> None:
    for number, text in enumerate((b"first line", b"second line")):
        data = (
            len(text).to_bytes(2, "big") + text if stream.codec_context.name == "mov_text" else text
        )
        packet = av.Packet(data)
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = 200 * number
        packet.duration = 150
        out.mux(packet)


def packets(path: Path, kind: str) -> list[tuple[bytes, float]]:
    """Bytes and seconds of every packet of the first stream of a kind (audio, subtitle)."""
    with av.open(str(path)) as container:
        stream = next(item for item in container.streams if item.type == kind)
        return [
            (bytes(packet), float(packet.pts * packet.time_base))
            for packet in container.demux(stream)
            if packet.size
        ]


def times(path: Path) -> list[float]:
    """Seconds of every frame, as stored."""
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def pictures(path: Path) -> list[Picture]:
    """Every frame as it is stored, RGB."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def textured(frames: int, size: tuple[int, int] = SIZE, seed: int = 0) -> list[Picture]:
    """Smooth coloured pictures that change slowly, no two alike, without a face."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    random = np.random.default_rng(seed).uniform(0.01, 0.03, (3, 2))
    return [
        np.stack(
            [127 + 90 * np.sin(a * x + b * y + i + number / 9) for i, (a, b) in enumerate(random)],
            -1,
        ).astype(np.uint8)
        for number in range(frames)
    ]


def walker(
    frames: int, start: tuple[float, float], step: tuple[float, float] = (0, 0), width: float = 60
) -> Walker:
    """Someone who walks straight on."""
    number = np.arange(frames)[:, None]
    return Walker(
        np.array(start) + number * np.array(step),
        np.full(frames, float(width)),
        np.zeros(frames),
        np.ones(frames),
    )


def street(walkers: Sequence[Walker], size: tuple[int, int] = SIZE) -> Street:
    """A street of those walkers without posts."""
    return Street(size, len(walkers[0].width), tuple(walkers), np.zeros((0, 2)))
