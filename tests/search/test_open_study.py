"""One person's search as an Optuna study: the same candidates as a run, and all of Optuna's own."""

from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

import attrsearch
from attrsearch.core.errors import InputError
from attrsearch.core.recipes.study import load_study
from attrsearch.faces.dataset import Identity, Picture
from attrsearch.runs.trials_file import trial_attributes
from attrsearch.search.open_study import OpenedStudy, open_study
from attrsearch.search.person_objective import constraints_of
from attrsearch.search.run import run

TRIALS = 8
STUDY = load_study("quick", recogniser="sface", max_faces=2).model_copy(update={"surrogate": None})


def opened(person: object, **options: object) -> OpenedStudy:
    return open_study(person, **({"study": STUDY} | options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def pilot(sample: Path) -> OpenedStudy:
    """A study of the pilot, with the candidates of a run."""
    found = opened(sample / "pilot")
    found.objective.optimise_batched(found.study, TRIALS)
    return found


def test_the_candidates_are_those_of_a_run(
    pilot: OpenedStudy, sample: Path, tmp_path: Path
) -> None:
    run(sample, tmp_path / "run", study=STUDY, trials=TRIALS, people=["pilot"])
    table = pd.read_parquet(tmp_path / "run" / "trials.parquet")
    mine = np.stack([pilot.objective.attributes(t).passes for t in pilot.study.trials])
    assert np.array_equal(mine, trial_attributes(table))
    values = [trial.value for trial in pilot.study.trials]
    assert values == pytest.approx(table["utility"].tolist(), abs=1e-5)
    feasible = [trial.user_attrs["feasible"] for trial in pilot.study.trials]
    assert feasible == table["feasible"].tolist()


def test_one_by_one_is_the_same_while_the_sampler_draws_at_random(
    pilot: OpenedStudy, sample: Path
) -> None:
    study, objective = opened(sample / "pilot")
    study.optimize(objective, n_trials=3)
    assert [trial.params for trial in study.trials] == [t.params for t in pilot.study.trials[:3]]
    assert [trial.values for trial in study.trials] == [t.values for t in pilot.study.trials[:3]]


def test_a_trial_says_what_was_measured(pilot: OpenedStudy) -> None:
    for trial in pilot.study.trials:
        assert (max(trial.constraints.values()) <= 0) == trial.user_attrs["feasible"]
        assert list(constraints_of(trial)) == list(trial.constraints.values())
        assert 0 < trial.user_attrs["detection"] <= 1
        assert trial.datetime_start < trial.datetime_complete
    assert pilot.study.metric_names == [pilot.objective._settings.objective.maximise[0].name]
    assert "pilot: 2 faces" in repr(pilot.objective)


def test_what_is_kept_from_the_search_can_be_measured(pilot: OpenedStudy) -> None:
    found = pilot.objective.verify(pilot.study.trials[0])
    assert found is not None
    assert found.values.shape == (1, 1)
    faces = pilot.objective.render(pilot.study.trials[0])
    assert faces.shape == (2, 192, 192, 3)


def test_a_sampler_with_a_constraints_func(pilot: OpenedStudy, sample: Path) -> None:
    seen: list[int] = []

    def constraints(trial: optuna.trial.FrozenTrial) -> list[float]:
        seen.append(trial.number)
        return list(constraints_of(trial))

    with pytest.warns(FutureWarning, match="constraints_func"):
        sampler = optuna.samplers.NSGAIISampler(
            population_size=2, seed=1, constraints_func=constraints
        )
    study, objective = opened(sample / "pilot", sampler=sampler)
    study.optimize(objective, n_trials=3)
    assert seen == [0, 1, 2]
    assert study.sampler is sampler


def test_callbacks_see_every_trial_and_stop_a_batched_search(sample: Path) -> None:
    seen = []

    def stop(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        seen.append(trial.number)
        if trial.number == 2:
            study.stop()

    study, objective = opened(sample / "pilot")
    objective.optimise_batched(study, 20, batch=2, callbacks=[stop])
    assert seen == [0, 1, 2, 3]
    assert all(trial.state.is_finished() for trial in study.trials)
    with pytest.raises(RuntimeError, match="inside an objective"):
        study.stop()  # Optuna's own again


class Never(optuna.pruners.BasePruner):
    """Gives up what was reported to be below any limit: everything."""

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        return trial.number > 0


def test_a_pruner_sees_a_face_at_a_time(pilot: OpenedStudy, sample: Path) -> None:
    study, objective = opened(sample / "pilot", pruner=Never())
    study.optimize(objective, n_trials=2)
    whole, pruned = study.trials
    assert whole.values == pilot.study.trials[0].values  # to the bit, faces measured one by one
    assert pruned.state == optuna.trial.TrialState.PRUNED
    assert list(pruned.intermediate_values) == [0]


def test_a_storage_keeps_the_study(sample: Path, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'a.db'}"
    study, objective = opened(sample / "pilot", storage=storage)
    study.optimize(objective, n_trials=1)
    again, _ = opened(sample / "pilot", storage=storage, load_if_exists=True)
    assert again.study_name == "pilot"
    assert [trial.params for trial in again.trials] == [study.trials[0].params]
    with pytest.raises(optuna.exceptions.DuplicatedStudyError):
        opened(sample / "pilot", storage=storage)


def test_several_goals_stay_several(sample: Path) -> None:
    study, objective = opened(sample / "pilot", objective="pareto")
    objective.optimise_batched(study, 2)
    assert len(study.directions) == len(study.trials[0].values) == 3
    assert study.best_trials
    with pytest.raises(RuntimeError):
        _ = study.best_trial


def test_a_sampler_that_ignores_constraints_is_told_less(pilot: OpenedStudy, sample: Path) -> None:
    sampler = optuna.samplers.CmaEsSampler(seed=0)
    study, objective = opened(sample / "pilot", sampler=sampler)
    study.enqueue_trial(pilot.study.trials[0].params)
    study.optimize(objective, n_trials=1)
    assert not study.trials[0].constraints  # Optuna warns of them
    missed = sum(max(0, value) for value in constraints_of(study.trials[0]))
    expected = pilot.study.trials[0].value - STUDY.sampler.penalty * missed
    assert study.trials[0].value == pytest.approx(expected)


def test_optuna_reads_it_as_any_study(pilot: OpenedStudy) -> None:
    pytest.importorskip("plotly")
    shares = optuna.importance.get_param_importances(
        pilot.study, evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=4, seed=0)
    )
    assert set(shares) == set(pilot.objective.distributions)
    for plot in (optuna.visualization.plot_optimization_history, optuna.visualization.plot_slice):
        assert plot(pilot.study).data
    assert len(pilot.study.trials_dataframe()) == TRIALS


def test_pictures_and_people_of_every_form(
    sample: Path, astronaut: Picture, people: list[Identity]
) -> None:
    picture = sample / "cadet" / "cadet_1.jpg"
    assert opened(picture).objective.person.identity.id == "cadet_1"
    assert len(opened(astronaut).objective.person.faces) == 1
    assert len(opened([picture, sample / "cadet" / "cadet_2.jpg"]).objective.person.held) == 1
    assert opened(people[0]).objective.person.identity.id == people[0].id


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (np.zeros((4, 4), np.uint8), "needs a path, a Pillow image, or an array"),
        (np.zeros((64, 64, 3), np.uint8), "needs a picture of a face, found no face"),
        ([], "needs pictures of a person, found none"),
        ("nowhere", "no such file"),
    ],
)
def test_what_is_no_person(given: object, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        opened(given)


def test_folders_of_several_people_are_not_one(sample: Path) -> None:
    with pytest.raises(InputError, match="found 3 folders; give one of them"):
        opened(sample)


def test_it_is_a_public_name() -> None:
    assert attrsearch.open_study is open_study
