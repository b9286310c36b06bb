"""Private files at rest, encrypted with Fernet (AES-128-CBC and HMAC-SHA-256).

The key comes from a file or the environment.

Whether a process encrypts is in its environment, so that worker processes do as their parent does.
"""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from attrsearch.core.errors import InputError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY = "ATTRSEARCH_KEY"
SWITCH = "ATTRSEARCH_ENCRYPT"
SUFFIX = ".fernet"
MAX_BYTES = 2 << 30
HINT = (
    "make one: python -c 'from cryptography.fernet import Fernet; "
    "print(Fernet.generate_key().decode())', "
    f"and give it with --key FILE or in {KEY}"
)


def use_key(file: Path | None, encrypt: bool) -> None:
    """Take the key from a file, if one is given, and say whether private files are encrypted.

    Raises:
        InputError: No key, or one that is none.
    """
    if file is not None:
        # in the environment: worker processes inherit it, and no command line shows it
        try:
            os.environ[KEY] = file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise InputError(file, required="a file with a key", found="none", hint=HINT) from error

    set_encrypting(encrypt)
    if file is not None:
        _fernet()


def encrypting() -> bool:
    """Whether private files are encrypted."""
    return bool(os.environ.get(SWITCH))


def set_encrypting(encrypt: bool) -> None:
    """Say whether this process encrypts private files.

    A worker on another machine has the key in its environment.

    Raises:
        InputError: They are to be encrypted, and there is no key.
    """
    os.environ[SWITCH] = "1" if encrypt else ""
    if encrypt:
        _fernet()


def private_path(path: Path) -> Path:
    """The name a private file gets."""
    return path.with_name(path.name + SUFFIX) if encrypting() else path


def locked(data: bytes) -> bytes:
    """What is written of a private file's bytes.

    Raises:
        InputError: They are to be encrypted, and there is no key.
    """
    return _fernet().encrypt(data) if encrypting() else data


def unlocked(data: bytes, subject: object) -> bytes:
    """The bytes of a private file that is encrypted.

    Raises:
        InputError: No key, or not the one it was encrypted with.
    """
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - an extra

    try:
        return _fernet().decrypt(data)
    except InvalidToken as error:
        found = "another, or a damaged file"
        hint = f"give it with --key FILE or in {KEY}"
        raise InputError(
            subject, required="the key it was encrypted with", found=found, hint=hint
        ) from error


def find_private(path: Path) -> Path | None:
    """A private file as it lies there, encrypted or not; None where there is none."""
    sealed = path.with_name(path.name + SUFFIX)
    return path if path.is_file() else sealed if sealed.is_file() else None


def read_private(path: Path) -> bytes:
    """A private file's bytes, decrypted where its name ends in ``.fernet``.

    Raises:
        InputError: It is encrypted, and there is no key, or another.
        OSError: It cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        found = f"{path.stat().st_size} bytes"
        raise InputError(
            path, required=f"at most {MAX_BYTES} bytes", found=found, hint="check the path"
        )

    data = path.read_bytes()
    return unlocked(data, path) if path.name.endswith(SUFFIX) else data


def open_private(path: Path) -> io.BytesIO:
    """A private file, encrypted or not, as a stream.

    The path is that of the plain one or of the encrypted one.

    Raises:
        InputError: It is encrypted, and there is no key, or another.
        OSError: It cannot be read.
    """
    return io.BytesIO(read_private(find_private(path) or path))


def has_key() -> bool:
    """Whether there is a key."""
    return bool(os.environ.get(KEY))


def _fernet() -> "Fernet":
    try:
        from cryptography.fernet import Fernet  # noqa: PLC0415 - an extra
    except ImportError as error:
        hint = "pip install 'attrsearch[scale]'"
        raise InputError(
            "--encrypt", required="the package cryptography", found="none", hint=hint
        ) from error

    try:
        return Fernet(os.environ.get(KEY, "").encode())
    except ValueError as error:
        found = "none" if not has_key() else "something else"
        raise InputError(
            "key", required="32 bytes in url-safe base64", found=found, hint=HINT
        ) from error
