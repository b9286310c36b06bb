"""Write trained weights as they ship: half precision, safetensors, with their hash."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from attrsearch.core.errors import WeightsError
from attrsearch.core.files import write_bytes
from attrsearch.core.weights import ABOUT, Kind, file_sha256, find_weights, load_tensors


def write_weights(
    path: Path, state: Mapping[str, Tensor], about: Mapping[str, object] | None = None
) -> str:
    """Write tensors as fp16 (whole numbers as they are); the same weights give the same file.

    Args:
        path: Where.
        state: The tensors.
        about: What stands beside them in the file, for :func:`attrsearch.weights.load_about`; JSON
            values.

    Returns:
        The file's SHA-256, hexadecimal.

    Raises:
        OutputError: The place cannot be written.
    """
    half = {}
    for name, value in sorted(state.items()):
        kept = value.to("cpu", torch.float16) if value.dtype.is_floating_point else value.cpu()
        half[name] = kept.contiguous()

    metadata = {ABOUT: json.dumps(about, sort_keys=True)} if about else None
    write_bytes(path, save(half, metadata))

    return file_sha256(path)


def load_trained(network: nn.Module, name: str, kind: Kind = "parsing", beside: str = "") -> None:
    """Load bundled weights, or those of a file, into a network of the product.

    Args:
        network: Filled.
        name: Of bundled weights, or a path.
        kind: Of the bundled weights.
        beside: Tensors whose names begin with this are another network's, and left out.

    Raises:
        WeightsError: Unknown, damaged, or another network.
    """
    bundled = "/" not in name and "\\" not in name and Path(name).suffix == ""
    path = find_weights(name, kind).path if bundled else Path(name)
    state = {}
    for key, value in load_tensors(path).items():
        if not beside or not key.startswith(beside):
            state[key] = value.float() if value.is_floating_point() else value

    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        # PyTorch names every tensor that does not fit: a page of them
        required = f"weights of a {type(network).__name__}"
        found = "weights of another network"
        hint = "give the file that a training wrote of it"
        raise WeightsError(path, required=required, found=found, hint=hint) from error
