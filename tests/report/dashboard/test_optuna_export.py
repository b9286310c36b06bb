"""The export to Optuna: the same values and verdicts, and pictures on their trials."""

from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.artifacts import get_all_artifact_meta

from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.recipes.study import load_study
from attrsearch.report.about import Limits
from attrsearch.report.dashboard.optuna_export import export_studies
from attrsearch.report.dashboard.optuna_values import constraints, goal_values
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.review import decide
from attrsearch.search.run import run
from attrsearch.search.space import person_space
from tests.report import synthetic
from tests.report.synthetic import write_people, write_run


def storage_of(file: Path) -> optuna.storages.BaseStorage:
    if file.suffix == ".log":
        return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(file)))
    return optuna.storages.RDBStorage(f"sqlite:///{file}")


@pytest.mark.parametrize("name", ["studies.db", "studies.log"])
def test_studies_say_what_the_run_says(tmp_path: Path, name: str) -> None:
    run = write_run(tmp_path / "run", 3, 30, screened=0.3)
    done = export_studies(run, tmp_path / name)
    trials = pd.read_parquet(run / "trials.parquet")
    measured = trials[trials["evaluated"]]
    assert (done.studies, done.trials, done.pictures) == (3, len(measured), 9)
    storage = storage_of(tmp_path / name)
    for part in RunFolder(run).read_people():
        own = measured[measured["identity"] == part.record.id].set_index("trial")
        study = optuna.load_study(study_name=part.record.id, storage=storage)
        assert len(study.trials) == len(own)
        for trial in study.trials:
            row = own.loc[trial.user_attrs["trial"]]
            assert trial.value == pytest.approx(row["utility"], abs=1e-6)
            assert trial.params["first_Male"] == pytest.approx(row["first_Male"], abs=1e-6)
            assert all(value <= 0 for value in trial.constraints.values()) == row["feasible"]
            assert trial.system_attrs["constraints"] == list(
                trial.constraints.values()
            )  # what optuna-dashboard reads
        if part.record.feasible:
            assert study.best_trial.user_attrs["trial"] == part.winner
        winner = next(trial for trial in study.trials if trial.user_attrs["trial"] == part.winner)
        assert "best_0.jpg" in {
            meta.filename for meta in get_all_artifact_meta(winner, storage=storage)
        }
        meta = next(
            meta
            for meta in get_all_artifact_meta(winner, storage=storage)
            if meta.filename == "best_0.jpg"
        )
        stored = (done.artifacts / meta.artifact_id).read_bytes()
        assert stored == (run / part.images["best"][0]).read_bytes()
        assert study.user_attrs["screened_out"] == 30 - len(own)
    storage.remove_session()


def test_candidates_from_wider_bounds_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        synthetic, "person_space", lambda *which: person_space(*which).expanded(1.5)
    )
    run = write_run(tmp_path / "run", 1, 30)
    export_studies(run, tmp_path / "studies.log")
    study = optuna.load_study(
        study_name="Person_0000", storage=storage_of(tmp_path / "studies.log")
    )
    trials = pd.read_parquet(run / "trials.parquet").set_index("trial")
    for trial in study.trials:
        row = trials.loc[trial.user_attrs["trial"]]
        assert trial.params == pytest.approx({name: row[name] for name in trial.params})
    assert trials["first_Young"].abs().max() > 1.1


def test_trials_have_their_times(finished: Path, tmp_path: Path) -> None:
    export_studies(finished, tmp_path / "a.log")
    table = RunFolder(finished).read_trials("cadet")
    table = table[table["evaluated"]]
    assert (table["began"] <= table["ended"]).all()
    study = optuna.load_study(study_name="cadet", storage=storage_of(tmp_path / "a.log"))
    for trial in study.trials:
        row = table.set_index("trial").loc[trial.user_attrs["trial"]]
        assert trial.datetime_start.astimezone() == row["began"].to_pydatetime()
        assert trial.datetime_complete.astimezone() == row["ended"].to_pydatetime()


def test_several_goals_stay_several(sample: Path, tmp_path: Path) -> None:
    study = load_study("quick", recogniser="sface", max_faces=1, objective="pareto")
    run(sample, tmp_path / "run", study=study, trials=4, people=["pilot"])
    export_studies(tmp_path / "run", tmp_path / "a.db")
    storage = storage_of(tmp_path / "a.db")
    found = optuna.load_study(study_name="pilot", storage=storage)
    assert found.directions == [optuna.study.StudyDirection.MAXIMIZE] * 3
    assert found.metric_names == ["distance", "detection", "iou"]
    table = RunFolder(tmp_path / "run").read_trials("pilot")
    rows = table[table["evaluated"]].set_index("trial")
    for trial in found.trials:
        row = rows.loc[trial.user_attrs["trial"]]
        assert trial.values == pytest.approx([row["distance"], row["detection"], row["iou"]])
        assert trial.datetime_start.astimezone() == row["began"].to_pydatetime()
    assert found.best_trials
    with pytest.raises(RuntimeError):
        _ = found.best_trial
    storage.remove_session()


def test_goals_of_earlier_runs_are_made_of_their_terms() -> None:
    columns = {"distance": np.array([1.5]), "iou": np.array([0.5]), "utility": np.array([0.6])}
    both = [
        {"name": "far", "product": ["distance", "iou"]},
        {"name": "place", "product": ["iou"]},
    ]
    made = goal_values(columns, {"maximise": both})
    assert {name: values.tolist() for name, values in made.items()} == {
        "far": [0.75],
        "place": [0.5],
    }
    kept = {**columns, "goal_0": np.array([0.7]), "goal_1": np.array([0.4])}
    assert goal_values(kept, {"maximise": both})["far"].tolist() == [0.7]
    unknown = [*both, {"name": "look", "product": ["naturalness"]}]
    assert list(goal_values(columns, {"maximise": unknown})) == ["utility"]
    assert list(goal_values(columns, {"maximise": both[:1]})) == ["utility"]


def test_originals_only_when_asked(finished: Path, tmp_path: Path) -> None:
    without = export_studies(finished, tmp_path / "a.log")
    asked = export_studies(finished, tmp_path / "b.log", originals=True)
    originals = sum(len(part.images["original"]) for part in RunFolder(finished).read_people())
    assert asked.pictures == without.pictures + originals > without.pictures


def test_dropped_people_are_left_out_and_exports_can_be_repeated(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 3, 30)
    decide(run, "Person_0001", "ann", "drop", {}, dropped=True)
    for _ in range(2):
        done = export_studies(run, run / "optuna.log")
        assert done.studies == 2
        assert len(list(done.artifacts.iterdir())) == done.pictures
    names = {study.study_name for study in storage_of(run / "optuna.log").get_all_studies()}
    assert names == {"Person_0000", "Person_0002"}


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 1, 30)
    (tmp_path / "mine_artifacts").mkdir()
    (tmp_path / "mine_artifacts" / "thesis.txt").write_text("years of work")
    with pytest.raises(
        OutputError, match="needs a new folder, or one of an earlier export, found other files"
    ):
        export_studies(run, tmp_path / "mine.log")
    assert (tmp_path / "mine_artifacts" / "thesis.txt").read_text() == "years of work"


def test_nobody_is_finished(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs at least one finished person"):
        export_studies(write_people(tmp_path / "run", 0).path, tmp_path / "x.log")


def test_verdicts_that_the_columns_do_not_explain() -> None:
    columns = {
        "distance": np.array([1.5, 1.5, 1.3, 1.4]),
        "worst_distance": np.array([1.3, 1.3, 1.3, 1.1]),
        "feasible": np.array([True, False, False, True]),
    }
    names, values = constraints(columns, Limits(1.4, 1.2, (), False))
    assert names == ["distance", "no picture verifies", "other constraints"]
    assert ((values <= 0).all(1) == columns["feasible"]).all()
    names, values = constraints(
        {"feasible": np.array([True]), "distance": np.array([1.0])}, Limits(0, None, (), True)
    )
    assert (names, values.shape) == ([], (1, 0))


@pytest.mark.parametrize("name", ["mine.db", "mine.log"])
def test_somebody_elses_studies_are_never_replaced(tmp_path: Path, name: str) -> None:
    run = write_run(tmp_path / "run", 1, 5)
    place = tmp_path / name
    storage = storage_of(place)
    optuna.create_study(storage=storage, study_name="my own work")
    storage.remove_session()
    before = place.read_bytes()
    with pytest.raises(OutputError, match=r"1 studies of somebody else \(my own work\)"):
        export_studies(run, place)
    assert place.read_bytes() == before


def test_an_own_export_is_replaced_and_any_other_file_is_not(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 1, 5)
    export_studies(run, tmp_path / "a.db")
    export_studies(run, tmp_path / "a.db")
    (tmp_path / "b.db").write_text("notes")
    with pytest.raises(OutputError, match="found something else"):
        export_studies(run, tmp_path / "b.db")
    assert (tmp_path / "b.db").read_text() == "notes"
