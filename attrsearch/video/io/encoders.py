"""How the film is encoded.

The input's codec, format and flags, at a quality that means the same everywhere.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from attrsearch.core.errors import OutputError

ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "vp9": "libvpx-vp9",
    "vp8": "libvpx",
    "av1": "libsvtav1",
    "mpeg4": "mpeg4",
    "mpeg2video": "mpeg2video",
    "mjpeg": "mjpeg",
    "prores": "prores_ks",
    "ffv1": "ffv1",
    "gif": "gif",
}
"""Codec of a video to the encoder that writes it again; others become H.264."""
QUALITY = 18
QUANTISERS = frozenset({"mpeg4", "mpeg2video", "mjpeg"})
"""Encoders that take a quantiser, 1 to 31, and no CRF."""
INTERLACED = (2, 3, 4, 5)
"""FFmpeg's field orders that are not progressive."""
INTERLACERS = frozenset({"libx264", "libx264rgb", "mpeg2video", "mpeg4", "prores_ks"})
"""Encoders that write fields."""
HEVC_SUFFIXES = (".mp4", ".mov", ".m4v")


@dataclass(frozen=True)
class Encoding:
    """How the output is written.

    Attributes:
        codec: An encoder's name; None for that of the input.
        quality: 0 to 51, smaller is better: the CRF of H.264, and what looks like it from other
            encoders.
        keep_metadata: Keep container and stream metadata.
    """

    codec: str | None = None
    quality: int = QUALITY
    keep_metadata: bool = False


@dataclass(frozen=True)
class EncoderSettings:
    """An encoder and what it is told.

    Attributes:
        name: FFmpeg's name.
        pix_fmt: Pixel format.
        options: Options.
        quantiser: Of encoders that take no CRF; None for others.
        tag: Codec tag of the container; empty for its own choice.
        lost: What of the input it cannot keep, in words.
    """

    name: str
    pix_fmt: str
    options: dict[str, str] = field(default_factory=dict)
    quantiser: int | None = None
    tag: str = ""
    lost: tuple[str, ...] = ()


def quality_options(encoder: str, quality: int) -> dict[str, str]:
    """Options for a quality of 0 to 51, as H.264's CRF means it; empty for encoders without a CRF.

    >>> quality_options("libx264", 18), quality_options("libvpx-vp9", 51)
    ({'crf': '18'}, {'crf': '63'})
    """
    if encoder in (*QUANTISERS, "ffv1", "prores_ks", "gif", "png", "qtrle"):
        return {}

    if encoder in ("libvpx-vp9", "libvpx", "libaom-av1", "libsvtav1"):
        # VP8 takes no CRF below 4
        least = 4 if encoder == "libvpx" else 0
        return {"crf": str(max(least, round(quality * 63 / 51)))}

    return {"crf": str(quality)}


def quantiser_of(encoder: str, quality: int) -> int | None:
    """The quantiser, 1 to 31, of a quality of 0 to 51: it doubles every six steps, as H.264's does.

    >>> [quantiser_of("mpeg4", quality) for quality in (0, 18, 30, 51)], quantiser_of("libx264", 18)
    ([1, 2, 8, 31], None)
    """
    if encoder not in QUANTISERS:
        return None
    return round(min(31.0, max(1.0, 2 ** ((quality - 12) / 6))))


def choose_encoder(
    source: Any, first: Any | None, target: Path, encoding: Encoding
) -> EncoderSettings:
    """The encoder for a film.

    Args:
        source: Its stream.
        first: Its first frame; None for a live source, whose frames are not known yet.
        target: The file to write.
        encoding: What was asked for.

    Raises:
        OutputError: There is no encoder of that name.
    """
    suffix = target.suffix.lower()
    context = source.codec_context
    # yuvj is an old name of yuv in full range, and the range is noted by itself
    own = (context.pix_fmt or "yuv420p" if first is None else first.format.name).replace(
        "yuvj", "yuv"
    )
    name = encoding.codec or _encoder_for(context.codec.canonical_name, suffix, own)

    if not _is_encoder(name):
        hint = "try --codec libx264"
        raise OutputError(
            name, required="a video encoder that is here", found="none of that name", hint=hint
        )

    pix_fmt, lost = _format(name, own)
    options = {**quality_options(name, encoding.quality), **_own_options(name, pix_fmt)}
    light = [] if first is None else _hdr(first)
    tag = ""

    if name == "libx265":
        options["x265-params"] = ":".join(["log-level=error", *light])
        tag = "hvc1" if suffix in HEVC_SUFFIXES else ""  # Apple's players show no other
    elif light:
        lost = (*lost, f"HDR10 metadata ({name} does not write it; --codec libx265 does)")

    if context.field_order in INTERLACED or (first is not None and first.interlaced_frame):
        if name in INTERLACERS:
            options["flags"] = "+ildct+ilme"
        else:
            lost = (*lost, f"interlacing flags ({name} does not write them; --codec libx264 does)")

    return EncoderSettings(name, pix_fmt, options, quantiser_of(name, encoding.quality), tag, lost)


def _encoder_for(codec: str, suffix: str, pix_fmt: str) -> str:
    """The encoder of a codec, or another that the container of a suffix holds."""
    name = ENCODERS.get(codec, "libx264")
    # WebM allows these codecs only
    if suffix == ".webm" and name not in ("libvpx-vp9", "libvpx", "libsvtav1"):
        return "libvpx-vp9"
    if suffix == ".gif":
        return "gif"

    if suffix in (".3gp", ".3g2", ".flv") or (
        suffix == ".mp4" and name in ("libvpx", "ffv1", "gif")
    ):
        name = "libx264"

    # libx264 takes no RGB, which would be converted there and back
    is_rgb = pix_fmt.startswith("gbr") or pix_fmt in ("rgb24", "bgr24")
    return "libx264rgb" if name == "libx264" and is_rgb else name


def _own_options(name: str, pix_fmt: str) -> dict[str, str]:
    """Options of an encoder besides its quality."""
    if name in ("libx264", "libx264rgb", "libx265"):
        return {"preset": "veryfast"}

    if name == "libvpx-vp9":
        # libvpx refuses transparency together with alternate reference frames
        hidden = {"auto-alt-ref": "0"} if pix_fmt.startswith("yuva") else {}
        return {"cpu-used": "4", "row-mt": "1", **hidden}

    if name == "prores_ks":
        hidden = {"alpha_bits": "16"} if pix_fmt.startswith("yuva") else {}
        return {"profile": "4444" if "444" in pix_fmt else "hq", **hidden}

    return {}


def _format(encoder: str, own: str) -> tuple[str, tuple[str, ...]]:
    """The pixel format of the encoder that keeps most of the input's, and what it does not keep."""
    formats = [item.name for item in av.codec.Codec(encoder, "w").video_formats or ()]
    if own in formats or not formats:
        return own, ()
    if own.startswith("gbrp") and "rgb24" in formats:
        return "rgb24", ()
    if encoder == "gif":
        return "rgb8", ()

    opaque = own.replace("yuva", "yuv").replace("gbrap", "gbrp")
    lost = ("transparency",) if opaque != own else ()
    if opaque in formats:
        return opaque, lost

    deep = "10" in own or "12" in own
    wanted = ["yuva444p10le", "yuv422p10le", "yuv444p10le", "yuv420p10le"] if deep else []
    if lost:
        wanted = [item for item in wanted if item.startswith("yuva")] + wanted

    chosen = next(
        (item for item in [*wanted, "yuv420p", "yuvj420p"] if item in formats), formats[0]
    )
    if chosen.startswith("yuva"):
        lost = ()

    if own.startswith("yuva444p12") and chosen.startswith("yuva444p10"):
        return chosen, lost  # ProRes is decoded to more bits than it has

    return chosen, (*lost, f"pixel format {own} (written as {chosen})")


def _hdr(frame: Any) -> list[str]:
    """Mastering display and light level of a frame, as parameters of x265."""
    found: dict[str, bytes] = {}
    for index in range(len(frame.side_data)):
        item = frame.side_data[index]
        found[item.type.name] = bytes(item)

    parameters = []
    display = found.get("MASTERING_DISPLAY_METADATA", b"")

    if len(display) >= 88:
        # FFmpeg's AVMasteringDisplayMetadata: ten fractions (red, green, blue, white point,
        # luminance), two flags
        numbers = struct.unpack("=22i", display[:88])
        values = [numbers[i] / (numbers[i + 1] or 1) for i in range(0, 20, 2)]
        # x265 takes places of colours in fiftieths of a thousandth, light in ten-thousandths
        places = [round(value * 50_000) for value in values[:8]]
        red, green, blue, white = (f"{places[i]},{places[i + 1]}" for i in range(0, 8, 2))
        least, most = (round(value * 10_000) for value in values[8:10])

        # the flags say whether colours and light were set at all
        if all(numbers[20:22]):
            parameters.append(
                f"master-display=G({green})B({blue})R({red})WP({white})L({most},{least})"
            )

    light = found.get("CONTENT_LIGHT_LEVEL", b"")
    if len(light) >= 8:
        parameters.append("max-cll={},{}".format(*struct.unpack("=2I", light[:8])))

    return parameters


def _is_encoder(name: str) -> bool:
    """Whether a video encoder of that name is here."""
    try:
        return str(av.Codec(name, "w").type) == "video"
    except ValueError:  # PyAV's UnknownCodecError
        return False
