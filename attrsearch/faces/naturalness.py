"""The critic: how natural a face looks, from 0 (the thesis's worst edits) to 1 (real faces)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from attrsearch.core.device import device, exact_device
from attrsearch.core.engine import Run, on_engine
from attrsearch.core.errors import WeightsError
from attrsearch.core.parallel import network
from attrsearch.core.weights import find_weights, load_float_tensors, verify
from attrsearch.faces.alignment import CROP_SIZE, WINDOW_SCALE, WINDOW_SIZE

Floats = npt.NDArray[np.float32]
WIDTHS = (32, 48, 96, 128)
MARGIN = round((WINDOW_SIZE - CROP_SIZE * WINDOW_SCALE) / 2)


class CriticNetwork(nn.Module):
    """Scores (n,) of aligned faces (n, 3, 128, 128), RGB from -1 to 1.

    The mean over patches, and calibrated.

    ``scale`` and ``shift`` are set after training (:func:`calibrated`); they make real faces 1 and
    the worst edits 0.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3

        for i, out in enumerate(WIDTHS):
            kernel = 3 if i else 5
            layers += [
                nn.Conv2d(channels, out, kernel, 2, kernel // 2, bias=False),
                nn.BatchNorm2d(out),
                nn.ReLU(),
            ]
            channels = out

        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 128, 3, 1, 1), nn.ReLU())
        self.head = nn.Linear(256, 1)
        self.register_buffer("scale", torch.ones(1))
        self.register_buffer("shift", torch.zeros(1))

    def forward(self, faces: Tensor) -> Tensor:
        """Scores before they are cut to 0 to 1."""
        features = self.layers(faces)
        # the strongest answer beside the mean: one bad spot is enough to look wrong
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)
        score: Tensor = self.head(pooled)[:, 0].float()

        return score * self.scale + self.shift


def calibrated(network: CriticNetwork, real: Tensor, worst: Tensor) -> None:
    """Set scale and shift so that the median real face scores 1 and the median worst edit 0.

    Args:
        network: Trained.
        real: Its scores of real faces (n,), as they are before.
        worst: Its scores of extreme edits (m,), as they are before.

    Raises:
        ValueError: Real faces do not score higher: the critic has learnt nothing.
    """
    high = float(real.median())
    low = float(worst.median())
    if high <= low:
        raise ValueError(f"real faces score {high:.3f}, the worst edits {low:.3f}")

    network.shift.copy_((network.shift - low) / (high - low))
    network.scale.copy_(network.scale / (high - low))


def load_critic_network(path: Path) -> CriticNetwork:
    """A critic from a safetensors file, in evaluation mode.

    Raises:
        WeightsError: Not safetensors, or another network.
    """
    network = CriticNetwork()

    try:
        network.load_state_dict(load_float_tensors(path))
    except RuntimeError as error:
        found = str(error).splitlines()[-1].strip()
        raise WeightsError(path, required="a critic", found=found, hint="check the path") from error

    return network.eval().requires_grad_(False)


def inner_crops(windows: npt.NDArray[np.uint8]) -> Tensor:
    """What aligned crops show, (n, 3, 128, 128), RGB from -1 to 1, of windows (n, 192, 192, 3).

    As much of a face as the crops that the critic and the classifier of traits were trained on, but
    upright instead of aligned.
    """
    inner = windows[:, MARGIN : WINDOW_SIZE - MARGIN, MARGIN : WINDOW_SIZE - MARGIN]
    sent = torch.from_numpy(np.ascontiguousarray(inner)).to(exact_device())
    pixels = sent.permute(0, 3, 1, 2).float()
    return interpolate(pixels, size=CROP_SIZE, mode="bilinear", antialias=True) / 127.5 - 1


class Critic:
    """The bundled critic.

    Raises:
        WeightsError: The weights are damaged, of another network, or not there.
    """

    name = "critic"

    def __init__(self, trained: CriticNetwork | None = None) -> None:
        self._device = device()
        sha256 = ""
        if trained is None:
            weights = find_weights(self.name, "critic")
            verify(weights)
            sha256 = weights.sha256
            trained = load_critic_network(weights.path)

        module = trained.eval().requires_grad_(False).to(self._device)
        module = module.to(memory_format=torch.channels_last)
        # one that was just trained has no file, and no hash to name its own by
        example = torch.zeros(2, 3, CROP_SIZE, CROP_SIZE)
        known = on_engine(module, self.name, sha256, [example]) if sha256 else module
        self._network: Run = known

    def scores(self, crops: Tensor) -> Floats:
        """Naturalness (n,), 0 to 1, of aligned crops (n, 3, 128, 128), RGB from -1 to 1."""
        return np.asarray(self._uncut(crops).clip(0, 1), np.float32)

    def windows(self, windows: npt.NDArray[np.uint8]) -> Floats:
        """Naturalness (n,), 0 to 1, of the faces in windows (n, 192, 192, 3), uint8."""
        return np.asarray(self.uncut(windows).clip(0, 1), np.float32)

    def uncut(self, windows: npt.NDArray[np.uint8]) -> Floats:
        """Naturalness (n,) of the faces in windows, not cut to 0 to 1.

        Tells bad edits from worse ones.
        """
        return self._uncut(inner_crops(windows))

    @network
    def _uncut(self, crops: Tensor) -> Floats:
        part = crops.to(self._device).contiguous(memory_format=torch.channels_last)
        return np.asarray(self._network(part).cpu().numpy(), np.float32)
