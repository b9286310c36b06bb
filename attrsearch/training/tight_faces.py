"""Tightly aligned faces with 68 landmarks.

What face parsing and the restoring editor are trained on.

A face is kept in a square of 176 pixels with the eyes 46 pixels apart; training cuts squares of 128
with the eyes 40 apart out of it, a little turned, scaled and shifted each time, as landmarks found
in a picture are.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text, written
from attrsearch.core.picking import take

Pictures = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

STORED = 176
"""Side of the kept squares, in pixels."""
SIDE = 128
"""Side of the squares that are trained on."""
ZOOM = 40 / 46
"""Pixels of a training square for one of a kept square."""
HINT = "attrsearch train prepare-tight PICTURES --out FACES"


def _mirrored() -> npt.NDArray[np.int64]:
    order = list(range(16, -1, -1)) + list(range(26, 16, -1)) + [27, 28, 29, 30, 35, 34, 33, 32, 31]
    order += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    order += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    return np.array(order, np.int64)


MIRRORED = _mirrored()
"""Which landmark each one is in the mirror image."""


@dataclass(frozen=True)
class TightFaces:
    """Faces, ready to be trained on.

    Attributes:
        crops: (n, 176, 176, 3), RGB, uint8; may be read from disk as it is used.
        landmarks: (n, 68, 2), pixels of the kept square.
        attributes: (n, 13), 0 to 1.
        skin: (n, 176, 176) bits packed along the last axes, (n, 3872) uint8: where the face's skin
            is.
        inside: The same for what lies inside the picture the face came from.
        names: Of the picture of each.
        sources: Name of the set that each came from.
    """

    crops: Pictures
    landmarks: Floats
    attributes: Floats
    skin: Pictures
    inside: Pictures
    names: tuple[str, ...]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: npt.NDArray[np.int64]) -> "TightFaces":
        """The chosen faces, in that order."""
        return TightFaces(
            self.crops[indices],
            self.landmarks[indices],
            self.attributes[indices],
            self.skin[indices],
            self.inside[indices],
            tuple(take(self.names, indices)),
            tuple(take(self.sources, indices)),
        )

    def save(self, folder: Path) -> None:
        """Write the set; ``faces.json`` is written last and means *whole*."""
        arrays = ("crops", "landmarks", "attributes", "skin", "inside")
        for name in arrays:
            with written(folder / f"{name}.npy") as part, part.open("wb") as file:
                np.save(file, getattr(self, name))

        head = {
            "format": "attrsearch/tight-faces",
            "version": 1,
            "names": list(self.names),
            "sources": list(self.sources),
        }
        write_text(folder / "faces.json", json.dumps(head) + "\n")


def load_tight_faces(folder: Path) -> TightFaces:
    """Read prepared faces.

    Raises:
        InputError: The folder holds none, or they are damaged.
    """
    try:
        head = json.loads((folder / "faces.json").read_text(encoding="utf-8"))
        names = tuple(head["names"])
        sources = tuple(head["sources"])
        crops = np.load(folder / "crops.npy", mmap_mode="r")
        landmarks = np.load(folder / "landmarks.npy")
        attributes = np.load(folder / "attributes.npy")
        skin = np.load(folder / "skin.npy", mmap_mode="r")
        inside = np.load(folder / "inside.npy", mmap_mode="r")
    except FileNotFoundError as error:
        raise InputError(
            folder, required="tightly prepared faces", found="none", hint=HINT
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"damaged ones ({error})"
        raise InputError(
            folder, required="tightly prepared faces", found=found, hint=HINT
        ) from error

    count = len(names)
    shapes = (count, STORED, STORED, 3), (count, 68, 2), (count, len(ATTRIBUTES))

    # arrays are files of their own, and one may be of another set
    if (crops.shape, landmarks.shape, attributes.shape) != shapes or head.get("version") != 1:
        found = f"{count} names, crops {crops.shape}, landmarks {landmarks.shape}"
        raise InputError(
            folder, required="tightly prepared faces of version 1", found=found, hint=HINT
        )

    return TightFaces(crops, landmarks, attributes, skin, inside, names, sources)


def load_tight_sources(folders: Sequence[Path]) -> TightFaces:
    """Prepared sets as one; a single one is read from disk as it is used.

    Raises:
        InputError: One holds none, or they are damaged.
    """
    sets = [load_tight_faces(folder) for folder in folders]
    return sets[0] if len(sets) == 1 else join_tight(sets)


def join_tight(sets: Sequence[TightFaces]) -> TightFaces:
    """Several sets, one after another."""
    return TightFaces(
        np.concatenate([one.crops for one in sets]),
        np.concatenate([one.landmarks for one in sets]),
        np.concatenate([one.attributes for one in sets]),
        np.concatenate([one.skin for one in sets]),
        np.concatenate([one.inside for one in sets]),
        tuple(chain.from_iterable(one.names for one in sets)),
        tuple(chain.from_iterable(one.sources for one in sets)),
    )


@dataclass(frozen=True)
class Cut:
    """Training squares of n faces, as arrays.

    Attributes:
        pictures: (n, 128, 128, 3), RGB, uint8.
        landmarks: (n, 68, 2), pixels of the square.
        skin: (n, 128, 128), uint8, 0 or 255 with soft edges.
        inside: The same for the inside of the original picture.
        attributes: (n, 13), 0 to 1.
        mirrored: (n,), whether each is the mirror image.
    """

    pictures: Pictures
    landmarks: Floats
    skin: Pictures
    inside: Pictures
    attributes: Floats
    mirrored: npt.NDArray[np.bool_]


def cut(
    faces: TightFaces,
    indices: npt.NDArray[np.int64],
    random: np.random.Generator,
    turn: float = 4.0,
    scale: float = 0.05,
    shift: float = 2.5,
) -> Cut:
    """Training squares of the chosen faces, each varied a little.

    Args:
        faces: The set.
        indices: Which faces.
        random: Draws what varies.
        turn: Spread of the rotation, in degrees.
        scale: Spread of the scale, as a share.
        shift: Spread of the shift, in pixels of the square.
    """
    pictures = []
    landmarks = []
    skins = []
    insides = []
    # drawn for all at once, before what varies a face: the order of draws is part of a recipe
    mirrored = random.random(len(indices)) < 0.5

    for index, mirror in zip(indices, mirrored, strict=True):
        matrix = _variation(random, turn, scale, shift)
        picture = np.asarray(faces.crops[index])
        points = faces.landmarks[index] @ matrix[:, :2].T + matrix[:, 2]
        square = cv2.warpAffine(
            picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        skin = _unpacked(faces.skin[index], matrix)
        inside = _unpacked(faces.inside[index], matrix)

        if mirror:
            square = np.ascontiguousarray(square[:, ::-1])
            skin = np.ascontiguousarray(skin[:, ::-1])
            inside = np.ascontiguousarray(inside[:, ::-1])
            # in the mirror a left eye is a right one: landmarks change their numbers as well
            points = points[MIRRORED] * np.array([-1, 1]) + np.array([SIDE - 1, 0])

        pictures.append(square)
        landmarks.append(points)
        skins.append(skin)
        insides.append(inside)

    return Cut(
        np.stack(pictures),
        np.stack(landmarks).astype(np.float32),
        np.stack(skins),
        np.stack(insides),
        faces.attributes[indices],
        mirrored,
    )


def to_network(pictures: Pictures) -> Tensor:
    """Pictures (n, h, w, 3), uint8, as (n, 3, h, w), float32, -1 to 1, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _variation(random: np.random.Generator, turn: float, scale: float, shift: float) -> Floats:
    angle = np.deg2rad(random.normal(0, turn))
    # on a logarithmic scale, so that faces are as often larger as smaller
    zoom = ZOOM * np.exp(random.normal(0, scale))
    matrix = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.full(2, (STORED - 1) / 2)
    target = np.full(2, (SIDE - 1) / 2) + random.normal(0, shift, 2)

    return np.concatenate([matrix, (target - matrix @ middle)[:, None]], 1).astype(np.float32)


def _unpacked(bits: Pictures, matrix: Floats) -> Pictures:
    mask = np.unpackbits(np.asarray(bits)).reshape(STORED, STORED) * np.uint8(255)
    return np.asarray(cv2.warpAffine(mask, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.uint8)
