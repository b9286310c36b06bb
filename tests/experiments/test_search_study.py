"""Ways of searching beside one another.

The study on one person, and its tables on made-up trials.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrsearch.core.errors import InputError
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import Sampler, load_study
from attrsearch.experiments.search_arms import ARMS, Plan
from attrsearch.experiments.search_curves import search_curves
from attrsearch.experiments.search_report import curves_of, interval, search_figures
from attrsearch.experiments.search_study import study_search
from attrsearch.experiments.search_trials import read_study
from attrsearch.experiments.wording import say_figures
from attrsearch.search.evaluator import Evaluator
from attrsearch.search.models import Settings

STUDY = load_study("quick", recogniser="sface", max_faces=1, heldback=0.0)


def study(sample: Path, out: Path, *plans: str, **options: object) -> int:
    parsed = [Plan.parse(plan) for plan in plans]
    return study_search(sample, out, STUDY, parsed, people=["cadet"], **options)  # type: ignore[arg-type]


def test_a_study_continues_and_measures_nothing_twice(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    evaluate = Evaluator.evaluate

    def counting(self: Evaluator, requests: list) -> list:
        counts.append(sum(len(request.attributes) for request in requests))
        return evaluate(self, requests)

    monkeypatch.setattr(Evaluator, "evaluate", counting)
    assert study(sample, tmp_path, "tpe:8:1", "tpe-free:8:1") == 1
    assert sum(counts) == 8  # the same eight random starts
    counts.clear()
    assert study(sample, tmp_path, "tpe:8:1", "cmaes:4:2") == 1
    assert 0 < sum(counts) <= 8
    counts.clear()
    assert study(sample, tmp_path, "tpe:8:1", "cmaes:4:2") == 1
    assert not counts
    assert (
        study(sample, tmp_path, "cmaes:4:3") == 1
    )  # one more seed is searched, the others are not measured again
    assert 0 < sum(counts) <= 4
    trials = read_study(tmp_path)
    assert trials.groupby("arm").size().to_dict() == {"cmaes": 12, "tpe": 8, "tpe-free": 8}
    first = trials[trials["arm"] == "tpe"].reset_index(drop=True)
    same = trials[trials["arm"] == "tpe-free"].reset_index(drop=True)
    assert first["merit"].equals(same["merit"])
    assert np.allclose(
        first["utility"], first["detection"] * first["iou"] * first["distance"], atol=1e-5
    )
    assert np.array_equal(first["feasible"], first["margin"] >= 0)


def test_a_study_of_other_settings_is_not_mixed_in(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text('{"editor": "other"}')
    with pytest.raises(InputError, match="needs the settings this study was begun with"):
        study(sample, tmp_path, "random:4:1")
    with pytest.raises(InputError, match="needs a study of searches, found no trials"):
        read_study(tmp_path)


def test_time_that_is_over(sample: Path, tmp_path: Path) -> None:
    assert study(sample, tmp_path, "random:4:1", minutes=0.0) == 0


@pytest.mark.parametrize("text", ["tpe", "tpe:0:1", "tpe:a:1", "tpe:10", "tpe:10:1:1"])
def test_bad_plans(text: str) -> None:
    with pytest.raises(InputError, match="ARM:TRIALS:SEEDS"):
        Plan.parse(text)


def test_unknown_arms() -> None:
    with pytest.raises(InputError, match="did you mean random"):
        Plan.parse("randon:10:1")


def test_every_arm_is_a_valid_recipe() -> None:
    settings = Settings(STUDY, load_space("one-pass"), load_objective("utility_product"))
    for name, arm in ARMS.items():
        made = arm.settings(settings)
        assert isinstance(made.study.sampler, Sampler)
        assert (made.objective.name == "pareto") == ("pareto" in name)
    rejecting = ARMS["tpe-rejecting"].surrogate
    assert rejecting is not None
    assert rejecting.audit == rejecting.share


def in_words(trials: pd.DataFrame, rate: float) -> str:
    return say_figures("search-study", search_figures(trials, rate))


def made_up(
    arm: str, first: int, utility: float, length: int, seconds: float = 0.001
) -> pd.DataFrame:
    """Twelve people, two seeds: the first feasible candidate at ``first``, worth ``utility``."""
    rows = []
    for person in range(12):
        for seed in range(2):
            for number in range(length):
                feasible = number + 1 >= first + seed
                rows.append([f"p{person}", arm, seed, True, "sampler", feasible, utility, seconds])
    names = [
        "identity",
        "arm",
        "seed",
        "evaluated",
        "source",
        "feasible",
        "merit",
        "optimiser_seconds",
    ]
    table = pd.DataFrame(rows, columns=names)
    for name in ("predicted_utility", "rank_correlation"):
        table[name] = np.nan
    table["utility"] = table["merit"]
    return table


def test_curves_and_what_they_say() -> None:
    trials = pd.concat(
        [made_up("random", 20, 1.1, 40), made_up("tpe", 10, 1.2, 25), made_up("all", 2, 1.3, 25)]
    )
    curves = curves_of(trials)
    assert list(curves) == ["random", "tpe", "all"]
    assert sorted(set(curves["tpe"].first)) == [10, 11]
    assert curves["tpe"].best[0, 8:11].tolist() == [0.0, 1.2, 1.2]
    text = in_words(trials, rate=100.0)
    lines = {
        line.split(" | ")[0].strip("| "): line
        for line in text.splitlines()
        if line.startswith("| all")
    }
    assert "+0.100 [+0.100, +0.100]" in lines["all"]
    assert "| all | 2 | 100% | 0.12 |" in text
    assert "| all | 24 | 2 | 3 | 100% |" in text
    drawing = search_curves(curves)
    assert drawing.count(b"<polyline") + drawing.count(b"<path") >= 3
    assert b"tpe" in drawing


def test_what_is_never_reached() -> None:
    trials = pd.concat([made_up("random", 50, 1.1, 40), made_up("all", 50, 1.2, 25)])
    assert "| all | 24 | never | never | 0% |" in in_words(trials, rate=100.0)


def test_arms_are_compared_whichever_they_are() -> None:
    text = in_words(
        pd.concat([made_up("tpe", 10, 1.2, 25), made_up("local", 2, 1.3, 25)]), rate=100.0
    )
    assert "arm, less tpe" in text
    assert "to random's utility" not in text
    assert "arm, less tpe" not in in_words(made_up("tpe", 10, 1.2, 25), rate=100.0)


def test_an_interval_holds_the_mean() -> None:
    values = np.random.default_rng(0).normal(1, 0.2, 60)
    mean, low, high = interval(values)
    assert low < mean < high
    assert high - low == pytest.approx(4 * 0.2 / np.sqrt(60), rel=0.25)
