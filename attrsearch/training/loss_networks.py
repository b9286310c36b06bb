"""The differentiable judges of an anonymising edit.

SFace, MTCNN's last network, the attribute classifier.
"""

from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, l1_loss

from attrsearch.core.device import CPU
from attrsearch.core.errors import WeightsError
from attrsearch.core.precision import Precision
from attrsearch.core.weights import load_float_tensors
from attrsearch.faces.alignment import CROP_TEMPLATE, SFACE_SIZE, SFACE_TEMPLATE, similarity
from attrsearch.faces.attribute_classifier import TraitsClassifier, TraitsNetwork
from attrsearch.faces.detection.mtcnn_networks import load_onet
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.faces.recognition.sface import SFace
from attrsearch.faces.sampling import sampling_grid
from attrsearch.training.frozen import quick_backward

Network = TypeVar("Network", bound=nn.Module)
CROP = 128
ONET_SIDE = 48
FACE_CENTRE = (64.0, 73.0)
FACE_SIDE = 88.0
"""About the square that MTCNN cuts for its last network around an aligned face, in crop pixels."""


class IdentityLoss:
    """SFace on aligned crops, through small random shifts, turns and changes of size.

    Args:
        precision: What it computes in, as :class:`SFace` takes it.
        device: Where it computes; its random draws are the processor's.

    Attributes:
        scale: What its distances are multiplied by to lie on the FaceNet scale.
    """

    def __init__(self, precision: Precision = "fp32", device: torch.device = CPU) -> None:
        self._network = SFace(precision)
        self._network.replace(lambda network: quick_backward(network).to(device))
        self.scale = load_calibration("sface").scale
        matrix = similarity(CROP_TEMPLATE[None], SFACE_TEMPLATE)[0].astype(np.float64)
        square = np.vstack([matrix, [0, 0, 1]])
        self._inverse = torch.from_numpy(np.linalg.inv(square)[:2].astype(np.float32))

    def embed(
        self, faces: Tensor, generator: torch.Generator | None = None, jitter: float = 1.5
    ) -> Tensor:
        """Unit vectors (n, 128) of crops (n, 3, 128, 128) from -1 to 1.

        Jittered by pixels where random.
        """
        matrices = self._inverse.expand(len(faces), 2, 3).clone()

        if generator is not None:
            shift = torch.randn(len(faces), 2, generator=generator) * jitter
            turn = torch.randn(len(faces), generator=generator) * 0.02
            size = 1 + torch.randn(len(faces), generator=generator) * 0.02
            spin = torch.stack(
                [size * turn.cos(), -turn.sin(), turn.sin(), size * turn.cos()], 1
            ).view(-1, 2, 2)
            middle = torch.tensor([CROP / 2, 74.0])
            matrices[:, :, :2] = spin @ matrices[:, :, :2]
            matrices[:, :, 2] = (
                (spin @ (matrices[:, :, 2] - middle)[..., None])[..., 0] + middle + shift
            )

        grid = sampling_grid(matrices, SFACE_SIZE, (CROP, CROP)).to(faces.device)
        aligned = grid_sample(faces, grid, padding_mode="border", align_corners=False)
        return self._network.embed_aligned((aligned + 1) * 127.5)


class ONetOutput(NamedTuple):
    """What MTCNN's last network sees.

    ``probability`` (n,), ``box`` (n, 4), ``landmarks`` (n, 10).
    """

    probability: Tensor
    box: Tensor
    landmarks: Tensor


class DetectionLossNetwork:
    """MTCNN's last network on the squares it would be given.

    Args:
        device: Where it computes; its random draws are the processor's.
    """

    def __init__(self, device: torch.device = CPU) -> None:
        self._network = load_onet().to(device)
        self._device = device

    def cuts(self, count: int, generator: torch.Generator) -> Tensor:
        """Sampling grids (n, 48, 48, 2) of squares around the face, jittered in place and size."""
        centre = torch.tensor(FACE_CENTRE) + torch.randn(count, 2, generator=generator) * 3
        side = FACE_SIDE * (1 + 0.08 * torch.randn(count, generator=generator)).clamp(0.75, 1.3)
        steps = (torch.arange(ONET_SIDE) + 0.5) / ONET_SIDE - 0.5
        x = centre[:, :1] + side[:, None] * steps
        y = centre[:, 1:] + side[:, None] * steps
        grid = torch.stack(
            [x[:, None, :].expand(-1, ONET_SIDE, -1), y[:, :, None].expand(-1, -1, ONET_SIDE)], -1
        )

        return (grid * (2 / CROP) - 1).to(self._device)

    def __call__(self, faces: Tensor, cuts: Tensor) -> ONetOutput:
        """What the network sees in crops (n, 3, 128, 128) from -1 to 1."""
        patches = grid_sample(faces, cuts, padding_mode="border", align_corners=False)
        box, landmarks, probability = self._network(patches * (127.5 / 128))
        return ONetOutput(probability[:, 1], box, landmarks)


def geometry_loss(edited: ONetOutput, original: ONetOutput) -> Tensor:
    """L1 between boxes and between landmarks, in sides of the cut: what keeps IoU and alignment."""
    return l1_loss(edited.box, original.box) + l1_loss(edited.landmarks, original.landmarks)


def load_traits_network(name: str) -> TraitsNetwork:
    """A classifier by bundled name or from a safetensors file, frozen.

    Raises:
        WeightsError: Unknown, damaged, or another network.
    """
    if "/" not in name and "\\" not in name and Path(name).suffix == "":
        return TraitsClassifier(name).network

    network = TraitsNetwork()
    try:
        network.load_state_dict(load_float_tensors(Path(name)))
    except RuntimeError as error:
        found = str(error).splitlines()[-1].strip()
        hint = "give the file that attrsearch train attributes wrote"
        raise WeightsError(name, required="a traits network", found=found, hint=hint) from error

    network.eval().requires_grad_(False)
    return network


def frozen(network: Network) -> Network:
    """The network in evaluation mode, channels last, without gradients of its weights."""
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
