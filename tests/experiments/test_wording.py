"""Templates give sections: blocks are read, and an unknown one is refused."""

import pytest

from attrsearch.experiments.section import Comparison
from attrsearch.experiments.wording import read_blocks

TEXT = """
== title
distances
== method
One picture each,
twice.
== compared
found | 98 % | 97 %
  at 16 |  | 3
== table All of them:
 | pictures
women |
== picture chart
A chart.
== note
First.
== note
Second.
"""


def test_blocks_are_read() -> None:
    words = read_blocks(TEXT)
    assert (words.title, words.method) == ("distances", "One picture each, twice.")
    assert words.compared == [Comparison("found", "98 %", "97 %"), Comparison("  at 16", "", "3")]
    (table,) = words.tables
    assert table.caption == "All of them:"
    assert table.columns == ("", "pictures")
    assert table.rows == (("women", ""),)
    assert words.captions == {"chart": "A chart."}
    assert words.notes == ["First.", "Second."]


def test_nothing_is_read_from_nothing() -> None:
    words = read_blocks("")
    assert words.title == ""
    assert words.compared == []


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a kind that is known, found chapter"):
        read_blocks("== chapter\nOne")
