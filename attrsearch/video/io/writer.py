"""Copies a video with other pictures, through PyAV.

Timestamps, rotation, colour and sound stay what they were.

Frames are given upright; they are written back in the orientation they were stored in, with the
same timestamps, pixel format, colour description and display rotation.  Sound and subtitles are
copied packet by packet.  Container and stream metadata (places, devices, dates) are left out unless
they are asked for.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from attrsearch.core.errors import InputError, OutputError
from attrsearch.video.io.reader import Frame, Picture, VideoReader, turns

ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "vp9": "libvpx-vp9",
    "vp8": "libvpx",
    "av1": "libsvtav1",
    "mpeg4": "mpeg4",
    "ffv1": "ffv1",
}
"""Codec of a video to the encoder that writes it again; others become H.264."""
MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""A frame's colour matrix (H.273) to the one of PyAV that converts to it; others are converted by
the default.
"""
QUALITY = 18


@dataclass(frozen=True)
class Encoding:
    """How the output is written.

    Attributes:
        codec: An encoder's name; None for that of the input.
        quality: CRF of the encoder (0 to 51, smaller is better).
        keep_metadata: Keep container and stream metadata.
    """

    codec: str | None = None
    quality: int = QUALITY
    keep_metadata: bool = False


class VideoRewriter:
    """Copies a video with other pictures.

    Args:
        source: Reads it.
        target: The file to write; its suffix decides the container.
        encoding: How.

    Raises:
        OutputError: The container or the encoder is not to be had, or the place cannot be written.
    """

    def __init__(self, source: VideoReader, target: Path, encoding: Encoding | None = None) -> None:
        self._source, self._target = source, target
        self._encoding = encoding or Encoding()
        self._piped = str(target) == "-"
        self._part = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
        self._copied: dict[int, Any] = {}
        self._frames = 0
        try:
            if not self._piped:
                target.parent.mkdir(parents=True, exist_ok=True)
            options = (
                {"movflags": "+faststart"}
                if target.suffix.lower() in (".mp4", ".mov", ".m4v")
                else {}
            )
            where, kind = ("pipe:1", "mpegts") if self._piped else (str(self._part), None)
            self._out = av.open(where, "w", format=kind, options=options)
            self._video = self._add_video()
            self._add_others()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._discard()
            reason = getattr(error, "strerror", None) or str(error)
            hint = "name the output like the input, or choose --codec libx264"
            raise OutputError(
                target, required="a video that can be written", found=reason, hint=hint
            ) from error

    def __enter__(self) -> "VideoRewriter":
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is not None:
            self._discard()

    def frames(self) -> Iterator[Frame]:
        """Frames to render, in order; sound and subtitles are copied on the way."""
        for packet in self._source.packets():
            if packet.stream.index in self._copied:
                self._copy(packet)
            else:
                yield from self._source.decode(packet)
        self._source.check()

    def write(self, frame: Frame, picture: Picture) -> None:
        """Write the picture of a frame; frames are written in their order."""
        stored = np.ascontiguousarray(np.rot90(picture, -turns(self._source.info.rotation)))
        new = av.VideoFrame.from_ndarray(stored, format="rgb24")
        full = frame.source.color_range == ColorRange.JPEG or frame.source.format.name.startswith(
            "yuvj"
        )
        wide = ColorRange.JPEG if full else ColorRange.MPEG
        space = MATRICES.get(int(frame.source.colorspace))
        new = new.reformat(format=self._video.pix_fmt, dst_color_range=wide, dst_colorspace=space)
        new.color_range = wide
        new.time_base, new.duration = frame.source.time_base, frame.source.duration
        if frame.source.pts is not None:
            new.pts = frame.source.pts - self._offset(frame.source.time_base)
        self._mux(self._encode(new))
        self._frames += 1

    def close(self) -> None:
        """Finish the file and give it its name."""
        if not self._frames:
            self._discard()
            hint = "check --start and --end"
            raise InputError(self._source.path, required="frames to write", found="none", hint=hint)
        self._mux(self._encode(None))
        try:
            self._out.close()
            if not self._piped:
                self._part.replace(self._target)
        except (av.error.FFmpegError, OSError) as error:
            self._discard()
            reason = error.strerror or str(error)
            hint = "free some space or choose another place"
            raise OutputError(
                self._target, required="a place to write to", found=reason, hint=hint
            ) from error

    def _add_video(self) -> Any:
        source = self._source._stream
        wanted = self._encoding.codec or ENCODERS.get(
            source.codec_context.codec.canonical_name, "libx264"
        )
        if self._target.suffix.lower() == ".webm" and self._encoding.codec is None:
            wanted = "libvpx-vp9"
        if not _is_encoder(wanted):
            hint = "try --codec libx264"
            raise OutputError(
                wanted,
                required="a video encoder that is here",
                found="none of that name",
                hint=hint,
            )
        stream: Any = self._out.add_stream(wanted, rate=self._source.info.rate)
        context = source.codec_context
        stream.width, stream.height = context.width, context.height
        formats = [item.name for item in av.codec.Codec(wanted, "w").video_formats or ()]
        own = context.pix_fmt.replace("yuvj", "yuv") if context.pix_fmt else "yuv420p"
        stream.pix_fmt = own if own in formats else "yuv420p"
        stream.codec_context.time_base = source.time_base
        for name in ("color_primaries", "color_trc", "colorspace", "color_range"):
            with suppress(AttributeError, ValueError, TypeError):
                setattr(stream.codec_context, name, getattr(context, name))
        if source.sample_aspect_ratio:
            stream.codec_context.sample_aspect_ratio = source.sample_aspect_ratio
        quality = str(self._encoding.quality)
        stream.options = {
            "crf": quality,
            **({"preset": "veryfast"} if wanted in ("libx264", "libx265") else {}),
        }
        if source.average_rate != source.base_rate:
            # of uneven timestamps in another order MP4 makes too short a duration, at which players
            # stop
            stream.codec_context.max_b_frames = 0
        if self._source.info.rotation:
            stream.set_display_rotation(self._source.info.rotation)
        if self._encoding.keep_metadata:
            self._out.metadata.update(self._source._container.metadata)
            stream.metadata.update(source.metadata)
        return stream

    def _add_others(self) -> None:
        for stream in self._source._container.streams:
            if stream.type not in ("audio", "subtitle"):
                continue
            copy = self._out.add_stream_from_template(stream)
            if self._encoding.keep_metadata:
                copy.metadata.update(stream.metadata)
            elif "language" in stream.metadata:
                copy.metadata["language"] = stream.metadata["language"]
            self._copied[stream.index] = copy

    def _copy(self, packet: Any) -> None:
        if packet.dts is None:
            return
        start, end = self._source._start, self._source._end
        if start or end is not None:
            shown = packet.dts if packet.pts is None else packet.pts
            time = float(shown * packet.time_base) - self._source.first
            if time < start or (end is not None and time >= end):
                return
            offset = self._offset(packet.time_base)
            packet.pts = shown - offset
            packet.dts -= offset
        packet.stream = self._copied[packet.stream.index]
        self._mux([packet])

    def _offset(self, time_base: Fraction) -> int:
        return round(self._source._start / time_base) if self._source._start else 0

    def _encode(self, frame: Any) -> Any:
        try:
            return self._video.encode(frame)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._discard()
            required = f"pictures and timestamps that {self._video.codec_context.name} can encode"
            reason = getattr(error, "strerror", None) or str(error)
            hint = "choose --codec libx264"
            raise OutputError(self._target, required=required, found=reason, hint=hint) from error

    def _mux(self, packets: Any) -> None:
        try:
            for packet in packets:
                self._out.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            self._discard()
            reason = error.strerror or str(error)
            hint = "free some space or choose another place"
            raise OutputError(
                self._target, required="a place to write to", found=reason, hint=hint
            ) from error

    def _discard(self) -> None:
        with suppress(Exception):
            self._out.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)


def _is_encoder(name: str) -> bool:
    """Whether a video encoder of that name is here."""
    try:
        return str(av.Codec(name, "w").type) == "video"
    except ValueError:  # PyAV's UnknownCodecError
        return False
