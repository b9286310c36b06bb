"""Charts, sheets and pages: well-formed, complete, and nothing private without being asked for."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from attrsearch.core.errors import OutputError
from attrsearch.experiments.charts import Axis, Series, chart, matrices
from attrsearch.experiments.face_grid import Shown, photographs, sheet
from attrsearch.experiments.options import ExperimentOptions
from attrsearch.experiments.page import render, without_people, write_all, write_section
from attrsearch.experiments.section import Comparison, Picture, Section, Table, to_markdown

SVG = "{http://www.w3.org/2000/svg}"


def drawn() -> bytes:
    return chart(
        "A & B",
        [
            Series("a < b", [0, 1, 2], [0, float("nan"), 1], texts=["x", "", "y"]),
            Series("c", [0], [1]),
        ],
        Axis("x", 0, 2),
        Axis("y", 0, 1),
    )


@pytest.fixture
def section() -> Section:
    return Section(
        "table-4.2",
        "sampling | anonymisation",
        "How <it> was done.",
        (Comparison("rate", "96.7 %", "<b>95 %</b>"),),
        (Table("More:", ("a", "b"), (("1", "x|y"),)),),
        (Picture("table-4.2", "A chart", "svg", drawn()),),
        ("A note.",),
    )


@pytest.fixture
def photograph() -> Section:
    return photographs(
        "figure-4.1", "faces", [("", [Shown(np.zeros((192, 192, 3), np.uint8))])], "Faces."
    )


def test_a_chart_is_well_formed_and_leaves_out_what_is_missing() -> None:
    root = ElementTree.fromstring(drawn())
    assert root.find(f"{SVG}title").text == "A & B"  # type: ignore[union-attr]
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert {"a < b", "c", "x", "y"} <= set(texts)
    circles = list(root.iter(f"{SVG}circle"))
    assert len(circles) == 2 + 1  # two points that are there, and the legend's
    assert "nan" not in drawn().decode()


def test_points_stand_where_their_values_are() -> None:
    data = chart("t", [Series("", [0, 10], [0, 100])], Axis("", 0, 10), Axis("", 0, 100))
    low, high = ElementTree.fromstring(data).iter(f"{SVG}circle")
    assert float(low.get("cx", 0)) < float(high.get("cx", 0))
    assert float(low.get("cy", 0)) > float(high.get("cy", 0))


def test_matrices_are_dark_where_they_are_small() -> None:
    values = np.ones((4, 4), np.float32) - np.eye(4, dtype=np.float32)
    root = ElementTree.fromstring(matrices("m", [("one", values), ("two", values)], 1.6))
    images = list(root.iter(f"{SVG}image"))
    assert len(images) == 3
    import base64

    data = base64.b64decode(images[0].get("href", "").split(",")[1])
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (4, 4, 3)
    assert picture[0, 0].sum() < picture[0, 1].sum() / 4


def test_a_sheet_holds_its_rows_and_boxes() -> None:
    window = np.full((192, 192, 3), 100, np.uint8)
    rows = [
        ("label", [Shown(window, np.float32([40, 40, 150, 150]), "text")] * 3),
        ("", [Shown(window)]),
    ]
    picture = cv2.imdecode(np.frombuffer(sheet(rows), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (2 * (132 + 4 + 16), 92 + 3 * 136, 3)
    assert (picture[27:30, 92 + 40 : 92 + 90] == 255).all(-1).any()
    assert (picture[20, 92 + 60] == 100).all()


def test_markdown_sets_the_thesis_beside_ours(section: Section) -> None:
    text = to_markdown([section], "pictures/")
    assert text.startswith("## Table 4.2: sampling | anonymisation\n")
    assert "| rate | 96.7 % | <b>95 %</b> |" in text
    assert "x\\|y" in text
    assert "](pictures/table-4.2.svg)" in text


def test_a_page_escapes_and_loads_nothing(section: Section) -> None:
    page = render([section], ExperimentOptions())
    assert "&lt;b&gt;95 %&lt;/b&gt;" in page
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="', "")
    assert "data:image/svg+xml;base64," in page


def test_photographs_are_left_out_unless_asked_for(section: Section, photograph: Section) -> None:
    assert [one.name for one in without_people([section, photograph])] == ["table-4.2"]
    assert "faces of real people" in render([section, photograph], ExperimentOptions())
    assert "faces of real people" not in render([section], ExperimentOptions())


def test_files_of_a_section(section: Section, photograph: Section, tmp_path: Path) -> None:
    written = write_section(section, tmp_path / "a.md", ExperimentOptions())
    assert [path.name for path in written] == ["a.md", "table-4.2.svg"]
    assert all(path.is_file() for path in written)
    assert write_section(section, tmp_path / "a.svg", ExperimentOptions()) == [tmp_path / "a.svg"]
    assert (
        write_section(photograph, tmp_path / "a.png", ExperimentOptions())[0].read_bytes()[:4]
        == b"\x89PNG"
    )
    assert "<h1>" in write_section(section, tmp_path / "a.html", ExperimentOptions())[0].read_text()
    with pytest.raises(
        OutputError, match=r"needs a file that ends in \.md, \.json, \.html or \.svg, found \.txt"
    ):
        write_section(section, tmp_path / "a.txt", ExperimentOptions())


def test_everything_in_one_folder(section: Section, tmp_path: Path) -> None:
    write_all([section], tmp_path / "all", ExperimentOptions(faces=Path("people")))
    text = (tmp_path / "all" / "reproduction.md").read_text()
    assert "In place" not in text
    assert "local gallery" in text
    assert "folder people" in text
    assert {path.name for path in (tmp_path / "all").iterdir()} == {
        "reproduction.md",
        "reproduction.html",
        "reproduction.json",
        "table-4.2.svg",
    }


def test_figures_are_written_without_words(section: Section, tmp_path: Path) -> None:
    measured = replace(section, figures={"share": 0.95, "r": float("nan"), "counts": (1, 2)})
    written = write_section(measured, tmp_path / "a.json", ExperimentOptions(seed=3))
    found = json.loads(written[0].read_text())
    assert found["seed"] == 3
    assert found["sections"] == {"table-4.2": {"share": 0.95, "r": None, "counts": [1, 2]}}
