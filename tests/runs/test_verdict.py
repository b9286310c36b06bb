"""One verdict a person, and the same words, denominator and exit code everywhere."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from attrsearch.report.page import write_report
from attrsearch.runs.attributes_file import read_attributes
from attrsearch.runs.compare import compare
from attrsearch.runs.export import export_run
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.person_part import HeldOut, PersonPart
from attrsearch.runs.verdict import Verdict, Verdicts, verdict_of
from tests.report.pages import block
from tests.report.synthetic import write_run


@pytest.mark.parametrize(
    ("feasible", "verified", "verdict"),
    [
        (True, True, Verdict.HOLDS),
        (True, False, Verdict.SEARCHED_ONLY),
        (True, None, Verdict.SEARCHED_ONLY),
        (False, True, Verdict.NOT_ANONYMISED),
        (False, False, Verdict.NOT_ANONYMISED),
        (False, None, Verdict.NOT_ANONYMISED),
    ],
)
def test_the_verdict(feasible: bool, verified: bool | None, verdict: Verdict) -> None:
    assert verdict_of(feasible, verified) is verdict


def test_nobody_and_exit_codes() -> None:
    assert Verdicts().sentence(0, 0) == "0 of 0 people anonymised"
    assert Verdicts(holds=2).exit_code([]) == 0
    assert Verdicts(holds=2).exit_code(["Ann"]) == 1
    assert Verdicts(infeasible=["Ann"]).exit_code([]) == 1
    assert Verdicts(unverified=["Ann"], refuted=["Bo"]).exit_code([]) == 1


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with people of every verdict, somebody with one picture among them."""
    run = write_run(tmp_path_factory.mktemp("runs") / "run", 60, 30, pictures=False)
    folder = RunFolder(run)
    alone = next(part for part in folder.read_people() if part.verdict is Verdict.HOLDS)
    record = alone.record.model_copy(update={"faces": 1})
    folder.write_part(alone.model_copy(update={"record": record, "heldback": None}))
    export_again(run)
    return run


def export_again(run: Path) -> None:
    from attrsearch.runs.export import write_again

    assert write_again(run)


def counted(verdicts: list[str]) -> dict[str, int]:
    names = {
        "holds": Verdict.HOLDS,
        "searched_only": Verdict.SEARCHED_ONLY,
        "not_anonymised": Verdict.NOT_ANONYMISED,
    }
    return {name: verdicts.count(str(verdict)) for name, verdict in names.items()}


def test_every_file_says_the_same(everything: Path) -> None:
    result = read_run(everything)["result"]
    found = {name: result[name] for name in ("holds", "searched_only", "not_anonymised")}
    assert all(found.values())
    assert sum(found.values()) + result["failed"] == result["identities"]

    summary = pd.read_csv(everything / "summary.csv")
    assert counted(summary["verdict"].tolist()) == found

    rows = block(write_report(everything), "data")["people"]
    assert counted([row["verdict"] for row in rows]) == found
    page = (everything / "report.html").read_text()
    assert f"{found['holds']} of {result['identities']} people are anonymised" in page
    assert f"{found['searched_only']} hold on searched pictures only" in page

    people = len(summary)
    table = compare([everything])
    for verdict, count in zip(Verdict, found.values(), strict=True):
        shown = "anonymised (holds)" if verdict is Verdict.HOLDS else verdict
        assert f"| {shown} | {count}/{people} ({count / people:.0%}) |" in table


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_the_export_says_it(everything: Path, tmp_path: Path, kind: str) -> None:
    expected = {part.record.id: str(part.verdict) for part in RunFolder(everything).read_people()}
    out = tmp_path / f"sets.{kind}"
    assert export_run(everything, out, kind, include_infeasible=True) == len(expected)
    if kind == "json":
        exported = {person.id: str(person.verdict) for person in read_attributes(out).identities}
    else:
        table = pd.read_csv(out) if kind == "csv" else pd.read_parquet(out)
        exported = dict(zip(table["id"], table["verdict"], strict=True))
    assert exported == expected


def test_an_export_of_an_earlier_version_is_read(everything: Path, tmp_path: Path) -> None:
    record = json.loads((everything / "attributes.json").read_text())
    for person in record["identities"]:
        del person["verdict"]
    earlier = tmp_path / "attributes.json"
    earlier.write_text(json.dumps(record))
    assert {person.verdict for person in read_attributes(earlier).identities} == {None}


def part_with(
    everything: Path, held: HeldOut | None, joined: tuple[int, ...], faces: int
) -> PersonPart:
    part = next(RunFolder(everything).read_people())
    record = part.record.model_copy(update={"feasible": True, "faces": faces})
    return part.model_copy(update={"record": record, "heldback": held, "joined": joined})


def test_reasons(everything: Path) -> None:
    good = HeldOut(faces=2, detection=1, iou=0.9, distance=1.5, worst_distance=1.4, feasible=True)
    bad = good.model_copy(update={"feasible": False})
    cases = [
        (good, (), 4, False, "holds on 2 kept back"),
        (good, (1,), 5, True, "holds on 2 kept back"),
        (bad, (), 4, True, "fails on 2 kept back"),
        (None, (), 1, False, "one picture, could not be verified"),
        (None, (), 3, False, "no picture kept back, could not be verified"),
        (None, (0,), 2, True, "failed on every picture kept back"),
    ]
    for held, joined, faces, refuted, reason in cases:
        part = part_with(everything, held, joined, faces)
        assert part.refuted is refuted
        assert part.reason.startswith(reason)


def test_who_is_dropped_has_no_verdict_in_the_counts(everything: Path, tmp_path: Path) -> None:
    from attrsearch.runs.review import decide

    run = tmp_path / "run"
    shutil.copytree(everything, run)
    holding = next(p for p in RunFolder(run).read_people() if p.verdict is Verdict.HOLDS)
    before = read_run(run)["result"]["holds"]
    decide(run, holding.record.id, "someone", "drop", {}, dropped=True)
    export_again(run)
    assert read_run(run)["result"]["holds"] == before - 1
