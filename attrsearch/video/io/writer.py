"""Copies a video with other pictures, through PyAV.

Timestamps, orientation, colour and sound stay what they were.

Frames are given upright; they are written back in the orientation they were stored in, with the
same timestamps, pixel format, colour description and display matrix. Pixels that were not changed
keep their bits, their depth and their transparency. Sound, subtitles, fonts and chapters are
copied; what the output cannot keep is named. Container and stream metadata (places, devices, dates)
are left out unless they are asked for.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.images import MADE_BY
from attrsearch.video.io.encoders import Encoding, choose_encoder
from attrsearch.video.io.orientation import Orientation
from attrsearch.video.io.pixels import changed_frame
from attrsearch.video.io.reader import Frame, Picture, VideoReader
from attrsearch.video.io.sidetracks import SideTracks, copy_chapters

TURNED = frozenset({"mp4", "mov", "matroska", "webm", "ipod", "3gp"})
"""Containers that hold a display matrix; in others, pictures are written upright."""
FIXED_RATES = frozenset({"mpeg2video"})
"""Encoders that know a few rates only, and no finer timestamps."""
RATE = 20_000_000
"""Bits a second that encoders without a CRF are told; their quantiser decides."""
NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


class VideoRewriter:
    """Copies a video with other pictures.

    Args:
        source: Reads it.
        target: The file to write; its suffix decides the container.
        encoding: How.

    Raises:
        OutputError: The container or the encoder is not to be had, or the place cannot be written.

    Attributes:
        lost: What of the input the output cannot keep, in words.
    """

    def __init__(self, source: VideoReader, target: Path, encoding: Encoding | None = None) -> None:
        self._source = source
        self._target = target
        self._encoding = encoding or Encoding()
        self._piped = str(target) == "-"
        # a short name of its own: that of the target may be as long as a name can be
        number = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]
        self._part = target.with_name(f".{number}.{os.getpid()}.part{target.suffix}")
        self._frames = 0
        self.lost: list[str] = []

        try:
            if not self._piped:
                _check_name(target)
                refuse_replacing(target)

            options = {}
            # the index first, so that a browser plays the file before it has all of it
            if target.suffix.lower() in (".mp4", ".mov", ".m4v"):
                options = {"movflags": "+faststart"}

            # a pipe cannot be sought in: MPEG-TS is the container that is written straight through
            where, kind = ("pipe:1", "mpegts") if self._piped else (f"file:{self._part}", None)
            self._out = av.open(where, "w", format=kind, options=options)
            self._upright = self._must_be_upright()
            self._video = self._add_video()
            self._sides = SideTracks(
                source.container, source.stream, self._out, self._encoding.keep_metadata
            )
            last = None if source.end is None else Fraction(source.first + source.end)
            chapters = copy_chapters(source.container, self._out, source.origin, last)
            self.lost += [*self._sides.lost, *chapters]
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
            if packet.stream.index in self._sides:
                self._copy(packet)
            else:
                yield from self._source.decode(packet)

        self._source.check()

    def write(self, frame: Frame, picture: Picture) -> None:
        """Write the picture of a frame; frames are written in their order."""
        orientation = self._source.info.orientation
        source = frame.source

        if self._upright:
            # every pixel moves: nothing of the decoded frame can be kept
            new = changed_frame(source, NO_PIXELS, picture, self._video.pix_fmt)
        else:
            before = orientation.stored(frame.picture)
            after = orientation.stored(picture)
            new = changed_frame(source, before, after, self._video.pix_fmt)

        new.time_base = frame.time_base
        new.duration = source.duration
        new.pts = frame.pts - round(self._source.origin / frame.time_base)
        self._mux(self._encode(new))
        self._frames += 1

    def try_out(self) -> list[str]:
        """Write the first frame and throw the output away.

        Whatever cannot be written shows before work is done.

        Returns:
            What of the input the output will not keep.
        """
        frame = next(self._source.frames(), None)
        if frame is not None:
            self.write(frame, frame.picture)
            self._mux(self._encode(None))

        self._discard()
        return self.lost

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
                # at the very end, so that half a film never has the name of a whole one
                self._part.replace(self._target)
        except (av.error.FFmpegError, OSError) as error:
            self._discard()
            reason = error.strerror or str(error)
            hint = "free some space or choose another place"
            raise OutputError(
                self._target, required="a place to write to", found=reason, hint=hint
            ) from error

    def _must_be_upright(self) -> bool:
        """Whether pictures are written upright: the container cannot say how they are turned."""
        holds = self._out.format.name.split(",")[0] in TURNED
        return self._source.info.matrix is not None and not holds

    def _add_video(self) -> Any:
        source = self._source.stream
        info = self._source.info
        context = source.codec_context
        settings = choose_encoder(source, self._source.first_frame, self._target, self._encoding)
        self.lost += settings.lost
        stream: Any = self._out.add_stream(settings.name, rate=info.rate)
        stored = Orientation() if self._upright else info.orientation
        stream.width, stream.height = stored.size(info.width, info.height)
        stream.pix_fmt = settings.pix_fmt
        # the input's own unit, so that timestamps stay exact
        stream.codec_context.time_base = source.time_base

        for name in ("color_primaries", "color_trc", "colorspace", "color_range", "field_order"):
            # not every codec takes all of them
            with suppress(AttributeError, ValueError, TypeError):
                setattr(stream.codec_context, name, getattr(context, name))

        if settings.quantiser is not None:
            # a range of one quantiser: FFmpeg's flag for a fixed one wants it with every frame
            stream.codec_context.qmin = settings.quantiser
            stream.codec_context.qmax = settings.quantiser
            stream.codec_context.bit_rate = RATE

        if settings.name in FIXED_RATES:
            stream.codec_context.time_base = 1 / info.rate

        if settings.tag:
            stream.codec_context.codec_tag = settings.tag

        if source.sample_aspect_ratio:
            stream.codec_context.sample_aspect_ratio = source.sample_aspect_ratio

        stream.options = settings.options
        stream.disposition = source.disposition
        if source.average_rate != source.base_rate:
            # of uneven timestamps in another order MP4 makes too short a duration, at which
            # players stop
            stream.codec_context.max_b_frames = 0

        if info.matrix is not None and not self._upright:
            stream.set_display_matrix(info.matrix)

        if settings.pix_fmt.startswith("yuva") and settings.name.startswith("libvpx"):
            # players look for the second layer only where this stands
            stream.metadata["alpha_mode"] = "1"

        if self._encoding.keep_metadata:
            self._out.metadata.update(self._source.container.metadata)
            stream.metadata.update(source.metadata)

        # not every kind has a description: AVI takes RIFF's subject, QuickTime a genre
        key = {"avi": "ISBJ", "mov": "genre"}.get(self._out.format.name, "description")
        said = self._out.metadata.get(key)
        self._out.metadata[key] = f"{said} ({MADE_BY})" if said else MADE_BY

        return stream

    def _copy(self, packet: Any) -> None:
        # the empty packet with which a track ends
        if packet.dts is None and packet.pts is None:
            return

        start = self._source.start
        end = self._source.end

        if start or end is not None:
            shown = packet.dts if packet.pts is None else packet.pts
            time = float(shown * packet.time_base) - self._source.first
            if time < start or (end is not None and time >= end):
                return

        if self._sides.rebase(packet, self._source.origin):
            self._mux([packet])

    def _encode(self, frame: Any) -> Any:
        try:
            packets = self._video.encode(frame)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._discard()
            required = f"pictures and timestamps that {self._video.codec_context.name} can encode"
            reason = getattr(error, "strerror", None) or str(error)
            hint = "choose --codec libx264"
            raise OutputError(self._target, required=required, found=reason, hint=hint) from error

        if frame is None and self._frames == 1:
            # of a film of one frame x265 gives as decoding time what lay in memory
            for packet in packets:
                packet.dts = packet.pts

        return packets

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
        # what could not be written cannot be closed properly, either
        with suppress(Exception):
            self._out.close()

        with suppress(OSError):
            self._part.unlink(missing_ok=True)


def refuse_replacing(target: Path) -> None:
    """Refuse a place where something lies that was not written here.

    Raises:
        OutputError: There is such a file.
    """
    if not target.exists() or target.stat().st_size == 0 or _is_made_here(target):
        return

    hint = "name another place with --out: nothing is overwritten"
    found = "a file that attrsearch did not write"
    raise OutputError(target, required="a new file", found=found, hint=hint)


def _is_made_here(path: Path) -> bool:
    """Whether a video says that it was written here; some kinds of file cannot say it."""
    try:
        with av.open(f"file:{path}") as container:
            said = list(container.metadata.values())
    except (av.error.FFmpegError, OSError, ValueError):
        return False

    return any(value == MADE_BY or value.endswith(f"({MADE_BY})") for value in said)


def _check_name(target: Path) -> None:
    """Find out whether a file of that name can be written, before hours are spent on it.

    Raises:
        OSError: It cannot.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        raise IsADirectoryError(21, "a folder of that name is there")

    there = target.exists()
    # appending nothing changes nothing of a file that is there
    with target.open("ab"):
        pass

    if not there:
        target.unlink()
