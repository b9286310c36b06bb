"""Runs as they lie on disk: what a check notices and mends, parts that become one run."""

import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrsearch.cli.main import main
from attrsearch.core.errors import InputError, OutputError
from attrsearch.faces.people import PersonFiles
from attrsearch.runs.attributes_file import read_attributes
from attrsearch.runs.check import check_run
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.journal import Journal
from attrsearch.runs.merge import merge_runs
from attrsearch.runs.metadata import read_run
from attrsearch.search.distributed.shards import Shard
from tests.report.synthetic import provenance, write_people, write_person, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    out = write_run(tmp_path / "run", 4, 12)
    for part in RunFolder(out).read_people():
        Journal(out).add("finished", id=part.record.id)
    return out


def problems(out: Path, repair: bool = False) -> list[str]:
    return [str(item) for item in check_run(out, repair).findings]


def flip(path: Path, place: int = -20) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_a_run_that_is_whole(run: Path) -> None:
    found = check_run(run)
    assert (found.people, found.files, found.unsealed, found.findings) == (4, 16, 0, [])
    assert found.finished
    assert found.whole


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (
            lambda run: flip(run / "people" / "Person_0001.json", 150),
            "people/Person_0001.json: a damaged file",
        ),
        (
            lambda run: flip(run / "people" / "Person_0001.parquet"),
            "Person_0001.parquet is not what was written",
        ),
        (
            lambda run: flip(run / "images/Person_0001/best_0.jpg"),
            "best_0.jpg is not what was written",
        ),
        (
            lambda run: (run / "people" / "Person_0001.parquet").unlink(),
            "Person_0001.parquet is gone",
        ),
        (lambda run: (run / "images/Person_0001/best_0.jpg").unlink(), "best_0.jpg is gone"),
        (
            lambda run: (run / "people" / "Person_0001.json").unlink(),
            "Person_0001: was finished, and is gone",
        ),
        (
            lambda run: shutil.copy(
                run / "people/Person_0002.json", run / "people/Person_0001.json"
            ),
            "the results of Person_0002",
        ),
    ],
)
def test_one_damaged_person_is_noticed_and_moved_aside(
    run: Path, harm: Callable[[Path], object], problem: str
) -> None:
    harm(run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert any(problem in line for line in problems(run))
    assert {
        path: path.read_bytes() for path in run.rglob("*") if path.is_file()
    } == before  # only looked at
    assert not check_run(run).whole

    found = check_run(run, repair=True)
    assert found.people == 3
    assert found.again == ["Person_0001"]
    assert not found.whole
    names = {record.id for record in read_attributes(run / "attributes.json").identities}
    assert "Person_0001" not in names
    assert set(pd.read_parquet(run / "trials.parquet")["identity"]) == {
        f"Person_000{i}" for i in (0, 2, 3)
    }
    assert not RunFolder(run).is_finished("Person_0001")
    assert all(RunFolder(run).is_finished(f"Person_000{i}") for i in (0, 2, 3))

    write_person(RunFolder(run), "Person_0001", 12, np.random.default_rng(1))  # as --resume would
    assert check_run(run, repair=True).whole
    assert problems(run) == []


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda run: (run / "attributes.json").write_text("{"), "attributes.json: no valid JSON"),
        (
            lambda run: (run / "trials.parquet").write_bytes(b"no"),
            "trials.parquet is damaged or gone",
        ),
        (lambda run: (run / "summary.csv").unlink(), "summary.csv is gone"),
    ],
)
def test_tables_are_written_again(run: Path, harm: Callable[[Path], object], problem: str) -> None:
    whole = {name: (run / name).read_bytes() for name in ("attributes.json", "summary.csv")}
    harm(run)
    assert any(problem in line for line in problems(run))
    assert check_run(run, repair=True).whole
    assert {name: (run / name).read_bytes() for name in whole} == whole


def test_an_interrupted_run_is_repaired_and_can_be_read(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "run", 3, 12)
    run = folder.path
    (run / "people" / "Half.parquet").write_bytes(b"PAR1")
    (run / "images" / "Half").mkdir()
    (run / "people" / ".Other.json.0123abcd.part").write_text("{")
    with (run / "journal.jsonl").open("ab") as file:
        file.write(
            b'{"when": "2026-01-01T00:00:00+00:00", "event": "fini'
        )  # killed in the middle of a line
    assert len(problems(run)) == 5
    assert main(["report", str(run)]) == 2  # no tables yet
    found = check_run(run, repair=True)
    assert found.people == 3
    assert found.whole
    assert not list(run.rglob("*Half*"))
    assert not list(run.rglob("*.part"))
    assert read_run(run)["interrupted"] == {"people": 3}
    assert main(["report", str(run)]) == 0
    assert [line for line in problems(run) if "journal" not in line] == []


def test_a_journal_survives_half_a_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add("start", people=2)
    with journal.path.open("ab") as file:
        file.write(b'{"event": "finis')
    journal.add("finished", id="a")
    assert [line["event"] for line in journal.read()] == ["start", "finished"]
    assert journal.damaged == 1
    text = journal.path.read_text().replace('"id": "a"', '"id": "b"')  # changed by hand
    journal.path.write_text(text)
    assert [line["event"] for line in journal.read()] == ["start"]
    assert list(Journal(tmp_path / "nowhere").read()) == []


def test_check_as_a_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(run)]) == 0
    assert "4 people whole, 16 files match their checksums" in capsys.readouterr().err
    flip(run / "people" / "Person_0001.json", 150)
    assert main(["check", str(run), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["again"] == 1
    assert found["findings"][0] == "people/Person_0001.json: a damaged file"
    assert main(["check", str(run), "--repair"]) == 1
    assert "1 to be searched again (attrsearch run … --resume)" in capsys.readouterr().err
    assert main(["check", str(run / "people")]) == 2


def people(count: int) -> list[PersonFiles]:
    return [PersonFiles(f"p{i:03d}", ()) for i in range(count)]


@pytest.mark.parametrize(("count", "parts"), [(0, 3), (1, 3), (10, 3), (12, 4), (101, 7)])
def test_each_person_is_in_one_shard(count: int, parts: int) -> None:
    shards = [Shard(i + 1, parts).choose(people(count)) for i in range(parts)]
    assert sorted(person.id for shard in shards for person in shard) == [
        person.id for person in people(count)
    ]
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    assert Shard(1, parts).choose(people(count)[::-1]) == shards[0]


@pytest.mark.parametrize(
    "text", ["", "1", "0/4", "5/4", "1/0", "a/b", "-1/4", "1/4/2", "1.0/4", "1/9999999"]
)
def test_no_shard(text: str) -> None:
    with pytest.raises(InputError, match="--shard: needs a part such as 1/4"):
        Shard.parse(text)


def shards(tmp_path: Path, parts: int = 3, count: int = 7, **changes: object) -> list[Path]:
    """Finished parts of one run."""
    everybody = people(count)
    runs = []
    for number in range(1, parts + 1):
        shard = Shard(number, parts)
        origin = replace(provenance(12), shard=shard.record(everybody), **changes)  # type: ignore[arg-type]
        folder = RunFolder(tmp_path / f"part{number}")
        folder.start(origin, resume=False)
        for person in shard.choose(everybody):
            generator = np.random.default_rng(int(person.id[1:]))
            write_person(folder, person.id, 12, generator)
        folder.finish(origin, {"Nobody": "Nobody: no face"} if number == 1 else {}, 10.0)
        runs.append(folder.path)
    return runs


def test_shards_become_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = shards(tmp_path)
    assert main(["merge", *map(str, parts), "--out", str(tmp_path / "all")]) == 1  # somebody failed
    whole = write_run_of(tmp_path / "whole", 7)
    for name in ("attributes.json", "summary.csv"):
        assert (tmp_path / "all" / name).read_bytes() == (whole / name).read_bytes()
    about = tomllib.loads((tmp_path / "all" / "run.toml").read_text())
    assert about["result"]["seconds"] == 30.0
    assert about["merged"]["runs"] == 3
    assert about["failures"][0]["id"] == "Nobody"
    assert "shard" not in about
    assert check_run(tmp_path / "all").whole
    assert (tmp_path / "all" / "report.html").is_file()
    for path in (tmp_path / "all" / "people").glob("*.json"):
        assert any(
            path.read_bytes() == part.read_bytes()
            for part in tmp_path.glob(f"part*/people/{path.name}")
        )


def write_run_of(out: Path, count: int) -> Path:
    folder = RunFolder(out)
    folder.start(provenance(12), resume=False)
    for i in range(count):
        write_person(folder, f"p{i:03d}", 12, np.random.default_rng(i))
    folder.finish(provenance(12), {}, 1.0)
    return out


def test_a_merge_that_was_stopped_goes_on(tmp_path: Path) -> None:
    parts = shards(tmp_path)
    merge_runs(parts, tmp_path / "all")
    (tmp_path / "all" / "people" / "p001.json").unlink()
    (tmp_path / "all" / "attributes.json").unlink()
    assert merge_runs(parts, tmp_path / "all").counts.people == 7
    assert check_run(tmp_path / "all").whole


def test_what_is_not_merged(tmp_path: Path) -> None:
    parts = shards(tmp_path)
    out = tmp_path / "all"
    with pytest.raises(
        InputError,
        match=r"needs each of 3 parts once, found 2, without or twice 2/3; .*--shard 2/3",
    ):
        merge_runs([parts[0], parts[2]], out)
    with pytest.raises(InputError, match="without or twice"):
        merge_runs([*parts, parts[2]], out)
    with pytest.raises(InputError, match="found p000, who is in"):
        merge_runs([write_run_of(tmp_path / "a", 1), write_run_of(tmp_path / "b", 1)], out)
    other = shards(tmp_path / "other", count=8)
    with pytest.raises(InputError, match="needs parts of the same people"):
        merge_runs([*parts[:2], other[2]], out)
    changed = shards(
        tmp_path / "changed", settings={**provenance(12).settings, "editor_sha256": "00"}
    )
    with pytest.raises(InputError, match="editor_sha256 = '7c7c"):
        merge_runs([*parts[:2], changed[2]], out)
    assert not out.exists()
    with pytest.raises(OutputError, match="found one of the runs"):
        merge_runs(parts, parts[0])
    flip(parts[1] / "images" / "p001" / "best_0.jpg")
    with pytest.raises(
        InputError, match=r"needs a whole run, found people/p001\.json: .* is not what was written"
    ):
        merge_runs(parts, out)
    stopped = write_people(tmp_path / "stopped", 1, 12).path
    with pytest.raises(InputError, match="needs a finished run, found one that was stopped"):
        merge_runs([stopped], out)
