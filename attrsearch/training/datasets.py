"""The faces of a training: prepared sets joined, missing attributes from the classifier."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from attrsearch.core.errors import InputError
from attrsearch.core.files import written
from attrsearch.core.picking import take
from attrsearch.faces.attribute_classifier import TraitsNetwork
from attrsearch.training.dataset import FaceSet, Floats, Pictures, join, load_face_set, to_network

CHUNK = 64


def load_sources(folders: Sequence[Path], network: TraitsNetwork | None = None) -> FaceSet:
    """Prepared sets, joined.

    Args:
        folders: At least one.
        network: Fills in the attributes of faces no table speaks of; its guesses are kept beside
            the faces.

    Raises:
        InputError: None given, or one holds no prepared faces.
    """
    if not folders:
        hint = "attrsearch train prepare PICTURES --out FACES"
        raise InputError(
            "FACES", required="at least one folder of prepared faces", found="none", hint=hint
        )

    sets = [load_face_set(folder) for folder in folders]
    if network is not None:
        name = f"guessed-{_digest(network)}.npy"
        # guessed once a folder and classifier: a later training reads what was guessed
        for number, folder in enumerate(folders):
            sets[number] = filled(sets[number], network, folder / name)

    return join(sets)


def filled(faces: FaceSet, network: TraitsNetwork, cache: Path | None = None) -> FaceSet:
    """The set with attributes for every face.

    Those of its table, and the classifier's guesses for the others.

    Args:
        faces: Some or none with attributes.
        network: Guesses.
        cache: Where the guesses are kept.
    """
    unknown = np.flatnonzero(~faces.labelled)
    if not len(unknown):
        return faces

    guessed = np.load(cache) if cache is not None and cache.is_file() else None
    if guessed is None or guessed.shape != (len(unknown), faces.attributes.shape[1]):
        guessed = probabilities(network, faces.crops, unknown)
        if cache is not None:
            with written(cache) as part, part.open("wb") as file:
                np.save(file, guessed)

    attributes = faces.attributes.copy()
    attributes[unknown] = guessed.round()
    return FaceSet(faces.crops, faces.names, attributes)


def taught(faces: FaceSet, teachers: Sequence[TraitsNetwork]) -> FaceSet | None:
    """The faces no table speaks of, with the mean guess of teachers, 0 to 1.

    None where every face has attributes.
    """
    unknown = np.flatnonzero(~faces.labelled)
    if not len(unknown) or not teachers:
        return None

    guessed = np.mean(
        [probabilities(teacher, faces.crops, unknown) for teacher in teachers], axis=0
    )
    return FaceSet(faces.crops[unknown], tuple(take(faces.names, unknown)), guessed)


def _digest(network: TraitsNetwork) -> str:
    found = hashlib.sha256()
    for value in network.state_dict().values():
        found.update(value.numpy().tobytes())

    return found.hexdigest()[:12]


@torch.no_grad()
def probabilities(
    network: TraitsNetwork, crops: Pictures, indices: npt.NDArray[np.intp] | None = None
) -> Floats:
    """Probability of each attribute (n, 13) of crops, averaged over each and its mirror image."""
    chosen = np.arange(len(crops)) if indices is None else indices
    rows = []

    for start in range(0, len(chosen), CHUNK):
        part = to_network(crops[chosen[start : start + CHUNK]])
        logits = (network(part) + network(part.flip(-1))) / 2
        rows.append(torch.sigmoid(logits.float()).numpy())

    return np.concatenate(rows) if rows else np.zeros((0, 13), np.float32)


def labelled_only(faces: FaceSet) -> FaceSet:
    """The faces a table speaks of.

    Raises:
        InputError: There are none.
    """
    known = np.flatnonzero(faces.labelled)

    if not len(known):
        raise InputError(
            "FACES",
            required="faces with attributes",
            found="none",
            hint="prepare them with --table attributes.csv",
        )

    return faces if len(known) == len(faces) else faces.take(known)
