"""The editor of two stages: restored as somebody else, then edited; one hash, one protocol."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from attrsearch.core.errors import AttrsearchError, RecipeError, WeightsError
from attrsearch.core.weights import find_weights
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.editing.two_stage import TwoStageEditor
from tests.editors import made_up_editor

Floats = npt.NDArray[np.float32]

TRAITS = str(find_weights("traits", "traits").path)
RECIPE = """\
format = "attrsearch/editor"
version = 1
first = "{first}"
second = "{second}"
ease = {ease}
strength = {strength}
"""


def written(path: Path, **changes: object) -> str:
    """The path of a recipe whose first stage lies beside it."""
    values = {"first": "first.safetensors", "second": "anonymiser", "ease": 0.5, "strength": 0.8}
    path.write_text(RECIPE.format(**values | changes), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("two-stage")
    made_up_editor(place / "first.safetensors")
    return place


@pytest.fixture(scope="module")
def editor(folder: Path) -> Editor:
    return load_editor(written(folder / "both.toml"))


@pytest.fixture(scope="module")
def crops() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(3, 3, 16, 16, generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=128, mode="bilinear")


def sets(count: int, passes: int = 1) -> Floats:
    """Random sets (count, passes, 13)."""
    random = np.random.default_rng(0)
    return random.uniform(-1, 1, (count, passes, 13)).astype(np.float32)


def test_an_edit_does_not_depend_on_its_batch(editor: Editor, crops: Tensor) -> None:
    encoded = editor.encode(crops)
    together = editor.edit(encoded, sets(3))
    alone = editor.edit(editor.encode(crops[1:2]), sets(3)[1:2])
    assert torch.equal(together[1:2], alone)


def test_one_pass_is_given_to_both_stages(editor: Editor, crops: Tensor) -> None:
    encoded = editor.encode(crops)
    once = sets(3)
    assert torch.equal(
        editor.edit(encoded, once), editor.edit(encoded, np.concatenate([once, once], 1))
    )
    others = np.concatenate([once, sets(3, 2)[:, 1:]], 1)
    assert not torch.equal(editor.edit(encoded, once), editor.edit(encoded, others))


def test_without_strength_the_first_stage_is_left(folder: Path, crops: Tensor) -> None:
    weak = load_editor(written(folder / "weak.toml", strength=0.0))
    first = load_editor(str(folder / "first.safetensors"))
    painted = first.edit(first.encode(crops), sets(3) * np.float32(0.5))
    assert torch.equal(weak.edit(weak.encode(crops), sets(3)), painted)


def test_the_second_stage_is_laid_on_in_its_place(folder: Path, crops: Tensor) -> None:
    weak = load_editor(written(folder / "weak.toml", strength=0.0))
    both = load_editor(written(folder / "whole.toml", strength=1.0))
    encoded = both.encode(crops)
    painted = weak.edit(encoded, sets(3))
    changed = (both.edit(encoded, sets(3)) - painted).abs().amax(1)
    # nothing beyond the reach of the AttGAN mask, much in the middle of the face
    assert float(changed[:, 0, 0].max()) == 0.0
    assert float(changed[:, 40:90, 40:90].mean()) > 0.02


def test_a_second_stage_that_changes_nothing_leaves_every_pixel(
    folder: Path, crops: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resampled to the second's crop and back, the face would be soft; only the change is."""
    both = load_editor(written(folder / "whole.toml", strength=1.0))
    weak = load_editor(written(folder / "weak.toml", strength=0.0))
    assert isinstance(both, TwoStageEditor)
    monkeypatch.setattr(both.second, "encode", lambda seen: seen)
    monkeypatch.setattr(both.second, "edit", lambda seen, attributes: seen)
    encoded = both.encode(crops)
    assert torch.equal(both.edit(encoded, sets(3)), weak.edit(encoded, sets(3)).clamp(-1, 1))


def test_it_is_laid_on_where_the_first_says(editor: Editor, folder: Path, crops: Tensor) -> None:
    first = load_editor(str(folder / "first.safetensors"))
    assert torch.equal(editor.masks(editor.encode(crops)), first.masks(first.encode(crops)))
    assert np.array_equal(editor.from_crop, first.from_crop)


def test_everything_that_decides_an_edit_is_in_the_hash(editor: Editor, folder: Path) -> None:
    hashes = {editor.sha256}
    for number, changes in enumerate([{"strength": 0.7}, {"ease": 1.0}, {"second": "base"}]):
        hashes.add(load_editor(written(folder / f"other{number}.toml", **changes)).sha256)

    assert len(hashes) == 4
    again = load_editor(written(folder / "renamed.toml"))
    assert again.sha256 == editor.sha256


@pytest.mark.parametrize(
    ("changes", "kind", "line"),
    [
        ({"first": "base"}, WeightsError, "found base, an AttGAN editor, as the first"),
        ({"second": "restoring"}, WeightsError, "found restoring, a restoring editor, as the sec"),
        ({"second": TRAITS}, WeightsError, "traits.safetensors, no editor, as the second"),
        ({"second": "bad.toml"}, WeightsError, "bad.toml, which has two stages itself"),
        ({"first": "two-stage"}, WeightsError, "two-stage, which has two stages itself"),
        ({"second": "nobody"}, WeightsError, "nobody"),
        ({"strength": 1.5}, RecipeError, "strength"),
    ],
)
def test_bad_recipes_are_refused(
    folder: Path, changes: dict[str, object], kind: type[AttrsearchError], line: str
) -> None:
    with pytest.raises(kind, match=line):
        load_editor(written(folder / "bad.toml", **changes))
