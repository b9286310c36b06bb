"""The surrogate: learners, the pooled model and its file, screening, stopping."""

from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from optuna.trial import TrialState

from attrsearch.core.attributes import ATTRIBUTES, GENDERS
from attrsearch.core.errors import RecipeError, WeightsError
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.study import Sampler, Stopping, Surrogate, load_study
from attrsearch.search.stopping import EarlyStopping
from attrsearch.search.study import PersonStudy
from attrsearch.search.surrogate.acquisition import Screener, portfolio_points
from attrsearch.search.surrogate.candidates import moved_points, spread_points
from attrsearch.search.surrogate.correction import LinearCorrection
from attrsearch.search.surrogate.ensemble import PersonModels, rank_correlation
from attrsearch.search.surrogate.features import pose
from attrsearch.search.surrogate.fit_pooled import learn, normal_scores
from attrsearch.search.surrogate.pooled import PooledModel, choose_pooled, load_pooled
from attrsearch.search.surrogate.regressors import REGRESSORS
from attrsearch.search.surrogate.targets import (
    PredictionError,
    expected_improvement,
    objective_value_of,
    penalised_value,
    predictable,
    targets_of,
)
from tests.search.surrogate.landscapes import BOUND, OBJECTIVE, Landscape

NEW = Landscape.draw(100)


@pytest.fixture(scope="module")
def pooled() -> PooledModel:
    """Learnt from 24 made-up people; its sets are the best of theirs."""
    people = [Landscape.draw(i) for i in range(24)]
    sets = {}
    for gender in GENDERS:
        lessons = [one.lesson() for one in people if one.gender == gender]
        sets[gender] = np.stack(
            [one.attributes[penalised_value(OBJECTIVE, one.targets).argmax()] for one in lessons]
        )
    return learn([one.lesson() for one in people], BOUND, OBJECTIVE, sets)


def search(landscape: Landscape, trials: int, seed: int = 0, **options: object) -> PersonStudy:
    """A whole search on a landscape; ``recipe`` and ``pooled`` make the screener."""
    recipe, pooled = options.get("recipe"), options.get("pooled")
    screener = None
    if isinstance(recipe, Surrogate):
        model = pooled if isinstance(pooled, PooledModel) else None
        portfolio = portfolio_points(landscape.space, model, landscape.gender)
        person = landscape.person if model else None
        screener = Screener(recipe, landscape.space, OBJECTIVE, seed, model, portfolio, person)
    study = PersonStudy(
        landscape.space,
        Sampler(startup=8),
        1,
        trials,
        seed,
        screener,
        options.get("stopping"),  # type: ignore[arg-type]
        lambda space: (
            Screener(wider, space, OBJECTIVE, seed)
            if isinstance(wider := options.get("wider"), Surrogate)
            else None
        ),
    )
    while study.remaining:
        study.tell(landscape.judge(study.ask()))
    return study


def measured(study: PersonStudy, landscape: Landscape) -> np.ndarray:
    """Feasibility of the measured candidates, in order."""
    points = np.array([proposal.point for proposal in study.proposals if proposal.evaluated])
    return landscape.judge(landscape.space.attributes(points)).feasible


class RegressorContract:
    """What every learner must do."""

    name: str

    def test_learns_several_targets(self) -> None:
        generator = np.random.default_rng(0)
        inputs = generator.uniform(0, 1, (200, 4))
        targets = np.stack([inputs[:, 0] * 3, 1 - inputs[:, 1]], 1)
        found = REGRESSORS[self.name](0).fit(inputs[:150], targets[:150]).predict(inputs[150:])
        assert found.shape == (50, 2)
        for k in range(2):
            assert rank_correlation(found[:, k], targets[150:, k]) > 0.9

    def test_corrects_an_earlier_prediction(self) -> None:
        generator = np.random.default_rng(1)
        inputs = generator.uniform(0, 1, (120, 3))
        start = generator.normal(0, 1, (120, 1))
        targets = start + inputs[:, :1]
        model = REGRESSORS[self.name](0).fit(inputs[:80], targets[:80], start[:80])
        found = model.predict(inputs[80:], start[80:])
        assert np.abs(found - targets[80:]).mean() < np.abs(start[80:] - targets[80:]).mean() / 1.5

    def test_the_seed_decides(self) -> None:
        generator = np.random.default_rng(2)
        inputs, targets = generator.uniform(0, 1, (40, 3)), generator.normal(0, 1, (40, 2))
        first, again = (
            REGRESSORS[self.name](5).fit(inputs, targets).predict(inputs) for _ in range(2)
        )
        assert np.array_equal(first, again)

    def test_constant_targets(self) -> None:
        found = REGRESSORS[self.name](0).fit(np.eye(6), np.full((6, 2), 0.7)).predict(np.eye(6))
        assert np.allclose(found, 0.7, atol=1e-3)


class TestXGBoost(RegressorContract):
    name = "xgboost"


class TestMlp(RegressorContract):
    name = "mlp"


class TestGaussianProcess(RegressorContract):
    name = "gp"

    def test_doubts_what_is_far_from_any_trial(self) -> None:
        inputs = np.random.default_rng(3).uniform(0, 0.3, (30, 3))
        model = REGRESSORS["gp"](0).fit(inputs, inputs[:, :1])
        near, far = model.relative_std(np.array([[0.15, 0.15, 0.15], [1.0, 1.0, 1.0]]))
        assert near < far <= 1


def test_every_learner_of_the_recipe_is_registered() -> None:
    assert set(REGRESSORS) == set(get_args(Surrogate.model_fields["model"].annotation))


def test_what_is_composed_of_the_targets() -> None:
    attributes = NEW.space.attributes(spread_points(NEW.space, 16, 0))
    results = NEW.judge(attributes)
    targets = targets_of(results)
    assert np.allclose(objective_value_of(OBJECTIVE, targets), results.objective_value)
    assert np.array_equal(targets[:, 3] >= 0, results.feasible)
    margin = objective_value_of(load_objective("margin"), np.array([[1.0, 1.0, 1.9, 0.1]]))
    assert margin[0] == pytest.approx(1.4)
    assert predictable(load_objective("pareto"))
    assert not predictable(load_objective("natural"))


def test_expected_gain_weighs_chance_and_improvement() -> None:
    spread = PredictionError(0.02, 0.03)
    rows = np.array([[1, 1, 1.5, 0.1], [1, 1, 1.5, -0.1], [1, 1, 1.3, 0.1], [1, 1, 1.45, 0.1]])
    gain = expected_improvement(OBJECTIVE, rows, spread, 1.4, np.ones(4))
    assert gain.argmax() == 0
    assert gain[1] < gain[3] < gain[0]
    assert gain[2] < 1e-3
    assert gain[0] == pytest.approx(0.1, abs=0.01)
    less = expected_improvement(OBJECTIVE, rows, spread, 1.4, np.full(4, 0.2))
    assert less[1] < gain[1]  # who is sure does not hope


def test_calibration_needs_few_trials_for_an_offset() -> None:
    predicted = np.random.default_rng(0).normal(1.3, 0.05, (6, 1))
    found = LinearCorrection.fit(predicted, predicted - 0.2)
    assert found.apply(predicted).mean() == pytest.approx(predicted.mean() - 0.2, abs=0.02)
    nothing = LinearCorrection.fit(predicted[:0], predicted[:0])
    assert np.array_equal(nothing.apply(predicted), predicted)


def test_normal_scores_keep_ties_together() -> None:
    assert (
        normal_scores(np.array([1.0, 1.0, 2.0]))[0] == normal_scores(np.array([1.0, 1.0, 2.0]))[1]
    )


@pytest.mark.parametrize("degrees", [-30, 0, 20])
def test_pose_of_a_turned_face(degrees: int) -> None:
    face = np.array([[-1, -1], [1, -1], [0.4, 0.1], [-0.7, 1], [0.7, 1]], np.float32)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    yaw, pitch, roll = pose((face @ turn)[None].astype(np.float32))[0]
    assert (yaw, pitch) == (pytest.approx(0.2, abs=1e-3), pytest.approx(0.55, abs=1e-3))
    assert roll == pytest.approx(angle, abs=1e-3)


def test_pools_keep_the_bounds() -> None:
    space = NEW.space
    points = spread_points(space, 100, 3)
    assert points.shape == (100, 10)
    moved = moved_points(space, points[:3], 500, np.random.default_rng(0))
    for found in (points, moved):
        assert (found >= space.low).all()
        assert (found <= space.high).all()
    assert np.array_equal(points, spread_points(space, 100, 3))


def test_a_pooled_model_ranks_for_people_it_has_not_seen(pooled: PooledModel) -> None:
    lesson = NEW.lesson()
    found = pooled.predict(lesson.attributes, lesson.person)
    assert found.shape == lesson.targets.shape
    assert (
        rank_correlation(
            penalised_value(OBJECTIVE, found), penalised_value(OBJECTIVE, lesson.targets)
        )
        > 0.4
    )
    assert pooled.correlation > 0.4
    assert pooled.people == 24


def test_a_pooled_model_is_a_file(pooled: PooledModel, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    sha256 = pooled.save(path)
    loaded = load_pooled(path)
    lesson = NEW.lesson()
    assert np.array_equal(
        loaded.predict(lesson.attributes, lesson.person),
        pooled.predict(lesson.attributes, lesson.person),
    )
    assert loaded.sha256 == sha256
    assert pooled.save(tmp_path / "again.safetensors") == sha256
    assert np.array_equal(loaded.sets["male"], pooled.sets["male"])


def test_a_pooled_model_of_another_setting_is_not_used(pooled: PooledModel, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    pooled.save(path)
    assert choose_pooled(str(path), BOUND)[0] is not None
    model, line = choose_pooled(str(path), {**BOUND, "editor": "other"})
    assert model is None
    assert "learnt with another editor; not used" in line
    assert choose_pooled("none", BOUND) == (None, "")
    assert choose_pooled("auto", BOUND) == (None, "")


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04pickle", b"PK\x03\x04", b"\x10\0\0\0\0\0\0\0not json at all!"]
)
def test_a_damaged_pooled_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(
        WeightsError, match=r"model.safetensors: needs a pooled surrogate"
    ) as caught:
        load_pooled(path)
    assert "\n" not in str(caught.value)


def test_other_safetensors_are_no_pooled_model(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="found another file"):
        load_pooled(tmp_path / "a.safetensors")


def test_a_portfolio_comes_first_and_pays(pooled: PooledModel) -> None:
    study = search(NEW, 40, recipe=Surrogate(portfolio=4), pooled=pooled)
    sources = [proposal.source for proposal in study.proposals if proposal.evaluated]
    assert sources[:4] == ["portfolio"] * 4
    assert set(sources[4:]) >= {"surrogate", "sampler"}
    assert measured(study, NEW)[:24].sum() > measured(search(NEW, 24), NEW).sum() + 3


def test_a_local_surrogate_waits_for_trials() -> None:
    recipe = Surrogate(pooled="none", start=12, refit=8)
    study = search(NEW, 60, recipe=recipe)
    sources = [proposal.source for proposal in study.proposals if proposal.evaluated]
    assert set(sources[:12]) == {"sampler"}
    assert "surrogate" in sources
    assert len(sources) == 60


def test_what_is_screened_out_is_kept_on_record_and_never_told(pooled: PooledModel) -> None:
    study = search(NEW, 48, recipe=Surrogate(audit=0.2), pooled=pooled)
    left = [proposal for proposal in study.proposals if not proposal.evaluated]
    assert left
    assert all(np.isfinite(proposal.utility) for proposal in left)
    assert study.screener is not None
    assert study.screener.screened_out > 10 * len(left)
    told = study._study.get_trials(states=(TrialState.COMPLETE,))
    assert len(told) == 48
    counted = Counter(proposal.source for proposal in study.proposals if proposal.evaluated)
    assert counted["audit"] > 2
    assert counted["sampler"] > 2


def test_the_sampler_learns_from_what_others_proposed(pooled: PooledModel) -> None:
    study = search(NEW, 24, recipe=Surrogate(), pooled=pooled)
    told = study._study.get_trials()
    feasible = [all(value <= 0 for value in trial.constraints.values()) for trial in told]
    assert sum(feasible) == measured(study, NEW).sum() > 0


def test_predictions_that_are_no_good_are_not_followed(pooled: PooledModel) -> None:
    """Targets drawn by chance: after enough of them nothing is screened any more."""
    generator = np.random.default_rng(0)
    screener = Screener(
        Surrogate(portfolio=0, gate=0.3), NEW.space, OBJECTIVE, 0, pooled, person=NEW.person
    )
    real = NEW.judge(NEW.space.attributes(spread_points(NEW.space, 4, 0)))
    for _ in range(30):
        proposals = screener.propose(4)
        points = generator.uniform(NEW.space.low, NEW.space.high, (4, 10))
        noise = Landscape(
            "female", generator.normal(0, 1, 13), float(generator.normal(1.4, 0.2)), NEW.person
        )
        screener.observe(points, noise.judge(NEW.space.attributes(points)))
    assert [proposal.source for proposal in proposals] == ["sampler"] * 4
    assert screener.expected_improvement == np.inf
    assert real is not None


def test_the_seed_decides_what_is_screened(pooled: PooledModel) -> None:
    first, again, other = (
        [
            proposal.point
            for proposal in search(
                NEW, 30, seed, recipe=Surrogate(start=12), pooled=pooled
            ).proposals
        ]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert len(first) != len(other) or not np.array_equal(first, other)


def test_standing_is_drawn_towards_what_was_known() -> None:
    models = PersonModels(Surrogate(pooled="none"), NEW.space, OBJECTIVE, 0, None, None)
    assert models.choose() is None


@pytest.mark.parametrize(
    ("feasible", "gains", "left"),
    [
        ([True, True, True], [1.0, 1e-4, 1e-4], 0),  # nothing more to gain, twice
        ([True, True, True], [1e-4, 1e-4, 1.0], 8),  # gained again
        ([False, False, False], [1e-4, 1e-4, 1e-4], 8),  # nobody stops without a winner
        ([True, True, True], [np.inf] * 3, 8),  # nothing predicts
    ],
)
def test_when_a_search_stops(feasible: list[bool], gains: list[float], left: int) -> None:
    stopper = EarlyStopping(Stopping(tolerance=1e-3, patience=2, least=3), 8)
    for flag, gain in zip(feasible, gains, strict=True):
        found = stopper.remaining(8, np.array([flag]), gain)
    assert found == left


def test_a_search_that_stops_ends(pooled: PooledModel) -> None:
    stopping = Stopping(tolerance=0.05, patience=1, least=12, extra=0.0)
    study = search(NEW, 80, recipe=Surrogate(), pooled=pooled, stopping=stopping)
    assert 12 <= sum(proposal.evaluated for proposal in study.proposals) < 80


def test_who_has_nothing_gets_more_of_it_once() -> None:
    hopeless = Landscape(NEW.gender, NEW.corner, 1.1, NEW.person)
    study = search(hopeless, 16, stopping=Stopping(extra=0.5))
    assert len(study.proposals) == 24
    assert not measured(study, hopeless).any()


def further_than_bounds() -> Landscape:
    """Someone whom only edits beyond the bounds of the space hide: 1.5, where it ends at 1.1."""
    corner = np.zeros(len(ATTRIBUTES))
    corner[[ATTRIBUTES.index(name.removeprefix("first_")) for name in NEW.space.names]] = 1.5
    return Landscape(NEW.gender, corner, 1.45, NEW.person)


@pytest.mark.parametrize("recipe", [None, Surrogate(pooled="none")])
def test_who_has_nothing_is_searched_on_in_wider_bounds(recipe: Surrogate | None) -> None:
    person = further_than_bounds()
    stopping = Stopping(tolerance=0, extra=6, widen=1.5)
    study = search(person, 32, recipe=recipe, stopping=stopping, wider=recipe)
    found = measured(study, person)
    assert len(found) < 32 + 6 * 32  # ends with the first one
    assert found.any()
    assert not found[:-4].any()
    points = np.array([proposal.point for proposal in study.proposals if proposal.evaluated])
    narrow = NEW.space
    assert (points[:32] >= narrow.low).all()
    assert (points[:32] <= narrow.high).all()
    assert (np.abs(points[32:]) > np.maximum(-narrow.low, narrow.high)).any()
    assert study.space.high.max() == pytest.approx(1.65)
    assert np.array_equal(np.sign(study.space.low), np.sign(narrow.low))


def test_the_first_trials_are_the_same_whatever_comes_after() -> None:
    person = further_than_bounds()
    alone = search(person, 32)
    longer = search(person, 32, stopping=Stopping(tolerance=0, extra=1, widen=1.5))
    first = [
        np.array([proposal.point for proposal in study.proposals])[:32] for study in (alone, longer)
    ]
    assert np.array_equal(*first)
    assert len(longer.proposals) == 64


def test_recipes_of_the_surrogate() -> None:
    with pytest.raises(RecipeError, match="'audit' is a part of 'share'"):
        load_study("quick", surrogate={"share": 0.1, "audit": 0.2})
    with pytest.raises(RecipeError, match=r"unknown key 'surrogate.gates'"):
        load_study("quick", surrogate={"gates": 0.1})
