"""Write files so that they are either whole or not there."""

import errno
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from attrsearch.core.errors import OutputError

LONGEST = 150
"""Longest file name made of an identity, in bytes."""


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A temporary file that becomes ``path`` when the block ends, and is removed when it fails.

    Raises:
        OutputError: The disk is full, or the place cannot be written.
    """
    # beside its target, since a rename is atomic only within one file system
    part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        full = error.errno == errno.ENOSPC
        hint = "free some space, then continue with --resume" if full else "choose another place"
        raise OutputError(path, required="a place to write to", found=reason, hint=hint) from error
    finally:
        _remove(part)


def is_part(path: Path) -> bool:
    """Whether a file is what :func:`written` leaves where the process is killed: half written.

    >>> is_part(Path("run/.run.toml.0a1b2c3d.part")), is_part(Path("run/mine.part"))
    (True, False)
    """
    return path.name.startswith(".") and path.name.endswith(".part")


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file, or nothing."""
    with written(path) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 file, or nothing."""
    write_bytes(path, text.encode())


def file_name(identity: str) -> str:
    """A file name for an identity: its own where that is safe, percent-encoded where it is not.

    >>> file_name("Some_Person"), file_name("../etc"), file_name("Åse")
    ('Some_Person', '%2E%2E%2Fetc', 'Åse')
    """
    safe = ""
    for letter in identity:
        if letter.isalnum() or letter in " -_,()'":
            safe += letter
        else:
            # quote leaves the full stop, which would hide a file or make it end elsewhere
            safe += quote(letter, safe="").replace(".", "%2E")

    if len(safe.encode()) > LONGEST:
        # cut, with a digest of the whole: two long names that begin alike are two files
        kept = safe.encode()[: LONGEST - 17].decode(errors="ignore")
        digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
        safe = f"{kept}~{digest[:16]}"

    return safe or "_"


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    # the folder itself is gone or read-only: there is nothing to remove
    except OSError:
        return
