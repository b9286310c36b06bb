"""Pieces of one size."""

from attrsearch.core.chunks import chunks, slices


def test_nothing_has_no_pieces() -> None:
    assert slices(0, 3) == []
    assert chunks([], 3) == []


def test_pieces_are_all_of_it_in_its_order() -> None:
    items = list(range(7))
    assert chunks(items, 3) == [[0, 1, 2], [3, 4, 5], [6]]
    assert [len(items[part]) for part in slices(len(items), 7)] == [7]
    assert chunks(items, 100) == [items]
