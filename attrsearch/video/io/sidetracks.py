"""What a file holds beside the film: sound, subtitles, fonts and chapters are copied.

What is not is named.
"""

from fractions import Fraction
from typing import Any

import av

from attrsearch.video.io.containers import is_cover
from attrsearch.video.io.timestamps import RisingTime

FONTS = ("font", "truetype", "opentype", "sfnt")
"""In the type of an attachment that shows nobody."""


class SideTracks:
    """The copied tracks of an output.

    Args:
        source: The input's container.
        film: The stream that is not copied but rendered.
        out: The output's container; tracks are added to it.
        keep_metadata: Keep metadata of tracks besides their language.

    Attributes:
        lost: What could not be kept, in words.
    """

    def __init__(self, source: Any, film: Any, out: Any, keep_metadata: bool = False) -> None:
        self._out = out
        self._copied: dict[int, Any] = {}
        self._times: dict[int, RisingTime] = {}
        self.lost: list[str] = []
        kind = out.format.name.split(",")[0]

        for stream in source.streams:
            if stream.index == film.index:
                continue

            if stream.type in ("audio", "subtitle"):
                self._add(stream, kind, keep_metadata)
            elif stream.type == "attachment":
                self._attach(stream, kind)
            elif stream.type == "video":
                what = (
                    "cover art (it may show faces)"
                    if is_cover(stream)
                    else "a second film (one is anonymised)"
                )
                self.lost.append(what)
            else:
                self.lost.append(f"a track of {stream.type} (it may say where and when)")

    def _add(self, stream: Any, kind: str, keep_metadata: bool) -> None:
        try:
            copy = self._out.add_stream_from_template(stream)
        except (ValueError, TypeError, av.error.FFmpegError):
            codec = stream.codec_context.name if stream.codec_context is not None else "unknown"
            self.lost.append(f"{stream.type} {stream.index} ({codec}, which {kind} cannot hold)")
            return

        copy.disposition = stream.disposition
        if keep_metadata:
            copy.metadata.update(stream.metadata)
        # a language says neither where nor when
        elif "language" in stream.metadata:
            copy.metadata["language"] = stream.metadata["language"]

        self._copied[stream.index] = copy
        self._times[stream.index] = RisingTime(Fraction(stream.time_base))

    def _attach(self, stream: Any, kind: str) -> None:
        kept = any(word in (stream.mimetype or "").lower() for word in FONTS)
        if not kept:
            self.lost.append(f"attachment {stream.name or ''} (it may show faces)")
            return

        if kind != "matroska":
            self.lost.append(f"font {stream.name or ''} ({kind} holds none)")
            return

        self._out.add_attachment(stream.name or "font", stream.mimetype or "", stream.data)

    def __contains__(self, index: int) -> bool:
        return index in self._copied

    def rebase(self, packet: Any, origin: Fraction) -> bool:
        """Make a packet one of the output's, its time counted from ``origin`` seconds.

        False where it has none.
        """
        # times of decoding rise; those of showing need not
        stamp = packet.pts if packet.dts is None else packet.dts
        if stamp is None:
            return False

        index = packet.stream.index
        offset = round(origin / packet.time_base)
        shown = 0 if packet.pts is None else packet.pts - stamp
        decoded = self._times[index].rise(stamp, packet.duration or 0) - offset
        packet.pts = decoded + shown
        packet.dts = decoded
        packet.stream = self._copied[index]

        return True


def copy_chapters(
    source: Any, out: Any, origin: Fraction, end: Fraction | None = None
) -> list[str]:
    """Copy chapters, their times counted from ``origin`` seconds; what could not be kept."""
    chapters = []

    for chapter in source.chapters():
        base = Fraction(chapter["time_base"])
        begin, stop = (Fraction(chapter[name]) * base - origin for name in ("start", "end"))
        if stop <= 0 or (end is not None and begin >= end - origin):
            continue

        limit = stop if end is None else min(stop, end - origin)
        times = {"start": round(max(begin, Fraction(0)) / base), "end": round(limit / base)}
        chapters.append({**chapter, **times})

    if not chapters:
        return []

    kind = out.format.name.split(",")[0]
    if kind not in ("mp4", "mov", "matroska", "webm", "ipod", "3gp", "nut", "ogg"):
        return [f"{len(chapters)} chapters ({kind} holds none)"]

    out.set_chapters(chapters)
    return []
