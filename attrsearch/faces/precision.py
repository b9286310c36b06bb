"""Where a network may run in bfloat16."""

from typing import Literal

import torch

Precision = Literal["auto", "fp32", "bf16"]


def choose_dtype(precision: Precision = "auto") -> torch.dtype:
    """bfloat16 where the processor multiplies it faster than float32, otherwise float32.

    >>> choose_dtype("fp32")
    torch.float32
    """
    if precision == "auto":
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        precision = "bf16" if native else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32
