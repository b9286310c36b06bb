"""Protect a live source in one pass.

Only the past is known, so the tracked memory does the work alone.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.progress import Progress, Step, silent
from attrsearch.faces.dataset import cut_face
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.window_detection import detect_in_windows
from attrsearch.video.io.encoders import Encoding
from attrsearch.video.io.reader import Picture, VideoReader
from attrsearch.video.io.writer import VideoRewriter
from attrsearch.video.render import Renderer
from attrsearch.video.summary import CoverageSummary
from attrsearch.video.tracking.best_shots import quality
from attrsearch.video.tracking.camera_motion import CameraMotion
from attrsearch.video.tracking.scan import detect_in_frame
from attrsearch.video.tracking.scene_cuts import CutDetector
from attrsearch.video.tracking.tracker import TrackedFace, Tracker
from attrsearch.video.trajectories import TrackedBox

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class StreamResult:
    """What became of a live source.

    Attributes:
        summary: How faces were covered, and why they were filtered.
        problem: Why it ended; empty where it ended by itself or was stopped.
    """

    summary: CoverageSummary
    problem: str

    @property
    def counts(self) -> Mapping[str, int]:
        """How faces were covered, and how often."""
        return self.summary.counts


@dataclass
class KnownPersonMatcher:
    """Names tracks after known people, once, by the first look that is good enough.

    Args:
        close_up: Finds a face again in its window.
        scaled: Knows people.
        known: Name to the mean embedding (d,) of unit length.
        names: Track to name, shared with the renderer.
    """

    close_up: Detector
    scaled: CalibratedRecogniser
    known: Mapping[str, Floats]
    names: dict[int, str] = field(default_factory=dict)

    def look(self, picture: Picture, face: TrackedFace) -> None:
        """Try to name a track that has no name."""
        if face.track in self.names or not self.known:
            return
        if quality(picture, face.box, face.landmarks, face.probability) <= 0:
            return

        one = Detections(face.box[None], np.ones(1, np.float32), face.landmarks[None])
        seen = detect_in_windows([cut_face(picture, one, 0, Path("frame"))], self.close_up)
        if not seen.kept:
            return

        embedding = seen.embed(self.scaled.recogniser)[0]
        distances = {}
        for name, mean in self.known.items():
            distances[name] = float(np.linalg.norm(embedding - mean))

        nearest = min(distances, key=lambda name: distances[name])

        if distances[nearest] < self.scaled.calibration.verification:
            self.names[face.track] = nearest


def protect_stream(
    source: str,
    target: Path,
    *,
    detector: Detector,
    tracker: Tracker,
    renderer: Renderer,
    namer: KnownPersonMatcher | None = None,
    encoding: Encoding | None = None,
    progress: Progress[Step] = silent,
) -> StreamResult:
    """Protect a camera, an address or standard input, frame by frame, until it ends or is stopped.

    Args:
        source: ``/dev/video0``, an address, or ``-``.
        target: File to write; ``-`` for standard output (MPEG-TS).
        detector: Finds faces; gives unsure ones, too.
        tracker: Follows and remembers them.
        renderer: Covers them.
        namer: Names them after known people; None where nobody is known.
        encoding: How the output is written.
        progress: Told of the stage ``stream``, by frames.
    """
    summary = CoverageSummary(smallest=getattr(detector, "min_face", None))
    cutter = CutDetector()
    camera = CameraMotion()

    with VideoReader(source) as reader, VideoRewriter(reader, target, encoding) as out:
        tracker.size = (reader.info.width, reader.info.height)
        with suppress(KeyboardInterrupt):  # a camera has no end but this
            for frame in out.frames():
                if cutter.is_cut(frame.picture):
                    tracker.clear()
                    renderer.forget()
                    camera.forget()

                tracker.move(camera.shift(frame.picture))
                tracked = tracker.update(detect_in_frame(frame.picture, detector), frame.picture)
                # a file covers a guess afterwards, once more speaks for it; here its frames are
                # gone by then
                tracked = [face for face in tracked if not face.guess]

                if namer is not None:
                    for face in tracked:
                        namer.look(frame.picture, face)

                faces = []
                for t in tracked:
                    box = TrackedBox(t.track, t.box, t.landmarks, t.source, t.probability)
                    faces.append(box)

                ((picture, covered),) = renderer.render([(frame.index, frame.picture)], [faces])
                out.write(frame, picture)

                summary.add(frame.index, covered)
                progress(Step(stage="stream", count=frame.index + 1))

        out.close()
        return StreamResult(summary, reader.problem)
