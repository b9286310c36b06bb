"""Parts of sequences and mappings."""

import numpy as np
import pytest

from attrsearch.core.picking import take, without, without_none


def test_nothing_is_taken_where_nothing_is_asked_for() -> None:
    assert take([], []) == []
    assert take({"a": 1}, []) == []


def test_items_come_in_the_order_asked_for() -> None:
    assert take(("a", "b", "c"), np.array([2, 0, 2])) == ["c", "a", "c"]
    assert take({"yaw": 3.0, "roll": 1.0}, ("roll", "yaw")) == [1.0, 3.0]


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(IndexError):
        take(["a"], [1])
    with pytest.raises(KeyError, match="pitch"):
        take({"yaw": 3.0}, ["pitch"])


def test_the_mapping_itself_stays() -> None:
    mapping = {"a": 1, "b": None}
    assert without(mapping, "a", "c") == {"b": None}
    assert without_none(mapping) == {"a": 1}
    assert mapping == {"a": 1, "b": None}


def test_what_is_falsy_still_says_something() -> None:
    assert without_none({"trials": 0, "name": "", "seed": None}) == {"trials": 0, "name": ""}
