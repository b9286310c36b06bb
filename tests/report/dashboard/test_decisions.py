"""Decisions: what counts, what is logged, and what they do to the files of a run."""

import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from attrsearch.core.errors import InputError
from attrsearch.report.page import write_report
from attrsearch.runs.attributes_file import read_attributes
from attrsearch.runs.export import export_run, write_again
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.review import Decision, decide, read_decisions
from tests.report.pages import block
from tests.report.synthetic import provenance, write_people, write_run


def log(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "changes.jsonl").read_text().splitlines()]


def test_nothing_decided(tmp_path: Path) -> None:
    decisions = read_decisions(tmp_path)
    assert decisions.of("anyone") == Decision()
    assert decisions.dropped == frozenset()


def test_the_last_word_counts_and_every_word_is_kept(tmp_path: Path) -> None:
    decide(tmp_path, "A", "ann", "drop", {"dropped": True}, dropped=True)
    decide(tmp_path, "A", "bob", "grade", {"grade": "good"}, grade=2)
    decide(tmp_path, "A", "cem", "drop", {"dropped": False}, dropped=False)
    assert read_decisions(tmp_path).of("A") == Decision(dropped=False, grade=2)
    assert [(line["who"], line["action"], line["person"]) for line in log(tmp_path)] == [
        ("ann", "drop", "A"),
        ("bob", "grade", "A"),
        ("cem", "drop", "A"),
    ]
    assert all(str(line["when"]).endswith("+00:00") for line in log(tmp_path))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "decisions.json").write_text('{"people": {"A": {"grade": 7}}}')
    with pytest.raises(
        InputError, match=r"decisions.json: needs decisions of a dashboard, found a damaged file"
    ):
        read_decisions(tmp_path)


def test_who_is_dropped_is_in_no_result(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 12, 40, pictures=False)
    name = read_attributes(run / "attributes.json").identities[0].id
    decide(run, name, "ann", "drop", {}, dropped=True)
    assert write_again(run)
    assert name not in {person.id for person in read_attributes(run / "attributes.json").identities}
    assert name not in set(pd.read_csv(run / "summary.csv")["id"])
    assert name not in {row["id"] for row in block(write_report(run), "data")["people"]}
    assert export_run(run, tmp_path / "all.json", "json", include_infeasible=True) == 11
    kept = [person for person in RunFolder(run).read_people() if person.record.id != name]
    feasible = sum(person.record.feasible for person in kept)
    assert tomllib.loads((run / "run.toml").read_text())["result"]["feasible"] == feasible
    assert name in set(pd.read_parquet(run / "trials.parquet")["identity"])
    decide(run, name, "ann", "drop", {}, dropped=False)
    write_again(run)
    assert name in {person.id for person in read_attributes(run / "attributes.json").identities}


def test_a_run_that_ends_later_knows_who_was_dropped(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "run", 4, 40, pictures=False)
    decide(folder.path, "Person_0002", "ann", "drop", {}, dropped=True)
    assert not write_again(folder.path)
    folder.finish(provenance(40), {}, 1.0)
    assert set(pd.read_csv(folder.path / "summary.csv")["id"]) == {
        "Person_0000",
        "Person_0001",
        "Person_0003",
    }
