"""Traits: which of the 13 attributes a face already has, gender among them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from attrsearch.core.attributes import ATTRIBUTES, MALE, Gender
from attrsearch.core.device import device
from attrsearch.core.engine import on_engine
from attrsearch.core.errors import WeightsError
from attrsearch.core.parallel import network
from attrsearch.core.weights import Weights, find_weights, load_float_tensors, verify

Floats = npt.NDArray[np.float32]

MIN_CERTAINTY = 0.85
"""A vote on gender with less certainty than this may be wrong: it is said, and nobody is given a
beard on it.
"""


class TraitsNetwork(nn.Module):
    """A small residual-free classifier.

    Logits (n, 13) of aligned crops (n, 3, 128, 128), RGB from -1 to 1.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3

        for i, out in enumerate((width, width * 2, width * 4, width * 8, width * 8)):
            kernel = 3 if i else 5
            layers += _block(channels, out, kernel, 2)
            layers += _block(out, out, 3, 1) if i else []
            channels = out

        head = [
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(channels * 4, len(ATTRIBUTES)),
        ]
        self.layers = nn.Sequential(*layers, *head)

    def forward(self, crops: Tensor) -> Tensor:
        """Logits, one an attribute."""
        return self.layers(crops)  # type: ignore[no-any-return]

    def widths(self, layers: Sequence[int]) -> list[int]:
        """Channels after the activations with these numbers."""
        return [self.layers[i - 1].num_features for i in layers]  # type: ignore[misc]


def _block(channels: int, out: int, kernel: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(out), nn.ReLU()]


class TraitsClassifier:
    """The bundled classifier.

    Raises:
        WeightsError: The weights are damaged or of another network.
    """

    def __init__(self, name: str = "traits") -> None:
        self.weights: Weights = find_weights(name, "traits")
        verify(self.weights)
        self.network = TraitsNetwork()
        state = load_float_tensors(self.weights.path)

        try:
            self.network.load_state_dict(state)
        except RuntimeError as error:
            found = str(error).splitlines()[-1].strip()
            hint = "install attrsearch again"
            raise WeightsError(
                self.weights.path, required="a traits network", found=found, hint=hint
            ) from error

        self._device = device()
        self.network.eval().requires_grad_(False).to(self._device)
        example = torch.zeros(2, 3, 128, 128)
        self._logits = on_engine(self.network, name, self.weights.sha256, [example])

    @network
    def probabilities(self, crops: Tensor) -> Floats:
        """Probability (n, 13) of each attribute of aligned crops (n, 3, 128, 128), RGB, -1 to 1.

        Averaged over the crop and its mirror image, which steadies the guess.
        """
        crops = crops.to(self._device)
        # in one batch, which costs less than two
        both = torch.cat([crops, crops.flip(-1)])
        logits: Tensor = self._logits(both).float()
        return torch.sigmoid(logits.view(2, len(crops), -1).mean(0)).cpu().numpy()


@dataclass(frozen=True)
class Traits:
    """What is known of a person before any edit.

    Attributes:
        gender: Voted over the person's pictures, or given by the user.
        certainty: Share of the vote behind it, 0.5 to 1; 1 where it was given.
        probabilities: Mean probability of each attribute, (13,).
    """

    gender: Gender
    certainty: float
    probabilities: Floats


def vote(probabilities: Floats, given: Gender | None = None) -> Traits:
    """One person's traits from the probabilities (n, 13) of each picture.

    The vote is the mean of the log-odds, so that sure pictures count for more than doubtful ones.

    >>> table = np.full((3, 13), 0.5, np.float32)
    >>> table[:, MALE] = 0.9, 0.9, 0.4
    >>> vote(table).gender
    'male'
    """
    mean = probabilities.mean(0)
    if given is not None:
        return Traits(given, 1.0, mean)

    # a network that is quite sure of one picture must not outvote all others
    clipped = np.clip(probabilities[:, MALE].astype(np.float64), 1e-4, 1 - 1e-4)
    male = float(1 / (1 + np.exp(-np.log(clipped / (1 - clipped)).mean())))
    return Traits("male" if male >= 0.5 else "female", max(male, 1 - male), mean)
