"""Pictures of other depths, profiles and kinds are read as they look."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from attrsearch.core.names import csv_cell, from_csv_cell
from attrsearch.faces.images import list_pictures, read_layers, read_picture

RAMP = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (32, 1))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("g16.png", RAMP.astype(np.uint16) * 257),
        ("g16.tif", RAMP.astype(np.uint16) * 257),
        ("g12.tif", RAMP.astype(np.uint16) * 16),
        ("float.tif", RAMP.astype(np.float32) / 255),
    ],
)
def test_depth_is_scaled_not_clipped(tmp_path: Path, name: str, values: np.ndarray) -> None:
    Image.fromarray(values).save(tmp_path / name)
    found = read_picture(tmp_path / name)
    assert np.abs(found[..., 0].astype(int) - RAMP).max() <= 1


def test_profiles_are_followed(tmp_path: Path) -> None:
    colour = np.full((20, 20, 3), (200, 80, 60), np.uint8)
    plain = Image.fromarray(colour)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    plain.save(tmp_path / "srgb.png", icc_profile=srgb.tobytes())
    assert (read_picture(tmp_path / "srgb.png") == colour).all()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    plain.save(tmp_path / "wrong.png", icc_profile=lab.tobytes())
    assert (
        read_picture(tmp_path / "wrong.png") == colour
    ).all()  # a profile that does not fit changes nothing


def test_alpha_and_frames_are_told(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([RAMP] * 4), "RGBA").save(tmp_path / "a.png")
    layers = read_layers(tmp_path / "a.png")
    assert layers.pixels.shape == (32, 64, 3)
    assert layers.alpha is not None
    assert (layers.alpha == RAMP).all()
    assert layers.frames == 1


def test_numbers_stand_in_their_order(tmp_path: Path) -> None:
    for number in (1, 2, 10, 20):
        Image.fromarray(RAMP).save(tmp_path / f"f{number}.png")
    assert [path.stem for path in list_pictures(tmp_path)] == ["f1", "f2", "f10", "f20"]


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "-2+3", "+1", "'quoted", "Ann", ""])
def test_cells_are_never_formulas(text: str) -> None:
    cell = csv_cell(text)
    assert not str(cell).startswith(("=", "+", "-", "@"))
    assert from_csv_cell(cell) == text
