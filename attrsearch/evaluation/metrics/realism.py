"""How natural protected faces look: the critic, and FID and KID of the classifier's features.

FID and KID are *not* the Inception ones, whose network is not to be had offline: the features are
the 256 channel means of the last layer of the bundled traits classifier.  They can be compared with
one another, not with papers.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attrsearch.core.parallel import in_parallel, network
from attrsearch.faces.attribute_classifier import TraitsNetwork

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]

FEATURES = "channel means of the last layer of the bundled traits classifier"
CHUNK = 32


def features(crops: Tensor, classifier: TraitsNetwork) -> Floats:
    """Features (n, 256) of aligned crops (n, 3, 128, 128), RGB from -1 to 1."""
    body = classifier.layers[:-4]  # without pooling, flattening, dropout and the linear layer
    where = next(classifier.parameters()).device

    @network
    def one(part: Tensor) -> Floats:
        return np.asarray(body(part.to(where)).mean((2, 3)).float().cpu().numpy(), np.float32)

    return np.concatenate(in_parallel(one, list(torch.split(crops, CHUNK))))


def frechet_distance(first: Floats, second: Floats) -> float:
    """Frechet distance of two sets of features (n, d), taken as Gaussians (Heusel et al., 2017).

    >>> rows = np.float32([[0, 0], [1, 1], [0, 1], [1, 0]])
    >>> round(frechet_distance(rows, rows + np.float32([3, 4])), 6)
    25.0
    """
    a = first.astype(np.float64)
    b = second.astype(np.float64)
    shift = a.mean(0) - b.mean(0)
    one = np.cov(a, rowvar=False)
    two = np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(one)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    shared = np.sqrt(
        np.maximum(np.linalg.eigvalsh(root @ two @ root), 0)
    ).sum()  # trace of the root of the product

    return float(max(0.0, shift @ shift + np.trace(one) + np.trace(two) - 2 * shared))


def kernel_distance(first: Floats, second: Floats) -> float:
    """Kernel distance of two sets of features (n, d).

    Unbiased MMD, cubic kernel (Binkowski et al., 2018).
    """
    a = first.astype(np.float64)
    b = second.astype(np.float64)
    within = _off_diagonal_mean(_cubic(a, a)) + _off_diagonal_mean(_cubic(b, b))

    return float(within - 2 * _cubic(a, b).mean())


def _cubic(first: Floats64, second: Floats64) -> Floats64:
    return np.asarray((first @ second.T / first.shape[1] + 1) ** 3)


def _off_diagonal_mean(table: Floats64) -> float:
    count = len(table)
    return float((table.sum() - np.trace(table)) / (count * (count - 1))) if count > 1 else 0.0
