"""A street with known truth, end to end: no face is shown real in any frame."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from attrsearch.core.errors import InputError
from attrsearch.editing.editor import Editor
from attrsearch.editing.filters import HEAD, cover
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.video.audit import UNCHANGED, AuditScope, audit_video
from attrsearch.video.io.boxes_file import LabelledBox
from attrsearch.video.io.reader import Frame
from attrsearch.video.io.source import VideoFile, VideoSecondPass
from attrsearch.video.pipeline import BATCH, SetAssignment, VideoOptions, VideoResult, protect
from attrsearch.video.tracking.reidentify import People
from tests.clips import Clip, packets, pictures, textured, times, write_clip
from tests.video.conftest import MISSED, SET, Forgetful, Scene, judge_change


def everyone(editor: Editor, names: dict[str, str] | None = None):
    """Everybody in the video is anna."""

    def decide(people: People) -> SetAssignment:
        chosen = dict.fromkeys(people.names.values(), "anna") if names is None else names
        return SetAssignment(chosen, {"anna": SET}, editor)

    return decide


def run(
    scene: Scene,
    target: Path,
    detector: object,
    mtcnn: Mtcnn,
    sface: CalibratedRecogniser,
    decide: object,
    **options: object,
) -> VideoResult:
    return protect(
        VideoFile(scene.clip, target),
        detector=detector,
        close_up=mtcnn,
        scaled=sface,  # type: ignore[arg-type]
        decide=decide,
        options=VideoOptions(**options),  # type: ignore[arg-type]
    )


def shown_real(
    scene: Scene, target: Path, walkers: tuple[int, ...] = (0, 1)
) -> list[tuple[int, int]]:
    """Frames and walkers whose true face did not change."""
    before, after = pictures(scene.clip), pictures(target)
    assert len(after) == len(before)
    return [
        (frame, item.track)
        for frame, there in scene.street.truth().items()
        for item in there
        if item.track in walkers
        and judge_change(before[frame], after[frame], item.box) <= UNCHANGED
    ]


def test_no_known_face_is_shown_real_in_any_frame(
    scene: Scene,
    forgetful: Forgetful,
    editor: Editor,
    mtcnn: Mtcnn,
    sface: CalibratedRecogniser,
    tmp_path: Path,
) -> None:
    target = tmp_path / "out.mp4"
    ledger, preview, debug = tmp_path / "c.parquet", tmp_path / "p.png", tmp_path / "debug.mp4"
    stages: list[tuple[str, int, int]] = []
    done = protect(
        VideoFile(scene.clip, target),
        detector=forgetful,
        close_up=mtcnn,
        scaled=sface,
        decide=everyone(editor),
        options=VideoOptions(
            ledger=ledger,
            preview=preview,
            debug=lambda: VideoSecondPass(scene.clip, debug, (0.0, None), None),
        ),
        progress=lambda step: stages.append((step.stage, step.count, step.total)),
    )
    assert shown_real(scene, target) == []
    assert done.frames == 16
    assert done.people == ("anna",)
    assert done.problem == ""
    assert times(target) == times(scene.clip)
    assert packets(target, "audio") == packets(scene.clip, "audio")
    assert stages[0] == ("find", 1, 16)
    assert stages[-1] == ("cover", 16, 16)

    rows = pq.read_table(ledger).to_pylist()
    assert len(rows) == sum(done.counts.values()) >= 32
    assert {row["frame"] for row in rows} == set(range(16))
    for row in rows:
        assert row["person"] == "anna"
        assert row["time"] == pytest.approx(row["frame"] / 25)
        if row["frame"] in MISSED:
            assert row["found"] == "interpolated"
    assert {frame: len(there) for frame, there in done.boxes.items()} == {
        frame: sum(row["frame"] == frame for row in rows) for frame in range(16)
    }
    assert preview.stat().st_size > 10_000
    red = [
        ((p[..., 0] > 180) & (p[..., 1] < 110) & (p[..., 2] < 110)).sum() for p in pictures(debug)
    ]
    green = [
        ((p[..., 0] < 110) & (p[..., 1] > 140) & (p[..., 2] < 140)).sum() for p in pictures(debug)
    ]
    assert min(red[frame] for frame in MISSED) > 60
    assert (
        max(red[frame] for frame in range(1, 5)) < 30 < min(green[frame] for frame in range(1, 5))
    )


def test_nobody_known_is_everybody_filtered(
    scene: Scene, forgetful: Forgetful, mtcnn: Mtcnn, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    target = tmp_path / "out.mp4"
    done = run(scene, target, forgetful, mtcnn, sface, lambda people: SetAssignment({}, {}, None))
    assert set(done.counts) == {"filtered"}
    assert len(done.people) == 2
    assert shown_real(scene, target) == []


@pytest.mark.parametrize("option", ["only", "visible"])
def test_exactly_that_person_is_left(
    scene: Scene,
    forgetful: Forgetful,
    mtcnn: Mtcnn,
    sface: CalibratedRecogniser,
    tmp_path: Path,
    option: str,
) -> None:
    target = tmp_path / "out.mp4"
    whole = run(scene, target, forgetful, mtcnn, sface, lambda people: SetAssignment({}, {}, None))
    names = whole.people
    forgetful.seen = 0
    done = run(
        scene,
        target,
        forgetful,
        mtcnn,
        sface,
        lambda people: SetAssignment({}, {}, None),
        **{option: frozenset({names[0]})},
    )
    real = {walker for _, walker in shown_real(scene, target)}
    assert len(real) == 1
    (left,) = real
    assert len(shown_real(scene, target, (left,))) == 16  # in every frame
    assert shown_real(scene, target, (1 - left,)) == []
    assert set(done.visible) == set(range(16))
    judged = [item.box for item in done.visible[2]]
    truth = scene.street.truth()[2][left].box
    assert len(judged) == 1
    assert np.abs(np.array(judged[0]) - truth).max() < 30

    if option == "only":
        return
    leaks = audit_video(scene.clip, target, Mtcnn(30), sface).leaks
    assert {leak.frame for leak in leaks} == set(range(16))
    assert {leak.kind for leak in leaks} == {"uncovered"}
    scope = AuditScope(visible=done.visible)
    assert audit_video(scene.clip, target, Mtcnn(30), sface, scope).leaks == ()


def test_a_name_that_nobody_has(
    scene: Scene, forgetful: Forgetful, mtcnn: Mtcnn, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as error:
        run(
            scene,
            tmp_path / "out.mp4",
            forgetful,
            mtcnn,
            sface,
            lambda people: SetAssignment({}, {}, None),
            only=frozenset({"zoe"}),
        )
    assert str(error.value) == (
        "zoe: needs the name of a person of the video, found 2 people: person_001, person_002; "
        "check the name"
    )
    assert list(tmp_path.iterdir()) == []


def test_boxes_from_a_file_are_all_covered_however_unsure(
    scene: Scene, mtcnn: Mtcnn, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    class Blind:
        name = "blind"

        def detect(self, pictures: Picture) -> list[Detections]:
            return [Detections.none() for _ in pictures]

    boxes = {
        frame: [replace(item, probability=0.05) for item in v]
        for frame, v in scene.street.truth().items()
    }
    target = tmp_path / "out.mp4"
    done = run(
        scene,
        target,
        Blind(),
        mtcnn,
        sface,
        lambda people: SetAssignment({}, {}, None),
        boxes=boxes,
        memory=0,
    )
    assert shown_real(scene, target) == []
    assert done.counts["filtered"] >= 32


def test_a_broken_tail_is_protected_up_to_there(
    scene: Scene, forgetful: Forgetful, mtcnn: Mtcnn, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    path = write_clip(
        tmp_path / "cut.mp4", scene.pictures, Clip(movflags="faststart", options={"g": "4"})
    )
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.7)])
    cut = replace(scene, clip=path)
    done = run(
        cut,
        tmp_path / "out.mp4",
        forgetful,
        mtcnn,
        sface,
        lambda people: SetAssignment({}, {}, None),
    )
    assert 3 < done.frames < 15
    assert done.problem.startswith(f"{path}: breaks off after frame {done.frames} of 16 (")
    assert done.problem.endswith("); processed up to there")
    assert len(pictures(tmp_path / "out.mp4")) == done.frames


def test_frames_are_streamed_not_kept(mtcnn: Mtcnn, sface: CalibratedRecogniser) -> None:
    """However long the material, only a batch of its pictures is alive at a time."""
    alive: dict[int, weakref.ref[np.ndarray]] = {}
    most = 0
    count = 60

    def living() -> int:
        return sum(ref() is not None for ref in alive.values())

    class Endless:
        size, count, problem = (320, 240), 60, ""

        def frames(self) -> Iterator[Frame]:
            nonlocal most
            shared = textured(5)
            for index in range(count):
                picture = shared[index % 5].copy()
                alive[index] = weakref.ref(picture)
                most = max(most, living())
                yield Frame(index, index / 25, picture, None)

        def rewrite(self) -> "Endless":
            return self

        def __enter__(self) -> "Endless":
            return self

        def __exit__(self, *error: object) -> None:
            return None

        def write(self, frame: Frame, picture: Picture) -> None:
            assert picture.shape == frame.picture.shape

        def close(self) -> None:
            return None

    class Always:
        """A face in every frame, sharp enough to be looked at."""

        name = "always"

        def detect(self, pictures: Picture) -> list[Detections]:
            points = np.float32([[112, 112], [148, 112], [130, 130], [115, 150], [145, 150]])
            one = Detections(np.float32([[90, 70, 170, 180]]), np.float32([0.9]), points[None])
            return [one for _ in pictures]

    done = protect(
        Endless(),
        detector=Always(),
        close_up=mtcnn,
        scaled=sface,
        decide=lambda people: SetAssignment({}, {}, None),
        options=VideoOptions(),
    )
    gc.collect()
    assert done.frames == count
    assert done.counts == {"filtered": count}
    assert most <= 2 * BATCH + 2  # one is rendered while the next is read
    assert living() <= 1


# audit


def test_an_uncovered_face_is_a_leak_with_its_frame(
    scene: Scene, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    truth = scene.street.truth()
    shown = []
    for frame, picture in enumerate(scene.pictures):
        covered = picture.copy()
        for item in truth[frame]:
            if (frame, item.track) not in {(5, 0), (9, 1)}:
                left, top, right, bottom = (round(value) for value in item.box)
                covered[top - 12 : bottom + 12, left - 12 : right + 12] = 60
        shown.append(covered)
    target = write_clip(tmp_path / "out.mp4", shown, Clip(options={"crf": "8"}))
    found = audit_video(scene.clip, target, Mtcnn(30), sface)
    assert found.faces == 32
    assert [(leak.frame, leak.kind) for leak in found.leaks] == [(5, "uncovered"), (9, "uncovered")]
    assert found.leaks[0].seconds == pytest.approx(5 / 25)
    assert np.abs(np.array(found.leaks[0].box) - truth[5][0].box).max() < 25
    assert found.judged == 30


def test_a_face_that_changed_but_is_known_is_a_leak(
    scene: Scene, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    brighter = [
        np.clip(picture.astype(int) + 25, 0, 255).astype(np.uint8) for picture in scene.pictures
    ]
    target = write_clip(tmp_path / "out.mp4", brighter, Clip(options={"crf": "8"}))
    found = audit_video(scene.clip, target, Mtcnn(30), sface)
    assert {leak.kind for leak in found.leaks} == {"matches"}
    assert {leak.frame for leak in found.leaks} == set(range(16))
    assert all(0 <= leak.value < sface.calibration.verification for leak in found.leaks)


def test_a_match_that_a_blank_has_as_well_is_no_leak(
    scene: Scene, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    """Of a judge that takes everybody for everybody.

    What is left of a face is told by what is there without it.
    """
    lenient = replace(
        sface, calibration=sface.calibration.model_copy(update={"thresholds": {"0.001": 1.9}})
    )
    truth = scene.street.truth()
    shown = []
    for frame, picture in enumerate(scene.pictures):
        covered = np.clip(picture.astype(int) + 25, 0, 255).astype(np.uint8)  # changed, but known
        if frame != 9:
            covered = picture.copy()
            for item in truth[frame]:
                cover(covered, np.array(item.box, np.float32), "mask", reach=HEAD)
        shown.append(covered)
    target = write_clip(tmp_path / "out.mp4", shown, Clip(options={"crf": "8"}))
    found = audit_video(scene.clip, target, Mtcnn(30), lenient)
    assert [(leak.frame, leak.kind) for leak in found.leaks] == [(9, "matches")] * 2
    assert found.blank == found.judged - 2


def test_what_is_seen_in_one_frame_only_is_no_face(
    scene: Scene, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    """The detector takes a patch of wall for a face once, and in three frames running."""

    class Seeing(Forgetful):
        def detect(self, pictures: Picture) -> list[Detections]:
            # every frame is looked at upright, and then upside down
            whole = pictures.shape[1:3] == (240, 320)
            upright = whole and self.seen % 2 == 0
            found = [upright and self.seen // 2 in {0, 5, 9, 10, 11}]
            self.seen += whole
            one = Detections(
                np.float32([[10, 180, 40, 220]]),
                np.float32([0.7]),
                np.full((1, 5, 2), 200, np.float32),
            )
            return [one if yes else Detections.none() for yes in found]

    found = audit_video(scene.clip, scene.clip, Seeing(Mtcnn(30), frozenset()), sface)
    assert [leak.frame for leak in found.leaks] == [9, 10, 11]
    assert found.passing == 2


def test_an_audit_of_another_video(
    scene: Scene, sface: CalibratedRecogniser, tmp_path: Path
) -> None:
    other = write_clip(tmp_path / "b.mp4", textured(3, (160, 120)))
    with pytest.raises(
        InputError, match=r"b.mp4: needs frames of \(320, 240\), found \(160, 120\)"
    ):
        audit_video(scene.clip, other, Mtcnn(30), sface)


def test_labelled_boxes_go_both_ways(scene: Scene, tmp_path: Path) -> None:
    from attrsearch.video.io.boxes_file import read_boxes, write_boxes

    write_boxes(tmp_path / "truth.json", scene.street.truth())
    back = read_boxes(tmp_path / "truth.json")
    assert back == {frame: list(there) for frame, there in scene.street.truth().items()}
    assert isinstance(back[0][0], LabelledBox)
