"""Faces on pages read as they were written, and do not fill memory."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.encryption import KEY, SWITCH
from attrsearch.core.errors import OutputError
from attrsearch.faces.dataset import AlignedFace
from attrsearch.video.io.boxes_file import LabelledBox
from attrsearch.video.tracking.best_shots import Sighting, Sightings
from attrsearch.video.tracking.spill import SpillFile
from attrsearch.video.tracking.spill_rows import PAGE, BoxRows, TrackRows, part
from attrsearch.video.tracking.tracker import TrackedFace


def face(frame: int, track: int = 4) -> TrackedFace:
    box = np.float32([frame / 3, 1, frame / 3 + 40, 51])
    points = np.arange(10, dtype=np.float32).reshape(5, 2) + np.float32(frame / 7)
    if frame % 5 == 0:
        points = np.full((5, 2), np.nan, np.float32)
    found = ("detected", "low", "remembered")[frame % 3]
    return TrackedFace(track, box, points, frame / 10_000, found, frame % 2 == 0, frame / 20_000)  # type: ignore[arg-type]


def same(one: TrackedFace, two: TrackedFace) -> bool:
    arrays = all(
        np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True)
        for name in ("box", "landmarks")
    )
    return arrays and all(
        getattr(one, name) == getattr(two, name)
        for name in ("track", "probability", "source", "guess", "predicted_iou")
    )


@pytest.fixture
def rows() -> TrackRows:
    """Every second frame of more than two pages, a part of the last one still open."""
    made = TrackRows(SpillFile())
    for frame in range(0, 5 * PAGE, 2):
        made.add(frame, face(frame))
    return made


@pytest.mark.parametrize("ended", [False, True])
def test_a_track_reads_as_it_was_written(rows: TrackRows, ended: bool) -> None:
    if ended:
        rows.put_away()
    assert list(rows) == list(range(0, 5 * PAGE, 2))
    assert len(rows) == 5 * PAGE // 2
    assert all(same(found, face(frame)) for frame, found in rows.items())
    assert 4 in rows
    assert 5 not in rows
    assert 5 * PAGE not in rows
    assert rows.get(5) is None
    with pytest.raises(KeyError):
        rows[7]


def test_a_track_goes_on_after_it_was_put_away(rows: TrackRows) -> None:
    rows.put_away()
    rows.add(9 * PAGE, face(9 * PAGE))
    assert same(rows[9 * PAGE], face(9 * PAGE))
    assert same(rows[5 * PAGE - 2], face(5 * PAGE - 2))
    with pytest.raises(ValueError, match="in the order of their frames; 3 comes before 4608"):
        rows.add(3, face(3))


def test_a_part_of_a_track_is_another(rows: TrackRows) -> None:
    late = part(rows, 600, 1000, 9, SpillFile())
    assert list(late) == list(range(600, 1000, 2))
    assert all(same(found, replace(face(frame), track=9)) for frame, found in late.items())
    assert not part(rows, 5 * PAGE, float("inf"), 9, SpillFile())


def test_boxes_of_a_frame_stay_together() -> None:
    boxes = BoxRows(SpillFile())
    for frame in (0, 3, 3, 3, *range(10, 10 + PAGE)):
        boxes.add(frame, len(boxes), np.float32([frame, 0, frame + 0.1, 9]), 1.5)
    assert list(boxes)[:3] == [0, 3, 10]
    assert len(boxes) == PAGE + 2
    first = np.float32(3.1).item()
    assert boxes[3] == [LabelledBox((3.0, 0.0, first, 9.0), track, 1.0) for track in (1, 2, 2)]
    assert 4 not in boxes
    assert boxes.get(4, []) == []
    assert BoxRows(SpillFile()) == {}


def test_memory_does_not_grow_with_a_track() -> None:
    """Twenty thousand faces as objects take about twelve megabytes."""
    rows = TrackRows(SpillFile())
    tracemalloc.start()
    for frame in range(2_000):
        rows.add(frame, face(frame))
    before = tracemalloc.get_traced_memory()[0]
    for frame in range(2_000, 22_000):
        rows.add(frame, face(frame))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 500_000
    assert same(rows[3], face(3))


def test_a_look_that_was_put_away_is_the_same_look() -> None:
    random = np.random.default_rng(0)
    crop, window = (random.integers(0, 255, (side, side, 3), np.uint8) for side in (128, 192))
    look = AlignedFace(
        Path("x"), crop, window, np.eye(2, 3, dtype=np.float32), np.zeros((1, 4), np.float32), 77.0
    )
    looks, shelf = Sightings({(0, 1): Sighting(12, 3.0, look)}), SpillFile()
    looks.put_away(shelf)
    looks.put_away(shelf)
    (sighting,) = looks.sorted()
    assert sighting.kept is not look
    assert (sighting.frame, sighting.quality, sighting.face.size) == (12, 3.0, 77.0)
    assert np.array_equal(sighting.face.crop, crop)
    assert np.array_equal(sighting.face.window, window)


def test_what_lies_on_a_shelf_is_encrypted_where_private_files_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fernet = pytest.importorskip("cryptography.fernet")
    monkeypatch.setenv(KEY, fernet.Fernet.generate_key().decode())
    monkeypatch.setenv(SWITCH, "1")
    shelf = SpillFile()
    place = shelf.put(b"somebody was here")
    shelf.put(b"and there")
    assert shelf._file is not None
    shelf._file.seek(0)
    assert b"somebody" not in shelf._file.read()
    assert shelf.get(place) == b"somebody was here"


def test_no_room_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(
        OutputError, match="temporary files: needs a place to write to, found No such file"
    ):
        SpillFile().put(b"x")
