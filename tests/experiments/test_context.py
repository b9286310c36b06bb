"""Who is edited, who is looked among, and what is drawn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.attributes import ATTRIBUTES, MALE
from attrsearch.core.errors import InputError
from attrsearch.core.recipes.space import load_space
from attrsearch.experiments.context import ExperimentContext
from attrsearch.experiments.edits import draw, edit_faces
from attrsearch.experiments.options import ExperimentOptions


def test_nobody_is_looked_for_among_the_pictures_that_are_edited(lab: ExperimentContext) -> None:
    assert len({probe.id for probe in lab.probes}) == 4
    for probe in lab.probes:
        assert len(probe.faces) == len(probe.look) == 2
        assert len(probe.enrolled) == 2
        edited = {face.window.tobytes() for face in probe.faces}
        assert not edited & {window.tobytes() for window in probe.enrolled.windows}
    assert lab.others.people == ("stranger",)
    gallery = lab.galleries["sface"]
    assert gallery.owners.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4]


def test_a_person_is_found_by_their_own_pictures_and_noise_is_not(lab: ExperimentContext) -> None:
    probe = lab.probes[0]
    own = {"sface": probe.enrolled.embed(lab.measure.recogniser)}
    assert lab.identified(own, probe.number)["either"].all()
    assert not lab.identified(own, (probe.number + 1) % 4)["sface"].any()


def test_either_judge_is_enough(lab: ExperimentContext) -> None:
    rows = {judge.name: lab.probes[0].look.embed(judge.recogniser) for judge in lab.judges}
    found = lab.identified(rows, 0)
    assert found["either"].tolist() == np.logical_or.reduce([found[name] for name in rows]).tolist()


def test_what_is_drawn_depends_on_the_seed_and_the_purpose_only(
    laboratory: Callable[..., ExperimentContext],
) -> None:
    first, again, other = laboratory(), laboratory(), laboratory(seed=1)
    first.random("anything else")
    assert first.random("sets").random() == again.random("sets").random()
    assert first.random("sets").random() != first.random("pictures").random()
    assert first.random("sets").random() != other.random("sets").random()


@pytest.mark.parametrize(("gender", "sign"), [("male", -1), ("female", 1)])
def test_sets_are_gender_synchronised_and_within_their_range(gender: str, sign: int) -> None:
    space = load_space("thesis10")
    sets = draw(space, gender, 200, 0.8, np.random.default_rng(0))  # type: ignore[arg-type]
    assert sets.shape == (200, 2, 13)
    assert np.abs(sets).max() <= 0.8
    assert np.array_equal(sets[:, 1], -sets[:, 0])
    assert (np.sign(sets[:, 0, MALE]) == sign).all()
    assert not sets[:, :, ATTRIBUTES.index("Bald")].any()
    free = draw(
        space.model_copy(update={"passes": "free"}), gender, 200, 1.0, np.random.default_rng(0)
    )  # type: ignore[arg-type]
    assert not np.array_equal(free[:, 1], -free[:, 0])
    assert (np.sign(free[:, 1, MALE]) == -sign).all()


def test_edits_agree_with_the_products_own_measurement(lab: ExperimentContext) -> None:
    from attrsearch.search.evaluator import Request

    probe = lab.probes[0]
    sets = draw(lab.space, probe.gender, 3, 1.0, lab.random("test"))
    edits = edit_faces(
        lab.evaluator(), probe.faces, probe.look, sets, lab.measure, lab.judges, critic=lab.critic
    )
    subject, _ = lab.evaluator().prepare(probe.faces)
    assert subject is not None
    scores = lab.evaluator().evaluate([Request(subject, sets)])[0]
    assert edits.found.shape == (3, 2)
    assert edits.embeddings["sface"].shape == (3, 2, 128)
    assert np.allclose(edits.overlap, scores.iou, atol=0.02)
    assert np.allclose(edits.probability, scores.detection, atol=1e-3)
    assert np.allclose(edits.distance, scores.distance, atol=0.02)
    assert np.isfinite(edits.natural).all()


def test_too_few_people_are_one_line(sample: Path) -> None:
    with pytest.raises(InputError, match="needs 4 people with 4 pictures or more each, found 3"):
        _ = ExperimentContext(ExperimentOptions(faces=sample)).probes
    with pytest.raises(InputError, match="needs a folder of people, found none"):
        _ = ExperimentContext(ExperimentOptions()).probes
