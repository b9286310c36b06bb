"""Where a network may run in bfloat16."""

from functools import cache
from pathlib import Path
from typing import Literal

import torch

Precision = Literal["auto", "fp32", "bf16"]


def choose_dtype(precision: Precision = "auto") -> torch.dtype:
    """bfloat16 where the processor multiplies it faster than float32, otherwise float32.

    AMX does, and so does AVX512-BF16 on AMD's processors (5 times); on an Intel Xeon with
    AVX512-BF16 but no AMX the editor and SFace measured 15 to 25 % slower in bfloat16 than in
    float32.

    >>> choose_dtype("fp32")
    torch.float32
    """
    if precision == "auto":
        amd = torch.cpu._is_avx512_bf16_supported() and _vendor() == "AuthenticAMD"
        precision = "bf16" if amd or torch.cpu._is_amx_tile_supported() else "fp32"

    return torch.bfloat16 if precision == "bf16" else torch.float32


@cache
def _vendor() -> str:
    """The processor's maker as it names itself; empty where it is not told."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""

    return next((line.split(":")[1].strip() for line in lines if line.startswith("vendor_id")), "")
