"""The training of a restoring editor: two steps on made-up faces, the same to the bit however they are taken."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from attrsearch.core.errors import OutputError, WeightsError
from attrsearch.core.parallel import set_threads, threads
from attrsearch.core.weights import load_tensors
from attrsearch.editing.editor import load_editor
from attrsearch.training.export import load_trained, write_weights
from attrsearch.training.loop import Pace, train
from attrsearch.training.restoring import RestoringTrainer
from attrsearch.training.restoring_recipes import RestoringRecipe
from attrsearch.training.tight_faces import STORED, TightFaces
from tests.editors import made_up_parsing

COUNT = 6


@pytest.fixture(scope="module")
def faces() -> TightFaces:
    """Soft noise with landmarks about where they are in a face."""
    random = np.random.default_rng(0)
    ring = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.stack([np.cos(ring), np.sin(ring)], 1) * 45 + STORED / 2
    points[36:48] = [STORED / 2 - 23, STORED / 2 - 15]
    points[42:48, 0] += 46
    whole = np.packbits(np.ones((STORED, STORED), bool))
    return TightFaces(
        crops=random.integers(60, 200, (COUNT, STORED, STORED, 3), np.uint8),
        landmarks=np.broadcast_to(points, (COUNT, 68, 2)).astype(np.float32),
        attributes=random.integers(0, 2, (COUNT, 13)).astype(np.float32),
        skin=np.broadcast_to(whole, (COUNT, len(whole))),
        inside=np.broadcast_to(whole, (COUNT, len(whole))),
        names=tuple(f"{i}.png" for i in range(COUNT)),
        sources=("made-up",) * COUNT,
    )


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> RestoringRecipe:
    parsing = tmp_path_factory.mktemp("parsing") / "weights.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        write_weights(parsing, made_up_parsing().state_dict())
    head = {"format": "attrsearch/training", "version": 1, "kind": "restoring", "precision": "fp32"}
    return RestoringRecipe.model_validate(head | {"steps": 2, "batch": 8, "parsing": str(parsing)})


def trained(recipe: RestoringRecipe, faces: TightFaces, out: Path) -> dict[str, Tensor]:
    trainer = RestoringTrainer(recipe, faces)
    train(trainer, recipe, out, Pace(recipe.steps))
    return trainer.weights()


@pytest.fixture(scope="module")
def once(
    recipe: RestoringRecipe, faces: TightFaces, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("training") / "once"
    trained(recipe, faces, out)
    return out


def test_what_is_written_is_an_editor(once: Path) -> None:
    editor = load_editor(str(once / "weights.safetensors"))
    assert editor.size == 128
    assert (once / "sheets" / "000002.png").stat().st_size > 10_000


def test_a_later_training_begins_with_what_was_written(
    recipe: RestoringRecipe, faces: TightFaces, once: Path
) -> None:
    kept = once / "discriminators.safetensors"
    start = {"start": str(once / "weights.safetensors"), "discriminators": str(kept)}
    trainer = RestoringTrainer(recipe.model_copy(update=start), faces)
    written = load_tensors(kept)
    found = trainer.discriminator.state_dict()
    anew = RestoringTrainer(recipe, faces).discriminator.state_dict()

    assert set(found) == set(written)
    for name, value in written.items():
        assert torch.equal(found[name].half(), value), name

    verdict = "verdict.0.weight"
    assert not torch.equal(found[verdict], anew[verdict])


def test_discriminators_that_are_none_are_refused(
    recipe: RestoringRecipe, faces: TightFaces, once: Path
) -> None:
    wrong = {"discriminators": str(once / "weights.safetensors")}
    line = "needs weights of a ProjectedDiscriminator, found weights of another network; "
    with pytest.raises(WeightsError, match=line):
        RestoringTrainer(recipe.model_copy(update=wrong), faces)

    gone = {"discriminators": str(once / "gone.safetensors")}
    with pytest.raises(WeightsError, match="found no such file; check the path"):
        RestoringTrainer(recipe.model_copy(update=gone), faces)


@pytest.mark.slow
def test_a_training_that_was_stopped_continues_to_the_bit(
    recipe: RestoringRecipe, faces: TightFaces, once: Path, tmp_path: Path
) -> None:
    train(RestoringTrainer(recipe, faces), recipe, tmp_path, Pace(1))
    with pytest.raises(OutputError, match="needs an empty or new folder, found a training"):
        train(RestoringTrainer(recipe, faces), recipe, tmp_path, Pace(2))
    train(RestoringTrainer(recipe, faces), recipe, tmp_path, Pace(2), resume=True)
    written = (tmp_path / "weights.safetensors").read_bytes()
    assert written == (once / "weights.safetensors").read_bytes()


@pytest.mark.slow
def test_the_number_of_threads_does_not_matter(
    recipe: RestoringRecipe, faces: TightFaces, once: Path, tmp_path: Path
) -> None:
    before = threads()
    try:
        set_threads(1 if before > 1 else 2)
        trained(recipe, faces, tmp_path)
    finally:
        set_threads(before)
    written = (tmp_path / "weights.safetensors").read_bytes()
    assert written == (once / "weights.safetensors").read_bytes()


def test_a_training_starts_from_an_editor(
    recipe: RestoringRecipe, faces: TightFaces, once: Path
) -> None:
    start = once / "weights.safetensors"
    trainer = RestoringTrainer(recipe.model_copy(update={"start": str(start)}), faces)
    again = RestoringTrainer(recipe, faces)
    load_trained(again.generator, str(start), "editor", "parsing.")
    for name, value in trainer.generator.state_dict().items():
        assert torch.equal(value, again.generator.state_dict()[name])
