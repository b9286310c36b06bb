"""A restoring editor of random weights, for what does not depend on what a network has learnt."""

from pathlib import Path

import torch
from torch import nn

from attrsearch.editing.restoring import RestoringConfig, RestoringNetwork
from attrsearch.editing.restoring_file import described, packed
from attrsearch.faces.parsing import ParsingNetwork
from attrsearch.training.export import write_weights

SMALL = RestoringConfig(widths=(16, 24, 32, 32), condition=32)


def made_up_editor(path: Path, config: RestoringConfig = SMALL, seed: int = 0) -> Path:
    """Write one: it paints by its attributes, and takes the middle of a crop for the face."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = RestoringNetwork(config).eval()
        for layer in network.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.3)
        nn.init.normal_(network.paint.weight, std=0.1)
        parsing = made_up_parsing()
    write_weights(path, packed(network.state_dict(), parsing.state_dict()), described(config))
    return path


def made_up_parsing() -> ParsingNetwork:
    """Face parsing of random weights that sees skin nearly everywhere."""
    network = ParsingNetwork().eval()
    nn.init.normal_(network.visible.weight, std=0.01)
    nn.init.constant_(network.visible.bias, 2.0)
    return network
