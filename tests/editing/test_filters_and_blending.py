"""Filters, blending and the second alignment, on exact pictures."""

import numpy as np
import pytest
import torch

from attrsearch.editing.blending import face_mask, paste, uncrop
from attrsearch.editing.checkpoints import load_checkpoint
from attrsearch.editing.editor import Editor
from attrsearch.editing.filters import FALLBACKS, blur, cover, pixelate
from attrsearch.editing.realign import SecondAlignment
from attrsearch.faces.alignment import CROP_TEMPLATE, similarity, warp
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.sampling import to_editor


def test_the_mask_covers_the_face_and_ends_before_the_crop() -> None:
    mask = face_mask()
    for x, y in CROP_TEMPLATE.round().astype(int):
        assert mask[y, x] == 1
    for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]):
        assert not edge.any()
    assert np.abs(np.diff(mask, axis=0)).max() < 0.2
    assert np.abs(np.diff(mask, axis=1)).max() < 0.2
    assert np.allclose(face_mask(256)[::2, ::2], mask, atol=0.12)


def matrix_of(picture: Picture, detector: Mtcnn) -> np.ndarray:
    return similarity(detector.detect(picture[None])[0].landmarks[:1], CROP_TEMPLATE)[0]


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("size", [128, 256])
def test_pasting_an_untouched_crop_changes_little(
    astronauts: Picture, mtcnn: Mtcnn, index: int, size: int
) -> None:
    picture = astronauts[index].copy()
    matrix = matrix_of(picture, mtcnn)
    zoom = size / 128
    enlarge = np.array(
        [[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2], [0, 0, 1]], np.float32
    )
    crop = warp(picture, (enlarge @ np.vstack([matrix, [0, 0, 1]]))[:2].astype(np.float32), size)
    paste(picture, crop, matrix)
    difference = np.abs(picture.astype(int) - astronauts[index])
    assert difference.mean() < 1.0
    assert np.quantile(difference, 0.99) < 25


def test_pasting_reaches_only_the_face(astronauts: Picture, mtcnn: Mtcnn) -> None:
    picture = astronauts[1].copy()
    found = mtcnn.detect(picture[None])[0]
    paste(
        picture,
        np.zeros((128, 128, 3), np.uint8),
        similarity(found.landmarks[:1], CROP_TEMPLATE)[0],
    )
    changed = (picture != astronauts[1]).any(-1)
    left, top, right, bottom = found.boxes[0]
    width, height = right - left, bottom - top
    assert changed[int(top + height / 2), int(left + width / 2)]
    rows, columns = np.nonzero(changed)
    assert columns.min() > left - 0.5 * width
    assert columns.max() < right + 0.5 * width
    assert rows.min() > top - 0.5 * height
    assert rows.max() < bottom + 0.5 * height


def test_pasting_outside_the_picture_does_nothing(astronaut: Picture) -> None:
    picture = astronaut.copy()
    paste(
        picture,
        np.zeros((128, 128, 3), np.uint8),
        np.array([[1, 0, -5000], [0, 1, -5000]], np.float32),
    )
    assert np.array_equal(picture, astronaut)


def test_output_becomes_pixels() -> None:
    values = np.array([-1.5, -1, 0, 1, 1.5], np.float32).reshape(1, 1, 1, 5).repeat(3, 1)
    assert uncrop(values)[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_pixelation_has_that_many_blocks() -> None:
    ramp = np.tile(np.linspace(0, 255, 96, dtype=np.uint8)[None, :, None], (48, 1, 3))
    assert len(np.unique(pixelate(ramp, 8)[0, :, 0])) == 8


def test_blur_keeps_the_mean(astronaut: Picture) -> None:
    assert blur(astronaut, 5).mean() == pytest.approx(astronaut.mean(), abs=1.5)


@pytest.mark.parametrize("how", FALLBACKS)
@pytest.mark.parametrize(
    "box", [[80, 60, 160, 170], [-40, -40, 60, 60], [200, 200, 400, 400], [10, 10, 11, 11]]
)
def test_covering_a_face(astronaut: Picture, how: str, box: list[float]) -> None:
    picture = astronaut.copy()
    cover(picture, np.array(box, np.float32), how)  # type: ignore[arg-type]
    left, top, right, bottom = np.clip(np.array(box), 0, 250).astype(int)
    inside = picture[top:bottom, left:right].astype(float)
    assert (
        inside.std(axis=(0, 1)).max()
        <= astronaut[top:bottom, left:right].std(axis=(0, 1)).max() + 1e-6
    )
    untouched = np.ones((250, 250), bool)
    untouched[max(0, top - 60) : bottom + 60, max(0, left - 60) : right + 60] = False
    assert np.array_equal(picture[untouched], astronaut[untouched])


@pytest.mark.parametrize("how", FALLBACKS)
def test_a_covered_face_is_no_longer_found(astronaut: Picture, mtcnn: Mtcnn, how: str) -> None:
    picture = astronaut.copy()
    cover(picture, mtcnn.detect(picture[None])[0].boxes[0], how)  # type: ignore[arg-type]
    assert len(mtcnn.detect(picture[None])[0]) == 0


def test_a_box_outside_the_picture(astronaut: Picture) -> None:
    picture = astronaut.copy()
    cover(picture, np.array([300, 300, 400, 400], np.float32), "mask")
    assert np.array_equal(picture, astronaut)


def test_the_second_alignment_finds_a_shifted_face(astronaut: Picture, mtcnn: Mtcnn) -> None:
    matrix = matrix_of(astronaut, mtcnn)
    shifted = matrix + np.array([[0, 0, 7], [0, 0, -5]], np.float32)
    crop = to_editor([warp(astronaut, shifted, 128)])
    aligned, back = SecondAlignment(Mtcnn(24))(crop)
    straight = to_editor([warp(astronaut, matrix, 128)])
    assert (aligned - straight).abs().mean() < (crop - straight).abs().mean() / 3
    returned = torch.nn.functional.grid_sample(
        aligned, back, padding_mode="border", align_corners=False
    )
    inside = (back.abs() <= 1).all(-1)[:, None].expand_as(crop)
    assert (returned - crop)[inside].abs().mean() < 0.03


def test_a_face_lost_after_pass_one_keeps_its_alignment() -> None:
    grey = torch.zeros(1, 3, 128, 128)
    aligned, _ = SecondAlignment(Mtcnn(24))(grey)
    assert torch.allclose(aligned, grey)


def test_editing_with_a_second_alignment(astronaut: Picture, mtcnn: Mtcnn) -> None:
    crop = to_editor([warp(astronaut, matrix_of(astronaut, mtcnn), 128)])
    values = np.zeros((1, 2, 13), np.float32)
    values[0, :, 7] = 0.4, -0.4
    plain = Editor(load_checkpoint("base"))
    again = Editor(load_checkpoint("base"), realign=SecondAlignment(Mtcnn(24)))
    first, second = plain.edit(plain.encode(crop), values), again.edit(again.encode(crop), values)
    assert second.shape == first.shape
    assert 0 < (first - second).abs().mean() < 0.2
