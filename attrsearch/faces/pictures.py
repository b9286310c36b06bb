"""Read pictures safely: EXIF rotation applied, bad files named in one line."""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from attrsearch.errors import InputError

Picture = npt.NDArray[np.uint8]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
MAX_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded."""
MIN_SIDE = 16


def read_picture(path: Path) -> Picture:
    """Read one picture as RGB, uint8, shape (h, w, 3), upright as its EXIF orientation says.

    Raises:
        InputError: Missing, empty, truncated, not a picture, or larger than ``MAX_PIXELS``.
    """
    hint = "replace or remove the file"
    required = "a readable picture"
    try:
        if path.stat().st_size == 0:
            raise InputError(path, required=required, found="an empty file (0 bytes)", hint=hint)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning about odd metadata is not about the picture
            with Image.open(path) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    found = f"{width} x {height} pixels"
                    raise InputError(
                        path, required=f"at most {MAX_PIXELS} pixels", found=found, hint="scale it down"
                    )
                if min(width, height) < MIN_SIDE:
                    found = f"{width} x {height} pixels"
                    raise InputError(path, required=f"at least {MIN_SIDE} pixels a side", found=found, hint=hint)
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except UnidentifiedImageError as error:
        raise InputError(path, required=required, found="something else", hint=hint) from error
    except Image.DecompressionBombError as error:
        found = str(error).split(",", maxsplit=1)[0]
        raise InputError(
            path, required=f"at most {MAX_PIXELS} pixels", found=found, hint="scale it down"
        ) from error
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(path, required=required, found=found, hint=hint) from error
    except (ValueError, SyntaxError, EOFError, IndexError, MemoryError, OverflowError) as error:
        raise InputError(path, required=required, found=f"damaged data ({error})", hint=hint) from error
    return np.array(upright, np.uint8)


def list_pictures(folder: Path) -> list[Path]:
    """Picture files directly inside a folder, by name; hidden files and links out of the folder are left out."""
    root = folder.resolve()
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
        and path.resolve().is_relative_to(root)
    )
