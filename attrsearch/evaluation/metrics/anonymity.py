"""What one judge makes of protected faces.

Verification, identification, distances, and who is still told apart.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.core.picking import without_none
from attrsearch.evaluation.metrics.identification import Gallery, Identification, identify
from attrsearch.evaluation.metrics.verification import (
    FARS,
    Interval,
    Pairs,
    accept_rate,
    genuine_pairs,
    impostor_pairs,
    protected_pairs,
    rate,
    threshold_at,
)
from attrsearch.faces.recognition.calibration import FACENET_IMPOSTOR, distances

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

Value = float | int | str | bool | None
Figures = dict[str, Value]
"""Flat figures by name; an interval is three of them: ``name``, ``name_low``, ``name_high``."""

BINS = np.linspace(0, 2, 81)
"""Edges of the histograms of raw distances."""


@dataclass(frozen=True)
class Standard:
    """What a judge makes of the originals: the ruler for everything protected.

    Attributes:
        embeddings: (n, d), of the originals.
        owners: (n,).
        distractors: (m, d), one face each of other people.
        genuine: Distances within people.
        impostor: Distances between people, distractors included.
        thresholds: By false-accept rate, where enough pairs could tell.
        scale: To the FaceNet scale.
    """

    embeddings: Floats
    owners: Ints
    distractors: Floats
    genuine: Pairs
    impostor: Pairs
    thresholds: dict[float, float]
    scale: float


def measure_originals(
    embeddings: Floats, owners: Ints, distractors: Floats, scale: float | None
) -> Standard:
    """Set a judge's thresholds on the originals.

    Args:
        embeddings: (n, d).
        owners: (n,).
        distractors: (m, d); none where m is 0.
        scale: To the FaceNet scale; measured here where it is None.
    """
    # thresholds are set once, on originals: a protection must not choose its own ruler
    impostor = impostor_pairs(embeddings, owners, distractors)
    thresholds = {far: threshold_at(impostor.distances, far) for far in FARS}
    mean = float(impostor.distances.mean()) if len(impostor.distances) else FACENET_IMPOSTOR

    return Standard(
        embeddings=embeddings,
        owners=owners,
        distractors=distractors,
        genuine=genuine_pairs(embeddings, owners),
        impostor=impostor,
        thresholds=without_none(thresholds),
        scale=scale if scale is not None else FACENET_IMPOSTOR / mean,
    )


def originals_figures(standard: Standard) -> Figures:
    """The judge's own quality on the originals."""
    figures: Figures = {}

    for name, pairs in (("genuine", standard.genuine), ("impostor", standard.impostor)):
        some = len(pairs.distances) > 0
        figures[f"{name}_pairs"] = len(pairs.distances)
        figures[f"{name}_mean"] = float(pairs.distances.mean()) if some else None
        figures[f"{name}_std"] = float(pairs.distances.std()) if some else None

    for far, threshold in standard.thresholds.items():
        figures[f"threshold_{far_name(far)}"] = threshold

    return figures


def protected_figures(standard: Standard, protected: Floats, rows: Ints) -> Figures:
    """What the judge makes of protected faces.

    ``tar_…`` is the share of pairs of a protected face and *another* original of its person below
    the threshold that was set on the originals.  ``parrot_rank1`` looks protected faces up among
    the protected ones: an attacker who protects the gallery in the same way, or two protected sets
    linked by who they show.

    Args:
        standard: Of the originals.
        protected: (m, d).
        rows: (m,), the original that each was made from.
    """
    owners = standard.owners[rows]
    pairs = protected_pairs(protected, standard.embeddings, standard.owners, rows)
    figures: Figures = {}

    for far, threshold in standard.thresholds.items():
        figures |= spread_out(f"tar_{far_name(far)}", accept_rate(pairs, threshold))

    gallery = Gallery(standard.embeddings, standard.owners).with_distractors(standard.distractors)
    figures |= identification_figures("", identify(protected, owners, gallery, rows))
    # on one scale for all judges: distances of different recognisers are not alike
    own = distances(protected, standard.embeddings[rows]) * standard.scale
    figures |= spread_out("distance", rate(own, owners))
    figures |= spread_out(
        "distance_to_others", rate(pairs.distances * standard.scale, pairs.owners)
    )
    among = identify(protected, owners, Gallery(protected, owners), np.arange(len(rows)))
    figures |= identification_figures("parrot_", among)
    strangers = impostor_pairs(protected, owners).distances
    figures["apart"] = float(strangers.mean() * standard.scale) if len(strangers) else None

    return figures


def identification_figures(prefix: str, found: Identification) -> Figures:
    """An identification as flat figures."""
    figures: Figures = {f"{prefix}probes": found.probes, f"{prefix}gallery": found.gallery}
    figures |= spread_out(f"{prefix}rank1", found.rank1)
    figures |= spread_out(f"{prefix}rank5", found.rank5)

    return figures | {f"{prefix}chance1": found.chance1, f"{prefix}chance5": found.chance5}


def histograms(standard: Standard, protected: Floats, rows: Ints) -> dict[str, list[int]]:
    """Counts of raw distances in :data:`BINS`.

    Genuine, impostor, and protected against the own person's originals.
    """
    tables = {
        "genuine": standard.genuine.distances,
        "impostor": standard.impostor.distances,
        "protected": protected_pairs(
            protected, standard.embeddings, standard.owners, rows
        ).distances,
    }
    return {name: np.histogram(values, BINS)[0].tolist() for name, values in tables.items()}


def spread_out(name: str, interval: Interval) -> Figures:
    """An interval as three figures; what is not a number becomes None.

    >>> spread_out("tar", Interval(0.5, 0.4, float("nan")))
    {'tar': 0.5, 'tar_low': 0.4, 'tar_high': None}
    """
    values = {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    figures: Figures = {}
    for key, value in values.items():
        # JSON has no NaN
        figures[key] = value if np.isfinite(value) else None

    return figures


def far_name(far: float) -> str:
    """A false-accept rate as part of a name.

    >>> far_name(1e-3)
    '1e-3'
    """
    return f"1e-{round(-np.log10(far))}"
