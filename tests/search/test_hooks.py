"""A user's own sampler, callbacks and storage in a run."""

from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

from attrsearch.core.errors import InputError, OutputError
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import Sampler, load_study
from attrsearch.runs.metadata import read_run
from attrsearch.search.hooks import Hooks
from attrsearch.search.objective import aggregate
from attrsearch.search.run import RunResult, run
from attrsearch.search.space import person_space
from attrsearch.search.study import PersonStudy, person_seed
from attrsearch.search.terms import FaceScores

STUDY = load_study("quick", recogniser="sface", max_faces=1, trials=5)


def search(faces: Path, out: Path, **options: object) -> RunResult:
    options = {"study": STUDY} | options
    return run(faces, out, **options)  # type: ignore[arg-type]


def test_a_sampler_callbacks_and_a_storage(sample: Path, tmp_path: Path) -> None:
    seeds: list[int] = []
    told: list[tuple[str, int]] = []

    def make(seed: int) -> optuna.samplers.BaseSampler:
        seeds.append(seed)
        return optuna.samplers.RandomSampler(seed=seed)

    def note(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        told.append((study.study_name, trial.number))
        if study.study_name == "cadet" and trial.number == 2:
            study.stop()

    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'a.db'}")
    people = ["cadet", "pilot"]
    result = search(
        sample, tmp_path / "run", sampler=make, callbacks=[note], storage=storage, people=people
    )
    assert seeds == [person_seed(0, name) for name in people]
    assert [number for name, number in told if name == "pilot"] == [0, 1, 2, 3, 4]
    assert [number for name, number in told if name == "cadet"] == [0, 1, 2, 3]
    assert result.evaluations == 4 + 5
    table = pd.read_parquet(tmp_path / "run" / "trials.parquet")
    assert set(table["source"]) == {"sampler"}  # the study's surrogate proposed nothing
    study = optuna.load_study(study_name="pilot", storage=storage)
    own = table[table["identity"] == "pilot"]
    assert [t.params["first_Young"] for t in study.trials] == pytest.approx(own["first_Young"])
    settings = read_run(tmp_path / "run")["settings"]
    assert "make" in settings["sampler"]
    with pytest.raises(OutputError, match="needs the settings this run was started with"):
        search(sample, tmp_path / "run", people=people, resume=True)
    storage.remove_session()
    storage.engine.dispose()


def test_a_sampler_is_copied_for_everybody(sample: Path, tmp_path: Path) -> None:
    sampler = optuna.samplers.RandomSampler(seed=3)
    search(sample, tmp_path / "all", sampler=sampler, people=["cadet", "pilot"])
    search(sample, tmp_path / "one", sampler=sampler, people=["pilot"])
    everybody = pd.read_parquet(tmp_path / "all" / "trials.parquet").query("identity == 'pilot'")
    alone = pd.read_parquet(tmp_path / "one" / "trials.parquet")
    assert everybody["first_Young"].tolist() == alone["first_Young"].tolist()


def test_a_search_that_goes_on_does_not_begin_again() -> None:
    recipe = load_objective("utility_product")
    space = person_space(load_space("one-pass"), "female")
    study = PersonStudy(space, Sampler(), 1, 4, 0)
    study.attach(Hooks(sampler=optuna.samplers.RandomSampler(seed=3)).of("Ann"))
    first = study.ask()
    results = aggregate(recipe, FaceScores(*np.ones((6, len(first), 1), np.float32)))
    study.tell(results)
    study.search_on(results, 4)
    assert not np.isin(study.ask(), first[first != 0]).any()


def test_somebody_elses_study_is_left_alone(sample: Path, tmp_path: Path) -> None:
    storage = optuna.storages.InMemoryStorage()
    optuna.create_study(study_name="pilot", storage=storage)
    result = search(sample, tmp_path / "run", storage=storage, people=["pilot"])
    assert "one that this run did not make" in result.failed["pilot"]
    assert len(optuna.load_study(study_name="pilot", storage=storage).trials) == 0


def test_an_unfinished_study_of_the_run_is_begun_anew() -> None:
    storage = optuna.storages.InMemoryStorage()
    hooks = Hooks(storage=storage, run="a run").of("Ann")
    sampler = optuna.samplers.RandomSampler(seed=0)
    hooks.create_study([optuna.study.StudyDirection.MAXIMIZE], sampler).ask()
    study = hooks.create_study([optuna.study.StudyDirection.MAXIMIZE], sampler)
    assert study.trials == []


def test_what_is_no_sampler(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs an Optuna sampler"):
        search(sample, tmp_path / "a", sampler="tpe")
    result = search(sample, tmp_path / "b", sampler=lambda seed: seed, people=["pilot"])
    assert "needs an Optuna sampler" in result.failed["pilot"]


def test_workers_cannot_share_memory(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a storage that worker processes share, found one in"):
        search(sample, tmp_path / "run", storage=optuna.storages.InMemoryStorage(), jobs=2)
