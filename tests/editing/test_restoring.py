"""The restoring editor's file: what it says of itself, and every way in which it can be wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from attrsearch.core.errors import InputError, RecipeError, WeightsError
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import load_study
from attrsearch.core.weights import file_sha256, load_about
from attrsearch.editing.checkpoints import load_checkpoint
from attrsearch.editing.editor import load_editor
from attrsearch.editing.realign import SecondAlignment
from attrsearch.editing.restoring import RestoringConfig
from attrsearch.editing.restoring_file import described
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.parsing import ParsingNetwork, visible_skin
from attrsearch.search.models import Settings, load_components
from attrsearch.training.export import write_weights
from tests.editors import SMALL, made_up_editor


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return made_up_editor(tmp_path / "mine.safetensors")


def test_a_file_says_what_it_is(file: Path) -> None:
    about = load_about(file)
    assert about["kind"] == "restoring"
    assert about["size"] == 128
    assert about["widths"] == list(SMALL.widths)
    editor = load_editor(str(file))
    assert (editor.name, editor.sha256) == ("mine", file_sha256(file))


def test_the_same_weights_give_the_same_file(file: Path, tmp_path: Path) -> None:
    assert made_up_editor(tmp_path / "again.safetensors").read_bytes() == file.read_bytes()


def test_weights_without_a_description_are_written_as_before(tmp_path: Path) -> None:
    state = {"x": torch.ones(3)}
    first = write_weights(tmp_path / "a.safetensors", state)
    assert write_weights(tmp_path / "b.safetensors", state, {}) == first
    assert load_about(tmp_path / "a.safetensors") == {}
    assert b"__metadata__" not in (tmp_path / "a.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"version": 2}, "kind restoring, version 2"),
        ({"kind": "other"}, "kind other, version 1"),
        ({"size": 100}, "'size': 100"),
        ({"size": 1 << 20}, "'size': 1048576"),
        ({"superpixels": "16"}, "'superpixels': '16'"),
        ({"widths": []}, r"'widths': \[\]"),
        ({"rim": 0.5}, "'rim': 0.5"),
        ({"template": [[0, 0]]}, "'size': 128"),
        ({"template": "x"}, "'size': 128"),
    ],
)
def test_a_description_that_is_none(file: Path, change: dict[str, object], found: str) -> None:
    about = described(SMALL) | change
    save_file(load_file(file), file, {"attrsearch": json.dumps(about)})
    with pytest.raises(
        WeightsError, match=f"description of a restoring editor of version 1, found .*{found}"
    ):
        load_editor(str(file))


def test_weights_of_an_editor_without_a_description(file: Path) -> None:
    save_file(load_file(file), file)
    with pytest.raises(
        WeightsError, match="description of a restoring editor of version 1, found none"
    ):
        load_editor(str(file))


def test_an_editor_without_its_parsing(file: Path) -> None:
    state = {
        name: value for name, value in load_file(file).items() if not name.startswith("parsing.")
    }
    save_file(state, file, {"attrsearch": json.dumps(described(SMALL))})
    with pytest.raises(
        WeightsError, match="needs face parsing beside the editor, found the editor alone"
    ):
        load_editor(str(file))


def test_weights_that_do_not_belong_to_the_description(file: Path) -> None:
    save_file(load_file(file), file, {"attrsearch": json.dumps(described(RestoringConfig()))})
    with pytest.raises(
        WeightsError, match="needs the weights of a RestoringNetwork as its description says"
    ):
        load_editor(str(file))


def test_where_an_attgan_is_wanted(file: Path) -> None:
    with pytest.raises(WeightsError, match="needs an AttGAN generator, found a restoring editor"):
        load_checkpoint(str(file))


def test_two_passes_are_refused(file: Path) -> None:
    editor = load_editor(str(file))
    with pytest.raises(InputError, match="needs sets of one pass, found sets of 2 passes"):
        editor.edit(editor.encode(torch.zeros(1, 3, 128, 128)), np.zeros((1, 2, 13), np.float32))
    with pytest.raises(
        WeightsError, match="needs an AttGAN editor of two passes, found a restoring one"
    ):
        load_editor(str(file), realign=SecondAlignment(Mtcnn(24)))


def test_a_study_of_two_passes_is_refused(file: Path) -> None:
    study = load_study("quick", editor=str(file), recogniser="sface")
    settings = Settings(study, load_space("thesis10"), load_objective("utility_product"))
    with pytest.raises(RecipeError, match=r'thesis10: needs a space with passes = "single", found'):
        load_components(settings)


def test_visible_skin_ends_before_the_crop() -> None:
    skin = visible_skin(torch.full((1, 1, 64, 64), 9.0), 128)
    assert skin[0, 0, 64, 64] == 1
    assert not skin[..., 0].any()
    assert not skin[..., -1, :].any()
    assert not visible_skin(torch.full((1, 1, 64, 64), -9.0), 128).any()


def test_a_rim_is_drawn_round_the_skin() -> None:
    logits = torch.full((1, 1, 64, 64), -9.0)
    logits[..., 20:40, 20:40] = 9.0
    skin = visible_skin(logits, 128)
    wide = visible_skin(logits, 128, rim=4 / 64)
    row = skin[0, 0, 60] > 0.5
    wide_row = wide[0, 0, 60] > 0.5
    assert int(wide_row.sum()) == int(row.sum()) + 2 * 8
    assert (wide >= skin).all()


def test_parsing_gives_landmarks_and_a_map() -> None:
    landmarks, visible = ParsingNetwork().eval()(torch.zeros(2, 3, 128, 128))
    assert landmarks.shape == (2, 68, 2)
    assert visible.shape == (2, 1, 64, 64)
