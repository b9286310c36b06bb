"""The gender that the restoring editor's training holds: read linearly from embeddings."""

import numpy as np
import torch
from torch import Tensor

from attrsearch.core.attributes import MALE
from attrsearch.core.device import CPU
from attrsearch.training.restoring_steps import fit_gender
from attrsearch.training.tight_faces import STORED, TightFaces

COUNT = 40


class Brightness:
    """Embeds a face as its brightness on a circle, as a recogniser gives unit vectors."""

    scale = 1.0

    def embed(
        self, faces: Tensor, landmarks: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Unit vectors (n, 2)."""
        del landmarks, generator
        angle = faces.mean((1, 2, 3))
        return torch.stack([angle.sin(), angle.cos()], 1)


def made_up_faces() -> TightFaces:
    """Bright men and dark women, every other face."""
    random = np.random.default_rng(0)
    attributes = np.zeros((COUNT, 13), np.float32)
    attributes[::2, MALE] = 1
    level = np.where(attributes[:, MALE] > 0, 190, 60) + random.integers(-20, 20, COUNT)
    crops = np.broadcast_to(level[:, None, None, None], (COUNT, STORED, STORED, 3))
    whole = np.packbits(np.ones((STORED, STORED), bool))
    return TightFaces(
        crops=crops.astype(np.uint8),
        landmarks=np.full((COUNT, 68, 2), STORED / 2, np.float32),
        attributes=attributes,
        skin=np.broadcast_to(whole, (COUNT, len(whole))),
        inside=np.broadcast_to(whole, (COUNT, len(whole))),
        names=tuple(f"{i}.png" for i in range(COUNT)),
        sources=("made-up",) * COUNT,
    )


def test_gender_is_read_with_its_sign_and_size() -> None:
    probe = fit_gender(Brightness(), made_up_faces(), CPU)
    levels = torch.tensor([190.0, 60.0]) / 127.5 - 1
    read = probe.read(torch.stack([levels.sin(), levels.cos()], 1))
    assert 0.7 < float(read[0]) < 1.3
    assert -1.3 < float(read[1]) < -0.7
