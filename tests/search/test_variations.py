"""Variations of a face: what moves, what changes, and what stays."""

import numpy as np

from attrsearch.faces.alignment import invert, warp
from attrsearch.faces.dataset import Identity
from attrsearch.search.variations import VARIATIONS, vary


def test_none_at_all(people: list[Identity]) -> None:
    assert vary(people[0].faces, 0) == []
    assert vary([], 3) == []


def test_all_of_a_face_together(people: list[Identity]) -> None:
    faces = people[0].faces
    found = vary(faces, 3)
    assert [item.source for item in found] == [face.source for face in faces for _ in range(3)]
    again = vary(faces, 3)
    for one, other in zip(found, again, strict=True):
        assert np.array_equal(one.crop, other.crop)
        assert np.array_equal(one.window, other.window)


def test_what_each_changes(people: list[Identity]) -> None:
    face = people[0].faces[0]
    inside = slice(60, 130)  # the middle of the window
    before = face.window[inside, inside].mean()
    for variation, found in zip(VARIATIONS, vary([face], len(VARIATIONS)), strict=True):
        ratio = found.window[inside, inside].mean() / before
        assert (ratio > 1.05) == (variation.light > 1)
        assert (ratio < 0.95) == (variation.light < 1)
        moved = found.crop_to_window - face.crop_to_window
        assert np.abs(moved).max() > 0.5
        assert found.crop.shape == face.crop.shape
        assert found.crop.dtype == face.crop.dtype == np.uint8
        # The crop is cut from the varied window where the moved alignment says.
        cut = warp(found.window, invert(found.crop_to_window), len(found.crop))
        assert np.array_equal(found.crop, cut)
