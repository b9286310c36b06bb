"""Templates give sections: blocks are read, and an unknown one is refused."""

import json
from pathlib import Path

import pytest

from attrsearch.experiments.page import write_figures
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


STREET = {"motion": "medium", "faces": 32, "missed": 3, "real": 0, "switches": 0}
STREET |= {"covers": {"blur": 2, "edit": 30}, "spread": 1.5, "flicker": float("nan")}


def test_figures_are_said_or_written_as_they_are(tmp_path: Path) -> None:
    figures = {"streets": [STREET]}
    write_figures(tmp_path / "a.md", "streets-protected", figures)
    last = (tmp_path / "a.md").read_text(encoding="utf-8").splitlines()[-1]
    assert last == "| medium | 32 | 3 | 0 | 0 | 2 blur, 30 edit | 1.50 | – |"
    write_figures(tmp_path / "a.json", "streets-protected", figures)
    written = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert written["streets"] == [{**STREET, "flicker": None}]
