"""Decode pictures one by one, in a process of its own that may be killed.

``python -m attrsearch.faces.image_decoder``.

A line of JSON comes in for each picture (``path``, ``seconds``), a line goes out (``shape``, or
what is wrong), then the pixels.  Nothing here is trusted by whoever asks: no pickles, sizes are
checked on the other side.
"""

import io
import json
import os
import resource
import signal
import stat
import sys
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import AvifImagePlugin, Image, ImageCms, ImageOps, UnidentifiedImageError

from attrsearch.core.errors import InputError

Picture = npt.NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "AVIF")
"""Formats that are read, whatever a file's name; others bring parsers, and some programs, that nobody asked for."""
KNOWN = FORMATS if AvifImagePlugin.SUPPORTED else FORMATS[:-1]
"""Those that this build of Pillow reads."""
MAX_PIXELS = 100_000_000
MAX_BYTES = 500_000_000
MIN_SIDE = 16
MAX_MEMORY = 3 << 30
"""Address space of the decoding process."""


def decode(path: Path) -> tuple[Picture, int]:
    """Read one picture, upright as its EXIF orientation says, its colours in sRGB.

    Returns:
        RGB (h, w, 3), uint8, or (h, w, 4) where it has an alpha layer; and the number of frames in the file.

    Raises:
        InputError: Missing, empty, truncated, no regular file, not a picture, or larger than
            ``MAX_PIXELS``.
    """
    hint = "replace or remove the file"
    required = "a readable picture"
    try:
        _check_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning about odd metadata is not about the picture
            with Image.open(path, formats=KNOWN) as image:
                _check_sides(path, *image.size)
                frames = (
                    1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1))
                )
                pixels = _pixels(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
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
    except Exception as error:  # whatever a parser stumbles over is about the file
        found = f"damaged data ({type(error).__name__}: {error})"[:200]
        raise InputError(path, required=required, found=found, hint=hint) from error
    return pixels, frames


def _pixels(image: Image.Image) -> Picture:
    """Colours in sRGB, 8 bits deep, with the alpha layer where there is one."""
    deep = _from_deep(image)
    if deep is not None:
        return deep
    transparent = "A" in image.getbands() or "transparency" in image.info
    wanted = "RGBA" if transparent else "RGB"
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        image = _in_srgb(image, profile)
    return np.array(image.convert(wanted), np.uint8)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture's colours as sRGB; as they are where its profile cannot be used."""
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(own)
        if "srgb" in name.lower():
            return image
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
    """A picture of more than 8 bits (h, w, 3), scaled by its depth instead of clipped; None for any other.

    Twelve bits are often kept in sixteen: what never passes 4095 is taken for that. Floats up to 1 are shares.
    """
    if image.mode not in ("I", "F", "I;16", "I;16L", "I;16B", "I;16N"):
        return None
    values = np.nan_to_num(np.asarray(image, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    highest = float(values.max(initial=0.0))
    steps = (1.0, 255.0, 4095.0, 65535.0) if image.mode == "F" else (255.0, 4095.0, 65535.0)
    top = next((step for step in steps if highest <= step), highest)
    grey = np.clip(np.round(values * (255 / top)), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2)


def _check_file(path: Path) -> None:
    about, found = path.stat(), ""
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


def main() -> None:
    """Answer until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        signal.setitimer(
            signal.ITIMER_REAL, float(asked["seconds"])
        )  # kills this process, also inside a decoder
        pixels: Picture | None = None
        try:
            pixels, frames = decode(Path(asked["path"]))
            answer: dict[str, object] = {"shape": pixels.shape, "frames": frames}
        except InputError as error:
            answer = {"required": error.required, "found": error.found, "hint": error.hint}
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(json.dumps(answer).encode() + b"\n")
        if pixels is not None:
            answers.write(np.ascontiguousarray(pixels).data)
        answers.flush()


if __name__ == "__main__":
    main()
