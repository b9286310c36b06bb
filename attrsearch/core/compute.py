"""Where and by what networks compute, as it was asked for; nothing heavy is imported here.

One choice holds for the whole process, as the number of threads does: every network that is loaded
after it goes there (:mod:`attrsearch.core.device`).
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from attrsearch.core.errors import UnavailableError

Engine = Literal["torch", "onnxruntime"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
ONNX_FOLDER = "ATTRSEARCH_ONNX"
"""Environment variable that names the folder of ONNX files."""
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d{1,2})?")
DEVICES = "auto, cpu, cuda, cuda:N or mps"
GPU_FILES = ("nvidia0", "nvidiactl", "nvmap", "nvhost-gpu", "dxg", "kfd")
"""What Linux calls the graphics processors that torch knows as CUDA.

NVIDIA's, Jetson's, those under WSL, AMD's.
"""


@dataclass(frozen=True)
class Compute:
    """Where networks compute.

    Attributes:
        device: ``auto`` (CUDA where there is a GPU, else Apple's, else the processor), ``cpu``,
            ``cuda``, ``cuda:N`` or ``mps``.
        engine: ``torch``, or ``onnxruntime``, whose results are within 1e-3 of torch's.
    """

    device: str = "auto"
    engine: Engine = "torch"


_now = Compute()


def computing() -> Compute:
    """What was asked for last."""
    return _now


def compute_with(device: str | None = None, engine: Engine | None = None) -> Compute:
    """Let networks that are loaded from now on compute there.

    Args:
        device: One of ``auto``, ``cpu``, ``cuda``, ``cuda:N``, ``mps``; as before where it is None.
        engine: ``torch`` or ``onnxruntime``; as before where it is None.

    Returns:
        The choice.

    Raises:
        ValueError: No such name.
        UnavailableError: It certainly is not there; what only torch can tell,
            :func:`attrsearch.core.device.device` refuses.

    >>> compute_with("auto").device
    'auto'
    """
    global _now  # noqa: PLW0603 - one choice a process
    # replaced at the end, so that a choice that is refused changes nothing
    wanted = _now
    if device is not None:
        wanted = replace(wanted, device=read_device(device))

    if engine is not None:
        wanted = replace(wanted, engine=engine)
        _refuse_engine(engine)

    if device is not None:
        refuse_absent(device)

    _now = wanted
    return _now


@contextmanager
def computed_by(engine: Engine) -> Iterator[None]:
    """A context in which networks are loaded for another engine."""
    before = _now.engine
    compute_with(engine=engine)
    try:
        yield
    finally:
        compute_with(engine=before)


def onnx_folder() -> Path:
    """Where networks are kept as ONNX files.

    ``ATTRSEARCH_ONNX``, or onnx in ``ATTRSEARCH_HOME``, or attrsearch/onnx in the user's data
    folder.
    """
    given = os.environ.get(ONNX_FOLDER)
    if given:
        return Path(given).expanduser()

    home = os.environ.get("ATTRSEARCH_HOME")
    data = os.environ.get("XDG_DATA_HOME", "~/.local/share")
    return (Path(home) if home else Path(data) / "attrsearch").expanduser() / "onnx"


def read_device(name: str) -> str:
    """The name of a device, checked.

    >>> read_device("cuda:1")
    'cuda:1'

    Raises:
        ValueError: There is no such name.
    """
    if DEVICE.fullmatch(name) is None:
        raise ValueError(f"a device is {DEVICES}")

    return name


def refuse_absent(name: str) -> None:
    """Refuse a device of which it is known without torch that it is not there.

    Raises:
        UnavailableError: It is not.
    """
    if name == "mps" and sys.platform != "darwin":
        raise absent(name, f"none on {sys.platform}")

    if not name.startswith("cuda"):
        return

    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = ""

    # wheels for processors say so in their version; importing torch to ask takes a second
    if torch.endswith("+cpu"):
        raise absent(name, f"none for torch {torch}, which is built for processors only")

    if sys.platform == "linux" and not any((Path("/dev") / one).exists() for one in GPU_FILES):
        raise absent(name, "none on this machine")


def _refuse_engine(name: Engine) -> None:
    """Refuse ONNX Runtime where it is not installed."""
    if name == "onnxruntime" and find_spec(name) is None:
        raise UnavailableError(
            f"--engine {name}",
            required=f"the package {name}",
            found="no such package",
            hint="pip install 'attrsearch[onnx]'",
        )


def absent(name: str, found: str) -> UnavailableError:
    """The error of a device that is not there.

    Args:
        name: What was asked for.
        found: What is there instead, in words.
    """
    required = "one of Apple's GPUs (MPS)" if name == "mps" else "a GPU (CUDA)"
    return UnavailableError(
        f"--device {name}", required=required, found=found, hint="type --device cpu"
    )
