"""Decode pictures one by one, in a process of its own that may be killed.

``python -m attrsearch.faces.image_decoder``.

A line of JSON comes in for each picture (``path``, ``seconds``), a line goes out (``shape``, or
what is wrong), then the pixels.  Nothing here is trusted by whoever asks: no pickles, sizes are
checked on the other side.
"""

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
from PIL import Image, ImageOps, UnidentifiedImageError

from attrsearch.core.errors import InputError

Picture = npt.NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
"""Formats that are read, whatever a file's name; others bring parsers, and some programs, that
nobody asked for.
"""
MAX_PIXELS = 100_000_000
MAX_BYTES = 500_000_000
MIN_SIDE = 16
MAX_MEMORY = 3 << 30
"""Address space of the decoding process."""


def decode(path: Path) -> Picture:
    """Read one picture as RGB, uint8, shape (h, w, 3), upright as its EXIF orientation says.

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
            with Image.open(path, formats=FORMATS) as image:
                _check_sides(path, *image.size)
                upright = ImageOps.exif_transpose(image).convert("RGB")
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
    return np.array(upright, np.uint8)


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
            pixels = decode(Path(asked["path"]))
            answer: dict[str, object] = {"shape": pixels.shape[:2]}
        except InputError as error:
            answer = {"required": error.required, "found": error.found, "hint": error.hint}
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(json.dumps(answer).encode() + b"\n")
        if pixels is not None:
            answers.write(pixels.data)
        answers.flush()


if __name__ == "__main__":
    main()
