"""Look at a protected video as a stranger would: is any face in it still its person?

An independent detector finds the faces of the original; each is compared with what stands at its
place in the protected video, by pixels (was it covered?) and by a judge the protection never used
(does it still match?), both where the face was and where the detector finds one there now.

Judges take covered faces of strangers for one person far more often than they take real ones: all
that is left to compare is hair and light. Faces of one frame are strangers, so every frame tells
how near strangers come in this footage, and with enough of them the judge's threshold is the one
that keeps its rate of false matches here. And of some heads in profile a judge knows so little that
a blank in their place matches as well: such a match says nothing of what is left of the face.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from attrsearch.core.boxes import iou
from attrsearch.core.errors import InputError
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.editing.filters import HEAD, cover
from attrsearch.faces.dataset import cut_face
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.window_detection import detect_in_windows
from attrsearch.video.audit_view import find_faces
from attrsearch.video.io.boxes_file import LabelledBox
from attrsearch.video.io.reader import VideoReader

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

UNCHANGED = 6.0
"""Mean change of a face's pixels, 0 to 255, up to which it was not covered: more than encoding
changes it by."""
SAME = 0.3
"""Overlap from which a face that was found is the one that was left on purpose."""
JUDGED_WIDTH = 36.0
"""Faces narrower than this many pixels are compared by pixels only: a judge cannot know them."""
NEAR = 3
OTHERS = 2
"""What a detector finds in a frame, and in fewer than two of the three before and the three after
it, is no face: a hand, a scarf."""
RATE = 1e-3
"""Rate of false matches of a judge's threshold."""
STRANGERS = 1000
"""Fewest pairs of strangers that a threshold can be set on."""
MIN_SHARE = 0.5
"""Share of the ordinary threshold below which it is never set: a face that near is the same
picture."""
BLANK = 0.08
"""A face is known if it is nearer than a blank in its place by more than this share of the ordinary
threshold: covers that leave nothing (a mask, a wide blur, three large pixels) differ by up to half
of it among themselves."""
BINS = 4000
"""Of the distances of strangers, from 0 to 2."""


@dataclass(frozen=True)
class Leak:
    """A face that is still its person.

    Attributes:
        kind: ``uncovered`` (pixels did not change) or ``matches`` (the judge knows it).
        value: Mean change of the pixels, or the judge's distance.
    """

    frame: int
    seconds: float
    box: tuple[float, float, float, float]
    kind: Literal["uncovered", "matches"]
    value: float


@dataclass(frozen=True)
class AuditScope:
    """What of the original the protected video shows, and how.

    Attributes:
        start: Where the protected video begins in the original, in seconds.
        end: Where it ends; None for the original's end.
        visible: Frame to faces that were left as they are on purpose; they are no leaks.
        turn: Quarters counterclockwise by which the footage is turned, so that faces stand upright.
    """

    start: float = 0.0
    end: float | None = None
    visible: Mapping[int, Sequence[LabelledBox]] = field(default_factory=dict)
    turn: int = 0


@dataclass(frozen=True)
class Audit:
    """What an audit saw.

    Attributes:
        faces: Faces the independent detector found in the original.
        judged: How many of them the judge compared.
        leaks: Those that are still their person.
        passing: Untouched places where it found a face in one or two frames only; they are no
            leaks.
        threshold: Distance below which the judge's match is a leak.
        strangers: Pairs of an original face and another one's protected face in the same frame.
        taken: Share of them that the judge's ordinary threshold takes for one person.
        doubtful: Faces below the ordinary threshold, but no nearer than strangers come.
        blank: Faces below the ordinary threshold, but no nearer than a blank (the head in its mean
            colour) is.
    """

    faces: int
    judged: int
    leaks: tuple[Leak, ...]
    passing: int = 0
    threshold: float = 0.0
    strangers: int = 0
    taken: float = 0.0
    doubtful: int = 0
    blank: int = 0


def audit_text(found: Audit, judge: str) -> str:
    """``audit.json``: what an audit saw, and who judged."""
    head = {"format": "attrsearch/audit", "version": 1, "judge": judge}
    return json.dumps(head | asdict(found), indent=1) + "\n"


class _Lasting:
    """Tells faces from what a detector takes for one in a single frame."""

    def __init__(self) -> None:
        self._frames: deque[tuple[Floats, list[Leak]]] = deque(maxlen=2 * NEAR + 1)
        self._taken = 0
        self.leaks: list[Leak] = []
        self.passing = 0

    def add(self, boxes: Floats, uncovered: list[Leak]) -> None:
        """Take a frame: every box found in it, and those that are not covered."""
        self._frames.append((boxes, uncovered))
        self._taken += 1

        # a frame is judged when as many later ones are known
        if self._taken > NEAR:
            self._decide(len(self._frames) - 1 - NEAR)

    def finish(self) -> None:
        """Decide about the last frames."""
        for place in range(max(0, len(self._frames) - NEAR), len(self._frames)):
            self._decide(place)

    def _decide(self, place: int) -> None:
        low = max(0, place - NEAR)
        frames = list(self._frames)
        near = [*frames[low:place], *frames[place + 1 : place + NEAR + 1]]
        others = [boxes for boxes, _ in near]

        for leak in self._frames[place][1]:
            box = np.array(leak.box, np.float32)
            # near the ends of a video there are fewer frames that could tell
            again = sum(len(boxes) > 0 and iou(boxes, box).max() >= SAME for boxes in others)
            if again >= min(OTHERS, len(others)):
                self.leaks.append(leak)
            else:
                self.passing += 1


class Strangers:
    """How near the judge sees strangers.

    A histogram, so that memory does not grow with the video.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(BINS, np.int64)

    def add(self, distances: Floats) -> None:
        """Take distances (n,) of unit vectors."""
        # unit vectors are at most 2 apart
        self._counts += np.histogram(distances, BINS, (0, 2))[0]

    @property
    def pairs(self) -> int:
        """How many there are."""
        return int(self._counts.sum())

    def share_below(self, distance: float) -> float:
        """The share of them below a distance."""
        return float(self._counts[: round(distance / 2 * BINS)].sum()) / max(self.pairs, 1)

    def threshold(self, ordinary: float) -> float:
        """The ordinary threshold, or a smaller one that keeps the rate of false matches here."""
        if self.pairs < STRANGERS:
            return ordinary

        place = int(np.searchsorted(np.cumsum(self._counts), RATE * self.pairs, side="right"))
        return float(np.clip(place * 2 / BINS, MIN_SHARE * ordinary, ordinary))


def audit_video(
    original: Path,
    protected: Path,
    detector: Detector,
    judge: CalibratedRecogniser,
    scope: AuditScope | None = None,
    *,
    progress: Progress[Step] = silent,
) -> Audit:
    """Compare a protected video with its original, frame by frame.

    Args:
        original: The untouched video.
        protected: What was made of it, of the same frames.
        detector: One that the protection did not use.
        judge: A recogniser that the search did not use.
        scope: What of the original is compared, and which faces were left on purpose; all of it,
            and none, where it is None.
        progress: Told of the stage ``audit``, by frames.

    Raises:
        InputError: One of them is no video, or their frames differ in size.
    """
    scope = scope or AuditScope()
    faces = judged = blank = 0
    matches: list[Leak] = []
    lasting = _Lasting()
    strangers = Strangers()

    with (
        VideoReader(original, scope.start, scope.end, turn=scope.turn) as first,
        VideoReader(protected, turn=scope.turn) as second,
    ):
        sizes = [(r.info.width, r.info.height) for r in (first, second)]
        if sizes[0] != sizes[1]:
            hint = "audit a video against the one it was made from"
            raise InputError(
                protected, required=f"frames of {sizes[0]}", found=f"{sizes[1]}", hint=hint
            )

        # a protected video may end early: what it lacks shows nobody
        for before, after in zip(first.frames(), second.frames(), strict=False):
            found = _without(
                find_faces(before.picture, detector), scope.visible.get(before.index, ())
            )
            faces += len(found)
            changes = [_change(before.picture, after.picture, box) for box in found.boxes]
            uncovered = []
            known = []

            for i, (box, change) in enumerate(zip(found.boxes, changes, strict=True)):
                if change <= UNCHANGED:
                    share = round(change, 3)
                    leak = Leak(before.index, before.seconds, _tuple(box), "uncovered", share)
                    uncovered.append(leak)
                # what was covered has to be somebody else, where it is large enough to tell
                elif box[2] - box[0] >= JUDGED_WIDTH:
                    known.append(i)

            lasting.add(found.boxes, uncovered)
            judged += len(known)
            apart, others = _judge(before.picture, after.picture, found, known, detector, judge)
            strangers.add(others)

            for i, distance in zip(known, apart, strict=True):
                if distance >= judge.calibration.verification:
                    continue

                # asked of matches only: a blank has to be embedded, too
                if distance >= _of_a_blank(
                    before.picture, after.picture, found, i, detector, judge
                ):
                    blank += 1
                else:
                    box = _tuple(found.boxes[i])
                    value = round(float(distance), 4)
                    matches.append(Leak(before.index, before.seconds, box, "matches", value))

            progress(Step(stage="audit", count=before.index + 1))

    lasting.finish()
    # only now, since all frames together tell how near strangers come
    threshold = strangers.threshold(judge.calibration.verification)
    sure = [leak for leak in matches if leak.value < threshold]
    return Audit(
        faces,
        judged,
        tuple(sorted([*sure, *lasting.leaks], key=lambda leak: leak.frame)),
        lasting.passing,
        threshold,
        strangers.pairs,
        strangers.share_below(judge.calibration.verification),
        len(matches) - len(sure),
        blank,
    )


def _without(found: Detections, visible: Sequence[LabelledBox]) -> Detections:
    """Detections but those of faces that were left on purpose."""
    if not visible or not len(found):
        return found

    left = np.array([item.box for item in visible], np.float32)
    kept = iou(found.boxes[:, None], left[None]).max(1) < SAME
    return Detections(found.boxes[kept], found.probabilities[kept], found.landmarks[kept])


def _judge(
    before: Picture,
    after: Picture,
    found: Detections,
    known: list[int],
    detector: Detector,
    judge: CalibratedRecogniser,
) -> tuple[Floats, Floats]:
    """Judge's distances of a frame's faces before and after.

    Of what is at their place now, or found there now.

    Returns:
        For each known face (k,), the distance to itself; and the distances of faces that do not
        touch.
    """
    if not known:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)

    boxes = found.boxes[known]
    landmarks = found.landmarks[known]
    rows = []

    for picture in (before, after):
        same = np.repeat(picture[None], len(known), 0)
        rows.append(judge.recogniser.embed(same, boxes, landmarks))

    apart = np.linalg.norm(rows[0][:, None] - rows[1][None], axis=2)
    now = detect_in_windows([cut_face(after, found, i, Path("frame")) for i in known], detector)
    if now.kept:
        again = np.linalg.norm(rows[0][:, None] - now.embed(judge.recogniser)[None], axis=2)
        # the nearer of the two: an attacker uses whichever works
        apart[:, list(now.kept)] = np.minimum(apart[:, list(now.kept)], again)

    # two boxes that touch may be one face, found twice
    return np.diag(apart), apart[iou(boxes[:, None], boxes[None]) == 0]


def _of_a_blank(
    before: Picture,
    after: Picture,
    found: Detections,
    chosen: int,
    detector: Detector,
    judge: CalibratedRecogniser,
) -> float:
    """The distance below which a face is nearer to itself than a blank in its place is."""
    blank = after.copy()
    cover(blank, found.boxes[chosen], "mask", reach=HEAD)
    distance = _judge(before, blank, found, [chosen], detector, judge)[0][0]

    return float(distance) - BLANK * judge.calibration.verification


def _change(before: Picture, after: Picture, box: Floats) -> float:
    """Mean change of the pixels in the middle of a face."""
    centre = (box[:2] + box[2:]) / 2
    # the border of a box shows background, which nobody covers
    half = (box[2:] - box[:2]) * 0.3
    left, top = np.maximum(np.floor(centre - half), 0).astype(int)
    right, bottom = np.minimum(np.ceil(centre + half), before.shape[1::-1]).astype(int)
    if right <= left or bottom <= top:
        return float("inf")

    region = (slice(top, bottom), slice(left, right))
    # signed: the difference of bytes would wrap around
    return float(np.abs(before[region].astype(np.int16) - after[region]).mean())


def _tuple(box: Floats) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(float(value), 2) for value in box)
    return left, top, right, bottom
