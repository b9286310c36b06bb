"""Alignment: similarity transforms, windows, and warping that averages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attrsearch.faces.alignment import (
    CROP_TEMPLATE,
    WINDOW_SCALE,
    WINDOW_SIZE,
    compose,
    invert,
    scale_of,
    similarity,
    transform,
    warp,
    window_transform,
)
from attrsearch.faces.sampling import align_batch, similarity_inverse


@given(st.floats(0.2, 5), st.floats(-3.1, 3.1), st.floats(-200, 200), st.floats(-200, 200))
def test_a_similarity_is_recovered(scale: float, angle: float, x: float, y: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.hstack([turn, [[x], [y]]]).astype(np.float32)
    landmarks = transform(invert(matrix), CROP_TEMPLATE)
    found = similarity(landmarks[None], CROP_TEMPLATE)[0]
    assert np.allclose(transform(found, landmarks), CROP_TEMPLATE, atol=0.02)
    assert scale_of(found) == pytest.approx(scale, rel=1e-3)


def test_the_inverse_leads_back() -> None:
    landmarks = (CROP_TEMPLATE * 1.7 + 11)[None]
    forward, back = (
        similarity(landmarks, CROP_TEMPLATE)[0],
        similarity_inverse(landmarks, CROP_TEMPLATE)[0],
    )
    assert np.allclose(compose(back, forward), [[1, 0, 0], [0, 1, 0]], atol=1e-4)


def test_landmarks_on_one_point_give_scale_zero() -> None:
    assert scale_of(similarity(np.full((1, 5, 2), 7, np.float32), CROP_TEMPLATE)[0]) == 0


def test_a_mirrored_face_is_not_reflected() -> None:
    mirrored = CROP_TEMPLATE * np.array([-1, 1], np.float32)
    matrix = similarity(mirrored[None], CROP_TEMPLATE)[0]
    assert np.linalg.det(matrix[:, :2]) > 0


def test_a_window_is_upright_and_centred() -> None:
    turned = similarity(
        (CROP_TEMPLATE @ np.array([[0, 1], [-1, 0]], np.float32) * 2 + 300)[None], CROP_TEMPLATE
    )[0]
    window = window_transform(turned)
    assert window[0, 1] == window[1, 0] == 0
    assert scale_of(window) == pytest.approx(scale_of(turned) * WINDOW_SCALE)
    middle = transform(compose(window, invert(turned)), np.array([[63.5, 63.5]], np.float32))[0]
    assert np.allclose(middle, (WINDOW_SIZE - 1) / 2, atol=1e-3)


@pytest.mark.parametrize("scale", [1.0, 0.6, 0.4, 0.13])
def test_warping_keeps_positions_at_every_scale(scale: float) -> None:
    y, x = np.mgrid[0:600, 0:800]
    ramp = np.stack([x / 800 * 255, y / 600 * 255, x * 0], -1).astype(np.uint8)
    size = 64
    matrix = np.array([[scale, 0, -10], [0, scale, -12]], np.float32)
    found = warp(ramp, matrix, size).astype(float)
    u = (np.arange(size) + 10) / scale
    v = (np.arange(size) + 12) / scale
    inside = (u < 780)[None] & (v < 580)[:, None]
    assert np.abs(found[..., 0] - u[None] / 800 * 255)[inside].max() < 2
    assert np.abs(found[..., 1] - v[:, None] / 600 * 255)[inside].max() < 2


def test_strong_reduction_averages() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    small = warp(stripes, np.array([[0.125, 0, 0], [0, 0.125, 0]], np.float32), 64)
    assert np.abs(small[8:-8, 8:-8].astype(int) - 127).max() < 12


def test_batched_alignment_is_the_same_as_one_by_one() -> None:
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 255, (3, 90, 110, 3), np.uint8)
    landmarks = CROP_TEMPLATE * 0.6 + generator.normal(0, 2, (3, 5, 2)).astype(np.float32)
    batched = align_batch(pictures, landmarks, CROP_TEMPLATE, 128).permute(0, 2, 3, 1).numpy()
    for i in range(3):
        alone = warp(pictures[i], similarity(landmarks[[i]], CROP_TEMPLATE)[0], 128)
        assert np.abs(batched[i] - alone).mean() < 1.0
