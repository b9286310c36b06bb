"""Thesis 4.3: learners on made-up edits, the tables, and the real thing on the sample."""

from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.errors import InputError
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import load_study
from attrsearch.experiments.attribute_learning import (
    LEARNERS,
    THESIS,
    MeasuredEdits,
    agreement,
    learn_levels,
    limits,
    measure_edits,
)
from attrsearch.experiments.attribute_tables import learner_figures
from attrsearch.experiments.wording import say_figures
from attrsearch.search.space import person_space

SPACE = person_space(load_space("thesis10"), "female")


def made_up(faces: int = 2, count: int = 300, shared: float = 1.0) -> MeasuredEdits:
    """Utility that depends on one attribute, the same on every face as far as ``shared`` says."""
    generator = np.random.default_rng(0)
    points = generator.uniform(SPACE.low, SPACE.high, (count, len(SPACE.names)))
    own = generator.normal(0, 1, (faces, count))
    utility = shared * points[:, 0] + (1 - shared) * own + 1
    return MeasuredEdits(tuple("abcdefgh"[:faces]), SPACE, points, utility, None)


@pytest.mark.parametrize("name", list(LEARNERS))
def test_what_can_be_learnt_is_learnt(name: str) -> None:
    found = learn_levels(made_up(), LEARNERS[name], 0)
    recall_ok, accuracy_ok, recall_good, accuracy_good = found.scores
    assert min(recall_ok, accuracy_ok, accuracy_good) > 0.85
    assert recall_good > 0.7
    assert found.kept > 0.7
    assert found.tries == pytest.approx(4, rel=0.4)


@pytest.mark.parametrize("name", list(LEARNERS))
def test_chance_is_not_learnt(name: str) -> None:
    found = learn_levels(made_up(shared=0.0, count=600), LEARNERS[name], 0)
    assert found.scores[1] == pytest.approx(0.5, abs=0.12)
    assert found.kept < 0.5


def test_all_faces_together() -> None:
    found = learn_levels(made_up(faces=3), LEARNERS["XGBoost"], None)
    assert found.scores[1] > 0.85


def test_a_level_nobody_reaches() -> None:
    edits = made_up()
    flat = MeasuredEdits(
        edits.names,
        edits.space,
        edits.points,
        np.stack([edits.utility[0], edits.utility[1] - 9]),
        None,
    )
    found = learn_levels(flat, LEARNERS["XGBoost"], 1)
    assert np.isnan(found.scores[0])
    assert found.scores[1] == 1.0


def test_limits_are_over_all_edits() -> None:
    edits = made_up()
    ok, good = limits(edits)
    assert ok == pytest.approx(edits.utility.mean())
    assert (edits.utility > good).mean() == pytest.approx(0.25, abs=0.01)


def test_agreement_of_strangers_is_chance() -> None:
    assert agreement(np.random.default_rng(0).normal(0, 1, (6, 4000)), 0.1) == pytest.approx(
        0.1, abs=0.02
    )
    assert agreement(made_up(shared=1.0).utility) == 1.0


def test_the_table_has_the_thesis_beside_it() -> None:
    text = say_figures("table-4.6-learners", learner_figures(made_up(faces=2, count=120)))
    assert "| 1 | MLP, thesis | 78% | 69% | 66% | 79% |" in text
    assert "| All | MLP, thesis | 59% | 58% | 3% | 77% |" in text
    assert "3.1" in text
    assert "86 %" in text
    assert all(len(column) == 9 for column in THESIS.values())


def test_measured_on_the_sample(sample: Path) -> None:
    study = load_study("thesis", recogniser="sface")
    edits = measure_edits(sample, study, gender="male", count=2, sets=12)
    assert edits.utility.shape == (2, 12)
    assert (edits.utility > 0).any()
    assert edits.pooled is None
    with pytest.raises(InputError, match="needs two people seen as female"):
        measure_edits(sample, study, gender="female", people=["astronaut"], sets=2)
