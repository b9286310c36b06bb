"""Pictures of the pages: thumbnails inside the page for a few people, files beside it for many."""

import base64
import io
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from attrsearch.core.encryption import SUFFIX, open_private
from attrsearch.core.files import write_bytes
from attrsearch.runs.person_part import PersonPart

KINDS = ("best", "runner", "random", "original")
THUMBNAIL = 160
QUALITY = 80
INLINE_PEOPLE = 250
"""Up to this many people the pictures are inside the page; beyond it they stay files that are read
when seen.
"""


def shown_kinds(originals: bool) -> tuple[str, ...]:
    """The kinds of pictures a page may show."""
    return KINDS if originals else KINDS[:-1]


def inline(run: Path, part: PersonPart, originals: bool) -> dict[str, list[str]]:
    """A person's pictures as base64 thumbnails, by kind; a picture whose file is gone is empty."""
    found: dict[str, list[str]] = {}
    for kind in shown_kinds(originals):
        found[kind] = []
        for name in part.images.get(kind, ()):
            found[kind].append(base64.b64encode(thumbnail(run, name)).decode())

    return found


def linked(run: Path, part: PersonPart, originals: bool, page: Path) -> dict[str, list[str]]:
    """A person's pictures as addresses relative to the page.

    A page inside the run links the run's own files; one elsewhere, and encrypted ones, become
    thumbnails in a folder beside it.
    """
    inside = page.parent.resolve() == run.resolve()
    folder = page.with_name(f"{page.stem}_files")
    found: dict[str, list[str]] = {}

    for kind in shown_kinds(originals):
        found[kind] = []
        for name in part.images.get(kind, ()):
            if inside and not name.endswith(SUFFIX):
                # a name may hold what ends an address: a question mark, a number sign
                found[kind].append(quote(name))
                continue

            plain = name.removesuffix(SUFFIX)
            data = thumbnail(run, name)
            if data:
                write_bytes(folder / plain, data)

            found[kind].append(quote(f"{folder.name}/{plain}"))

    return found


def picture_file(run: Path, name: str) -> Path | None:
    """A picture of a run by its path inside it; None where that is no file, or leaves the run."""
    # resolved first: neither dots nor a link lead out of the pictures
    root = run.resolve()
    path = Path(os.path.realpath(root / name))
    return path if path.is_relative_to(root / "images") and path.is_file() else None


def thumbnail(run: Path, name: str) -> bytes:
    """A picture as a JPEG of at most ``THUMBNAIL`` pixels, without metadata.

    Empty where the file is gone.

    Raises:
        InputError: It is encrypted, and there is no key, or another.
    """
    path = picture_file(run, name)
    if path is None:
        return b""

    try:
        with Image.open(open_private(path), formats=("JPEG", "PNG")) as image:
            # a thumbnail is made anew of the pixels, so that no metadata come with it
            small = image.convert("RGB")
            small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    except OSError:
        return b""

    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def kinds_of(parts: Sequence[PersonPart], originals: bool) -> dict[str, int]:
    """How many pictures of each kind the people have."""
    found = {}
    for kind in shown_kinds(originals):
        found[kind] = sum(len(part.images.get(kind, ())) for part in parts)

    return found
