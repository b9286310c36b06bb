"""Live sources: one pass, frame by frame; through a pipe, and stopped by hand."""

import io
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from attrsearch.editing.editor import Editor
from attrsearch.faces.dataset import Picture
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.video.audit import UNCHANGED
from attrsearch.video.io import containers
from attrsearch.video.io.containers import is_live
from attrsearch.video.render import Renderer
from attrsearch.video.stream import KnownPersonMatcher, protect_stream
from attrsearch.video.tracking.tracker import Tracker
from tests.clips import Clip, pictures, write_clip
from tests.video.conftest import SET, Forgetful, Scene, judge_change


@pytest.fixture
def live(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> str:
    """The clip, read as a source that can be read once only."""
    source = str(scene.clip)
    monkeypatch.setattr(containers, "LIVE", (*containers.LIVE, source))
    assert is_live(source)
    return source


def real(scene: Scene, target: Path, frames: int = 16) -> list[tuple[int, int]]:
    before, after = pictures(scene.clip), pictures(target)
    assert len(after) == frames
    return [
        (frame, item.track)
        for frame in range(frames)
        for item in scene.street.truth()[frame]
        if judge_change(before[frame], after[frame], item.box) <= UNCHANGED
    ]


def test_one_pass_covers_every_face(
    scene: Scene, live: str, forgetful: Forgetful, editor: Editor, tmp_path: Path
) -> None:
    renderer = Renderer(editor, {"anna": SET}, {}, everyone="anna")
    done = protect_stream(
        live, tmp_path / "out.mp4", detector=forgetful, tracker=Tracker(10), renderer=renderer
    )  # fmt: skip
    assert real(scene, tmp_path / "out.mp4") == []  # the memory bridges what the detector missed
    assert done.problem == ""
    assert sum(done.counts.values()) == 32
    assert done.counts["edited"] > 20


def test_people_are_named_by_their_first_good_look(
    scene: Scene,
    live: str,
    editor: Editor,
    mtcnn: Mtcnn,
    sface: CalibratedRecogniser,
    tmp_path: Path,
) -> None:
    found = mtcnn.detect(scene.pictures[0][None])[0]
    left = int(found.boxes[:, 0].argmin())
    embedding = sface.recogniser.embed(
        scene.pictures[0][None], found.boxes[left : left + 1], found.landmarks[left : left + 1]
    )[0]
    far = -embedding
    for known, people in (({"anna": embedding}, {"anna"}), ({"anna": far}, set())):
        namer = KnownPersonMatcher(mtcnn, sface, known)
        renderer = Renderer(editor, {"anna": SET}, namer.names)
        done = protect_stream(
            live, tmp_path / "out.mp4", detector=Mtcnn(30), tracker=Tracker(10), renderer=renderer, namer=namer
        )  # fmt: skip
        assert set(namer.names.values()) == people
        assert real(scene, tmp_path / "out.mp4") == []  # strangers are filtered
        assert ("edited" in done.counts) == bool(people)


def test_a_stopped_camera_keeps_what_was_written(scene: Scene, live: str, tmp_path: Path) -> None:
    class Stopped:
        """Ctrl-C in the eleventh frame."""

        name = "stopped"
        inner, seen = Mtcnn(30), 0

        def detect(self, pictures: Picture) -> list[Detections]:
            self.seen += 1
            if self.seen > 10:
                raise KeyboardInterrupt
            return self.inner.detect(pictures)

    target = tmp_path / "out.mp4"
    done = protect_stream(
        live, target, detector=Stopped(), tracker=Tracker(10), renderer=Renderer(None, {}, {})
    )
    assert done.counts == {"filtered": 20}
    assert real(scene, target, 10) == []
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


PIPE = """
import sys
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.video.render import Renderer
from attrsearch.video.stream import protect_stream
from attrsearch.video.tracking.tracker import Tracker
from pathlib import Path
done = protect_stream("-", Path("-"), detector=Mtcnn(30), tracker=Tracker(10), renderer=Renderer(None, {}, {}))
print(done, file=sys.stderr)
"""


def test_a_pipe_in_and_a_pipe_out(scene: Scene, tmp_path: Path) -> None:
    given = write_clip(tmp_path / "in.ts", scene.pictures, Clip(options={"crf": "8"}))
    done = subprocess.run(
        [sys.executable, "-c", PIPE], input=given.read_bytes(), capture_output=True, check=True
    )
    assert b"'filtered': 32" in done.stderr
    with av.open(io.BytesIO(done.stdout)) as container:
        assert container.format.name == "mpegts"
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(shown) == 16
    for frame, there in scene.street.truth().items():
        for item in there:
            assert judge_change(scene.pictures[frame], shown[frame], item.box) > UNCHANGED
    assert (
        np.abs(shown[0][:20].astype(int) - scene.pictures[0][:20]).mean() < 12
    )  # the rest is as it was
