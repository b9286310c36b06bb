"""Results of a run as tables, pictures and a drawing."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from attrsearch.core.errors import InputError
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.review import decide
from attrsearch.runs.verdict import Verdicts
from attrsearch.search.progress_bar import in_notebook, run_bar
from attrsearch.search.run import RunProgress, RunResult, shown
from attrsearch.search.tradeoff import MAX_POINTS, Axis
from tests.report.synthetic import write_run

PEOPLE = 3
TRIALS = 30


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("results") / "run", PEOPLE, TRIALS, screened=0.3)


@pytest.fixture(scope="module")
def result(run: Path) -> RunResult:
    return RunResult(run, PEOPLE, 2, ("Person_0002",), {}, PEOPLE * TRIALS, 1.0, Verdicts(holds=2))


def test_trials_are_a_table(result: RunResult) -> None:
    everybody = result.trials()
    assert len(everybody) == PEOPLE * TRIALS
    own = result.trials("Person_0001")
    assert set(own["identity"]) == {"Person_0001"}
    assert len(own) == TRIALS


def test_the_summary_is_that_of_the_file(run: Path, result: RunResult) -> None:
    summary = result.summary()
    written = pd.read_csv(run / "summary.csv").set_index("id")
    assert list(summary.columns) == list(written.columns)
    assert summary.index.tolist() == written.index.tolist()
    assert np.allclose(summary["utility"], written["utility"])


def test_who_was_dropped_is_left_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 2, 5)
    result = RunResult(run, 2, 2, (), {}, 10, 1.0, Verdicts())
    decide(run, "Person_0001", "ann", "drop", {}, dropped=True)
    assert result.summary().index.tolist() == ["Person_0000"]


def test_the_best_of_a_person(run: Path, result: RunResult) -> None:
    best = result.best("Person_0001")
    part = RunFolder(run).read_person("Person_0001")
    assert best == part.record
    row = result.trials("Person_0001").set_index("trial").loc[part.winner]
    assert best.attributes.first[12] == pytest.approx(row["first_Young"], abs=1e-5)
    with pytest.raises(InputError, match="did you mean Person_0001"):
        result.best("Person_001")


def test_a_persons_pictures(run: Path, result: RunResult) -> None:
    part = RunFolder(run).read_person("Person_0000")
    kinds = [kind for kind in ("original", "best") if part.images.get(kind)]
    sheet = result.show("Person_0000")
    assert sheet.height == 192 * len(kinds)
    assert sheet.width == 192 * max(len(part.images[kind]) for kind in kinds)
    assert np.asarray(sheet).std() > 0


def test_a_picture_that_is_gone(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 1, 5)
    for path in (run / "images").rglob("*.jpg"):
        path.unlink()
    with pytest.raises(InputError, match="needs a picture of the run, found none"):
        RunResult(run, 1, 1, (), {}, 5, 1.0, Verdicts()).show("Person_0000")


def test_the_tradeoff_shows_every_measured_trial(result: RunResult, tmp_path: Path) -> None:
    drawing = result.plot.tradeoff()
    table = result.trials()
    measured = table[table["evaluated"]]
    assert drawing.points == len(measured)
    root = ElementTree.fromstring(drawing._repr_svg_())
    marks = [mark for mark in root.iter() if mark.tag.endswith("circle")]
    named = [mark for mark in marks if len(mark)]
    assert len(named) == len(measured)
    ringed = [mark for mark in named if mark.get("stroke")]
    assert len(ringed) == PEOPLE
    assert all(0 <= float(mark.get("cx", -1)) <= 640 for mark in named)
    drawing.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<svg")
    assert result.plot.tradeoff("Person_0001").points < drawing.points


def test_names_cannot_draw(tmp_path: Path, nasty: str) -> None:
    from attrsearch.search.tradeoff import draw_tradeoff

    columns = {"identity": [nasty] * 2, "trial": [0, 1], "evaluated": [True, True]}
    columns |= {"feasible": [True, False], "distance": [1.0, 2.0], "iou": [0.5, 1.0]}
    drawing = draw_tradeoff(pd.DataFrame({**columns, "detection": [1.0, 1.0]}), {nasty: 1})
    assert nasty not in drawing.svg
    ElementTree.fromstring(drawing.svg)


def test_many_trials_are_thinned_out(tmp_path: Path) -> None:
    from attrsearch.search.tradeoff import draw_tradeoff

    count = 3 * MAX_POINTS
    table = pd.DataFrame(
        {
            "identity": "a",
            "trial": np.arange(count),
            "evaluated": True,
            "feasible": True,
            "distance": np.linspace(1, 2, count),
            "detection": 1.0,
            "iou": np.linspace(1, 0, count),
        }
    )
    drawing = draw_tradeoff(table, {"a": 1})
    assert MAX_POINTS <= drawing.points <= MAX_POINTS + 1
    assert "a, trial 1:" in drawing.svg  # the winner, whatever is left out
    with pytest.raises(InputError, match="needs measured trials, found none"):
        draw_tradeoff(table[:0], {})


def test_an_axis_of_one_value_has_room() -> None:
    axis = Axis.over(np.array([1.0, 1.0]), 0, 100)
    assert axis(1.0) == 50
    assert 1.0 in axis.ticks()


def test_reprs_are_short(result: RunResult) -> None:
    assert repr(result).endswith("2 of 3 people anonymised, 90 candidates)")
    for shown_value in (result, result.best("Person_0000"), result.best("Person_0000").attributes):
        assert len(repr(shown_value)) < 200
        assert "\n" not in repr(shown_value)


def test_a_bar_is_shown_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    state = RunProgress(
        stage="search",
        count=5,
        total=10,
        people=2,
        done=1,
        feasible=1,
        seconds=2.0,
        seconds_left=75.0,
    )
    assert not in_notebook()
    with shown(None) as show:
        show(state)
    assert capsys.readouterr().err == ""
    with run_bar() as show:
        show(state)
    assert re.search(
        "1/2 people, 100% feasible, 2.5 evaluations/s, 1:15 left", capsys.readouterr().err
    )
    seen: list[RunProgress] = []
    with shown(seen.append) as show:
        show(state)
    assert seen == [state]
