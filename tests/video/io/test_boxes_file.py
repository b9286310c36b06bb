"""Boxes in files: JSON, MOT and YOLO, there and back, and what is no such file."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attrsearch.core.errors import InputError
from attrsearch.video.io.boxes_file import LabelledBox, read_boxes, write_boxes

SIZE = (640, 480)


def exactly(low: int, high: int) -> st.SearchStrategy[float]:
    """Hundredths of a pixel, as MOT files have them."""
    return st.integers(low * 100, high * 100).map(lambda value: value / 100)


@st.composite
def boxes(draw: st.DrawFn) -> LabelledBox:
    left, top = draw(exactly(-50, 600)), draw(exactly(-50, 400))
    width, height = draw(exactly(1, 300)), draw(exactly(1, 300))
    return LabelledBox(
        (left, top, left + width, top + height),
        draw(st.integers(-1, 999)),
        draw(st.integers(0, 10000)) / 10000,
    )


labels = st.dictionaries(st.integers(0, 40), st.lists(boxes(), min_size=1, max_size=3), max_size=5)


@settings(max_examples=40, deadline=None)
@given(labels=labels)
@pytest.mark.parametrize(
    ("name", "near"),
    [("boxes.json", 0.0), ("boxes.txt", 0.011), ("boxes.csv", 0.011), ("yolo", 1e-3)],
)
def test_there_and_back(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    near: float,
    labels: dict[int, list[LabelledBox]],
) -> None:
    path = tmp_path_factory.mktemp("labels") / name
    write_boxes(path, labels, SIZE)
    if name == "yolo" and not labels:
        assert not path.exists()
        return
    back = read_boxes(path, SIZE)
    assert set(back) == set(labels)
    for frame, there in labels.items():
        assert len(back[frame]) == len(there)
        for one, other in zip(there, back[frame], strict=True):
            assert other.box == pytest.approx(one.box, abs=near)
            if name != "yolo":  # which has neither
                assert other.track == one.track
                assert other.probability == pytest.approx(one.probability, abs=1e-6)


def test_mot_as_the_challenge_has_it(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text(
        "1,7,10,20,30,40,1,1,1\n\n3,8,0,0,5,5,-1,-1,-1,-1\n3,-1,1,1,2,2\n"
    )
    assert read_boxes(tmp_path / "gt.txt") == {
        0: [LabelledBox((10, 20, 40, 60), 7, 1.0)],
        2: [
            LabelledBox((0, 0, 5, 5), 8, 1.0),
            LabelledBox((1, 1, 3, 3), -1, 1.0),
        ],  # -1: no confidence given
    }


def test_yolo_as_yolo_mark_writes_it(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("face\n")
    (tmp_path / "img_0001.txt").write_text("0 0.5 0.5 0.25 0.5\n\n0 0.1 0.1 0.1 0.1\n")
    (tmp_path / "img_0002.txt").write_text("")
    (tmp_path / "img_0003.txt").write_text("1 0.5 0.5 1 1\n")
    found = read_boxes(tmp_path, (200, 100))
    assert set(found) == {0, 2}
    assert found[0][0].box == pytest.approx((75, 25, 125, 75))
    assert found[0][1].box == pytest.approx((10, 5, 30, 15))
    assert found[2][0].box == pytest.approx((0, 0, 200, 100))


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.json", "", "Expecting value"),
        ("a.json", "[]", "found the file: Input should be"),
        ("a.json", "{", "Expecting property name"),
        ("a.json", "[" * 20000, "recursion"),
        ("a.json", '{"format": "coco", "boxes": []}', "format: Input should be 'attrsearch/boxes'"),
        ("a.json", '{"version": 2, "boxes": []}', "version: Input should be 1"),
        ("a.json", '{"boxes": [{"frame": 0}]}', "boxes.0.box: Field required"),
        (
            "a.json",
            '{"boxes": [{"frame": -1, "box": [0,0,1,1]}]}',
            "boxes.0.frame: Input should be greater",
        ),
        ("a.json", '{"boxes": [{"frame": 0, "box": [0,0,1]}]}', "boxes.0.box.3: Field required"),
        (
            "a.json",
            '{"boxes": [{"frame": 0, "box": [5,0,1,1]}]}',
            "a box needs left < right and top < bottom",
        ),
        (
            "a.json",
            '{"boxes": [{"frame": 0, "box": [0,0,NaN,1]}]}',
            "boxes.0.box.2: Input should be a finite number",
        ),
        (
            "a.json",
            '{"boxes": [{"frame": 0, "box": [0,0,1,1e9]}]}',
            "less than or equal to 1000000",
        ),
        ("a.json", '{"boxes": [{"frame": 0, "box": [0,0,1,1], "probability": 2}]}', "probability"),
        (
            "a.json",
            '{"boxes": [{"frame": 0, "box": [0,0,1,1], "name": "x"}]}',
            "name: Extra inputs",
        ),
        ("a.txt", "frame,id,left,top,width,height\n", "could not convert string to float: 'left'"),
        ("a.txt", "1,2,3\n", "not enough values"),
        ("a.txt", "0,1,0,0,5,5,1\n", "frame: Input should be greater than or equal to 0"),
        ("a.txt", "inf,1,0,0,5,5,1\n", "cannot convert float infinity"),
        ("a.txt", "1,1,0,0,-5,5,1\n", "a box needs left < right"),
        ("a.txt", "1,1,nan,0,5,5,1\n", "box.0: Input should be a finite number"),
        ("a.txt", "1,1,inf,0,5,5,1\n", "box.0: Input should be a finite number"),
    ],
)
def test_bad_files_are_one_clear_line(tmp_path: Path, name: str, text: str, found: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_boxes(path)
    line = str(error.value)
    assert line.startswith(f"{path}: needs a file of boxes, found ")
    assert found in line
    assert line.endswith("; write JSON (attrsearch/boxes), MOT rows, or a folder of YOLO labels")
    assert "\n" not in line


def test_no_text_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"a\.json: needs a file of boxes, found 'utf-8' codec"):
        read_boxes(tmp_path / "a.json")
    with pytest.raises(
        InputError, match=r"gone\.json: needs a file of boxes, found No such file or directory"
    ):
        read_boxes(tmp_path / "gone.json")


@pytest.mark.parametrize(
    "line", ["0 0.5 0.5 0.1", "0 a b c d", "0 0.5 0.5 -0.1 0.1", "0 nan 0.5 0.1 0.1"]
)
def test_bad_yolo_lines_are_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "1.txt").write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(InputError) as error:
        read_boxes(tmp_path, SIZE)
    assert str(error.value) == (
        f"{tmp_path / '1.txt'}, line 2: needs class, centre x, centre y, width, height, found "
        f"{line}; mend or remove that line"
    )


def test_yolo_needs_files_and_the_size_of_frames(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    with pytest.raises(InputError, match="labels: needs YOLO label files, found none"):
        read_boxes(tmp_path / "labels", SIZE)
    with pytest.raises(
        InputError, match="needs the size of the frames for YOLO labels, found none"
    ):
        read_boxes(tmp_path / "labels")
    with pytest.raises(InputError, match="needs the size of the frames"):
        write_boxes(tmp_path / "labels", {0: [LabelledBox((0, 0, 1, 1))]})
