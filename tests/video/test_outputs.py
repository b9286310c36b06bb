"""What is written beside a video: ledger, preview, debug video, folders of frames."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from attrsearch.core.errors import InputError, OutputError
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.video.coverage import ROWS_A_GROUP, SCHEMA, Ledger
from attrsearch.video.io.frame_folder import FrameFolder
from attrsearch.video.overlay import GREEN, RED, YELLOW, colour, draw
from attrsearch.video.pipeline import SetAssignment, VideoOptions, protect
from attrsearch.video.preview import COLUMNS, SHOWN, WIDTH, Preview
from attrsearch.video.render import Cover, RenderedFace
from attrsearch.video.tracking.tracker import BoxSource
from attrsearch.video.trajectories import TrackedBox
from tests.clips import textured
from tests.video.conftest import Scene


def covered(
    left: float = 40,
    found: BoxSource = "detected",
    probability: float = 0.9,
    how: Cover = "edited",
    track: int = 3,
) -> RenderedFace:
    box = np.float32([left, 60, left + 40, 110])
    return RenderedFace(
        TrackedBox(track, box, np.zeros((5, 2), np.float32), found, probability), "person_001", how
    )


# ledger


def test_a_row_for_every_face_of_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "new" / "coverage.parquet"
    with Ledger(path) as ledger:
        ledger.add(0, 0.0, [covered(), covered(90.5, "low", 0.15, "filtered", 4)])
        ledger.add(1, 0.04, [])
        ledger.add(2, 0.08, [covered(found="extended", how="warped")])
        assert not path.exists()
    assert ledger.counts == {"edited": 1, "filtered": 1, "warped": 1}
    table = pq.read_table(path)
    assert table.schema.names == SCHEMA.names
    rows = table.to_pylist()
    assert rows[1] == {
        "frame": 0, "time": 0.0, "track": 4, "person": "person_001", "left": 90.5, "top": 60.0, "right": 130.5,
        "bottom": 110.0, "probability": pytest.approx(0.15), "found": "low", "cover": "filtered",
        "reason": "", "distance": None, "class": "face",
    }  # fmt: skip
    assert [(row["frame"], row["time"]) for row in rows] == [(0, 0.0), (0, 0.0), (2, 0.08)]


def test_rows_are_let_go_group_by_group(tmp_path: Path) -> None:
    item = covered()
    with Ledger(tmp_path / "c.parquet") as ledger:
        for frame in range(2 * ROWS_A_GROUP // 400 + 1):
            ledger.add(frame, frame / 25, [item] * 400)
            assert len(ledger._rows["frame"]) < ROWS_A_GROUP
    file = pq.ParquetFile(tmp_path / "c.parquet")
    assert file.metadata.num_rows == 2 * ROWS_A_GROUP + 400
    assert file.metadata.num_row_groups == 3


def test_no_face_at_all_is_an_empty_table(tmp_path: Path) -> None:
    with Ledger(tmp_path / "c.parquet"):
        pass
    assert pq.read_table(tmp_path / "c.parquet").num_rows == 0


def test_a_ledger_without_a_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"c.parquet: needs a place to write to, found"):
        Ledger(tmp_path / "file" / "c.parquet")


def test_a_ledger_of_something_that_failed_is_not_left(tmp_path: Path) -> None:
    def fail() -> None:
        with Ledger(tmp_path / "c.parquet") as ledger:
            ledger.add(0, 0.0, [covered()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


# preview


@pytest.mark.parametrize(("frames", "shown"), [(1, 1), (3, 3), (8, 8), (10, 8), (40, 8), (333, 8)])
def test_a_preview_of_any_length(tmp_path: Path, frames: int, shown: int) -> None:
    preview = Preview(tmp_path / "p.png")
    for value in np.linspace(0, 250, frames):
        preview.add(np.full((90, 160, 3), round(value), np.uint8))
        assert len(preview._kept) < 2 * SHOWN
    preview.save()
    picture = np.asarray(Image.open(tmp_path / "p.png"))
    columns = min(shown, COLUMNS)
    assert picture.shape == (270 * -(-shown // COLUMNS), WIDTH * columns, 3)
    cells = [
        int(picture[270 * row + 100, WIDTH * column + 100, 0])
        for row in range(picture.shape[0] // 270)
        for column in range(columns)
    ]
    assert len(set(cells[:shown])) == shown
    assert cells[:shown] == sorted(cells[:shown])
    assert cells[0] < 40
    assert frames == 1 or max(cells) > 200  # from beginning to end


def test_a_preview_of_frames_of_several_sizes(tmp_path: Path) -> None:
    preview = Preview(tmp_path / "p.png")
    for size in ((90, 160), (160, 90), (40, 40)):
        preview.add(np.zeros((*size, 3), np.uint8))
    preview.save()
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.size == (3 * WIDTH, 270)


def test_no_frame_no_preview(tmp_path: Path) -> None:
    Preview(tmp_path / "p.png").save()
    assert list(tmp_path.iterdir()) == []


# debug video


@pytest.mark.parametrize(
    ("found", "probability", "expected"),
    [
        ("detected", 0.9, GREEN),
        ("low", 0.3, GREEN),
        ("low", 0.19, YELLOW),
        ("remembered", 0.9, RED),
        ("remembered", 0.1, RED),
        ("interpolated", 0.9, RED),
        ("extended", 0.9, RED),
    ],
)
def test_red_is_restored_and_yellow_below_a_fifth(
    found: BoxSource, probability: float, expected: tuple[int, int, int]
) -> None:
    item = covered(found=found, probability=probability)
    assert colour(item) == expected
    picture = np.full((240, 320, 3), 128, np.uint8)
    drawn = draw(picture, [item])
    assert (picture == 128).all()
    assert tuple(drawn[85, 40]) == tuple(drawn[110, 60]) == expected
    assert tuple(drawn[85, 60]) == (128, 128, 128)
    assert (drawn[40:59] != 128).any()  # its name above


# folders of frames


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "frames"
    source.mkdir()
    for number, picture in enumerate(textured(4)):
        Image.fromarray(picture).save(source / f"f{number}.png")
    return source


def test_frames_go_by_their_names(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    material = FrameFolder(folder, tmp_path / "out")
    assert (material.size, material.count) == ((320, 240), 4)
    for _ in range(2):  # two passes
        assert [frame.index for frame in material.frames()] == [0, 1, 2, 3]
    with material.rewrite() as out:
        for frame in out.frames():
            out.write(frame, 255 - frame.picture)
        out.close()
    for number, picture in enumerate(textured(4)):
        assert np.array_equal(
            np.asarray(Image.open(tmp_path / "out" / f"f{number}.png")), 255 - picture
        )
    assert (caplog.messages, material.problem) == ([], "")


def test_a_bad_frame_is_named_once_and_not_written(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "f1.png").write_bytes(b"no picture")
    material = FrameFolder(folder, tmp_path / "out")
    for _ in range(2):
        assert [frame.index for frame in material.frames()] == [0, 2, 3]
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"{folder / 'f1.png'}: needs a readable picture")
    assert material.problem == "1 of 4 frames could not be read and were not written"


def test_a_bad_frame_leaves_no_face_of_the_last_one_out(
    scene: Scene, mtcnn: Mtcnn, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, picture in enumerate(scene.pictures[:6]):
        Image.fromarray(picture).save(folder / f"{number}.png")
    (folder / "1.png").write_bytes(b"no picture")
    done = protect(
        FrameFolder(folder, tmp_path / "out"), detector=mtcnn, close_up=mtcnn, scaled=sface,
        decide=lambda people: SetAssignment({}, {}, None), options=VideoOptions(),
    )  # fmt: skip
    assert {frame: len(there) for frame, there in done.boxes.items()} == dict.fromkeys(
        (0, 2, 3, 4, 5), 2
    )


def test_folders_that_are_none(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "gone"):
        with pytest.raises(
            InputError, match=f"{name}: needs a folder of frames, found no pictures"
        ):
            FrameFolder(tmp_path / name, tmp_path / "out")
    with pytest.raises(
        InputError, match="needs an output that is not the input, found the same folder"
    ):
        FrameFolder(folder, folder / ".." / "frames")
    Image.new("RGB", (320, 240)).save(folder / "f1.jpg")
    with pytest.raises(
        InputError, match="needs frames of different names, found two named f1; rename one"
    ):
        FrameFolder(folder, tmp_path / "out")


def test_frames_that_were_not_written_here_are_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    Image.new("RGB", (64, 48)).save(folder / "f1.png")
    out = tmp_path / "out"

    with FrameFolder(folder, out) as material:
        frame = next(material.frames())
        material.write(frame, frame.picture)

    FrameFolder(folder, out)
    Image.new("RGB", (64, 48), "red").save(out / "f1.png")
    before = (out / "f1.png").read_bytes()
    with pytest.raises(OutputError, match="a file that attrsearch did not write"):
        FrameFolder(folder, out)
    assert (out / "f1.png").read_bytes() == before
