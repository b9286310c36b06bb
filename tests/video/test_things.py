"""Plates in footage: followed, remembered where their detector loses them, filtered, written down."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.cascade import Cascade
from attrsearch.faces.detection.classes import FilteredClass
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.report.extras import read_video
from attrsearch.video.io.source import VideoFile
from attrsearch.video.pipeline import SetAssignment, VideoOptions, VideoResult, protect
from attrsearch.video.things import cover_things, follow_things
from attrsearch.video.trajectories import TrackedBox
from tests.clips import Clip, pictures, textured, write_clip
from tests.plates import PLATES, SIZE, with_plate

FRAMES = 16
LOST = frozenset({6, 7, 8, 14, 15})
"""Frames in which the plate is not found: in between, and at the end."""


class NoFaces:
    """Finds nobody."""

    name = "nobody"

    def detect(self, given: Picture) -> list[Detections]:
        return [Detections.none() for _ in given]


@dataclass
class Forgetful:
    """A detector of plates that is blind in some frames."""

    lost: frozenset[int]
    name: str = "forgetful"
    inner: Cascade = field(default_factory=lambda: Cascade(PLATES))
    seen: int = 0

    def detect(self, given: Picture) -> list[Detections]:
        found = self.inner.detect(given)
        blind = self.seen in self.lost
        self.seen += 1
        return [Detections.none()] if blind else found


def corner(frame: int) -> tuple[int, int]:
    return 60 + 3 * frame, 100


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shown = [
        with_plate(picture, *corner(frame))
        for frame, picture in enumerate(textured(FRAMES, (480, 240)))
    ]
    path = tmp_path_factory.mktemp("plates") / "road.mp4"
    return write_clip(path, shown, Clip(options={"crf": "8"}))


def run(
    clip: Path, target: Path, sface: CalibratedRecogniser, options: VideoOptions
) -> VideoResult:
    return protect(
        VideoFile(clip, target),
        detector=NoFaces(),
        close_up=NoFaces(),
        scaled=sface,
        decide=lambda _: SetAssignment({}, {}, None),
        options=options,
    )


def strokes(picture: Picture, frame: int) -> float:
    """How much of the letters can be seen on the plate of a frame."""
    left, top = corner(frame)
    inside = picture[top + 6 : top + SIZE[1] - 6, left + 8 : left + SIZE[0] - 8].astype(float)
    return float(np.abs(np.diff(inside.mean(-1), axis=1)).mean())


def test_a_plate_is_filtered_in_every_frame(
    clip: Path, tmp_path: Path, sface: CalibratedRecogniser
) -> None:
    also = [FilteredClass("plate", Forgetful(LOST))]
    ledger = tmp_path / "coverage.parquet"
    done = run(clip, tmp_path / "out.mp4", sface, VideoOptions(also=also, ledger=ledger))
    before, after = pictures(clip), pictures(tmp_path / "out.mp4")
    readable = [strokes(picture, frame) for frame, picture in enumerate(before)]
    left = [strokes(picture, frame) for frame, picture in enumerate(after)]
    assert min(readable) > 10
    assert max(left) < 3

    rows = pq.read_table(ledger).to_pandas()
    assert set(rows["class"]) == {"plate"}
    assert set(rows["cover"]) == {"filtered"}
    found = rows.groupby("frame")["found"].agg(set)
    assert set(found.index) == set(range(FRAMES))
    assert all(not found[frame] & {"detected", "low"} for frame in LOST)
    assert done.things == {"plate": len(rows)}

    # no face: neither the summary of faces nor files of boxes know of it
    assert done.counts == {}
    assert not done.boxes
    assert not done.visible

    video = read_video(tmp_path)
    assert video is not None
    assert [track["person"] for track in video["tracks"]] == ["plate"] * len(video["tracks"])


def test_without_being_asked_for_it_stays(
    clip: Path, tmp_path: Path, sface: CalibratedRecogniser
) -> None:
    run(clip, tmp_path / "out.mp4", sface, VideoOptions())
    after = pictures(tmp_path / "out.mp4")
    assert min(strokes(picture, frame) for frame, picture in enumerate(after)) > 10


def test_numbers_of_tracks_are_those_of_no_other(clip: Path, tmp_path: Path) -> None:
    classes = [FilteredClass(name, Cascade(PLATES)) for name in ("plate", "number")]
    told = []
    things = follow_things(VideoFile(clip, tmp_path / "o.mp4"), classes, 10, 7, told.append)
    numbers = [{thing.track for thing in kind.at(5)} for kind in things]
    assert min(numbers[0]) >= 7
    assert not numbers[0] & numbers[1]
    assert [(step.count, step.total) for step in told][-1] == (2 * FRAMES, 2 * FRAMES)


def test_the_head_of_an_edited_face_is_left_to_the_edit(clip: Path, tmp_path: Path) -> None:
    kind = FilteredClass("head", Cascade(PLATES))  # finds the plate, whatever it is called
    (things,) = follow_things(VideoFile(clip, tmp_path / "o.mp4"), [kind], 10, 0)
    picture = pictures(clip)[5]
    (box, *_) = (thing.box for thing in things.at(5))
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 4
    nowhere = np.full((5, 2), np.nan, np.float32)
    face = TrackedBox(1, np.concatenate([middle - half, middle + half]), nowhere, "detected", 1.0)

    shown = picture.copy()
    assert not cover_things(shown, 5, [things], [face], "blur")
    assert np.array_equal(shown, picture)
    labels = [item.label for item in cover_things(shown, 5, [things], [], "mask")]
    assert set(labels) == {"head"}
    assert not np.array_equal(shown, picture)
