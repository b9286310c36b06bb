"""Protect footage in two passes.

Find and follow every face, decide who is who, cover every face of every frame.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import AttributeSet
from attrsearch.core.errors import InputError
from attrsearch.core.parallel import ahead
from attrsearch.core.progress import Progress, Step, silent, staged
from attrsearch.editing.editor import Editor
from attrsearch.editing.filters import Fallback
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.classes import FilteredClass
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.runs.people_file import PeopleFile
from attrsearch.video.coverage import Ledger
from attrsearch.video.decisions import SMALLEST_EDIT, EditLimits, plan_edits
from attrsearch.video.io.boxes_file import LabelledBox
from attrsearch.video.io.reader import Frame
from attrsearch.video.io.source import FrameSink, FrameSource
from attrsearch.video.overlay import draw
from attrsearch.video.preview import Preview
from attrsearch.video.render import Renderer
from attrsearch.video.summary import CoverageSummary
from attrsearch.video.things import FollowedThings, cover_things, follow_things
from attrsearch.video.tracking.false_tracks import find_ghosts
from attrsearch.video.tracking.reidentify import People, link_people
from attrsearch.video.tracking.scan import Scan, scan
from attrsearch.video.tracking.spill import SpillFile
from attrsearch.video.tracking.spill_rows import BoxRows
from attrsearch.video.tracking.tracker import Tracker
from attrsearch.video.trajectories import Timeline, TrackedBox
from attrsearch.video.verification import RenderVerifier

Picture = npt.NDArray[np.uint8]

BATCH = 8
"""Frames rendered at a time."""
HIGH_CONFIDENCE = 0.6
LOW_CONFIDENCE = 0.2
"""Probabilities that start and continue a track in footage."""


@dataclass(frozen=True)
class VideoOptions:
    """How footage is protected.

    Attributes:
        memory: Frames a face that is lost is remembered in, where it should be.
        fallback: Filter for faces that cannot be edited.
        smallest: Width in pixels below which a face is filtered, not edited.
        high_confidence: Probability that starts a track.
        low_confidence: Probability that continues one.
        only: Only these people are covered; empty for everybody.
        visible: These people, who consent, are not covered.
        boxes: Faces by frame from a file instead of the detector's.
        replacement: Picture that replaces faces instead of a filter.
        debug: Opens a second output, for frames with boxes drawn.
        preview: A PNG strip of frames.
        ledger: ``coverage.parquet``.
        also: Classes besides faces that are filtered.
        people: Who is who, where somebody has said it.
    """

    memory: int = 10
    fallback: Fallback = "blur"
    smallest: float = SMALLEST_EDIT
    high_confidence: float = HIGH_CONFIDENCE
    low_confidence: float = LOW_CONFIDENCE
    only: frozenset[str] = frozenset()
    visible: frozenset[str] = frozenset()
    boxes: Mapping[int, list[LabelledBox]] | None = None
    replacement: Picture | None = None
    debug: Callable[[], AbstractContextManager[FrameSink]] | None = None
    preview: Path | None = None
    ledger: Path | None = None
    also: Sequence[FilteredClass] = ()
    people: PeopleFile | None = None


@dataclass(frozen=True)
class SetAssignment:
    """Who gets which attribute set.

    Attributes:
        names: Person of the video to the name they are known by; the others keep theirs.
        sets: Known name to attribute set.
        editor: Makes the edits; None where nobody has a set.
        others: Known name to further feasible sets, the next one first.
    """

    names: Mapping[str, str]
    sets: Mapping[str, AttributeSet]
    editor: Editor | None
    others: Mapping[str, Sequence[AttributeSet]] = field(default_factory=dict)


@dataclass(frozen=True)
class VideoResult:
    """What became of a video.

    Attributes:
        people: Names, by how long they are seen.
        problem: Why the video ended early; empty where it did not.
        boxes: Every covered face by frame, for ``--boxes``.
        visible: Every face by frame that was left as it is, because its person consents or nobody
            asked for it.
        summary: How many frames were written, how faces were covered, and why they were filtered.
        recognisers: Names of those that told people apart or compared what was shown: an audit has
            another one.
        things: How often something of each further class was filtered.
    """

    people: tuple[str, ...]
    problem: str
    boxes: Mapping[int, list[LabelledBox]]
    visible: Mapping[int, list[LabelledBox]]
    summary: CoverageSummary
    recognisers: frozenset[str] = frozenset()
    things: Mapping[str, int] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """How many frames were written."""
        return self.summary.frames

    @property
    def counts(self) -> Mapping[str, int]:
        """How faces were covered, and how often."""
        return self.summary.counts

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why faces were filtered, and how often."""
        return self.summary.reasons


def find_people(
    material: FrameSource,
    *,
    detector: Detector,
    close_up: Detector,
    scaled: CalibratedRecogniser,
    options: VideoOptions,
    progress: Progress[Step] = silent,
) -> tuple[Scan, People]:
    """The first pass alone: every face followed, and who is who; arguments as :func:`protect`."""
    # a box from a file is a face, however sure somebody's detector was of it
    given = options.boxes is not None
    high_confidence = 0.0 if given else options.high_confidence
    low_confidence = 0.0 if given else options.low_confidence
    tracker = Tracker(options.memory, material.size, high_confidence, low_confidence)

    found = scan(
        _counted(ahead(material.frames()), staged(progress, "find", material.count)),
        detector,
        tracker,
        boxes=options.boxes,
    )
    # what a detector took for a face once may be none; what somebody drew is one
    if not given:
        for ghost in find_ghosts(found.tracks):
            found.forget(ghost)

    return found, link_people(found, close_up, scaled, options.people)


def protect(
    material: FrameSource,
    *,
    detector: Detector,
    close_up: Detector,
    scaled: CalibratedRecogniser,
    decide: Callable[[People], SetAssignment],
    options: VideoOptions,
    verify: CalibratedRecogniser | None = None,
    progress: Progress[Step] = silent,
) -> VideoResult:
    """Protect a video file or a folder of frames.

    Args:
        material: What, and where it goes.
        detector: Finds faces in frames; gives unsure ones, too.
        close_up: Finds a face again in a window of 192 pixels.
        scaled: Recogniser and calibration that link tracks into people.
        decide: Called once with the people found; says who gets which set.
        options: How.
        verify: The search's recogniser, with which every shown edit is compared; ``scaled`` where
            it is None.
        progress: Told of the passes ``find`` and ``cover``, by frames.

    Raises:
        InputError: A person that is not there was named.
        OutputError: The output cannot be written.
    """
    found, people = find_people(
        material,
        detector=detector,
        close_up=close_up,
        scaled=scaled,
        options=options,
        progress=progress,
    )
    # things are numbered after the faces: in the ledger a number stands for one track
    first = max((*found.tracks, *found.remembered), default=-1) + 1
    things = follow_things(material, options.also, options.memory, first, progress)
    sets = decide(people)
    names = {track: sets.names.get(person, person) for track, person in people.names.items()}
    renderer = Renderer(
        editor=sets.editor,
        sets=sets.sets,
        names=names,
        visible=_visible(options, set(names.values())),
        fallback=options.fallback,
        smallest=options.smallest,
        replacement=options.replacement,
        verifier=RenderVerifier(verify or scaled),
        others=sets.others,
        unseen=frozenset(set(people.names.values()) - set(people.looks)),
    )

    limits = EditLimits(options.smallest, keeps_pose=sets.editor is not None and sets.editor.turned)
    timeline = Timeline(
        found.tracks,
        found.cuts,
        found.frames,
        people=people.names,
        remembered=found.remembered,
        camera=found.camera,
        plan=partial(plan_edits, limits=limits),
    )

    done = _write(
        material,
        renderer,
        timeline,
        things,
        found.cuts,
        options,
        CoverageSummary(
            # boxes of a file are all there is: nothing was looked for
            smallest=getattr(detector, "min_face", None) if options.boxes is None else None,
            unread=found.frames - found.read,
        ),
        staged(progress, "cover", material.count),
    )
    return replace(done, recognisers=frozenset({scaled.name, (verify or scaled).name}))


def _write(
    material: FrameSource,
    renderer: Renderer,
    timeline: Timeline,
    things: Sequence[FollowedThings],
    cuts: set[int],
    options: VideoOptions,
    summary: CoverageSummary,
    progress: Callable[[int], None],
) -> VideoResult:
    other: dict[str, int] = {}

    # faces of a long video do not fit into memory
    shelf = SpillFile()
    boxes = BoxRows(shelf)
    visible = BoxRows(shelf)
    with ExitStack() as stack:
        out = stack.enter_context(material.rewrite())
        ledger = None
        if options.ledger:
            ledger = stack.enter_context(Ledger(options.ledger, {"turn": material.turn}))

        preview = Preview(options.preview) if options.preview else None
        debug = stack.enter_context(options.debug()) if options.debug else None

        for batch in _batches(out.frames(), cuts):
            # what was shown before a cut says nothing of what comes after it
            if batch[0].index in cuts:
                renderer.forget()

            faces = [timeline.at(frame.index) for frame in batch]
            results = renderer.render([(frame.index, frame.picture) for frame in batch], faces)

            for frame, there, (picture, covered) in zip(batch, faces, results, strict=True):
                done = {item.face.track for item in covered}
                uncovered = [face for face in there if face.track not in done]
                edited = [item.face for item in covered if item.how in ("edited", "warped")]
                filtered = cover_things(
                    picture, frame.index, things, edited + uncovered, options.fallback
                )
                out.write(frame, picture)
                if debug is not None:
                    debug.write(frame, draw(picture, [*covered, *filtered]))

                if ledger is not None:
                    ledger.add(frame.index, frame.seconds, [*covered, *filtered])

                if preview is not None:
                    preview.add(picture)

                summary.add(frame.index, covered)
                for item in filtered:
                    other[item.label] = other.get(item.label, 0) + 1

                _add(boxes, frame.index, [item.face for item in covered])
                _add(visible, frame.index, uncovered)

            progress(summary.frames)

        out.close()
        if debug is not None:
            debug.close()

        if preview is not None:
            preview.save()

        if ledger is not None:
            ledger.close(summary)

        problem = out.problem

    people = tuple(dict.fromkeys(sorted(set(renderer.names.values()))))
    return VideoResult(people, problem, boxes, visible, summary, things=other)


def _add(rows: BoxRows, frame: int, faces: Sequence[TrackedBox]) -> None:
    for face in faces:
        rows.add(frame, face.track, face.box, face.probability)


def _visible(options: VideoOptions, names: set[str]) -> frozenset[str]:
    """Who is left as they are, of the people there are."""
    unknown = sorted((options.only | options.visible) - names)

    if unknown:
        found = (
            f"{len(names)} people: "
            f"{', '.join(sorted(names)[:6]) or 'nobody'}{' …' if len(names) > 6 else ''}"
        )
        raise InputError(
            unknown[0],
            required="the name of a person of the video",
            found=found,
            hint="check the name",
        )

    others = frozenset(names - options.only) if options.only else frozenset()
    return options.visible | others


def _batches(frames: Iterator[Frame], cuts: set[int]) -> Iterator[list[Frame]]:
    """Frames in groups that do not cross a cut."""
    batch: list[Frame] = []

    for frame in frames:
        if batch and (len(batch) == BATCH or frame.index in cuts):
            yield batch
            batch = []

        batch.append(frame)

    if batch:
        yield batch


def _counted(frames: Iterator[Frame], progress: Callable[[int], None]) -> Iterator[Frame]:
    for done, frame in enumerate(frames, 1):
        yield frame
        progress(done)
