"""Where protected pictures go, and how they are written.

Nothing is replaced that was not made here.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from attrsearch.anonymise.encoding import BMP_END, DEEP, SOFTWARE, encode, with_alpha
from attrsearch.anonymise.own_colours import in_own_colours, in_own_depth
from attrsearch.core.errors import OutputError
from attrsearch.core.files import write_bytes
from attrsearch.core.images import MADE_BY
from attrsearch.core.names import as_read
from attrsearch.faces.image_decoder import KNOWN, open_heif
from attrsearch.faces.images import Layers

Picture = npt.NDArray[np.uint8]

KINDS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
"""Suffixes that are written, and as what; a picture of another kind becomes a PNG file."""
if "AVIF" in KNOWN:
    KINDS[".avif"] = "AVIF"
if "HEIF" in KNOWN:
    KINDS |= {".heic": "HEIF", ".heif": "HEIF"}
WITHOUT_ALPHA = ("JPEG", "BMP")


def targets(
    sources: Sequence[Path], root: Path, out: Path, suffix: str | None = None
) -> list[Path]:
    """Where each picture of a folder is written.

    Its own place and kind below ``out``, no two the same.

    Args:
        sources: Pictures inside ``root``.
        root: The folder they were given in.
        out: The folder to write to.
        suffix: Kind for all of them (``.png``); each keeps its own by default.

    >>> pictures = [Path("in/a.jpg"), Path("in/A.png")]
    >>> [str(path) for path in targets(pictures, Path("in"), Path("out"), ".png")]
    ['out/a.jpg.png', 'out/A.png.png']
    """
    wanted = []
    for source in sources:
        place = out / source.relative_to(root)
        own = suffix or (source.suffix if source.suffix.lower() in KINDS else ".png")
        wanted.append(place.with_suffix(own))

    # as a file system without case reads them: a.jpg and A.JPG are one file there
    often = Counter(as_read(str(path)) for path in wanted)
    found = []
    for source, path in zip(sources, wanted, strict=True):
        alone = often[as_read(str(path))] == 1
        found.append(path if alone else path.with_name(source.name + path.suffix))

    return found


def refuse_replacing(sources: Sequence[Path], chosen: Sequence[Path]) -> None:
    """Refuse what would replace an input or a file that was not written here.

    It is asked before any work begins.

    Raises:
        OutputError: Naming the first of them.
    """
    # None, of an input that is gone, is no file that could be replaced
    inputs = {_identity(path) for path in sources} - {None}

    for path in chosen:
        identity = _identity(path)
        if identity is None:
            continue

        hint = "name another place with --out: nothing is overwritten"
        # an input before all else: its name may have been given as another path
        if identity in inputs:
            found = "one of the input pictures"
            raise OutputError(
                path, required="an output that is not an input", found=found, hint=hint
            )

        if not made_here(path):
            found = "a file that attrsearch did not write"
            raise OutputError(path, required="a new file", found=found, hint=hint)


def made_here(path: Path) -> bool:
    """Whether a picture was written by :func:`write_picture`."""
    try:
        open_heif()
        with Image.open(path, formats=KNOWN) as image:
            if image.format == "BMP":
                return path.read_bytes().endswith(BMP_END)

            said = [
                image.info.get("Software"),
                image.info.get("comment"),
                image.getexif().get(SOFTWARE),
            ]
    except Exception:  # whatever cannot be read was not written here
        return False

    return any(text in (MADE_BY, MADE_BY.encode()) for text in said)


def write_picture(target: Path, picture: Picture, layers: Layers | None = None) -> None:
    """Write a protected picture by its suffix; of what lies beside it, alpha and profile stay.

    Where the kind of file allows it, its depth stays, too, and what was not edited keeps its
    values.

    What the alpha layer hides is written as black, so that no other program can show it. JPEG is
    written at quality 95 without reducing the colours' resolution.

    Args:
        target: The file to write.
        picture: (h, w, 3), RGB, uint8, in sRGB.
        layers: What was read, for its alpha layer.

    Raises:
        OutputError: An unknown suffix, a kind without an alpha layer where one is needed, or no
            place to write.
    """
    kind = KINDS.get(target.suffix.lower())
    if kind is None:
        required = f"a picture name ({', '.join(sorted(KINDS))})"
        found = target.suffix or "no suffix"
        raise OutputError(target, required=required, found=found, hint="name the output out.png")

    values = _values(picture, layers, kind)
    if layers is not None and layers.alpha is not None and bool((layers.alpha < 255).any()):
        if kind in WITHOUT_ALPHA:
            required = "a kind of picture with an alpha layer (.png, .webp, .tif)"
            hint = "name the output out.png"
            raise OutputError(target, required=required, found=target.suffix, hint=hint)

        values = with_alpha(values, layers.alpha)
    elif values.ndim == 3:
        values = values[..., :3]

    profile = layers.profile if layers is not None and kind != "BMP" else b""
    write_bytes(target, encode(values, kind, profile))


def _values(picture: Picture, layers: Layers | None, kind: str) -> npt.NDArray[Any]:
    """What is written: the input's depth and colours, as far as the kind of file has them."""
    if layers is None or kind == "BMP":
        return picture
    if kind in DEEP or (layers.own is not None and layers.own.dtype == np.uint8):
        return in_own_depth(picture, layers)

    return in_own_colours(picture, layers)


def _identity(path: Path) -> tuple[int, int] | None:
    """The file behind a path, links followed; None where there is none."""
    try:
        about = path.stat()
    except OSError:
        return None

    # not the path: a file has as many as there are links to it
    return about.st_dev, about.st_ino
