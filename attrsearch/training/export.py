"""Write trained weights as they ship: half precision, safetensors, with their hash."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from attrsearch.core.files import write_bytes
from attrsearch.core.weights import file_sha256


def write_weights(path: Path, state: Mapping[str, Tensor]) -> str:
    """Write tensors as fp16 (whole numbers as they are); the same weights give the same file.

    Returns:
        The file's SHA-256, hexadecimal.

    Raises:
        OutputError: The place cannot be written.
    """
    half = {
        name: (
            value.to("cpu", torch.float16) if value.dtype.is_floating_point else value.cpu()
        ).contiguous()
        for name, value in sorted(state.items())
    }
    write_bytes(path, save(half))
    return file_sha256(path)
