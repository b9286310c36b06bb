"""What a training computes in: bfloat16 where this processor multiplies it clearly faster, which is measured."""

import time
from typing import Literal

import torch

SIDE, REPEATS, WORTH = 512, 8, 1.3


def training_dtype(precision: Literal["auto", "fp32", "bf16"]) -> torch.dtype:
    """The type convolutions compute in; ``auto`` tries both on this machine.

    A processor may know bfloat16 and still be slower with it (AVX-512 without tiles, on some), so its flags
    do not decide.

    >>> training_dtype("fp32")
    torch.float32
    """
    if precision == "auto":
        return torch.bfloat16 if _seconds(torch.bfloat16) * WORTH < _seconds(torch.float32) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _seconds(dtype: torch.dtype) -> float:
    square = torch.ones(SIDE, SIDE, dtype=dtype)
    square @ square
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        square @ square
        best = min(best, time.perf_counter() - start)
    return best
