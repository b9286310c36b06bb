"""Reading pictures: EXIF, and every kind of bad file named in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.core.errors import InputError
from attrsearch.faces.images import list_pictures, read_picture


def save(path: Path, width: int = 40, height: int = 30, **options: object) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path, **options)  # type: ignore[arg-type]
    return path


def test_a_picture_is_rgb_uint8(tmp_path: Path) -> None:
    found = read_picture(save(tmp_path / "a.png"))
    assert found.shape == (30, 40, 3)
    assert found.dtype == np.uint8


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16"])
def test_other_modes(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.tiff"
    Image.new(mode, (20, 20)).save(path)
    assert read_picture(path).shape == (20, 20, 3)


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    plain = read_picture(save(tmp_path / "a.png"))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    Image.fromarray(plain).save(tmp_path / "b.png", exif=exif)
    assert np.array_equal(read_picture(tmp_path / "b.png"), np.rot90(plain, -1))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("not a picture")


def truncated(path: Path) -> None:
    save(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def header_only(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n")


def huge(path: Path) -> None:
    Image.new("1", (10_100, 10_000)).save(path)


def bomb(path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(path)


def tiny(path: Path) -> None:
    save(path, 3, 3)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (empty, r"an empty file \(0 bytes\)"),
        (text, "needs a readable picture, found something else"),
        (truncated, "needs a readable picture, found"),
        (header_only, "needs a readable picture, found something else"),
        (huge, "needs at most 100000000 pixels, found 10100 x 10000 pixels; scale it down"),
        (
            bomb,
            r"needs at most 100000000 pixels, "
            r"found Image size \(400000000 pixels\).*; scale it down",
        ),
        (tiny, "needs at least 16 pixels a side, found 3 x 3 pixels"),
        (Path.mkdir, "Is a directory"),
    ],
)
def test_bad_pictures(tmp_path: Path, make: object, line: str) -> None:
    path = tmp_path / "bad.png"
    make(path)  # type: ignore[operator]
    with pytest.raises(InputError, match=line) as caught:
        read_picture(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_the_working_folder_may_change_while_the_decoder_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (32, 24)).save(tmp_path / name / "a.png")
        monkeypatch.chdir(tmp_path / name)
        assert read_picture(Path("a.png")).shape == (24, 32, 3)


def test_a_missing_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_picture(tmp_path / "a.jpg")


def test_listing_leaves_out_what_is_not_a_picture_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    outside = save(tmp_path / "outside.png")
    save(folder / "b.png")
    save(folder / "a.JPG", format="JPEG")
    save(folder / ".hidden.png")
    (folder / "notes.txt").write_text("")
    (folder / "c.png").symlink_to(outside)
    assert [path.name for path in list_pictures(folder)] == ["a.JPG", "b.png"]
