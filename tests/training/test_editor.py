"""Training an editor: the same steps give the same bits, stopped or not.

Every term pulls where it should.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from attrsearch.core.attributes import ATTRIBUTES, MALE
from attrsearch.core.errors import InputError, OutputError, RecipeError, TrainingError
from attrsearch.editing.attgan import Generator, GeneratorConfig
from attrsearch.editing.checkpoints import load_checkpoint
from attrsearch.training.attribute_sampling import ask_back, ask_edits, ask_one_pass
from attrsearch.training.dataset import FaceSet, randomness, to_network
from attrsearch.training.discriminator import Discriminator, gradient_penalty
from attrsearch.training.editor import EditorTrainer
from attrsearch.training.generator import average, make_generator, widened
from attrsearch.training.loop import Pace, TrainingProgress, train
from attrsearch.training.recipes import EditorLosses, EditorRecipe, load_editor_recipe

HEAD = {"format": "attrsearch/training", "version": 1, "kind": "editor", "steps": 4, "batch": 4}
SMALL = {
    "precision": "fp32",
    "enc_dim": 4,
    "dec_dim": 4,
    "discriminator_dim": 4,
    "penalty_every": 2,
}


def recipe(**changes: object) -> EditorRecipe:
    losses = {"reconstruction": 10.0, "colour": 1.0}
    return EditorRecipe.model_validate(HEAD | SMALL | {"losses": losses} | changes)


def anonymiser(**changes: object) -> EditorRecipe:
    losses = dict.fromkeys(
        ("outside", "identity", "spread", "detection", "geometry", "tone", "colour", "anchor"), 1.0
    )
    return recipe(asks="one-pass", blend=True, losses=losses, **changes)


def same(first: Path, second: Path) -> bool:
    one, two = load_file(first / "weights.safetensors"), load_file(second / "weights.safetensors")
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("make", [recipe, anonymiser])
def test_a_stopped_training_continues_to_the_bit(
    tmp_path: Path, prepared: FaceSet, make: type
) -> None:
    chosen = make()
    train(EditorTrainer(chosen, prepared), chosen, tmp_path / "whole", Pace(4))
    train(EditorTrainer(chosen, prepared), chosen, tmp_path / "parts", Pace(2))
    assert not same(tmp_path / "whole", tmp_path / "parts")
    reached = train(
        EditorTrainer(chosen, prepared), chosen, tmp_path / "parts", Pace(4), resume=True
    )
    assert reached.step == 4
    assert same(tmp_path / "whole", tmp_path / "parts")


def test_another_seed_gives_other_weights(tmp_path: Path, prepared: FaceSet) -> None:
    for seed in (0, 1):
        chosen = recipe(seed=seed)
        train(EditorTrainer(chosen, prepared), chosen, tmp_path / str(seed), Pace(1))
    assert not same(tmp_path / "0", tmp_path / "1")


def test_what_a_training_leaves(tmp_path: Path, prepared: FaceSet) -> None:
    chosen, lines = recipe(), list[TrainingProgress]()
    train(EditorTrainer(chosen, prepared), chosen, tmp_path, Pace(4), progress=lines.append)
    assert [line.step for line in lines] == [1, 2, 3, 4]
    assert {"D", "adversarial", "attributes", "joint", "reconstruction"} <= set(lines[-1].losses)
    assert (tmp_path / "sheets" / "000004.png").is_file()
    loaded = load_checkpoint(str(tmp_path / "weights.safetensors"))
    assert loaded.generator.config.enc_dim == 4
    assert f'sha256 = "{loaded.sha256}"' in (tmp_path / "training.toml").read_text()


def test_resuming_wrongly(tmp_path: Path, prepared: FaceSet) -> None:
    chosen = recipe()
    trainer = EditorTrainer(chosen, prepared)
    with pytest.raises(
        InputError, match=r"checkpoint.pt: needs a checkpoint, found no such file; leave --resume"
    ):
        train(trainer, chosen, tmp_path, Pace(1), resume=True)
    train(trainer, chosen, tmp_path, Pace(1))
    with pytest.raises(OutputError, match="found a training; add --resume"):
        train(trainer, chosen, tmp_path, Pace(1))
    with pytest.raises(
        OutputError, match=r"the recipe it was started with \(ema = 0.998\), found ema = 0.5"
    ):
        train(trainer, recipe(ema=0.5), tmp_path, Pace(2), resume=True)
    (tmp_path / "checkpoint.pt").write_bytes(b"PK damaged")
    with pytest.raises(InputError, match="a damaged one"):
        train(trainer, chosen, tmp_path, Pace(2), resume=True)


def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path, prepared: FaceSet) -> None:
    chosen = recipe()
    trainer = EditorTrainer(chosen, prepared)
    with torch.no_grad():
        next(trainer.discriminator.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match="step 0: needs a finite loss"):
        train(trainer, chosen, tmp_path, Pace(1))
    assert not (tmp_path / "weights.safetensors").exists()


def test_in_the_warm_up_only_the_discriminator_learns(prepared: FaceSet) -> None:
    trainer = EditorTrainer(recipe(warmup=1), prepared)
    before = [value.clone() for value in trainer.generator.parameters()]
    judge = [value.clone() for value in trainer.discriminator.parameters()]
    trainer.step(0)
    assert all(
        torch.equal(a, b) for a, b in zip(before, trainer.generator.parameters(), strict=True)
    )
    assert not all(
        torch.equal(a, b) for a, b in zip(judge, trainer.discriminator.parameters(), strict=True)
    )
    trainer.step(1)
    assert not all(
        torch.equal(a, b) for a, b in zip(before, trainer.generator.parameters(), strict=True)
    )


def test_the_rates_fall_in_the_last_steps(prepared: FaceSet) -> None:
    trainer = EditorTrainer(
        recipe(steps=4, cooldown=2, generator_rate=1e-4, discriminator_rate=4e-4), prepared
    )
    rates = []
    for number in range(4):
        trainer.step(number)
        rates.append(
            [learn.param_groups[0]["lr"] for learn in (trainer._learn_g, trainer._learn_d)]
        )
    assert np.allclose(rates, np.outer([1, 1, 1, 0.525], [1e-4, 4e-4]))


def test_the_identity_counts_little_by_little(prepared: FaceSet) -> None:
    """At the first step of the ramp nearly nothing of the identity's gradient is left."""
    moved = []
    for ramp in (0, 1000):
        trainer = EditorTrainer(
            recipe(asks="one-pass", ramp=ramp, losses=only(identity=1.0)), prepared
        )
        trainer.step(0)
        moved.append(trainer.generator.enc_layers[0].layers[0].weight.grad.abs().sum().item())
    assert moved[1] == pytest.approx(moved[0] / 1000, rel=1e-3)


def test_a_sparring_partner_is_seen_in_the_warm_up_only(prepared: FaceSet) -> None:
    found = {}
    for name, sparring in (("alone", ""), ("sparring", "anonymiser")):
        trainer = EditorTrainer(recipe(warmup=1, sparring=sparring), prepared)
        found[name] = trainer.step(0)["D"]
    assert found["alone"] != found["sparring"]


def test_the_discriminator_judges_features_too(prepared: FaceSet) -> None:
    trainer = EditorTrainer(recipe(discriminator_features=True), prepared)
    kept = list(trainer.discriminator.state_dict())
    assert not any("frozen" in name for name in kept)
    verdict = trainer.discriminator(to_network(prepared.crops[:3]))
    assert [tuple(level.shape) for level in verdict.levels] == [
        (3, 1, side, side) for side in (32, 16, 8, 4)
    ]
    assert verdict.take(slice(1)).levels[0].shape[0] == 1
    before = trainer.discriminator.heads[0][0].weight.clone()
    trainer.step(0)
    assert not torch.equal(before, trainer.discriminator.heads[0][0].weight)


def test_identity_is_of_finished_edits_only() -> None:
    with pytest.raises(ValueError, match="need a replay above 0"):
        recipe(losses={"identity": 1.0}, replay=0)


def test_a_second_pass_is_judged_beside_the_face_it_began_as(prepared: FaceSet) -> None:
    """The first step has no second passes.

    In the next the blended second pass is held to the untouched face.
    """
    trainer = EditorTrainer(
        recipe(replay=0.5, losses=only(attributes=1.0, identity=1.0, tone=1.0)), prepared
    )
    first, second = trainer.step(0), trainer.step(1)
    assert "tone" not in first
    assert second["distance"] > 0.1
    assert second["tone"] > 0.01


def test_a_face_stands_twice_where_its_edits_are_held_apart(prepared: FaceSet) -> None:
    trainer = EditorTrainer(recipe(asks="one-pass", batch=8, losses=only(steering=1.0)), prepared)
    faces, labels, known = trainer._batch(randomness(0, 0))
    assert len(faces) == 8
    for part in (faces, labels, known):
        assert torch.equal(*part.chunk(2))
    asked = ask_one_pass(labels, randomness(0, 0)).values
    first, second = asked.chunk(2)
    assert ((first - second).abs().sum(1) > 0.1).all()
    with pytest.raises(ValueError, match="steering needs"):
        recipe(asks="one-pass", batch=7, losses=only(steering=1.0))


def only(**weights: float) -> EditorLosses:
    return EditorLosses(**({"adversarial": 0, "attributes": 0, "joint": 0} | weights))


@pytest.mark.parametrize(
    ("term", "shown"),
    [
        ("reconstruction", "reconstruction"),
        ("identity", "identity"),
        ("detection", "detection"),
        ("geometry", "geometry"),
        ("tone", "tone"),
        ("steering", "steering"),
        ("chroma", "chroma"),
        ("grain", "grain"),
    ],
)
def test_every_term_falls_when_it_alone_is_trained(
    prepared: FaceSet, term: str, shown: str
) -> None:
    one_pass = term != "reconstruction"
    chosen = recipe(
        start="thesis",
        enc_dim=32,
        dec_dim=32,
        frozen_norm=True,
        replay=0,
        penalty=0,
        generator_rate=3e-5,
        asks="one-pass" if one_pass else "edit",
        blend=one_pass,
        losses=only(**{term: 10.0}),
        margin=1.6,
        beyond=2.0,
        apart=1.9,
        batch=2,
    )
    trainer = EditorTrainer(chosen, prepared)
    values = [trainer.step(0)[shown] for _ in range(5)]
    assert values[-1] < values[0]


def test_a_wider_shortcut_begins_with_the_same_pictures(prepared: FaceSet) -> None:
    start = load_checkpoint("base").generator
    config = GeneratorConfig(enc_dim=32, dec_dim=32, shortcut_layers=3, inject_layers=1)
    wider = Generator(config).eval()
    wider.load_state_dict(widened(start, config))
    faces, values = to_network(prepared.crops[:2]), torch.rand(2, 13, generator=randomness(0, 0))
    assert torch.allclose(wider(faces, values), start(faces, values), atol=1e-5)
    with pytest.raises(RecipeError, match=r"mine, start: needs weights of 64 and 32 channels"):
        widened(start, GeneratorConfig(enc_dim=64, dec_dim=32, inject_layers=1), "mine")


def test_frozen_norms_stay(prepared: FaceSet) -> None:
    trainer = EditorTrainer(
        recipe(start="base", enc_dim=32, dec_dim=32, frozen_norm=True), prepared
    )
    key = "enc_layers.0.layers.1.running_mean"
    before = trainer.generator.state_dict()[key].clone()
    trainer.step(0)
    assert torch.equal(trainer.generator.state_dict()[key], before)


def test_the_average_follows() -> None:
    first, second = (make_generator(recipe(seed=seed)) for seed in (0, 1))
    name = "enc_layers.0.layers.0.weight"
    before, goal = first.state_dict()[name].clone(), second.state_dict()[name]
    average(first, second, 0.5, 1000)
    assert torch.allclose(first.state_dict()[name], (before + goal) / 2)


def test_the_penalty_is_the_squared_gradient() -> None:
    torch.manual_seed(0)
    judge = Discriminator(4)
    faces = torch.rand(2, 3, 128, 128)
    step = 1e-2 * torch.randn(faces.shape)
    with torch.no_grad():
        there, back = (judge(faces + sign * step) for sign in (1, -1))
        slope = (
            there.whole + there.patches.mean((1, 2)) - back.whole - back.patches.mean((1, 2))
        ) / 2
    leaf = faces.clone().requires_grad_(True)
    verdict = judge(leaf)
    (gradient,) = torch.autograd.grad(
        verdict.whole.sum() + verdict.patches.mean((1, 2)).sum(), leaf
    )
    assert torch.allclose((gradient * step).sum((1, 2, 3)), slope, atol=2e-2)
    assert torch.isclose(gradient_penalty(judge, faces), gradient.square().sum((1, 2, 3)).mean())


def test_one_pass_asks_as_the_search_does() -> None:
    from attrsearch.core.recipes.space import load_space

    space = load_space("one-pass")
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (64, 13)).astype(np.float32))
    asked = ask_one_pass(labels, randomness(0, 0)).values
    for row, label in zip(asked.tolist(), labels.tolist(), strict=True):
        bounds = space.bounds("male" if label[MALE] else "female")
        assert all(
            low - 1e-6 <= value <= high + 1e-6
            for value, (low, high) in zip(row, bounds, strict=True)
        )


def test_edits_ask_in_three_ways() -> None:
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (300, 13)).astype(np.float32))
    asked = ask_edits(labels, randomness(0, 0))
    own_values = (labels * 2 - 1) * 0.5
    assert (asked.values[:100, MALE] * own_values[:100, MALE] < 0).all()
    turned = asked.values[100:200] != own_values[100:200]
    assert (turned.sum(1) == 1).all()
    assert (asked.values[100:200][turned] * own_values[100:200][turned] < 0).all()
    assert (asked.weight[100:200][turned] > asked.weight[100:200][~turned].max()).all()
    others = (asked.values[200:] > 0).float()
    assert all(any(torch.equal(row, label) for label in labels) for row in others)
    assert asked.weight.min() >= 0
    often = turned.float().mean(0)
    assert often.argmax() == MALE
    assert often.min() > 0


def test_the_second_pass_asks_for_the_gender_back() -> None:
    first = ask_edits(torch.zeros(30, len(ATTRIBUTES)), randomness(0, 0)).values
    back = ask_back(first)
    assert torch.equal(back.values, -first)
    assert torch.equal(back.target[:, MALE], (first[:, MALE] < 0).float())
    assert (back.weight[:, MALE] == 3).all()


def test_the_bundled_recipes() -> None:
    assert load_editor_recipe("base").losses.reconstruction > 0
    assert load_editor_recipe("anonymiser").losses.identity > 0
    assert not load_editor_recipe("scratch").start
    with pytest.raises(RecipeError, match="did you mean anonymiser"):
        load_editor_recipe("anonymizer")
