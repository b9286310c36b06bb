"""Where an editor's weights lie: bundled, installed by the user, or at a path.

Installed are published AttGAN checkpoints, kept in the user's data folder, found by name.
"""

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from attrsearch.core.errors import WeightsError
from attrsearch.core.files import write_bytes
from attrsearch.core.weights import file_sha256, find_weights, manifest, verify

SETTINGS = "setting.txt"
LARGEST = 2 << 30


def installed_folder() -> Path:
    """Where installed editors are kept.

    ``ATTRSEARCH_HOME``, or attrsearch in the user's data folder.
    """
    given = os.environ.get("ATTRSEARCH_HOME")
    data = os.environ.get("XDG_DATA_HOME", "~/.local/share")
    return (Path(given) if given else Path(data) / "attrsearch").expanduser() / "editors"


def installed_editors() -> dict[str, Path]:
    """Checkpoint files of the installed editors, by name."""
    folder = installed_folder()
    found = sorted(folder.glob("*/weights.*.pth")) if folder.is_dir() else []
    return {path.parent.name: path for path in found}


@dataclass(frozen=True)
class Located:
    """A weights file: what it is called, where it lies, and its hash."""

    name: str
    path: Path
    sha256: str


def locate(name: str) -> Located:
    """Find an editor by a bundled name, by the name it was installed under, or by a path.

    Args:
        name: Such as ``base``; a ``.safetensors`` file; or ``weights.N.pth`` of AttGAN-PyTorch.

    Raises:
        WeightsError: Unknown name, no such file, or a bundled file whose hash differs.
    """
    bare = "/" not in name and "\\" not in name and Path(name).suffix == ""
    installed = installed_editors().get(name) if bare and name not in manifest() else None

    if bare and installed is None:
        weights = find_weights(name, "editor")
        verify(weights)
        return Located(name, weights.path, weights.sha256)

    path = installed or Path(name)
    return Located(name if installed is not None else path.stem, path, file_sha256(path))


def install_editor(name: str, source: Path) -> Path:
    """Install a checkpoint of AttGAN-PyTorch.

    ``weights.N.pth`` beside its ``setting.txt``, or a zip of both.

    Nothing in it is executed; :func:`attrsearch.editing.checkpoints.load_checkpoint` checks it on
    every load.

    Args:
        name: What recipes and commands will call it.
        source: The checkpoint or the zip.

    Returns:
        The installed checkpoint.

    Raises:
        WeightsError: A name that cannot be one, or a file that is neither.
        OutputError: The place cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        required = "letters, digits, - and _"
        raise WeightsError(
            name, required=required, found="another name", hint="choose one with --name"
        )

    if zipfile.is_zipfile(source) and source.suffix == ".zip":
        file, checkpoint, settings = _unzip(source)
    else:
        beside = source.with_name(SETTINGS)
        beside = beside if beside.is_file() else source.parent.parent / SETTINGS

        if not beside.is_file():
            hint = "put it there, or give the published zip"
            raise WeightsError(
                source, required=f"{SETTINGS} beside it", found="no such file", hint=hint
            )

        file = source.name
        checkpoint = source.read_bytes()
        settings = beside.read_bytes()

    target = (
        installed_folder()
        / name
        / (file if re.fullmatch(r"weights\..+\.pth", file) else "weights.0.pth")
    )
    for earlier in target.parent.glob("weights.*.pth"):
        earlier.unlink()

    write_bytes(target.with_name(SETTINGS), settings)
    write_bytes(target, checkpoint)
    return target


def _unzip(path: Path) -> tuple[str, bytes, bytes]:
    """Name and bytes of the checkpoint, and the bytes of its settings."""
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        names = {PurePosixPath(info.filename).name: info for info in files}
        weights = sorted(name for name in names if re.fullmatch(r"weights\.\d+\.pth", name))
        if not weights or SETTINGS not in names or names[weights[-1]].file_size > LARGEST:
            required = f"a zip with weights.N.pth and {SETTINGS}"
            found = ", ".join(sorted(names)[:4]) or "nothing"
            raise WeightsError(path, required=required, found=found, hint="give the published zip")

        return weights[-1], archive.read(names[weights[-1]]), archive.read(names[SETTINGS])
