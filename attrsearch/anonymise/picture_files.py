"""Where protected pictures go, and how they are written: nothing is replaced that was not made here."""

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from attrsearch.core.errors import OutputError
from attrsearch.core.files import write_bytes
from attrsearch.core.names import as_read
from attrsearch.faces.images import Layers

Picture = npt.NDArray[np.uint8]

MADE_BY = "attrsearch"
"""What a written picture says of itself (PNG text, JPEG comment, EXIF Software): such a file may be replaced."""
SOFTWARE = 0x0131
"""EXIF's tag Software."""
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
WITHOUT_ALPHA = ("JPEG", "BMP")


def targets(
    sources: Sequence[Path], root: Path, out: Path, suffix: str | None = None
) -> list[Path]:
    """Where each picture of a folder is written: its own place and kind below ``out``, no two the same.

    Args:
        sources: Pictures inside ``root``.
        root: The folder they were given in.
        out: The folder to write to.
        suffix: Kind for all of them (``.png``); each keeps its own by default.

    >>> [str(path) for path in targets([Path("in/a.jpg"), Path("in/A.png")], Path("in"), Path("out"), ".png")]
    ['out/a.jpg.png', 'out/A.png.png']
    """
    wanted = []
    for source in sources:
        place = out / source.relative_to(root)
        own = suffix or (source.suffix if source.suffix.lower() in KINDS else ".png")
        wanted.append(place.with_suffix(own))
    often = Counter(as_read(str(path)) for path in wanted)
    found = []
    for source, path in zip(sources, wanted, strict=True):
        alone = often[as_read(str(path))] == 1
        found.append(path if alone else path.with_name(source.name + path.suffix))
    return found


def refuse_replacing(sources: Sequence[Path], chosen: Sequence[Path]) -> None:
    """Refuse before any work begins what would replace an input or a file that was not written here.

    Raises:
        OutputError: Naming the first of them.
    """
    inputs = {identity for path in sources if (identity := _identity(path)) is not None}
    for path in chosen:
        identity = _identity(path)
        if identity is None:
            continue
        hint = "name another place with --out: nothing is overwritten"
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
        with Image.open(path, formats=("JPEG", "PNG", "WEBP", "TIFF", "BMP")) as image:
            if image.format == "BMP":
                return False
            said = [
                image.info.get("Software"),
                image.info.get("comment"),
                image.getexif().get(SOFTWARE),
            ]
    except Exception:  # whatever cannot be read was not written here
        return False
    return any(text in (MADE_BY, MADE_BY.encode()) for text in said)


def write_picture(target: Path, picture: Picture, layers: Layers | None = None) -> None:
    """Write a protected picture by its suffix; of the input's metadata only the alpha layer stays.

    What the alpha layer hides is written as black, so that no other program can show it.  JPEG is written at quality
    95 without reducing the colours' resolution.

    Args:
        target: The file to write.
        picture: (h, w, 3), RGB, uint8, in sRGB.
        layers: What was read, for its alpha layer.

    Raises:
        OutputError: An unknown suffix, a kind without an alpha layer where one is needed, or no place to write.
    """
    kind = KINDS.get(target.suffix.lower())
    if kind is None:
        required = f"a picture name ({', '.join(sorted(KINDS))})"
        found = target.suffix or "no suffix"
        raise OutputError(target, required=required, found=found, hint="name the output out.png")
    image = Image.fromarray(picture)
    alpha = None if layers is None else layers.alpha
    if alpha is not None and bool((alpha < 255).any()):
        if kind in WITHOUT_ALPHA:
            required = "a kind of picture with an alpha layer (.png, .webp, .tif)"
            hint = "name the output out.png"
            raise OutputError(target, required=required, found=target.suffix, hint=hint)
        hidden = np.where(alpha[..., None] == 0, 0, picture)
        image = Image.fromarray(np.dstack([hidden, alpha]).astype(np.uint8), "RGBA")
    buffer = io.BytesIO()
    if kind == "PNG":
        text = PngInfo()
        text.add_text("Software", MADE_BY)
        image.save(buffer, kind, pnginfo=text)
    elif kind == "JPEG":
        image.save(buffer, kind, quality=95, subsampling=0, comment=MADE_BY)
    elif kind == "BMP":
        image.save(buffer, kind)
    else:
        exif = Image.Exif()
        exif[SOFTWARE] = MADE_BY
        options = {"quality": 95} if kind == "WEBP" else {"compression": "tiff_deflate"}
        image.save(buffer, kind, exif=exif, **options)
    write_bytes(target, buffer.getvalue())


def _identity(path: Path) -> tuple[int, int] | None:
    """The file behind a path, links followed; None where there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino
