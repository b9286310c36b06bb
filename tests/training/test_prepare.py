"""Data preparation: faces found, aligned and cached; tables that do not match end in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.core.sample import sample_folder
from attrsearch.training.dataset import FaceSet, join, load_face_set, to_network, to_pictures
from attrsearch.training.prepare import CELEBA_SQUARE, prepare, read_names
from attrsearch.training.table import match_table, read_table

HEADER = "image_id," + ",".join(ATTRIBUTES)


def test_faces_are_those_a_search_would_see(prepared: FaceSet) -> None:
    from attrsearch.faces.dataset import MIN_FACE, load_face
    from attrsearch.faces.detection.load import load_detector

    path = sample_folder() / "astronaut" / "astronaut_1.jpg"
    searched = load_face(path, load_detector("mtcnn", MIN_FACE)).crop
    index = prepared.names.index("astronaut/astronaut_1.jpg")
    assert np.abs(prepared.crops[index].astype(int) - searched).max() <= 2
    assert "astronaut" in prepared.people


def test_people_are_taken_and_left_out() -> None:
    everyone = {path.name for path in sample_folder().iterdir() if path.is_dir()}
    without = prepare(sample_folder(), without=["astronaut"])
    assert set(without.people) == everyone - {"astronaut"}
    one = prepare(sample_folder(), only=["astronaut_1"])
    assert one.names == ("astronaut/astronaut_1.jpg",)


def test_a_picture_without_a_face_is_left_out_with_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Image.fromarray(np.full((80, 80, 3), 127, np.uint8)).save(tmp_path / "grey.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(InputError, match="pictures with a face, found none in 2"):
        prepare(tmp_path)
    assert any("grey.png: needs a picture of a face" in line for line in caplog.messages)
    assert any("an empty file" in line for line in caplog.messages)


def test_the_celeba_square(tmp_path: Path) -> None:
    picture = np.zeros((218, 178, 3), np.uint8)
    top, left, side = CELEBA_SQUARE
    picture[top : top + side, left : left + side] = 200
    Image.fromarray(picture).save(tmp_path / "000001.png")
    assert prepare(tmp_path, alignment="celeba").crops[0].min() >= 198
    Image.fromarray(picture[:100]).save(tmp_path / "000002.png")
    with pytest.raises(
        InputError, match=r"000002.png: needs CelebA's aligned shape .* found 178 x 100"
    ):
        prepare(tmp_path, alignment="celeba")


def test_a_set_is_saved_and_read(prepared: FaceSet, folder: Path) -> None:
    again = load_face_set(folder)
    assert again.names == prepared.names
    assert np.array_equal(again.crops, prepared.crops)
    assert np.array_equal(again.attributes, prepared.attributes)
    assert len(join([again, again])) == 2 * len(prepared)
    assert np.array_equal(to_pictures(to_network(again.crops)), prepared.crops)


def test_sets_that_are_none(tmp_path: Path, prepared: FaceSet) -> None:
    with pytest.raises(
        InputError, match="needs prepared faces, found none; attrsearch train prepare"
    ):
        load_face_set(tmp_path)
    prepared.save(tmp_path)
    np.save(tmp_path / "attributes.npy", prepared.attributes[1:])
    with pytest.raises(InputError, match="needs prepared faces of version 1"):
        load_face_set(tmp_path)
    (tmp_path / "crops.npy").write_bytes(b"no array")
    with pytest.raises(InputError, match="damaged ones"):
        load_face_set(tmp_path)


def row(name: str, value: object) -> str:
    return f"{name}," + ",".join([str(value)] * len(ATTRIBUTES))


def test_a_table_is_matched_by_name(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("\n".join([HEADER, row("a.jpg", 1), row("b.jpg", -1)]))
    found = match_table(read_table(path), ["x/b.jpg", "a.jpg"], path)
    assert found.mean(1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "needs a table with a column of file names and the 13 attributes, found no rows"),
        (HEADER.replace(",Young", "") + "\n" + row("a.jpg", 1), "found no column Young"),
        (HEADER.replace("image_id", "id") + "\n" + row("a.jpg", 1), "found no column image_id"),
        (HEADER + "\n" + row("a.jpg", 7), "line 2: needs a file name and values 0, 1 or -1"),
        (HEADER + "\n" + row("a.jpg", "yes"), "line 2: needs a file name and values 0, 1 or -1"),
        (HEADER + "\na.jpg,1", "line 2: needs a file name and values 0, 1 or -1"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=line) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


def test_a_table_of_other_pictures(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(HEADER + "\n" + row("other.jpg", 1))
    with pytest.raises(
        InputError, match=r"a row for each of the \d+ pictures, found none for \d+ of them"
    ):
        prepare(sample_folder(), table=path)


def test_lists_of_names(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("one\n\n two \n")
    assert read_names(tmp_path / "names.txt") == ["one", "two"]
    (tmp_path / "none.txt").write_text("\n")
    with pytest.raises(InputError, match="needs names, one a line, found none"):
        read_names(tmp_path / "none.txt")
