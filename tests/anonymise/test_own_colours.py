"""Pictures are written in the depth, the colours and the kind they came in."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, features

from attrsearch.anonymise.images import Applier
from attrsearch.anonymise.picture_files import made_here, targets, write_picture
from attrsearch.faces.image_decoder import KNOWN
from attrsearch.faces.images import Layers, read_layers, read_picture, say_left_out
from tests.anonymise.test_images import export, person

Array = np.ndarray[Any, np.dtype[Any]]

COLOURS = np.random.default_rng(0).integers(0, 65535, (40, 50, 3)).astype(np.uint16)
BOX = np.s_[10:20, 10:30]


def adobe() -> bytes:
    """A profile with other primaries and another curve than sRGB, made up by littleCMS."""
    # Lab is no profile of pictures; XYZ is: a linear one of RGB files
    xyz = ImageCms.createProfile("sRGB")
    data = bytearray(ImageCms.ImageCmsProfile(xyz).tobytes())
    # exchange red and green primaries: as far from sRGB as can be, and still RGB
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    text = data.index("sRGB".encode("utf-16-be"))
    data[text : text + 8] = "mine".encode("utf-16-be")
    return bytes(data)


def save_deep(path: Path, values: Array) -> Path:
    order = [2, 1, 0, 3][: values.shape[2]]
    cv2.imwrite(str(path), values[..., order])
    return path


def deep_of(path: Path) -> Array:
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return found[..., [2, 1, 0, 3][: found.shape[2]]]


def edited(layers: Layers) -> Array:
    picture = layers.pixels.copy()
    picture[BOX] = (200, 100, 50)
    return picture


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bits_of_colour_stay(tmp_path: Path, suffix: str, channels: int) -> None:
    values = COLOURS
    if channels == 4:
        alpha = np.full((40, 50, 1), 65535, np.uint16)
        alpha[30:, :10] = 0
        alpha[30:, 10:20] = 1234
        values = np.concatenate([COLOURS, alpha], 2)
    source = save_deep(tmp_path / f"a{suffix}", values)
    layers = read_layers(source)
    assert layers.own is not None
    assert (layers.own == values).all()
    out = tmp_path / f"b{suffix}"
    write_picture(out, edited(layers), layers)
    found = deep_of(out)
    kept = np.ones((40, 50), bool)
    kept[BOX] = False
    if channels == 4:
        assert (found[..., 3] == values[..., 3]).all()
        assert not found[30:, :10, :3].any()  # what alpha hides is black
        kept[30:, :10] = False
    assert (found[..., :3][kept] == values[..., :3][kept]).all()
    assert (found[BOX][..., :3] == np.array([200, 100, 50]) * 257).all()
    assert made_here(out)
    assert np.abs(read_picture(out)[BOX].astype(int) - (200, 100, 50)).max() <= 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("a.png", COLOURS[..., 0]),
        ("a.tif", COLOURS[..., 0]),
        ("b.tif", COLOURS[..., 0] // 16),
        ("c.tif", (COLOURS[..., 0] / 65535).astype(np.float32)),
    ],
)
def test_deep_grey_stays_grey_and_deep(tmp_path: Path, name: str, values: Array) -> None:
    Image.fromarray(values).save(tmp_path / name)
    layers = read_layers(tmp_path / name)
    out = tmp_path / f"out_{name}"
    write_picture(out, edited(layers), layers)
    with Image.open(out) as image:
        found = np.asarray(image)
    assert found.dtype == values.dtype
    kept = np.ones((40, 50), bool)
    kept[BOX] = False
    assert (found[kept] == values[kept]).all()
    white = {"b.tif": 4095, "c.tif": 1}.get(name, 65535)
    assert found[BOX] == pytest.approx(
        (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255 * white, rel=0.01
    )


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_the_profile_is_embedded_again_and_the_colours_are_its_own(
    tmp_path: Path, suffix: str
) -> None:
    profile = adobe()
    colours = (COLOURS >> 8).astype(np.uint8)
    colours[:] = colours[:1, :1]
    source = tmp_path / "a.png"
    Image.fromarray(colours).save(source, icc_profile=profile)
    layers = read_layers(source)
    assert layers.converted
    assert not (layers.pixels == colours).all()
    out = tmp_path / f"out{suffix}"
    write_picture(out, edited(layers), layers)
    with Image.open(out) as image:
        assert image.info["icc_profile"] == profile
        stored = np.asarray(image)
    if suffix in (".png", ".tif"):
        kept = np.ones((40, 50), bool)
        kept[BOX] = False
        assert (stored[kept] == colours[kept]).all()
    seen = read_picture(out).astype(int)
    assert np.abs(seen[30:] - layers.pixels[30:]).max() <= 6
    assert np.abs(seen[BOX][2:-2, 2:-2] - (200, 100, 50)).max() <= 12


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_in_a_profile_of_their_own(tmp_path: Path, suffix: str) -> None:
    write_picture(
        tmp_path / f"a{suffix}",
        (COLOURS >> 8).astype(np.uint8),
        Layers((COLOURS >> 8).astype(np.uint8), None, 1, COLOURS, adobe()),
    )
    layers = read_layers(tmp_path / f"a{suffix}")
    assert layers.profile == adobe()
    assert layers.converted
    assert layers.own is not None
    assert (layers.own == COLOURS).all()
    out = tmp_path / f"b{suffix}"
    write_picture(out, edited(layers), layers)
    again = read_layers(out)
    assert again.profile == adobe()
    assert again.own is not None
    assert (again.own[30:] == COLOURS[30:]).all()


def test_a_profile_that_does_not_fit_is_not_written(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    colours = (COLOURS >> 8).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.png", icc_profile=lab)
    layers = read_layers(tmp_path / "a.png")
    write_picture(tmp_path / "b.png", layers.pixels, layers)
    with Image.open(tmp_path / "b.png") as image:
        assert "icc_profile" not in image.info


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pictures_stand_upright(tmp_path: Path, orientation: int) -> None:
    data = io.BytesIO(cv2.imencode(".png", COLOURS[..., ::-1])[1].tobytes())
    plain = Image.fromarray((COLOURS >> 8).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    marked = io.BytesIO()
    plain.save(marked, "PNG", exif=exif)
    chunk = marked.getvalue()
    start = chunk.index(b"eXIf") - 4
    size = int.from_bytes(chunk[start : start + 4], "big") + 12
    whole = data.getvalue()[:33] + chunk[start : start + size] + data.getvalue()[33:]
    (tmp_path / "a.png").write_bytes(whole)
    layers = read_layers(tmp_path / "a.png")
    assert layers.own is not None
    assert (layers.own >> 8 == layers.pixels).all()
    assert layers.pixels.shape[:2] == ((40, 50) if orientation < 5 else (50, 40))


def test_a_face_is_edited_and_the_rest_keeps_its_bits(astronaut: Array, tmp_path: Path) -> None:
    values = astronaut.astype(np.uint16) * 256 + 77
    source = save_deep(tmp_path / "a.png", values)
    found = Applier(export(person("a"))).apply(source, tmp_path / "b.png", person("a"))
    assert found.edited == "a"
    changed = (deep_of(tmp_path / "b.png") != values).any(2)
    assert changed.any()
    assert not changed[:30].any()
    assert not changed[-20:].any()


# kinds that not every installation reads


@pytest.mark.parametrize("suffix", [".avif", ".heic"])
def test_kinds_that_are_read_are_written_as_their_own(
    astronaut: Array, tmp_path: Path, suffix: str
) -> None:
    kind = {".avif": "AVIF", ".heic": "HEIF"}[suffix]
    if kind not in KNOWN:
        pytest.skip(f"{kind} is not read here")
    source = tmp_path / f"a{suffix}"
    write_picture(source, astronaut)
    assert np.abs(read_picture(source).astype(int) - astronaut).mean() < 3
    assert targets([source], tmp_path, tmp_path / "out") == [tmp_path / "out" / f"a{suffix}"]
    target = tmp_path / "out" / f"a{suffix}"
    target.parent.mkdir()
    found = Applier(export(person("a"))).apply(source, target, person("a"))
    assert found.edited == "a"
    assert read_picture(target).shape == astronaut.shape
    assert made_here(target)


def test_what_is_not_read_is_named_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Path("faces/a.heic"), Path("faces/b.jxl"), Path("faces/c.mp4")]
    monkeypatch.setattr("attrsearch.faces.images.SUFFIXES", frozenset({".jpg"}))
    line = say_left_out(Path("faces"), entries)
    assert "a.heic, b.jxl, c.mp4" in line
    assert ".heic: pip install 'attrsearch[heif]'" in line
    assert ".jxl: save it as PNG" in line
    assert features.check("avif") is ("AVIF" in KNOWN)
