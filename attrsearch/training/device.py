"""Where a training computes and how precisely.

On a GPU (CUDA) where there is one, on the processor otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

from attrsearch.core.errors import UnavailableError
from attrsearch.core.precision import Precision, choose_dtype

DeviceName = Literal["auto", "cpu", "cuda"]
CPU = torch.device("cpu")


def choose_device(name: DeviceName = "auto") -> torch.device:
    """The device a training runs on.

    Args:
        name: ``auto`` takes a GPU where there is one.

    Raises:
        UnavailableError: ``cuda`` was asked for, and torch finds none.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    there = torch.cuda.is_available()

    if name == "cuda" and not there:
        found = f"none with torch {torch.__version__}"
        raise UnavailableError(
            "--device cuda", required="a GPU (CUDA)", found=found, hint="type --device cpu"
        )

    return torch.device("cuda") if there and name != "cpu" else CPU


def dtype_on(device: torch.device, precision: Precision = "auto") -> torch.dtype:
    """What convolutions compute in.

    ``auto`` is bfloat16 where the device multiplies it itself, else float32.

    >>> dtype_on(torch.device("cpu"), "bf16")
    torch.bfloat16
    """
    if device.type == "cuda" and precision == "auto":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"

    return choose_dtype(precision)


def fast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """A context in which convolutions compute in ``dtype``."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype is torch.bfloat16)


@contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """A context in which layers that draw without a generator (dropout) follow from a seed."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
