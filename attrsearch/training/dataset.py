"""Prepared faces on disk: aligned crops, their names, and the attributes a table gives them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text, written
from attrsearch.core.picking import take
from attrsearch.faces.alignment import CROP_SIZE

Pictures = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

HINT = "attrsearch train prepare PICTURES --out FACES"


@dataclass(frozen=True)
class FaceSet:
    """Aligned faces, ready to be trained on.

    Attributes:
        crops: (n, 128, 128, 3), RGB, uint8; may be read from disk as it is used.
        names: Path of each picture inside its folder.
        attributes: (n, 13), 0 to 1; NaN in every column of a face no table speaks of.
    """

    crops: Pictures
    names: tuple[str, ...]
    attributes: Floats

    def __len__(self) -> int:
        return len(self.names)

    @property
    def people(self) -> tuple[str, ...]:
        """The person of each face: its folder's name, or the picture's without folders."""
        return tuple(Path(name).parts[0] if "/" in name else Path(name).stem for name in self.names)

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Which faces have attributes, (n,)."""
        return np.asarray(~np.isnan(self.attributes).any(1))

    def take(self, indices: npt.NDArray[np.int64]) -> "FaceSet":
        """The chosen faces, in that order."""
        return FaceSet(
            self.crops[indices], tuple(take(self.names, indices)), self.attributes[indices]
        )

    def save(self, folder: Path) -> None:
        """Write the set; ``faces.json`` is written last and means *whole*."""
        for name, array in (("crops.npy", self.crops), ("attributes.npy", self.attributes)):
            with written(folder / name) as part, part.open("wb") as file:
                np.save(file, array)

        head = {"format": "attrsearch/faces", "version": 1, "names": list(self.names)}
        write_text(folder / "faces.json", json.dumps(head) + "\n")


def load_face_set(folder: Path) -> FaceSet:
    """Read prepared faces.

    Raises:
        InputError: The folder holds none, or they are damaged.
    """
    try:
        head = json.loads((folder / "faces.json").read_text(encoding="utf-8"))
        names = tuple(head["names"])
        crops = np.load(folder / "crops.npy", mmap_mode="r")
        attributes = np.load(folder / "attributes.npy")
    except FileNotFoundError as error:
        raise InputError(folder, required="prepared faces", found="none", hint=HINT) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            folder, required="prepared faces", found=f"damaged ones ({error})", hint=HINT
        ) from error

    shapes = (len(names), CROP_SIZE, CROP_SIZE, 3), (len(names), len(ATTRIBUTES))
    if (crops.shape, attributes.shape) != shapes or head.get("version") != 1:
        found = f"{len(names)} names, crops {crops.shape}, attributes {attributes.shape}"
        raise InputError(folder, required="prepared faces of version 1", found=found, hint=HINT)

    return FaceSet(crops, names, attributes)


def join(sets: Sequence[FaceSet]) -> FaceSet:
    """Several sets, one after another."""
    return FaceSet(
        np.concatenate([one.crops for one in sets]),
        tuple(chain.from_iterable(one.names for one in sets)),
        np.concatenate([one.attributes for one in sets]),
    )


def to_network(crops: Pictures) -> Tensor:
    """Crops (n, 128, 128, 3), uint8, as (n, 3, 128, 128), float32, -1 to 1, channels last."""
    return torch.from_numpy(np.array(crops, order="C")).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pictures(faces: Tensor) -> Pictures:
    """The inverse of :func:`to_network`, rounded and clipped."""
    levels = ((faces.detach().float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())


def randomness(seed: int, step: int) -> torch.Generator:
    """The random numbers of one training step.

    The same whether or not training was stopped before it.

    >>> a, b = randomness(1, 7), randomness(1, 7)
    >>> bool(torch.equal(torch.rand(3, generator=a), torch.rand(3, generator=b)))
    True
    """
    number = int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0])
    return torch.Generator().manual_seed(number % 2**63)
