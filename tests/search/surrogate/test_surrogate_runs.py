"""Runs with a surrogate on the sample.

What is written, that it depends on the person only, learning from runs.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrsearch.core.errors import InputError
from attrsearch.core.recipes.study import Study, load_study
from attrsearch.report.extras import read_surrogate
from attrsearch.report.page import write_report
from attrsearch.runs.folder import RunFolder
from attrsearch.runs.metadata import read_run
from attrsearch.runs.trials_file import TRIAL_COLUMNS
from attrsearch.search.run import RunResult, run
from attrsearch.search.surrogate.pooled import load_pooled
from attrsearch.training.surrogate import learn_from_runs

TRIALS = 28


def local_study(**changes: object) -> Study:
    surrogate = {"pooled": "none", "start": 8, "refit": 8, "gate": -1.0, "audit": 0.1, "pool": 64}
    study = load_study("quick", recogniser="sface", max_faces=1, trials=TRIALS, surrogate=surrogate)
    return load_study(study, **changes)


def search(faces: Path, out: Path, study: Study, **options: object) -> RunResult:
    return run(faces, out, study=study, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def screened(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return search(sample, tmp_path_factory.mktemp("runs") / "run", local_study())


def test_what_a_screened_run_writes(screened: RunResult) -> None:
    assert screened.evaluations == 3 * TRIALS
    trials = pd.read_parquet(screened.out / "trials.parquet")
    assert tuple(trials.columns) == TRIAL_COLUMNS
    assert trials["evaluated"].sum() == 3 * TRIALS
    assert set(trials["source"]) >= {"sampler", "surrogate"}
    for _, rows in trials.groupby("identity"):
        assert rows["trial"].tolist() == list(range(len(rows)))
    left = trials[~trials["evaluated"]]
    assert len(left)
    assert left["utility"].isna().all()
    assert not left["feasible"].any()
    assert (left["seconds"] == 0).all()
    measured = trials[trials["evaluated"]]
    assert measured["utility"].notna().all()
    for part in RunFolder(screened.out).read_people():
        mine = trials[trials["identity"] == part.record.id].set_index("trial")
        assert mine.loc[part.winner, "evaluated"]
        assert part.record.utility == pytest.approx(mine.loc[part.winner, "utility"], abs=1e-5)
        assert mine.loc[part.random, "source"] == "sampler"
        assert part.record.evaluations == TRIALS
        assert part.screened_out > (~mine["evaluated"]).sum()


def test_the_report_tells_of_the_surrogate(screened: RunResult) -> None:
    found = read_surrogate(screened.out)
    assert found is not None
    trials = pd.read_parquet(screened.out / "trials.parquet")
    assert found["screened"] == (~trials["evaluated"]).sum()
    assert (
        found["measured"]
        == (trials["evaluated"] & trials["source"].isin(["surrogate", "audit"])).sum()
    )
    assert found["overhead"] >= 0
    assert write_report(screened.out).stat().st_size > 10_000


def test_predictions_depend_on_the_person_only(
    screened: RunResult, sample: Path, tmp_path: Path
) -> None:
    search(sample, tmp_path / "alone", local_study(), people=["pilot"])
    search(sample, tmp_path / "team", local_study(), jobs=2)
    columns = [name for name in TRIAL_COLUMNS if name != "seconds"]
    alone, among, team = (
        pd.read_parquet(out / "trials.parquet")
        .query("identity == 'pilot'")[columns]
        .reset_index(drop=True)
        for out in (tmp_path / "alone", screened.out, tmp_path / "team")
    )
    pd.testing.assert_frame_equal(alone, among)
    pd.testing.assert_frame_equal(team, among)


@pytest.fixture(scope="module")
def many(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine people, made of the sample's."""
    faces = tmp_path_factory.mktemp("many")
    for i in range(9):
        source = sorted(
            path for path in sample.iterdir() if path.is_dir() and not path.name.startswith("_")
        )[i % 3]
        (faces / f"p{i}").mkdir()
        for path in sorted(source.glob("*.jpg"))[i // 3 : i // 3 + 1]:
            shutil.copy(path, faces / f"p{i}" / path.name)
    return faces


@pytest.fixture(scope="module")
def learnt(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pooled model of a run over them."""
    folder = tmp_path_factory.mktemp("learnt")
    search(many, folder / "run", local_study(surrogate=None, trials=8, heldback=0.0))
    learn_from_runs([folder / "run"]).save(folder / "model.safetensors")
    return folder


def test_learning_from_a_run(learnt: Path) -> None:
    model = load_pooled(learnt / "model.safetensors")
    assert model.people == 9
    assert model.bound["editor"] == read_run(learnt / "run")["settings"]["editor_sha256"]
    assert all(sets.shape[1:] == (1, 13) for sets in model.sets.values())
    assert sum(len(sets) for sets in model.sets.values()) > 0


def test_a_pooled_model_is_used_where_it_fits(
    learnt: Path, sample: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = str(learnt / "model.safetensors")
    study = local_study(trials=8)
    gender = max(load_pooled(Path(file)).sets.items(), key=lambda item: len(item[1]))[0]
    given = {"people": ["cadet"], "genders": {"cadet": gender}}
    run(sample, tmp_path / "a", study=study, surrogate=file, **given)  # type: ignore[arg-type]
    trials = pd.read_parquet(tmp_path / "a" / "trials.parquet")
    assert trials["source"].iloc[0] == "portfolio"
    assert not any("not used" in line for line in caplog.messages)
    assert (
        read_run(tmp_path / "a")["settings"]["surrogate_sha256"] == load_pooled(Path(file)).sha256
    )
    run(sample, tmp_path / "b", study=study, surrogate=file, space="full13", **given)  # type: ignore[arg-type]
    assert any("learnt with another space; not used" in line for line in caplog.messages)
    assert "portfolio" not in set(pd.read_parquet(tmp_path / "b" / "trials.parquet")["source"])


def test_what_nothing_can_be_learnt_from(screened: RunResult, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs at least 8 people, found 3"):
        learn_from_runs([screened.out])
    with pytest.raises(InputError, match="needs a run"):
        learn_from_runs([tmp_path])


def test_an_objective_that_is_not_predicted(
    sample: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study = local_study(trials=2, objective="natural")
    run(sample, tmp_path / "a", study=study, people=["cadet"])
    assert any(
        "objective natural is not made of what it predicts" in line for line in caplog.messages
    )
    assert set(pd.read_parquet(tmp_path / "a" / "trials.parquet")["source"]) == {"sampler"}
    assert np.isfinite(pd.read_parquet(tmp_path / "a" / "trials.parquet")["utility"]).all()
