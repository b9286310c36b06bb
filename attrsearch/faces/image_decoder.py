"""Decode pictures one by one, in a process of its own that may be killed.

``python -m attrsearch.faces.image_decoder``.

A line of JSON comes in for each picture (``path``, ``seconds``, ``own``), a line goes out
(``shape``, or what is wrong), then the pixels, then its own ones where they differ and were asked
for. Nothing here is trusted by whoever asks: no pickles, sizes are checked on the other side.
"""

import base64
import faulthandler
import io
import json
import os
import signal
import stat
import sys
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import AvifImagePlugin, Image, ImageCms, ImageOps, UnidentifiedImageError

from attrsearch.core.errors import InputError
from attrsearch.faces.deep_colours import deep_colours, deep_orientation, white_of

try:
    import resource
except ImportError:
    # Windows limits no process of its own
    resource = None  # type: ignore[assignment]

Picture = npt.NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
"""Formats that are read, whatever a file's name; others bring parsers that nobody asked for."""
KNOWN = (
    *FORMATS,
    *(["AVIF"] if AvifImagePlugin.SUPPORTED else []),
    *(["HEIF"] if find_spec("pillow_heif") is not None else []),
)
"""Those and what this installation reads besides."""
MAX_PROFILE = 4_000_000
"""Bytes of a colour profile that is kept."""
READERS = {
    ".heic": "pip install 'attrsearch[heif]'",
    ".heif": "pip install 'attrsearch[heif]'",
    ".avif": "pip install --upgrade pillow",
    ".jxl": "save it as PNG: JPEG XL is not read",
}
"""Kinds of pictures that not every installation reads, and what to do about it."""
MAX_PIXELS = 100_000_000
MAX_BYTES = 500_000_000
MIN_SIDE = 16
MAX_MEMORY = 3 << 30
"""Address space of the decoding process, where the system can limit it."""
HAS_ALARM = hasattr(signal, "setitimer")
"""Whether the system ends a process at a set time; Windows does not."""


def open_heif() -> None:
    """Make Pillow read and write HEIF, where the extra is installed."""
    if "HEIF" in KNOWN:
        import pillow_heif  # noqa: PLC0415 - an extra

        pillow_heif.register_heif_opener(thumbnails=False)


@dataclass(frozen=True)
class Decoded:
    """A picture as it was decoded.

    Attributes:
        pixels: RGB (h, w, 3), uint8, or (h, w, 4) where it has an alpha layer; upright, in sRGB.
        frames: The number of frames in the file.
        own: Its own values, upright: (h, w) or (h, w, 3 or 4), uint8, uint16 or float32; None where
            they are those of ``pixels``.
        profile: Its colour profile; empty where it has none.
        converted: Whether ``pixels`` were converted from that profile.
    """

    pixels: Picture
    frames: int
    own: npt.NDArray[Any] | None = None
    profile: bytes = b""
    converted: bool = False


def decode(path: Path) -> Decoded:
    """Read one picture, upright as its EXIF orientation says.

    Raises:
        InputError: Missing, empty, truncated, no regular file, not a picture, or larger than
            ``MAX_PIXELS``.
    """
    hint = "replace or remove the file"
    required = "a readable picture"
    open_heif()

    try:
        _check_file(path)
        with warnings.catch_warnings():
            # a warning about odd metadata is not about the picture
            warnings.simplefilter("ignore")
            with Image.open(path, formats=KNOWN) as image:
                # the header alone is read by now: nothing large was decoded yet
                _check_sides(path, *image.size)
                frames = 1
                # further images of a JPEG are previews or depth, not pages
                if image.format not in ("JPEG", "MPO"):
                    frames = int(getattr(image, "n_frames", 1))

                return _decoded(path, image, frames)
    except UnidentifiedImageError as error:
        hint = READERS.get(path.suffix.lower(), hint)
        raise InputError(path, required=required, found="something else", hint=hint) from error
    except Image.DecompressionBombError as error:
        found = str(error).split(",", maxsplit=1)[0]
        required = f"at most {MAX_PIXELS} pixels"
        raise InputError(path, required=required, found=found, hint="scale it down") from error
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(path, required=required, found=found, hint=hint) from error
    except MemoryError as error:
        found = f"more than {MAX_MEMORY >> 30} GB of memory needed"
        raise InputError(path, required=required, found=found, hint=hint) from error
    except InputError:
        raise
    # whatever a parser stumbles over is about the file
    except Exception as error:
        found = f"damaged data ({type(error).__name__}: {error})"[:200]
        raise InputError(path, required=required, found=found, hint=hint) from error


def _decoded(path: Path, stored: Image.Image, frames: int) -> Decoded:
    """Colours in sRGB, 8 bits deep, with the alpha layer if there is one, beside its own."""
    deep = deep_orientation(stored)
    image = ImageOps.exif_transpose(stored)
    profile = image.info.get("icc_profile") or b""
    profile = profile if len(profile) <= MAX_PROFILE else b""
    grey = _from_deep(image)

    if grey is not None:
        # an integer of 32 bits holds 16 at most in the formats that are read
        kept = np.float32 if image.mode == "F" else np.uint16
        return Decoded(grey, frames, np.asarray(image).astype(kept), profile)

    transparent = "A" in image.getbands() or "transparency" in image.info
    wanted = "RGBA" if transparent else "RGB"
    shown = image

    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        shown = _in_srgb(image, profile)

    converted = shown is not image
    pixels = np.array(shown.convert(wanted), np.uint8)
    # palettes and inks are written as what they look like
    if image.mode not in ("RGB", "RGBA", "L"):
        return Decoded(pixels, frames)

    own: npt.NDArray[Any] | None = None
    if deep is not None:
        own = deep_colours(path, deep, np.asarray(image))

    if own is None and converted:
        own = np.asarray(image)

    return Decoded(pixels, frames, own, profile, converted)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture's colours as sRGB; as they are where its profile cannot be used."""
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(own)
        # a conversion from sRGB to sRGB would round every value for nothing
        if "srgb" in name.lower():
            return image

        # profiles are of colours: the layer is taken off, and put on again
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        plain = image.convert("RGB") if image.mode == "RGBA" else image
        changed = ImageCms.profileToProfile(
            plain, own, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image

    if changed is None:
        return image

    if alpha is not None:
        changed.putalpha(alpha)

    return changed


def _from_deep(image: Image.Image) -> Picture | None:
    """A picture of more than 8 bits (h, w, 3), scaled by its depth instead of clipped.

    None for any other.

    Twelve bits are often kept in sixteen: what never passes 4095 is taken for that. Floats up to 1
    are shares.
    """
    if image.mode not in ("I", "F", "I;16", "I;16L", "I;16B", "I;16N"):
        return None

    values = np.nan_to_num(np.asarray(image, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    top = white_of(values, shares=image.mode == "F")
    grey = np.clip(np.round(values * (255 / top)), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2)


def _check_file(path: Path) -> None:
    about = path.stat()
    found = ""

    # a pipe or a device may never end
    if not stat.S_ISREG(about.st_mode):
        found = "Is a directory" if stat.S_ISDIR(about.st_mode) else "no regular file"
    elif about.st_size == 0:
        found = "an empty file (0 bytes)"
    elif about.st_size > MAX_BYTES:
        found = f"{about.st_size} bytes"

    if found:
        required = (
            f"a readable picture of at most {MAX_BYTES} bytes"
            if about.st_size > MAX_BYTES
            else "a readable picture"
        )
        raise InputError(path, required=required, found=found, hint="replace or remove the file")


def _check_sides(path: Path, width: int, height: int) -> None:
    found = f"{width} x {height} pixels"
    if width * height > MAX_PIXELS:
        raise InputError(
            path, required=f"at most {MAX_PIXELS} pixels", found=found, hint="scale it down"
        )

    if min(width, height) < MIN_SIDE:
        hint = "replace or remove the file"
        raise InputError(
            path, required=f"at least {MIN_SIDE} pixels a side", found=found, hint=hint
        )


def _limit() -> None:
    """Take from this process what no picture needs, where the system can."""
    if resource is None:
        return

    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    # it writes no file, and no image of its memory, in which the picture would be
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_after(seconds: float) -> None:
    """End this process in so many seconds, also inside a decoder; 0 calls it off."""
    if HAS_ALARM:
        signal.setitimer(signal.ITIMER_REAL, seconds)
    elif seconds > 0:
        # its clock runs in C: a thread of Python's would wait until the decoder lets go
        faulthandler.dump_traceback_later(seconds, exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """Answer until standard input ends."""
    _limit()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    own: npt.NDArray[Any] | None

    for line in sys.stdin.buffer:
        asked = json.loads(line)
        _end_after(float(asked["seconds"]))
        pixels = None
        own = None

        try:
            found = decode(Path(asked["path"]))
            pixels = found.pixels
            answer: dict[str, object] = {"shape": pixels.shape, "frames": found.frames}

            if asked.get("own"):
                own = found.own
                answer["profile"] = base64.b64encode(found.profile).decode()
                answer["converted"] = found.converted

            if own is not None:
                answer |= {"own_shape": own.shape, "own_type": str(own.dtype)}
        except InputError as error:
            answer = {"required": error.required, "found": error.found, "hint": error.hint}

        _end_after(0)
        answers.write(json.dumps(answer).encode() + b"\n")
        if pixels is not None:
            answers.write(np.ascontiguousarray(pixels).data)

        if own is not None:
            answers.write(np.ascontiguousarray(own).data)

        answers.flush()


if __name__ == "__main__":
    main()
