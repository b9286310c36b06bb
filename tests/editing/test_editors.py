"""What every editor promises: AttGAN's and the restoring one, in what they compute and in how edits are laid on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from attrsearch.editing.blending import LEAST_SHARE, cut_crop, edit_crops, paste
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.editing.encoded import Encoded
from attrsearch.editing.restoring import RestoringConfig
from attrsearch.faces.alignment import (
    CROP_SIZE,
    CROP_TEMPLATE,
    TIGHT_TEMPLATE,
    WINDOW_SIZE,
    similarity,
    transform,
    warp,
    zoom,
)
from attrsearch.faces.dataset import Picture, cut_face
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.sampling import to_editor
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.search.evaluator import Evaluator, Request
from tests.editors import SMALL, made_up_editor

KINDS = ("attgan", "restoring", "restoring 256", "restoring bf16", "two stages")

TWO_STAGES = """\
format = "attrsearch/editor"
version = 1
first = "made-up.safetensors"
second = "anonymiser"
"""


@pytest.fixture(scope="module", params=KINDS)
def any_editor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Editor:
    if request.param == "attgan":
        return load_editor("anonymiser")
    size = 256 if request.param == "restoring 256" else 128
    config = RestoringConfig(size=size, widths=SMALL.widths, condition=SMALL.condition)
    path = made_up_editor(tmp_path_factory.mktemp("editor") / "made-up.safetensors", config)
    if request.param == "two stages":
        recipe = path.with_name("both.toml")
        recipe.write_text(TWO_STAGES, encoding="utf-8")
        return load_editor(str(recipe))
    return load_editor(str(path), "bf16" if request.param == "restoring bf16" else "fp32")


@pytest.fixture(scope="module")
def restoring(tmp_path_factory: pytest.TempPathFactory) -> Editor:
    return load_editor(
        str(made_up_editor(tmp_path_factory.mktemp("editor") / "made-up.safetensors")), "fp32"
    )


def crops(count: int, size: int) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def sets(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (count, 1, 13)).astype(np.float32)


def test_what_an_editor_says_of_itself(any_editor: Editor) -> None:
    assert any_editor.name
    assert len(any_editor.sha256) == 64
    assert any_editor.passes in (1, 2)
    assert any_editor.from_crop.shape == (2, 3)
    eyes = transform(any_editor.from_crop, CROP_TEMPLATE)[:2]
    apart = (eyes[1, 0] - eyes[0, 0]) / any_editor.size * CROP_SIZE
    assert apart == pytest.approx(40.0 if any_editor.matched else 29.2, abs=0.1)


def test_edits_and_masks(any_editor: Editor) -> None:
    size = any_editor.size
    encoded = any_editor.encode(crops(3, size))
    edited, masks = any_editor.edit(encoded, sets(3)), any_editor.masks(encoded)
    assert edited.shape == (3, 3, size, size)
    assert masks.shape == (3, 1, size, size)
    assert edited.dtype == masks.dtype == torch.float32
    assert edited.abs().max() <= 1
    assert masks.min() >= 0
    assert masks.max() <= 1
    for edge in (masks[:, :, 0], masks[:, :, -1], masks[..., 0], masks[..., -1]):
        assert not edge.any()


def test_the_set_decides(any_editor: Editor) -> None:
    encoded = any_editor.encode(crops(1, any_editor.size)).take([0, 0, 0])
    values = sets(3)
    values[1] = values[0]
    edited = any_editor.edit(encoded, values)
    assert torch.equal(edited[0], edited[1])
    assert not torch.equal(edited[0], edited[2])


@pytest.mark.parametrize("count", [2, 3, 7, 17, 32])
def test_an_edit_does_not_depend_on_its_batch(any_editor: Editor, count: int) -> None:
    given, values = crops(count, any_editor.size), sets(count)
    encoded = any_editor.encode(given)
    together, masks = any_editor.edit(encoded, values), any_editor.masks(encoded)
    for i in {0, 1, count // 2, count - 1}:
        alone = any_editor.encode(given[i : i + 1])
        assert torch.equal(any_editor.masks(alone)[0], masks[i])
        assert torch.equal(any_editor.edit(alone, values[i : i + 1])[0], together[i])


def test_encodings_are_taken_and_joined(any_editor: Editor) -> None:
    encoded = any_editor.encode(crops(3, any_editor.size))
    joined = Encoded.join([encoded.take([2]), encoded.take([0, 0])])
    assert all(
        torch.equal(j, f[[2, 0, 0]]) for j, f in zip(joined.features, encoded.features, strict=True)
    )


def test_the_face_is_not_in_a_restoring_encoding(restoring: Editor) -> None:
    """Two faces that are the same when reduced, and differ in everything else, get the same edit."""
    given = crops(2, 128)
    coarse = torch.nn.functional.interpolate(given[:1], size=16, mode="area")
    given[1] = torch.nn.functional.interpolate(coarse, size=128, mode="nearest")[0]
    one, other = restoring.encode(given).features[0]
    hidden = one[6] > 0
    assert hidden.float().mean() > 0.5
    assert torch.allclose(one[:3, hidden], other[:3, hidden], atol=1e-5)
    assert torch.allclose(one[3:6], other[3:6], atol=1e-5)


def found_in(picture: Picture, mtcnn: Mtcnn) -> Detections:
    return mtcnn.detect(picture[None])[0]


def matrix_of(picture: Picture, mtcnn: Mtcnn) -> np.ndarray:
    return similarity(found_in(picture, mtcnn).landmarks[:1], CROP_TEMPLATE)[0]


def test_a_crop_shows_the_face_where_the_template_says(
    astronaut: Picture, mtcnn: Mtcnn, restoring: Editor
) -> None:
    matrix = matrix_of(astronaut, mtcnn)
    straight = similarity(found_in(astronaut, mtcnn).landmarks[:1], TIGHT_TEMPLATE)[0]
    crop, expected = cut_crop(astronaut, restoring, matrix), warp(astronaut, straight, 128)
    assert np.abs(crop.astype(int) - expected).mean() < 1.5


@pytest.mark.parametrize("sides", [250, 90, 600])
def test_an_edit_is_laid_on_its_mask_only(
    any_editor: Editor, astronaut: Picture, mtcnn: Mtcnn, sides: int
) -> None:
    matrix = matrix_of(astronaut, mtcnn)
    scaled = warp(astronaut, zoom(sides)[:, :] * [[128 / 250, 128 / 250, 1]], sides)
    smaller = zoom(250) * [[128 / sides, 128 / sides, 1]]
    to_crop = (np.vstack([matrix, [0, 0, 1]]) @ np.vstack([smaller, [0, 0, 1]]))[:2].astype(
        np.float32
    )
    crop = cut_crop(scaled, any_editor, to_crop)
    layer = edit_crops(any_editor, to_editor([crop]), sets(1))[0]
    layer.mask[: any_editor.size // 2] = 0  # a hand before the upper half
    protected = scaled.copy()
    paste(protected, layer, to_crop)
    changed = (protected != scaled).any(-1)
    own = np.vstack([any_editor.from_crop, [0, 0, 1]]) @ np.vstack([to_crop, [0, 0, 1]])
    y, x = np.nonzero(changed)
    there = np.stack([x, y], 1) @ own[:2, :2].T + own[:2, 2]
    assert changed.sum() > 50
    step = np.hypot(*own[:2, 0])
    assert there[:, 1].min() > any_editor.size // 2 - 1 - 1.5 * step


def test_a_grey_picture_stays_grey(restoring: Editor, astronaut: Picture, mtcnn: Mtcnn) -> None:
    grey = np.repeat(astronaut.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    matrix = matrix_of(grey, mtcnn)
    layer = edit_crops(restoring, to_editor([cut_crop(grey, restoring, matrix)]), sets(1))[0]
    assert np.ptp(layer.crop, axis=-1).max() > 10
    protected = grey.copy()
    paste(protected, layer, matrix)
    assert (protected != grey).any()
    assert np.ptp(protected, axis=-1).max() == 0


def test_a_search_measures_what_is_shown(
    any_editor: Editor, astronaut: Picture, mtcnn: Mtcnn
) -> None:
    """The window of a search, and the window cut from the protected picture, show the same edit."""
    face = cut_face(astronaut, found_in(astronaut, mtcnn), 0, Path("astronaut.jpg"))
    evaluator = Evaluator(any_editor, load_detector("mtcnn", WINDOW_MIN_FACE), [])
    subject, kept = evaluator.prepare([face])
    assert subject is not None
    assert kept == [0]
    shown = evaluator.render(Request(subject, sets(2)))[:, 0]
    matrix = matrix_of(astronaut, mtcnn)
    for window, values in zip(shown, sets(2), strict=True):
        protected = astronaut.copy()
        layer = edit_crops(
            any_editor, to_editor([cut_crop(astronaut, any_editor, matrix)]), values[None]
        )[0]
        paste(protected, layer, matrix)
        to_window = (np.vstack([face.crop_to_window, [0, 0, 1]]) @ np.vstack([matrix, [0, 0, 1]]))[
            :2
        ]
        other = warp(protected, to_window.astype(np.float32), WINDOW_SIZE)
        changed = np.abs(window.astype(int) - face.window).mean()
        assert np.abs(window.astype(int) - other).mean() < max(1.5, 0.25 * changed)


def test_an_edit_of_a_face_that_hardly_shows_is_none(
    restoring: Editor, astronaut: Picture, mtcnn: Mtcnn
) -> None:
    crop = cut_crop(astronaut, restoring, matrix_of(astronaut, mtcnn))
    layer = edit_crops(restoring, to_editor([crop]), sets(1))[0]
    assert layer.share > 0.9
    layer.mask[30:] = 0
    assert layer.share < LEAST_SHARE
