"""The report: offline, escaped, failures first, and with the numbers of the run."""

import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrsearch.errors import InputError
from attrsearch.export import read_attributes
from attrsearch.exporting import export_run
from attrsearch.recipes import load_study
from attrsearch.report.page import write_report
from attrsearch.report.scatter import Axis, scatter
from attrsearch.results import RunFolder
from attrsearch.search.run import run

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def finished(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    faces = tmp_path_factory.mktemp("faces")
    for source, name in (("astronaut", NASTY), ("cadet", "cadet")):
        (faces / name).mkdir()
        for path in (sample / source).glob("*.jpg"):
            (faces / name / path.name).write_bytes(path.read_bytes())
    (faces / "nobody").mkdir()
    (faces / "nobody" / "a.png").write_bytes(b"")
    out = tmp_path_factory.mktemp("run") / "run"
    run(faces, out, study=load_study("quick", recogniser="sface", trials=6), warn=lambda line: None)
    write_report(out)
    return out


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    return parser.found


def test_nothing_is_asked_of_the_network(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    for tag, attributes in tags(page):
        for name in ("src", "href"):
            value = attributes.get(name) or ""
            assert value.startswith(("data:image/jpeg;base64,", "#")) or not value, (tag, value)
        assert tag not in ("script", "link", "iframe")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_names_are_escaped(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    assert NASTY not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert all("onerror" not in attributes for _, attributes in tags(page))


def test_failures_come_first(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    assert "needs at least one picture with a face" in page
    assert page.index("nobody") < page.index("<table>")
    states = re.findall(r'<td class="(yes|no)">', page)
    assert states == sorted(states)  # "no" before "yes"


def test_the_four_files_agree(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    summary = pd.read_csv(finished / "summary.csv").set_index("id")
    trials = pd.read_parquet(finished / "trials.parquet")
    for part in RunFolder(finished).read_people():
        record = part.record
        row = trials[(trials["identity"] == record.id) & (trials["trial"] == part.winner)].iloc[0]
        for name in ("detection", "iou", "distance", "distance_raw", "utility"):
            assert math.isclose(row[name], getattr(record, name), abs_tol=1e-5)
            assert math.isclose(summary.loc[record.id, name], getattr(record, name), abs_tol=1e-6)
        assert f"<td>{record.utility:.3f}</td>" in page
        assert f"<td>{record.distance:.3f}</td>" in page
    exported = {person.id for person in read_attributes(finished / "attributes.json").identities}
    assert exported == set(summary.index[summary["feasible"]])


def test_originals_only_when_asked(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    assert "<b>original</b>" not in page
    assert "<b>best</b>" in page
    assert "<b>runner-up</b>" in page


def test_the_page_can_lie_elsewhere(finished: Path, tmp_path: Path) -> None:
    page = write_report(finished, tmp_path / "sent.html")
    assert page.read_text() == (finished / "report.html").read_text()


def test_no_run_no_report(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"needs a run \(run.toml\), found none"):
        write_report(tmp_path)
    (tmp_path / "run.toml").write_text('format = "attrsearch/run"\n')
    with pytest.raises(InputError, match="needs a finished run, found one that was stopped"):
        write_report(tmp_path)


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_exports(finished: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"sets.{kind}"
    everyone = export_run(finished, out, kind, include_infeasible=True)
    assert everyone == 2
    if kind == "json":
        rows = {person.id: person.distance for person in read_attributes(out).identities}
    else:
        table = pd.read_csv(out) if kind == "csv" else pd.read_parquet(out)
        assert {"first_Bald", "second_Young", "feasible"} <= set(table.columns)
        rows = dict(zip(table["id"], table["distance"], strict=True))
    assert set(rows) == {NASTY, "cadet"}
    feasible = export_run(finished, out, kind)
    assert feasible == len(read_attributes(finished / "attributes.json").identities)


def points(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    distance = generator.uniform(0.9, 1.7, count)
    return distance, generator.uniform(0.7, 1, count), distance > 1.4


@pytest.mark.parametrize("count", [0, 1, 200])
def test_a_scatter_is_valid_svg(count: int) -> None:
    distance, utility, feasible = points(count)
    drawing = ET.fromstring(scatter(distance, utility, feasible, 0 if count else None, 1.4, "trials"))
    assert drawing.attrib["aria-label"] == "trials"
    dots = "".join(path.attrib["d"] for path in drawing if "dot" in path.attrib.get("class", ""))
    assert dots.count("M") == count
    assert len(drawing.findall("circle")) == bool(count)


def test_the_line_stands_at_the_threshold() -> None:
    distance = np.array([1.2, 1.4, 1.5])
    drawing = scatter(distance, distance / 2, distance > 1.4, None, 1.4, "x")
    position = float(re.findall(r'<path class="limit" d="M([\d.]+)', drawing)[0])
    assert position == pytest.approx(float(Axis(1.0, 1.8, 40, 350).at(np.array([1.4]))[0]), abs=0.1)


def test_ticks_are_round() -> None:
    assert Axis(0.6, 1.8, 0, 1).ticks() == [0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8]
    assert Axis(0, 1, 0, 1).ticks()[0] == 0
