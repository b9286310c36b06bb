"""Verification and identification against brute force, and where their answer is known."""

import numpy as np
import pytest

from attrsearch.evaluation.metrics.identification import (
    Gallery,
    chance,
    identify,
    person_distances,
    ranks,
)
from attrsearch.evaluation.metrics.verification import (
    accept_rate,
    genuine_pairs,
    impostor_pairs,
    pairwise,
    protected_pairs,
    rate,
    threshold_at,
)


def units(count: int, seed: int = 0, size: int = 16) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def noisy(centres: np.ndarray, owners: np.ndarray, noise: float, seed: int = 1) -> np.ndarray:
    rows = centres[owners] + noise * units(len(owners), seed, centres.shape[1])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_pairs_are_those_of_brute_force() -> None:
    rows, owners = units(7), np.array([0, 0, 1, 1, 1, 2, 3])
    genuine, impostor = genuine_pairs(rows, owners), impostor_pairs(rows, owners)
    expected = {True: [], False: []}
    for i in range(7):
        for j in range(i + 1, 7):
            expected[owners[i] == owners[j]].append(np.linalg.norm(rows[i] - rows[j]))
    assert np.allclose(np.sort(genuine.distances), np.sort(expected[True]), atol=1e-4)
    assert np.allclose(np.sort(impostor.distances), np.sort(expected[False]), atol=1e-4)
    assert len(impostor_pairs(rows, owners, units(3, 5)).distances) == len(expected[False]) + 21


def test_a_protected_face_is_never_compared_with_the_picture_it_was_made_from() -> None:
    rows = units(3)
    owners = np.array([0, 0, 1])
    pairs = protected_pairs(
        rows, rows, owners
    )  # nothing was done to them, and still no distance is 0
    assert pairs.owners.tolist() == [0, 0]
    assert pairs.distances.min() > 0.1


@pytest.mark.parametrize("far", [1e-2, 1e-3])
def test_threshold_accepts_that_share_of_impostors(far: float) -> None:
    impostor = np.random.default_rng(0).uniform(0, 2, 50_000).astype(np.float32)
    threshold = threshold_at(impostor, far)
    assert threshold is not None
    assert (impostor < threshold).mean() == pytest.approx(far, rel=1e-3)


def test_threshold_needs_ten_pairs_below() -> None:
    impostor = np.linspace(0, 2, 9_999, dtype=np.float32)
    assert threshold_at(impostor, 1e-3) is None
    assert threshold_at(np.linspace(0, 2, 10_000, dtype=np.float32), 1e-3) is not None


def test_the_interval_is_over_people_not_over_pairs() -> None:
    """Twenty people, each either always or never accepted.

    Many pairs do not make the interval narrow.
    """
    owners = np.arange(20).repeat(500)
    hits = owners % 2 == 0
    found = rate(hits, owners)
    assert found.value == 0.5
    assert found.high - found.low > 0.3
    assert rate(hits, np.arange(len(hits))).high - rate(hits, np.arange(len(hits))).low < 0.03


def test_nothing_to_count_is_not_a_rate() -> None:
    assert np.isnan(accept_rate(genuine_pairs(units(2), np.array([0, 1])), 1.0).value)


def test_person_distances_are_to_the_nearest_picture_that_is_left() -> None:
    gallery = Gallery(units(5), np.array([4, 2, 4, 2, 9]))
    probes = units(3, 7)
    table = pairwise(probes, gallery.embeddings)
    found = person_distances(probes, gallery, np.array([0, -1, 4]))
    assert found.shape == (3, 3)
    assert found[0].tolist() == [min(table[0, [1, 3]]), table[0, 2], table[0, 4]]
    assert found[1].tolist() == [min(table[1, [1, 3]]), min(table[1, [0, 2]]), table[1, 4]]
    assert np.isinf(found[2, 2])


def test_ranks_count_who_is_nearer() -> None:
    assert ranks(np.float32([[3, 1, 2], [3, 1, 2]]), np.array([0, 1])).tolist() == [3, 1]


def test_faces_close_to_their_person_are_identified_and_random_ones_are_not() -> None:
    centres, owners = units(40, size=64), np.arange(40).repeat(3)
    originals = noisy(centres, owners, 0.4)
    gallery = Gallery(originals, owners).with_distractors(units(200, 3, 64))
    near = identify(noisy(centres, owners, 0.4, 9), owners, gallery, np.arange(120))
    assert near.rank1.value > 0.95
    assert near.gallery == 240
    assert near.probes == 120
    far = identify(units(120, 11, 64), owners, gallery, np.arange(120))
    assert far.rank1.value < 0.06
    assert far.chance1 < 0.03


def test_a_person_with_one_picture_cannot_be_looked_for_elsewhere() -> None:
    rows, owners = units(3), np.array([0, 0, 1])
    assert identify(rows, owners, Gallery(rows, owners), np.arange(3)).probes == 2


def test_measured_chance_is_that_of_guessing_among_the_others() -> None:
    """Over every possible assignment of another person, brute force."""
    table = units(8, 2, 6)
    columns, enrolled = np.array([0, 1, 2, 3, 0, 1, 2, 3]), np.array([0, 1, 2, 3])
    asked = [(i, other) for i in range(8) for other in enrolled if other != columns[i]]
    hits = [ranks(table[i : i + 1], np.array([other]))[0] <= 2 for i, other in asked]
    assert chance(table, columns, enrolled, 2) == pytest.approx(np.mean(hits))
