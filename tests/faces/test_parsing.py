"""Face parsing of the bundled weights: landmarks where the detector sees them, and skin but not what is before it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from attrsearch.faces.alignment import (
    CROP_TEMPLATE,
    TIGHT_TEMPLATE,
    invert,
    similarity,
    transform,
    warp,
)
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.parsing import ParsingNetwork, visible_skin
from attrsearch.faces.sampling import to_editor
from attrsearch.training.export import load_trained
from attrsearch.training.occluders import _blob, _hand, _mask, _microphone

Floats = np.ndarray


@pytest.fixture(scope="module")
def parsing() -> ParsingNetwork:
    network = ParsingNetwork()
    load_trained(network, "parsing")
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def crops(astronauts: Picture, mtcnn: Mtcnn) -> list[Picture]:
    landmarks = [mtcnn.detect(picture[None])[0].landmarks[:1] for picture in astronauts]
    return [
        warp(picture, similarity(points, TIGHT_TEMPLATE)[0], 128)
        for picture, points in zip(astronauts, landmarks, strict=True)
    ]


def parsed(network: ParsingNetwork, pictures: list[Picture]) -> tuple[Floats, Floats]:
    landmarks, logits = network(to_editor(pictures))
    return landmarks.numpy(), visible_skin(logits, 128)[:, 0].numpy()


def test_landmarks_are_where_the_detector_sees_them(
    parsing: ParsingNetwork, crops: list[Picture]
) -> None:
    landmarks, _ = parsed(parsing, crops)
    for points in landmarks:
        eyes = [points[36:42].mean(0), points[42:48].mean(0)]
        five = np.stack([*eyes, points[30], points[48], points[54]])
        apart = np.linalg.norm(five - TIGHT_TEMPLATE, axis=1)
        assert apart.max() < 8  # of 40 between the eyes
        assert apart[:2].max() < 4


def test_skin_is_seen_and_hair_is_not(parsing: ParsingNetwork, crops: list[Picture]) -> None:
    landmarks, skin = parsed(parsing, crops)
    for points, mask in zip(landmarks, skin, strict=True):
        for x, y in np.round(points[[30, 33, 51, 57]]).astype(int):
            assert mask[y, x] == 1
        assert not mask[0].any()
        assert 0.2 < mask.mean() < 0.65


def test_the_usual_crop_shows_the_same_landmarks(
    parsing: ParsingNetwork, crops: list[Picture]
) -> None:
    to_tight = similarity(CROP_TEMPLATE[None], TIGHT_TEMPLATE)[0]
    landmarks, _ = parsed(parsing, crops[:1])
    back = transform(invert(to_tight), landmarks[0])
    assert np.linalg.norm(back[36:42].mean(0) - CROP_TEMPLATE[0]) < 4


@pytest.mark.parametrize(
    ("draw", "most"), [(_microphone, 0.1), (_mask, 0.1), (_hand, 0.6), (_blob, 0.6)]
)
def test_what_is_before_a_face_is_left_out(
    parsing: ParsingNetwork,
    crops: list[Picture],
    draw: Callable[..., tuple[Picture, Floats]],
    most: float,
) -> None:
    """Its place is known, since it was pasted; a hand of the face's own colour is the hardest."""
    random = np.random.default_rng(0)
    landmarks, before = parsed(parsing, crops[:1])
    hidden, seen = [], []
    for _ in range(12):
        picture, thing = draw(crops[0], landmarks[0], random)
        mask = parsed(parsing, [picture])[1][0]
        inside = (thing > 0.9) & (before[0] > 0.9)
        outside = (thing < 0.01) & (before[0] > 0.9)
        if inside.sum() > 60:
            hidden.append(float(mask[inside].mean()))
            seen.append(float(mask[outside].mean()))
    assert len(hidden) >= 6
    assert np.mean(hidden) < most
    assert np.mean(seen) > 0.85


def test_nothing_of_a_wall_is_skin(parsing: ParsingNetwork) -> None:
    with torch.inference_mode():
        _, mask = parsed(parsing, [np.full((128, 128, 3), 90, np.uint8)] * 2)
    assert mask.mean() < 0.35
