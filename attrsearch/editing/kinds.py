"""What kind of editor a file holds, as its header tells; read without torch."""

from typing import Literal

from attrsearch.core.weights import load_header
from attrsearch.editing.installed import Located

RESTORING = "restoring"
"""What stands as ``kind`` beside the weights of a restoring editor."""
Kind = Literal["a restoring editor", "an AttGAN editor", "no editor"]


def kind_of(where: Located) -> Kind:
    """What a file of weights is; a file of the right tensors may still not load.

    Args:
        where: The file; not a recipe of two stages.

    Raises:
        WeightsError: Neither a safetensors file nor a checkpoint of AttGAN-PyTorch.
    """
    # published checkpoints are pickles, which are opened with care, and not here
    if where.path.suffix in (".pth", ".pt"):
        return "an AttGAN editor"

    header = load_header(where.path)
    if header.about.get("kind") == RESTORING or "enter.weight" in header.names:
        return "a restoring editor"

    if any(name.startswith("enc_layers.") for name in header.names):
        return "an AttGAN editor"

    return "no editor"
