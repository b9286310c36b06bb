"""Settings of a run: fields, keywords for short, and one line for what they do not take."""

import inspect
from pathlib import Path

import pytest

import attrsearch
from attrsearch.core.errors import AttrsearchError, InputError, RecipeError
from attrsearch.core.recipes.study import Workers, load_study
from attrsearch.search.config import Execution, RunConfig, RunOptions, with_options
from attrsearch.search.distributed.shards import Shard
from attrsearch.search.run import run


def test_keywords_are_fields() -> None:
    fields = {*RunConfig.model_fields, *Execution.model_fields}
    assert set(RunOptions.__annotations__) == {*fields, "workers", "sampler", "callbacks"}
    assert not set(RunConfig.model_fields) & set(Execution.model_fields)


def test_no_keyword_hides_a_parameter_of_run() -> None:
    assert not set(inspect.signature(run).parameters) & set(RunOptions.__annotations__)


def test_settings_are_public() -> None:
    assert attrsearch.RunConfig is RunConfig
    assert attrsearch.Execution is Execution


def test_keywords_replace_fields() -> None:
    config = RunConfig(study="quick", trials=5, seed=3)
    changed, execution = with_options(config, None, {"trials": 7, "people": ["ann"], "jobs": 2})
    assert (changed.study, changed.trials, changed.seed) == ("quick", 7, 3)
    assert changed.people == ("ann",)
    assert execution == Execution(jobs=2)
    assert config.trials == 5


def test_a_loaded_study_is_a_study() -> None:
    study = load_study("quick", trials=9)
    assert RunConfig(study=study).load_study() == study


def test_what_is_asked_for_stands_before_the_study() -> None:
    config = RunConfig(study="per_identity", space="full13", surrogate="none", seed=4)
    study = config.load_study()
    assert (study.space, study.seed) == ("full13", 4)
    assert study.surrogate is not None
    assert study.surrogate.pooled == "none"
    assert study.stopping is not None
    assert study.stopping.extra > 0


def test_nobody_gets_more_than_the_candidates_asked_for() -> None:
    stopping = RunConfig(trials=30).load_study().stopping
    assert stopping is not None
    assert stopping.extra == 0


def test_workers_are_the_studys_where_nothing_is_asked_for() -> None:
    study = load_study("quick").model_copy(update={"workers": Workers(jobs=3)})
    assert Execution().workers(study).jobs == 3
    assert Execution(jobs=1).workers(study).jobs == 1


def test_workers_stand_for_three_fields() -> None:
    cluster = Workers(backend="dask", scheduler="tcp://10.0.0.1:8786")
    _, execution = with_options(None, None, {"workers": cluster})
    assert execution.workers(load_study("quick")) == cluster


def test_a_shard_is_read() -> None:
    _, execution = with_options(None, None, {"shard": "2/3"})
    assert execution.shard == Shard(2, 3)
    with pytest.raises(InputError, match="--shard: needs a part such as 1/4, found 4/3"):
        with_options(None, None, {"shard": "4/3"})


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"trials": "many"}, "attrsearch.run, trials: needs a valid value"),
        ({"jobs": 0}, "attrsearch.run, jobs: needs a valid value"),
        ({"people": "ann"}, "attrsearch.run, people: needs a valid value"),
        ({"backend": "slurm"}, "attrsearch.run, backend: needs a valid value"),
        ({"genders": {"ann": "woman"}}, "attrsearch.run, genders.ann: needs a valid value"),
    ],
)
def test_a_bad_value_is_one_line(options: RunOptions, line: str) -> None:
    with pytest.raises(RecipeError) as raised:
        with_options(None, None, options)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


def test_a_bad_value_ends_a_run_before_it_writes(tmp_path: Path) -> None:
    with pytest.raises(AttrsearchError, match="trials: needs a valid value"):
        run(tmp_path, tmp_path / "run", trials=0)
    with pytest.raises(AttrsearchError, match="--backend: needs a scheduler for dask only"):
        run(tmp_path, tmp_path / "run", backend="dask")
    assert not (tmp_path / "run").exists()


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'trails'"):
        with_options(None, None, {"trails": 5})  # type: ignore[typeddict-unknown-key]
