"""Weights that others published: from a path or an https address, checked against a SHA-256."""

import tempfile
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from attrsearch.core.errors import WeightsError
from attrsearch.core.weights import file_sha256

TIMEOUT = 20
BLOCK = 1 << 20
LARGEST = 2 << 30
"""A download that grows beyond this many bytes is given up."""


@contextmanager
def fetched(source: str, sha256: str | None = None) -> Iterator[Path]:
    """A local file for a path or an https address; a download is gone when the block ends.

    Args:
        source: What the user typed.
        sha256: The expected hash, hexadecimal; not checked where it is not given.

    Raises:
        WeightsError: No such file, a download that failed, another scheme than https, or another
            hash.
    """
    if "://" not in source:
        _check(Path(source), sha256)
        yield Path(source)
        return

    if not source.startswith("https://"):
        hint = "give the address as https://…, or a path"
        raise WeightsError(
            source, required="an https address", found=urlsplit(source).scheme, hint=hint
        )

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(urlsplit(source).path).name or "weights")
        try:
            _download(source, path)
        except (OSError, urllib.error.URLError, ValueError) as error:
            found = f"a failed download: {getattr(error, 'reason', error)}"
            hint = "download it yourself and give its path"
            raise WeightsError(
                source, required="weights to download", found=found, hint=hint
            ) from error

        _check(path, sha256)
        yield path


def _check(path: Path, sha256: str | None) -> None:
    found = file_sha256(path)
    if sha256 is not None and found != sha256.lower():
        hint = "download it again, or check the expected hash"
        raise WeightsError(
            path, required=f"SHA-256 {sha256[:16]}…", found=f"{found[:16]}…", hint=hint
        )


def _download(address: str, target: Path) -> None:
    from urllib.request import urlopen  # noqa: PLC0415

    # the address is ours and https, and what comes is compared with its SHA-256
    with urlopen(address, timeout=TIMEOUT) as source, target.open("wb") as file:  # noqa: S310
        size = 0
        while block := source.read(BLOCK):
            size += len(block)
            if size > LARGEST:
                raise ValueError(f"more than {LARGEST >> 30} GB")

            file.write(block)
