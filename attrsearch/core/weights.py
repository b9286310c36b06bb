"""The weights that ship with attrsearch.

Described in ``models/manifest.toml``, verified on every load.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attrsearch.core.bundled import bundled
from attrsearch.core.errors import WeightsError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["editor", "traits", "critic", "surrogate", "parsing"]

DEFAULT_EDITOR = "two-stage"
"""What edits where a recipe or a caller names no editor; the bundled studies name theirs
themselves."""
ABOUT = "attrsearch"
"""The one key of a file's metadata, which holds JSON: several keys would be written in no fixed
order."""


@dataclass(frozen=True)
class Weights:
    """One entry of the manifest.

    Attributes:
        name: What recipes and commands call it.
        kind: ``editor`` (an AttGAN generator, a restoring editor, or a recipe of both), ``traits``
            (the attribute classifier), ``parsing`` (of faces), ``critic`` (naturalness) or
            ``surrogate`` (a pooled model of the search).
        path: The safetensors file; of an editor of two stages its recipe.
        sha256: Its expected hash, hexadecimal.
        card: The Markdown file that describes it.
        size: Side of its square input in pixels; 0 where it sees no picture.
    """

    name: str
    kind: Kind
    path: Path
    sha256: str
    card: Path
    size: int


@cache
def manifest() -> dict[str, Weights]:
    """Every bundled set of weights by name.

    >>> manifest()["base"].kind
    'editor'
    """
    folder = bundled("models")
    with (folder / "manifest.toml").open("rb") as file:
        entries = tomllib.load(file)["weights"]

    known = {}
    for entry in entries:
        known[entry["name"]] = Weights(
            name=entry["name"],
            kind=entry["kind"],
            path=folder / entry["file"],
            sha256=entry["sha256"],
            card=folder / entry["card"],
            size=entry.get("size", 0),
        )

    return known


def find_weights(name: str, kind: Kind) -> Weights:
    """The bundled weights of that name and kind.

    Raises:
        WeightsError: There are none; the known names are listed.
    """
    known = {key: entry for key, entry in manifest().items() if entry.kind == kind}

    if name not in known:
        hint = did_you_mean(name, known)
        raise WeightsError(
            name, required=f"bundled {kind} weights or a path", found="neither", hint=hint
        )

    return known[name]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        WeightsError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or str(error)
        raise WeightsError(
            path, required="a readable weights file", found=reason, hint="check the path"
        ) from error


def verify(weights: Weights) -> None:
    """Check a bundled file against the manifest.

    Raises:
        WeightsError: It is missing or its SHA-256 differs.
    """
    found = file_sha256(weights.path)

    if found != weights.sha256:
        raise WeightsError(
            weights.path,
            required=f"SHA-256 {weights.sha256[:16]}…",
            found=f"{found[:16]}…",
            hint="install attrsearch again, or restore the file",
        )


def load_tensors(path: Path) -> "dict[str, Tensor]":
    """Tensors of a safetensors file, as stored.

    Raises:
        WeightsError: Not a safetensors file; a pickle is named as such and never opened.
    """
    from safetensors import SafetensorError  # noqa: PLC0415 - imports torch
    from safetensors.torch import load_file  # noqa: PLC0415

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> WeightsError:
    """Why a file is no safetensors file that can be read."""
    required = "a safetensors file"
    if not path.exists():
        return WeightsError(path, required=required, found="no such file", hint="check the path")

    found = "a pickle or zip archive" if _is_pickle(path) else str(error) or "something else"
    hint = "pickles are not opened; convert it with safetensors.torch.save_file"
    return WeightsError(path, required=required, found=found, hint=hint)


def load_float_tensors(path: Path) -> "dict[str, Tensor]":
    """As :func:`load_tensors`, in single precision: files keep half of it, to be small downloads.

    Raises:
        WeightsError: Not a safetensors file.
    """
    return {name: tensor.float() for name, tensor in load_tensors(path).items()}


@dataclass(frozen=True)
class Header:
    """What a safetensors file says of itself, without its tensors.

    Attributes:
        about: What :func:`attrsearch.training.export.write_weights` was told; empty without.
        names: Of its tensors.
    """

    about: dict[str, object]
    names: frozenset[str]


def load_header(path: Path) -> Header:
    """The header of a safetensors file; needs no torch.

    Raises:
        WeightsError: Not a safetensors file, or a damaged one.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - few commands need it

    try:
        with safe_open(path, "np") as file:
            written = (file.metadata() or {}).get(ABOUT, "{}")
            names = frozenset(file.keys())

        about = json.loads(written)
    except (SafetensorError, OSError, ValueError) as error:
        raise _unreadable(path, error) from error

    if not isinstance(about, dict):
        hint = "give the file that a training wrote"
        raise WeightsError(
            path, required="a description of the weights", found=written[:60], hint=hint
        )

    return Header(about, names)


def load_about(path: Path) -> dict[str, object]:
    """What stands beside the weights of a file; as :func:`load_header`."""
    return load_header(path).about


def _is_pickle(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            # a zip archive, which torch.save writes, or a pickle of protocol 2 to 5
            return file.read(2) in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
    except OSError:
        return False
