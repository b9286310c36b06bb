"""Spare sets: for people of whom no look is good enough to search with."""

import numpy as np

from attrsearch.anonymise.next_sets import spare_sets
from attrsearch.core.attributes import ATTRIBUTES, MALE
from attrsearch.core.recipes.space import load_space

NO_BEARD = ATTRIBUTES.index("No_Beard")
MUSTACHE = ATTRIBUTES.index("Mustache")


def test_spare_sets_steer_no_gender_and_give_no_beard() -> None:
    sets = spare_sets(load_space("one-pass"), "person_7", most=20)
    first = np.stack([one.first for one in sets])
    assert len(sets) == 20
    assert all(one.second is None for one in sets)
    assert not first[:, MALE].any()
    assert (first[:, NO_BEARD] >= 0).all()
    assert (first[:, MUSTACHE] <= 0).all()
    assert len(np.unique(first, axis=0)) == 20


def test_spare_sets_follow_from_the_name() -> None:
    space = load_space("one-pass")
    again = [spare_sets(space, name)[0].first for name in ("a", "a", "b")]
    assert np.array_equal(again[0], again[1])
    assert not np.array_equal(again[0], again[2])
