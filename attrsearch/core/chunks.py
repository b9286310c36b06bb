"""Pieces of one size, so that memory does not grow with the number of items."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def slices(count: int, size: int) -> list[slice]:
    """Slices over ``count`` items of at most ``size`` each; the last may reach beyond the end.

    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    return [slice(start, start + size) for start in range(0, count, size)]


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in their order, at most ``size`` at a time.

    >>> chunks("abcde", 2)
    ['ab', 'cd', 'e']
    """
    return [items[part] for part in slices(len(items), size)]
