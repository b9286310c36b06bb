"""The report: offline, escaped, failures first, and with the numbers of the run."""

import base64
import hashlib
import io
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import attrsearch
from attrsearch.core.errors import InputError
from attrsearch.report import glossary
from attrsearch.report.packing import SOURCES, pack, staircase, unpack
from attrsearch.report.page import best_so_far, write_report
from attrsearch.runs.attributes_file import read_attributes
from attrsearch.runs.export import export_run
from attrsearch.runs.folder import RunFolder
from tests.report.pages import block, tags
from tests.report.synthetic import write_run


def test_nothing_is_asked_of_the_network(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    for tag, attributes in tags(page):
        for name in ("src", "href", "srcset", "action"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
        assert tag not in ("link", "iframe", "object", "embed", "form")
    without_names = page.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in without_names
    assert "https://" not in without_names
    assert not re.search(r"@import|url\(|WebSocket|XMLHttpRequest|sendBeacon", page)


def test_only_our_own_script_and_style_may_run(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    policy = next(a["content"] for t, a in tags(page) if t == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for element, directive in (("script", "script-src"), ("style", "style-src")):
        texts = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        assert len(texts) == 1
        digest = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_names_are_escaped(finished: Path, nasty: str) -> None:
    page = (finished / "report.html").read_text()
    assert nasty not in page
    assert nasty in {row["id"] for row in block(page, "data")["people"]}
    assert all("onerror" not in attributes for _, attributes in tags(page))


def test_failures_come_first(tmp_path: Path) -> None:
    page = write_report(write_run(tmp_path / "run", 40, 30, pictures=False))
    rows = block(page, "data")["people"]
    states = [(row["feasible"], row["held"]["feasible"]) for row in rows]
    assert len({row["feasible"] for row in rows}) == 2
    assert states == sorted(states)
    assert block(page, "data")["about"]["failures"][0]["id"] == "Nobody"


def test_the_four_files_agree(finished: Path) -> None:
    """Report, summary.csv, attributes.json and trials.parquet tell one story."""
    page = finished / "report.html"
    rows = {row["id"]: row for row in block(page, "data")["people"]}
    packed = dict(
        zip(
            (row["id"] for row in block(page, "data")["people"]),
            block(page, "trials-0"),
            strict=True,
        )
    )
    summary = pd.read_csv(finished / "summary.csv").set_index("id")
    trials = pd.read_parquet(finished / "trials.parquet")
    exported = {
        person.id: person for person in read_attributes(finished / "attributes.json").identities
    }
    assert set(rows) == set(summary.index) == set(trials["identity"])
    assert (
        set(exported)
        == set(summary.index[summary["feasible"]])
        == {k for k, row in rows.items() if row["feasible"]}
    )
    for name, row in rows.items():
        own = trials[trials["identity"] == name].sort_values("trial")
        winner = own[own["trial"] == row["winner"]].iloc[0]
        for term in ("detection", "iou", "distance", "utility"):
            assert math.isclose(winner[term], row[term], abs_tol=1e-5)
            assert math.isclose(summary.loc[name, term], row[term], abs_tol=1e-6)
            assert name not in exported or getattr(exported[name], term) == row[term]
        assert math.isclose(
            summary.loc[name, "heldback_distance"], row["held"]["distance"], abs_tol=1e-6
        )
        assert bool(summary.loc[name, "heldback_feasible"]) == row["held"]["feasible"]
        shown = unpack(packed[name])
        measured = own["evaluated"].to_numpy()
        for term in ("detection", "iou", "distance", "worst_distance"):
            assert np.allclose(np.asarray(shown[term])[measured], own[term][measured], atol=3e-5)
        assert shown["feasible"].tolist() == own["feasible"].tolist()
        assert row["evaluations"] == measured.sum()
        assert row["feasibleTrials"] == own["feasible"].sum()


def test_the_slider_knows_every_trial(tmp_path: Path) -> None:
    """The steps of the page give, at any threshold, what all trials give."""
    out = write_run(tmp_path / "run", 25, 60, screened=0.3, pictures=False)
    rows = {row["id"]: row for row in block(write_report(out), "data")["people"]}
    trials = pd.read_parquet(out / "trials.parquet")
    verification = block(out / "report.html", "data")["about"]["verification"]
    for limit in (1.25, 1.4, 1.45, 1.9):
        for name, own in trials[trials["evaluated"]].groupby("identity"):
            steps = rows[str(name)]["steps"]
            found = [u for d, u in zip(steps[::2], steps[1::2], strict=True) if d > limit]
            good = own[(own["distance"] > limit) & (own["worst_distance"] > verification)]
            expected = good["utility"].max() if len(good) else None
            assert (found[-1] if found else None) == pytest.approx(expected, abs=1e-4)
    feasible = sum(row["feasible"] for row in rows.values())
    assert sum(bool(row["steps"]) and row["steps"][0] > 1.4 for row in rows.values()) == feasible


def test_originals_only_when_asked(finished: Path, tmp_path: Path) -> None:
    plain, asked = (
        finished / "report.html",
        write_report(finished, tmp_path / "o.html", include_originals=True),
    )
    assert all("original" not in found for found in block(plain, "pictures-0"))
    for found in block(asked, "pictures-0"):
        assert {kind: len(items) for kind, items in found.items()} == {
            "best": 3,
            "runner": 2,
            "random": 1,
            "original": 3,
        }
        with Image.open(io.BytesIO(base64.b64decode(found["random"][0]))) as picture:
            assert picture.size == (160, 160)
            assert not picture.getexif()


def test_pictures_of_many_people_stay_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = write_run(tmp_path / "run", 6, 20)
    monkeypatch.setattr("attrsearch.report.page.INLINE_PEOPLE", 3)
    inside, outside = write_report(out), write_report(out, tmp_path / "sent" / "page.html")
    for page in (inside, outside):
        addresses = [
            address
            for found in block(page, "pictures-0")
            for items in found.values()
            for address in items
        ]
        assert len(addresses) == 18
        assert all((page.parent / address).is_file() for address in addresses)
        assert any(
            "img-src data: 'self' file:" in (a.get("content") or "")
            for _, a in tags(page.read_text())
        )
    assert all((tmp_path / "sent" / "page_files").joinpath("images").iterdir())


def test_pictures_never_come_from_outside_the_run(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", 2, 20)
    secret = tmp_path / "secret.jpg"
    Image.new("RGB", (8, 8)).save(secret)
    folder = RunFolder(out)
    for part, name in zip(list(folder.read_people()), ("../secret.jpg", str(secret)), strict=True):
        trials = out / "people" / f"{part.record.id}.parquet"
        assert trials.is_file()
        changed = part.model_copy(update={"images": {"best": (name,)}})
        (out / "people" / f"{part.record.id}.json").write_text(changed.model_dump_json())
    assert [found["best"] for found in block(write_report(out), "pictures-0")] == [[""], [""]]


def test_another_run_beside_this_one(tmp_path: Path) -> None:
    out, other = write_run(tmp_path / "run", 5, 40), write_run(tmp_path / "other", 5, 40, seed=7)
    rows = block(write_report(out, against=other), "data")["people"]
    curves = best_so_far(other)
    trials = pd.read_parquet(other / "trials.parquet")
    for row in rows:
        assert row["against"] == curves[row["id"]]
        own = trials[(trials["identity"] == row["id"]) & trials["feasible"]]
        assert (row["against"][-1] if row["against"] else 0) == pytest.approx(
            own["utility"].max() if len(own) else 0, abs=1e-5
        )


def test_the_page_can_lie_elsewhere(finished: Path, tmp_path: Path) -> None:
    page = write_report(finished, tmp_path / "sent.html")
    assert page.read_text() == (finished / "report.html").read_text()


def test_the_pages_have_the_words_of_the_documentation() -> None:
    words = Path(attrsearch.__file__).parents[1] / "docs" / "glossary.md"
    assert glossary.FILE.read_text() == words.read_text()
    entries = dict(glossary.read_glossary())
    assert len(entries) == words.read_text().count("\n:   ")
    assert all(not re.search(r"[*`\n]", text) for text in entries.values())


def test_no_run_no_report(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"needs a run \(run.toml\), found none"):
        write_report(tmp_path)
    (tmp_path / "run.toml").write_text('format = "attrsearch/run"\n')
    with pytest.raises(InputError, match="needs a finished run, found one that was stopped"):
        write_report(tmp_path)


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_exports(finished: Path, tmp_path: Path, nasty: str, kind: str) -> None:
    out = tmp_path / f"sets.{kind}"
    everyone = export_run(finished, out, kind, include_infeasible=True)
    assert everyone == 2
    if kind == "json":
        rows = {person.id: person.distance for person in read_attributes(out).identities}
    else:
        table = pd.read_csv(out) if kind == "csv" else pd.read_parquet(out)
        assert {"first_Bald", "second_Young", "feasible"} <= set(table.columns)
        rows = dict(zip(table["id"], table["distance"], strict=True))
    assert set(rows) == {nasty, "cadet"}
    feasible = export_run(finished, out, kind)
    assert feasible == len(read_attributes(finished / "attributes.json").identities)


def test_packing_keeps_what_was_measured() -> None:
    generator = np.random.default_rng(0)
    columns = {
        "distance": generator.uniform(0, 2.2, 50),
        "worst_distance": generator.uniform(0, 2.2, 50),
        "detection": generator.uniform(0, 1, 50),
        "iou": generator.uniform(0, 1, 50),
        "feasible": generator.random(50) < 0.5,
        "evaluated": generator.random(50) < 0.5,
        "source": generator.choice(SOURCES, 50),
    }
    found = unpack(pack(columns))
    for name in ("distance", "worst_distance"):
        assert np.abs(found[name] - columns[name]).max() <= 0.5 / 18_000 + 1e-12
    for name in ("detection", "iou"):
        assert np.abs(found[name] - columns[name]).max() <= 0.5 / 65_535 + 1e-12
    assert (found["feasible"] == columns["feasible"]).all()
    assert (found["evaluated"] == columns["evaluated"]).all()
    assert [SOURCES[code] for code in found["source"]] == columns["source"].tolist()
    assert all(
        len(values) == 0
        for values in unpack(pack({name: np.zeros(0) for name in columns})).values()
    )


def test_a_staircase_rises_as_the_distance_falls() -> None:
    generator = np.random.default_rng(1)
    distance, utility = generator.uniform(1, 1.6, 200), generator.uniform(0.8, 1.4, 200)
    steps = staircase(distance, utility)
    assert steps[::2] == sorted(steps[::2], reverse=True)
    assert steps[1::2] == sorted(steps[1::2])
    assert staircase(distance[:0], utility[:0]) == []
