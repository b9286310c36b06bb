"""Editors side by side on pictures: what is measured, and that it differs as the editors do."""

from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.errors import InputError
from attrsearch.evaluation.editors import EditorFigures, editors_table, measure_editors

PICTURES = 9
WINDOW = 192


@pytest.fixture(scope="module")
def measured(sample: Path) -> EditorFigures:
    return measure_editors(["thesis", "anonymiser"], sample, max_faces=3, judges=["sface"])


def test_an_editor_that_anonymises_takes_faces_further(measured: EditorFigures) -> None:
    weak, strong = measured.rows["distance, sface"]
    assert weak is not None
    assert strong is not None
    assert 0.5 < weak < strong - 0.1
    assert measured.rows["still found"] == (1.0, 1.0)


def test_bins_are_told_with_their_faces(measured: EditorFigures) -> None:
    counted = [name for name in measured.rows if name.startswith(("young (", "not young ("))]
    faces = {int(name.split("(")[1].split()[0]) for name in counted}
    assert counted
    assert max(faces) <= PICTURES
    assert any("distance, sface" in name for name in counted)


def test_the_sheet_shows_faces_and_edits(measured: EditorFigures) -> None:
    assert measured.sheet.shape[0] == 3 * WINDOW
    originals, weak, strong = np.split(measured.sheet.astype(int), 3)
    assert np.abs(originals - weak).mean() > 0.5
    assert np.abs(weak - strong).mean() > 0.5


def test_the_table_has_a_column_an_editor(measured: EditorFigures) -> None:
    head, rule, first, *_ = editors_table(measured).splitlines()
    assert head == "| | thesis | anonymiser |"
    assert rule == "|---|---|---|"
    assert first.startswith("| distance, sface | ")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        measure_editors(["thesis"], tmp_path, judges=["sface"])
