"""The bundled critic: verified, calibrated, and in agreement with what everybody sees."""

import numpy as np
import pytest

from attrsearch.core.errors import WeightsError
from attrsearch.core.weights import manifest
from attrsearch.editing.filters import blur, pixelate
from attrsearch.faces.dataset import Identity
from attrsearch.faces.naturalness import Critic, load_critic_network
from attrsearch.faces.sampling import to_editor
from attrsearch.search.evaluator import Evaluator, Request


def test_real_faces_score_above_blurred_and_pixelated_ones(people: list[Identity]) -> None:
    crops = [face.crop for person in people for face in person.faces]
    critic = Critic()
    real = critic.scores(to_editor(crops))
    for spoilt in ([blur(crop, 8.0) for crop in crops], [pixelate(crop, 12) for crop in crops]):
        assert critic.scores(to_editor(spoilt)).mean() < real.mean() - 0.3


def test_scores_do_not_depend_on_the_batch(people: list[Identity]) -> None:
    windows = np.stack([face.window for person in people for face in person.faces])
    critic = Critic()
    together = critic.windows(np.concatenate([windows] * 16)[:16])
    again = critic.windows(np.concatenate([windows[:1], windows] * 16)[:17])
    assert again[0] == together[0]
    assert ((together >= 0) & (together <= 1)).all()


def test_an_evaluator_asks_the_critic_only_when_it_has_one(
    evaluator: Evaluator, people: list[Identity]
) -> None:
    subject, _ = evaluator.prepare(people[0].faces)
    assert subject is not None
    request = Request(subject, np.full((1, 1, 13), 0.5, np.float32))
    judged = Evaluator(evaluator.editor, evaluator.detector, evaluator.recognisers, critic=Critic())
    without, with_critic = evaluator.evaluate([request])[0], judged.evaluate([request])[0]
    assert (without.naturalness == 1).all()
    assert (with_critic.naturalness < 1).all()
    assert np.array_equal(without.distance, with_critic.distance)


def test_other_weights_are_no_critic() -> None:
    with pytest.raises(WeightsError, match="needs a critic"):
        load_critic_network(manifest()["traits"].path)
