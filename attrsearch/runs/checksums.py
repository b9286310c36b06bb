"""Checksums of results: a record that knows whether it and its files are what was written."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrsearch.core.picking import without

KEY = "sealed"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record_digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON record without its own seal, whatever the order of its keys.

    >>> record_digest({"a": 1, "b": 0.5}) == record_digest({"b": 0.5, "a": 1, "sealed": {}})
    True
    """
    plain = without(record, KEY)
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def seal(record: Mapping[str, Any], root: Path, files: Iterable[str] = ()) -> dict[str, Any]:
    """The record with its own checksum and those of the files it speaks for.

    Files that are not there are left out.

    Args:
        record: What JSON can hold.
        root: Folder of the files.
        files: Their paths inside it.
    """
    digests = {name: file_digest(root / name) for name in files if (root / name).is_file()}
    return {**record, KEY: {"sha256": record_digest(record), "files": digests}}


def is_whole(record: Mapping[str, Any]) -> bool:
    """Whether a record is what was written; one that was never sealed counts as whole.

    >>> sealed = seal({"a": 1}, Path())
    >>> is_whole(sealed), is_whole({**sealed, "a": 2}), is_whole({"a": 1})
    (True, False, True)
    """
    found = record.get(KEY)
    return found is None or (
        isinstance(found, dict) and found.get("sha256") == record_digest(record)
    )


def sealed_files(record: Mapping[str, Any]) -> dict[str, str]:
    """Paths and checksums of the files a record speaks for; empty where it was never sealed."""
    found = record.get(KEY)
    files = found.get("files") if isinstance(found, dict) else None
    return (
        {str(name): str(digest) for name, digest in files.items()}
        if isinstance(files, dict)
        else {}
    )
