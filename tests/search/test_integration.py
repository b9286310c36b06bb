"""Optuna's own integrations work on a person's study as the documents say."""

from pathlib import Path

import optuna
import pytest
from distributed import Client

from attrsearch.core.recipes.study import load_study
from attrsearch.search.open_study import OpenedStudy, open_study

integration = pytest.importorskip("optuna_integration")
STUDY = load_study("quick", recogniser="sface", max_faces=1)
PAGE = Path(__file__).parents[2] / "docs" / "python.md"


def opened(sample: Path, **options: object) -> OpenedStudy:
    picture = sample / "pilot" / "pilot_1.jpg"
    return open_study(picture, **({"study": STUDY} | options))  # type: ignore[arg-type]


def test_what_the_documents_name_is_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in ("MLflowCallback", "WeightsAndBiasesCallback", "DaskStorage"):
        assert f"optuna_integration.{name}(" in page
        assert hasattr(integration, name)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_dask_shares_a_study(sample: Path) -> None:
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as client:
        storage = integration.DaskStorage(optuna.storages.InMemoryStorage(), client=client)
        study, objective = opened(sample, storage=storage)
        study.optimize(objective, n_trials=2)
        assert len(study.trials) == 2
        assert all("feasible" in trial.user_attrs for trial in study.trials)
        assert (
            optuna.load_study(study_name="pilot_1", storage=storage).best_value == study.best_value
        )


@pytest.mark.filterwarnings("ignore")
def test_mlflow_gets_every_trial(sample: Path, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    callback = integration.MLflowCallback(tracking_uri=address, metric_name="utility")
    study, objective = opened(sample, study_name="pilot")
    study.optimize(objective, n_trials=2, callbacks=[callback])
    client = mlflow.tracking.MlflowClient(address)
    (experiment,) = [one for one in client.search_experiments() if one.name == "pilot"]
    runs = client.search_runs([experiment.experiment_id])
    values = sorted(run.data.metrics["utility"] for run in runs)
    assert values == pytest.approx(sorted(trial.value for trial in study.trials))


@pytest.mark.filterwarnings("ignore")
def test_wandb_gets_every_trial(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    callback = integration.WeightsAndBiasesCallback(wandb_kwargs={"project": "faces"})
    study, objective = opened(sample)
    study.optimize(objective, n_trials=2, callbacks=[callback])
    wandb.finish()
    assert list(tmp_path.rglob("*.wandb"))
