"""Sharpness, grain and colour of an edit follow the picture it is laid into, on made-up textures."""

import cv2
import numpy as np
import pytest

from attrsearch.editing.finish import finish, measure_finish

SIDE = 160
ALL = np.ones((SIDE, SIDE), np.float32)


def texture(seed: int, softness: float, grain: float = 0.0, strength: float = 30.0) -> np.ndarray:
    """A grey-brown picture with detail of every size, blurred, then grained; float32, 0 to 255."""
    random = np.random.default_rng(seed)
    picture = np.zeros((SIDE, SIDE), np.float32)
    for cells in (5, 10, 20, 40, 80):  # each size as strong as the next
        coarse = random.standard_normal((cells, cells)).astype(np.float32)
        picture += cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) * strength / 5
    if softness:
        picture = cv2.GaussianBlur(picture, (0, 0), softness)
    picture = picture + random.standard_normal(picture.shape).astype(np.float32) * grain
    return (picture[..., None] + np.float32([140, 120, 100])).clip(0, 255).astype(np.float32)


def detail(picture: np.ndarray) -> float:
    light = picture.mean(-1)
    fine = light - cv2.GaussianBlur(light, (0, 0), 0.8)
    coarse = cv2.GaussianBlur(light, (0, 0), 1.6) - cv2.GaussianBlur(light, (0, 0), 3.2)
    return float(fine.std() / coarse.std())


def laid_into(edit: np.ndarray, picture: np.ndarray) -> np.ndarray:
    return finish(edit, measure_finish(np.round(picture).astype(np.uint8), ALL))


@pytest.mark.parametrize("softness", [0.0, 0.7, 1.5, 3.0])
def test_a_crisp_edit_becomes_as_soft_as_the_picture(softness: float) -> None:
    picture, edit = texture(0, softness), texture(1, 0.0)
    before, after, wanted = detail(edit), detail(laid_into(edit, picture)), detail(picture)
    assert abs(after - wanted) <= 0.3 * abs(before - wanted) + 0.05


def test_a_soft_edit_is_sharpened_a_little_at_most() -> None:
    edit = texture(1, 1.0)
    after = laid_into(edit, texture(0, 0.0))
    assert detail(edit) < detail(after) < 1.9 * detail(edit)


@pytest.mark.parametrize("grain", [3.0, 8.0])
def test_grain_is_added_to_its_level(grain: float) -> None:
    smooth = np.full((SIDE, SIDE, 3), 120, np.float32)
    noise = np.random.default_rng(3).standard_normal((SIDE, SIDE, 1)).astype(np.float32) * grain
    after = laid_into(smooth, smooth + noise)
    assert after.std(axis=(0, 1)).mean() == pytest.approx(grain, rel=0.1)
    assert np.abs(after.mean() - 120) < 0.5
    assert np.ptp(after - smooth, axis=-1).max() < 1e-4  # grain has no colour


def test_no_grain_where_the_picture_has_none() -> None:
    smooth = np.full((SIDE, SIDE, 3), 120, np.float32)
    assert np.abs(laid_into(smooth, smooth) - 120).max() < 0.01


def test_grain_follows_from_the_picture() -> None:
    edit, picture = texture(1, 1.0), texture(0, 0.5, 5.0)
    assert np.array_equal(laid_into(edit, picture), laid_into(edit, picture))
    assert not np.array_equal(laid_into(edit, picture), laid_into(edit, picture + 1))


def test_colour_stays_and_grey_stays_grey() -> None:
    edit, picture = texture(1, 0.0), texture(0, 1.0)
    after = laid_into(edit, picture)
    assert np.allclose(
        after - after.mean(-1, keepdims=True), edit - edit.mean(-1, keepdims=True), atol=1e-3
    )
    grey = np.repeat(picture[..., :1], 3, -1)
    assert np.ptp(laid_into(edit, grey), axis=-1).max() == 0


def test_what_is_outside_the_mask_does_not_count() -> None:
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[40:120, 40:120] = 1
    picture = texture(0, 2.0)
    noisy = picture.copy()
    noisy[:30] += np.random.default_rng(0).standard_normal((30, SIDE, 3)).astype(np.float32) * 40
    one, other = (measure_finish(p.clip(0, 255).astype(np.uint8), mask) for p in (picture, noisy))
    assert one.falls == pytest.approx(other.falls, rel=1e-3)
    assert one.grain == other.grain


@pytest.mark.parametrize("visible", [0, 4])
def test_a_face_that_hardly_shows_is_left_as_it_is(visible: int) -> None:
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[:visible, :visible] = 1
    edit = texture(1, 0.0)
    assert np.array_equal(
        finish(edit, measure_finish(texture(0, 2.0).astype(np.uint8), mask)), edit
    )
