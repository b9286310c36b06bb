"""The space and the samplers.

Every candidate of every sampler keeps its bounds, signs and fixed attributes.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attrsearch.core.attributes import ATTRIBUTES, GENDERS, MALE, Gender
from attrsearch.core.recipes.objective import Aggregation, Constraint, load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import Sampler
from attrsearch.search.objective import CandidateResults, aggregate
from attrsearch.search.samplers import SAMPLERS
from attrsearch.search.space import PersonSpace, person_space
from attrsearch.search.study import PersonStudy, person_seed
from attrsearch.search.terms import FaceScores

SPACES = ("thesis10", "full13", "asymmetric", "one-pass")


def check(passes: np.ndarray, name: str, gender: Gender) -> None:
    """Every law of a preset, on candidates (n, passes, 13)."""
    bounds = np.array(load_space(name).bounds(gender))
    first = passes[:, 0]
    assert (first >= bounds[:, 0] - 1e-6).all()
    assert (first <= bounds[:, 1] + 1e-6).all()
    assert passes.shape[1] == (1 if name == "one-pass" else 2)
    own = 1 if gender == "male" else -1
    assert (np.sign(first[:, MALE]) == (own if name == "one-pass" else -own)).all()
    assert not passes[..., ATTRIBUTES.index("Bald")].any()
    if name in ("thesis10", "full13"):
        assert np.array_equal(passes[:, 1], -first)
    if name == "asymmetric":
        second = passes[:, 1]
        assert (second >= -bounds[:, 1] - 1e-6).all()
        assert (second <= -bounds[:, 0] + 1e-6).all()
        assert (np.sign(second[:, MALE]) == own).all()
    if name == "thesis10":
        assert not passes[
            ..., [ATTRIBUTES.index("Black_Hair"), ATTRIBUTES.index("Blond_Hair")]
        ].any()
    if name == "one-pass" and gender == "female":
        assert (first[:, ATTRIBUTES.index("Mustache")] <= 0).all()
        assert (first[:, ATTRIBUTES.index("No_Beard")] >= 0).all()


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=40, deadline=None)
@given(gender=st.sampled_from(GENDERS), seed=st.integers(0, 2**32 - 1))
def test_every_point_keeps_the_laws(name: str, gender: Gender, seed: int) -> None:
    space = person_space(load_space(name), gender)
    points = np.random.default_rng(seed).uniform(space.low, space.high, (8, len(space.names)))
    check(space.attributes(points), name, gender)
    check(space.attributes(space.low), name, gender)
    check(space.attributes(space.high), name, gender)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("gender", GENDERS)
def test_who_may_be_a_woman_is_given_no_beard(name: str, gender: Gender) -> None:
    sure, unsure = (person_space(load_space(name), gender, certainty) for certainty in (0.8, 0.7))
    points = np.random.default_rng(0).uniform(unsure.low, unsure.high, (64, len(unsure.names)))
    check(unsure.attributes(points), name, gender)
    if name == "one-pass":
        assert (unsure.attributes(points)[:, 0, ATTRIBUTES.index("Mustache")] <= 0).all()
        assert (unsure.attributes(points)[:, 0, ATTRIBUTES.index("No_Beard")] >= 0).all()
    else:  # the second pass takes back what the first one adds
        assert np.array_equal(unsure.low, sure.low)
        assert np.array_equal(unsure.high, sure.high)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("gender", GENDERS)
def test_points_and_attributes_are_one_to_one(name: str, gender: Gender) -> None:
    space = person_space(load_space(name), gender)
    point = np.random.default_rng(0).uniform(space.low, space.high)
    passes = space.attributes(point)[0]
    for value, label in zip(point, space.names, strict=True):
        which, attribute = label.split("_", 1)
        assert passes[int(which == "second"), ATTRIBUTES.index(attribute)] == np.float32(value)


def scores_of(passes: np.ndarray) -> FaceScores:
    """A smooth made-up landscape with a feasible corner, as measured on two faces."""
    strength = np.abs(passes[:, 0]).mean(1)
    distance = (0.9 + 0.9 * strength)[:, None] * np.array([1.0, 0.97])
    ones = np.ones_like(distance)
    return FaceScores(
        detection=(ones * 0.99).astype(np.float32),
        iou=(ones - 0.2 * strength[:, None]).astype(np.float32),
        distance=distance.astype(np.float32),
        distance_raw=(distance / 1.05).astype(np.float32),
        verification_margin=(distance - 1.17).astype(np.float32),
        naturalness=ones.astype(np.float32),
    )


def propose(
    sampler: Sampler, space: PersonSpace, trials: int, seed: int, objective: str = "utility_product"
) -> list:
    recipe = load_objective(objective)
    study = PersonStudy(space, sampler, len(recipe.maximise), trials, seed)
    asked = []
    while study.remaining:
        candidates = study.ask()
        asked.append(candidates)
        study.tell(aggregate(recipe, scores_of(candidates)))
    assert len(study.ask()) == 0
    return asked


class SamplerContract:
    """What every sampler must do."""

    name: str
    objective = "utility_product"
    trials = 30

    @pytest.mark.parametrize("space", SPACES)
    def test_candidates_keep_the_laws(self, space: str) -> None:
        sampler = Sampler(name=self.name, startup=8, asks=4)  # type: ignore[arg-type]
        for gender in GENDERS:
            person = person_space(load_space(space), gender)
            found = np.concatenate(propose(sampler, person, self.trials, 3, self.objective))
            assert len(found) == self.trials
            check(found, space, gender)

    def test_the_seed_decides(self) -> None:
        sampler = Sampler(name=self.name, startup=8, asks=4)  # type: ignore[arg-type]
        space = person_space(load_space("one-pass"), "female")
        first, again, other = (
            np.concatenate(propose(sampler, space, self.trials, seed, self.objective))
            for seed in (1, 1, 2)
        )
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_a_last_round_may_be_short(self) -> None:
        sampler = Sampler(name=self.name, startup=4, asks=4)  # type: ignore[arg-type]
        space = person_space(load_space("thesis10"), "male")
        assert [len(batch) for batch in propose(sampler, space, 6, 0, self.objective)] == [4, 2]


class TestTpe(SamplerContract):
    name = "tpe"


class TestRandom(SamplerContract):
    name = "random"


class TestQmc(SamplerContract):
    name = "qmc"


class TestCmaEs(SamplerContract):
    name = "cmaes"


class TestGp(SamplerContract):
    name = "gp"
    trials = 12


class TestNsga2(SamplerContract):
    name = "nsga2"
    objective = "pareto"


def test_every_sampler_has_a_contract() -> None:
    assert {kind.name for kind in SamplerContract.__subclasses__()} == set(SAMPLERS)


def test_tpe_learns_to_be_feasible() -> None:
    space = person_space(load_space("one-pass"), "male")
    shares = {}
    for name in ("tpe", "random"):
        found = np.concatenate(propose(Sampler(name=name, asks=4), space, 80, 0))  # type: ignore[arg-type]
        shares[name] = (
            aggregate(load_objective("utility_product"), scores_of(found)).feasible[40:].mean()
        )
    assert shares["tpe"] > shares["random"] + 0.2


def test_a_persons_seed_is_their_own() -> None:
    assert person_seed(0, "Ann") == person_seed(0, "Ann")
    assert len({person_seed(seed, name) for seed in range(3) for name in ("Ann", "Ben")}) == 6


def table(**arrays: list[list[float]]) -> FaceScores:
    filled = {
        "detection": 1.0,
        "iou": 1.0,
        "distance": 1.5,
        "distance_raw": 1.4,
        "verification_margin": 0.3,
    }
    filled["naturalness"] = 1.0
    shape = np.shape(next(iter(arrays.values())))
    return FaceScores(
        **{
            name: np.array(arrays[name], np.float32)
            if name in arrays
            else np.full(shape, value, np.float32)
            for name, value in filled.items()
        }
    )


def test_utility_is_the_product_of_the_means() -> None:
    found = aggregate(
        load_objective("utility_product"),
        table(detection=[[1.0, 0.8]], iou=[[0.9, 0.7]], distance=[[1.5, 1.4]]),
    )
    assert found.utility[0] == pytest.approx(0.9 * 0.8 * 1.45)
    assert found.values[0, 0] == pytest.approx(found.utility[0])
    assert found.worst_distance[0] == pytest.approx(1.4)
    assert found.feasible[0]


@pytest.mark.parametrize(
    ("distance", "verification_margin", "feasible"),
    [
        ([1.5, 1.5], [0.3, 0.3], True),
        ([1.5, 1.3], [0.3, 0.1], False),  # the mean is 1.4: it must be passed, not met
        ([1.9, 1.1], [0.7, -0.01], False),  # one face still verifies
        ([0.0, 1.9], [-2.0, 0.7], False),  # one face is lost
    ],
)
def test_what_anonymised_means(
    distance: list[float], verification_margin: list[float], feasible: bool
) -> None:
    found = aggregate(
        load_objective("utility_product"),
        table(distance=[distance], verification_margin=[verification_margin]),
    )
    assert bool(found.feasible[0]) is feasible


def test_the_winner_is_the_best_feasible_one() -> None:
    scores = table(distance=[[1.3], [1.41], [1.45], [1.9]], iou=[[1.0], [0.9], [0.95], [0.6]])
    found = aggregate(load_objective("utility_product"), scores)
    assert found.feasible.tolist() == [False, True, True, True]
    assert found.best() == 2
    assert found.order().tolist() == [2, 1, 3, 0]


def test_without_a_feasible_one_the_nearest_is_kept() -> None:
    found = aggregate(load_objective("utility_product"), table(distance=[[1.2], [1.39], [1.3]]))
    assert not found.feasible.any()
    assert found.best() == 1


def test_margin_pays_nothing_past_the_threshold() -> None:
    scores = table(distance=[[1.41], [1.9]], iou=[[0.9], [0.9]])
    assert np.ptp(aggregate(load_objective("margin"), scores).values) == pytest.approx(0)
    assert aggregate(load_objective("utility_product"), scores).best() == 1


def test_pareto_has_three_values_and_one_winner() -> None:
    scores = table(distance=[[1.45], [1.6]], iou=[[0.9], [0.85]])
    found = aggregate(load_objective("pareto"), scores)
    assert found.values.shape == (2, 3)
    assert found.best() == int(np.argmax(found.utility))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Aggregation(aggregate="min"), 0.5),
        (Aggregation(aggregate="quantile", quantile=0.5), 0.75),
        (Aggregation(aggregate="mean", cap=0.7), 0.7),
    ],
)
def test_aggregations(how: Aggregation, expected: float) -> None:
    recipe = load_objective("utility_product").model_copy(update={"terms": {"iou": how}})
    found = aggregate(recipe, table(iou=[[0.5, 1.0]], distance=[[1.0, 1.0]]))
    assert found.values[0, 0] == pytest.approx(expected)


def test_a_constraint_on_another_term() -> None:
    recipe = load_objective("utility_product").model_copy(
        update={"constraints": (Constraint(term="iou", aggregate="min", above=0.8),)}
    )
    found = aggregate(recipe, table(iou=[[0.9, 0.79], [0.9, 0.81]]))
    assert found.feasible.tolist() == [False, True]


def test_judgements_are_joined() -> None:
    parts = [aggregate(load_objective("pareto"), table(distance=[[d]])) for d in (1.2, 1.5)]
    joined = CandidateResults.join(parts)
    assert joined.feasible.tolist() == [False, True]
