"""Parts of sequences and mappings, by index or by name."""

from collections.abc import Iterable, Mapping, Sequence
from typing import SupportsIndex, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")


@overload
def take(items: Sequence[V], keys: Iterable[SupportsIndex]) -> list[V]: ...
@overload
def take(items: Mapping[K, V], keys: Iterable[K]) -> list[V]: ...
def take(items, keys):  # type: ignore[no-untyped-def]
    """What lies at indices of a sequence, or under keys of a mapping, in the order asked for.

    >>> take(["a", "b", "c"], [2, 0])
    ['c', 'a']
    >>> take({"yaw": 3.0, "roll": 1.0}, ["roll"])
    [1.0]

    Raises:
        IndexError: An index lies outside the sequence.
        KeyError: A key is missing.
    """
    return [items[key] for key in keys]


def without(mapping: Mapping[K, V], *names: K) -> dict[K, V]:
    """All but some entries; names that are not there do not matter.

    >>> without({"a": 1, "b": 2}, "b", "c")
    {'a': 1}
    """
    return {name: value for name, value in mapping.items() if name not in names}


def without_none(mapping: Mapping[K, V | None]) -> dict[K, V]:
    """The entries that say something.

    >>> without_none({"trials": 3, "seed": None})
    {'trials': 3}
    """
    return {name: value for name, value in mapping.items() if value is not None}
