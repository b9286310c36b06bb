"""What follows from the people of a run is written together, and says the same."""

from pathlib import Path

import pandas as pd
import pytest

from attrsearch.core.names import from_csv_cell
from attrsearch.runs.attributes_file import read_attributes
from attrsearch.runs.check import check_run
from attrsearch.runs.export import export_run, left_out_people, refresh_exports, write_again
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.review import decide
from tests.report.synthetic import write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", 12, 30, pictures=False)


def people_of(file: Path) -> set[str]:
    table = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
    return {str(from_csv_cell(name)) for name in table["id"]}


def test_who_is_dropped_is_dropped_from_every_export(run: Path) -> None:
    export_run(run, run / "attributes.csv", "csv", include_infeasible=True)
    export_run(run, run / "attributes.parquet", "parquet")
    exported = {person.id for person in read_attributes(run / "attributes.json").identities}
    name = min(exported)
    decide(run, name, "ann", "drop", {}, dropped=True)
    write_again(run)
    for file in ("attributes.csv", "attributes.parquet", "summary.csv"):
        assert name not in people_of(run / file)
    assert people_of(run / "attributes.parquet") == exported - {name}
    assert len(people_of(run / "attributes.csv")) == 11  # those who are not anonymised stay in it
    decide(run, name, "ann", "drop", {}, dropped=False)
    write_again(run)
    for file in ("attributes.csv", "attributes.parquet", "summary.csv"):
        assert name in people_of(run / file)


def test_nothing_is_made_that_was_not_asked_for(run: Path) -> None:
    refresh_exports(run)
    assert not (run / "attributes.csv").exists()
    (run / "attributes.csv").write_text("mine\n1\n")
    (run / "attributes.parquet").write_bytes(b"no table")
    refresh_exports(run)
    assert (run / "attributes.csv").read_text() == "mine\n1\n"
    assert (run / "attributes.parquet").read_bytes() == b"no table"


def test_an_export_of_nobody_stays_an_export(run: Path) -> None:
    folder = RunFolder(run)
    for part in folder.read_people():
        decide(run, part.record.id, "ann", "drop", {}, dropped=True)
    export_run(run, run / "attributes.csv", "csv")
    assert people_of(run / "attributes.csv") == set()
    name = next(iter(folder.read_people())).record.id
    decide(run, name, "ann", "drop", {}, dropped=False)
    write_again(run)
    feasible = folder.read_person(name).record.feasible
    assert people_of(run / "attributes.csv") == ({name} if feasible else set())


def test_a_dashboard_that_died_between_is_found_and_mended(run: Path) -> None:
    """The decision is written, what follows from it is not yet."""
    export_run(run, run / "attributes.csv", "csv")
    infeasible = next(part for part in RunFolder(run).read_people() if not part.record.feasible)
    feasible = read_attributes(run / "attributes.json").identities[0].id
    decide(run, infeasible.record.id, "ann", "drop", {}, dropped=True)
    found = check_run(run)
    assert [finding.problem for finding in found.findings] == [
        "summary.csv has 12 people, 11 belong in it"
    ]
    decide(run, feasible, "ann", "drop", {}, dropped=True)
    assert check_run(run, repair=True).whole
    assert check_run(run).whole
    assert feasible not in people_of(run / "attributes.csv")


def test_a_winner_chosen_since_is_found(run: Path) -> None:
    folder = RunFolder(run)
    part = next(part for part in folder.read_people() if part.record.feasible)
    record = part.record.model_copy(update={"utility": 0.5})
    folder.write_part(part.model_copy(update={"record": record}))
    problems = [finding.problem for finding in check_run(run).findings]
    assert problems == ["attributes.json has other sets than the people's own files"]


def test_who_is_left_out_and_why(run: Path) -> None:
    found = left_out_people(run)
    assert "needs a picture with a face" in found["Nobody"]
    infeasible = {p.record.id for p in RunFolder(run).read_people() if not p.record.feasible}
    assert set(found) == {*infeasible, "Nobody"}
    assert set(left_out_people(run, include_infeasible=True)) == {"Nobody"}
