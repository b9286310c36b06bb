"""Protect videos with an export, or with sets searched for the people in them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from attrsearch.anonymise.next_sets import next_sets
from attrsearch.anonymise.stand_ins import with_stand_ins
from attrsearch.anonymise.who import as_said, keep_faces
from attrsearch.core.attributes import AttributeSet
from attrsearch.core.errors import AttrsearchError, InputError
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.faces.dataset import MIN_FACE, Person, load_faces
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.detection.yolo import Yolo
from attrsearch.faces.detection.yunet import YuNet
from attrsearch.faces.people import find_people
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.load import load_recogniser
from attrsearch.faces.window_detection import WINDOW_MIN_FACE, detect_in_windows
from attrsearch.runs.attributes_file import AttributesFile, read_attributes
from attrsearch.search.config import RunConfig
from attrsearch.video.io.encoders import Encoding
from attrsearch.video.io.orientation import find_turn
from attrsearch.video.io.source import FrameSource
from attrsearch.video.pipeline import SetAssignment, VideoOptions, VideoResult, protect
from attrsearch.video.render import Renderer
from attrsearch.video.stream import KnownPersonMatcher, StreamResult, protect_stream
from attrsearch.video.tracking.reidentify import People, match_people
from attrsearch.video.tracking.tracker import Tracker
from attrsearch.video.verification import RenderVerifier

if TYPE_CHECKING:
    from attrsearch.search.run import RunResult

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]

TURN_SAMPLES = 8
"""Frames in which is looked how footage is turned."""
SEARCH_LOOKS = 10
"""Looks at a person given to the search, those kept back from it included."""
GOING_ON = 0.75
"""Faces that shrink to this share of the smallest that is looked for are still followed."""
CLOSE_UP_SCORE = 0.5
"""Probability from which a face is found again in its window."""


@dataclass(frozen=True)
class FaceModels:
    """What finds and knows faces in footage.

    Attributes:
        detector: Finds faces in whole frames.
        close_up: Finds a face again in its window.
        scaled: Knows people.
    """

    detector: Detector
    close_up: Detector
    scaled: CalibratedRecogniser


@dataclass(frozen=True)
class ExportedSets:
    """The attribute sets of an export, and who gets them.

    Attributes:
        file: The export.
        editor: The one it was searched with.
        match: Folder with pictures of the people of the export, by which people in footage are
            known.
        person: Everybody in the footage is this person of the export.
    """

    file: AttributesFile
    editor: Editor
    match: Path | None = None
    person: str | None = None

    def feasible(self) -> dict[str, AttributeSet]:
        """Sets that hold, by the name of their person."""
        return {record.id: record.attributes for record in self.file.identities if record.feasible}


def load_face_models(
    options: VideoOptions,
    *,
    detector: str = "yunet",
    recogniser: str = "auto",
    yolo: tuple[Path, Path] | None = None,
    min_face: float = 10.0,
) -> FaceModels:
    """Load what a video is looked at with.

    Args:
        options: Its ``low_confidence`` is the least probability the detector gives.
        detector: ``yunet`` or ``mtcnn``.
        recogniser: ``auto`` or a name.
        yolo: Darknet ``.cfg`` and ``.weights`` instead of a bundled detector.
        min_face: Smallest face looked for, in pixels.

    Raises:
        AttrsearchError: Something is not to be had.
    """
    chosen: Detector

    if yolo is not None:
        chosen = Yolo(*yolo, score=options.low_confidence, min_face=min_face)
    elif detector == "yunet":
        chosen = YuNet(min_face, options.low_confidence, GOING_ON)
    else:
        chosen = load_detector(detector, max(min_face, 12.0))

    scaled = load_recogniser(recogniser)
    # not MTCNN: YuNet is quicker, and these windows are only told apart
    return FaceModels(chosen, YuNet(WINDOW_MIN_FACE, CLOSE_UP_SCORE), scaled)


def apply_to_video(
    material: FrameSource,
    export: ExportedSets,
    eyes: FaceModels,
    options: VideoOptions,
    *,
    progress: Progress[Step] = silent,
) -> VideoResult:
    """Protect a video with an export.

    Args:
        material: The video or the folder of frames, and where it goes.
        export: The sets, and who gets them; where it does not say, an export of one person is given
            to whoever is seen longest.
        eyes: What finds and knows faces.
        options: How.
        progress: Told of the passes ``find`` and ``cover``, by frames.

    Raises:
        InputError: A person that the export does not have was named.
    """
    export.file.require(export.person)
    set_upright(material, eyes.detector, options)

    def decide(people: People) -> SetAssignment:
        sets = export.feasible()
        if export.person is not None:
            names = dict.fromkeys(people.names.values(), export.person)
        elif export.match is not None:
            known = _known(export.match, eyes)
            names = match_people(people, known, eyes.scaled.calibration.verification)
        else:
            # people are numbered by how long they are seen: the first name is the longest seen
            longest = next(iter(sorted(people.names.values())), None)
            names = {longest: next(iter(sets))} if len(sets) == 1 and longest else {}

        unknown = sorted(set(people.names.values()) - set(names))
        if unknown:
            log.warning(
                f"{len(unknown)} people of the video have no attribute set and are filtered "
                f"({options.fallback})"
            )

        return SetAssignment(names, sets, export.editor)

    return protect(
        material,
        detector=eyes.detector,
        close_up=eyes.close_up,
        scaled=eyes.scaled,
        decide=decide,
        options=options,
        verify=_recogniser_of(export.file, eyes),
        progress=progress,
    )


def anonymise_video(
    material: FrameSource,
    folder: Path,
    eyes: FaceModels,
    options: VideoOptions,
    config: RunConfig | None = None,
    *,
    resume: bool = False,
    progress: Progress[Step] = silent,
) -> tuple[VideoResult, "RunResult | None"]:
    """Find the people of a video, search a set for each, and cover them with it.

    Args:
        material: The video or the folder of frames, and where it goes.
        folder: The run's folder, new or empty unless ``resume``.
        eyes: What finds and knows faces.
        options: How.
        config: How is searched; the recogniser is that of ``eyes``.
        resume: Go on with a search that was stopped.
        progress: Told of ``find`` and ``cover``, by frames, and of ``search``, by candidates.

    Returns:
        What became of the video, and of the search (None where nobody could be known).
    """
    # slow to import, and no concern of apply_to_video
    from attrsearch.search.run import run  # noqa: PLC0415

    results: list[RunResult] = []
    config = (config or RunConfig()).model_copy(update={"recogniser": eyes.scaled.name})
    config, options, apart = as_said(folder, config, options)
    set_upright(material, eyes.detector, options)

    def stand_in(
        people: People,
        sets: Mapping[str, AttributeSet],
        others: Mapping[str, list[AttributeSet]],
    ) -> SetAssignment:
        editor = load_editor(config.load_study().editor) if people.names else None
        found = SetAssignment({}, sets, editor, others)
        return with_stand_ins(found, people, eyes.close_up, eyes.scaled, config, apart)

    def decide(people: People) -> SetAssignment:
        chosen = [name for name in people.looks if name not in apart]
        persons: list[Person] = [people.faces(name, SEARCH_LOOKS) for name in chosen]
        if not persons:
            log.warning("nobody in this video is near and frontal enough to be searched")
            return stand_in(people, {}, {})

        if config.include_originals:
            keep_faces(folder, persons)

        result = run(
            persons,
            folder,
            config,
            resume=resume,
            progress=progress,
        )
        results.append(result)
        file = read_attributes(folder / "attributes.json")
        sets = {record.id: record.attributes for record in file.identities if record.feasible}
        for name in result.infeasible:
            log.warning(
                f"{name}: no feasible set was found; this person is edited only where a set holds "
                f"in the frame, and else filtered ({options.fallback})"
            )

        return stand_in(people, sets, {name: next_sets(folder, name) for name in chosen})

    protected = protect(
        material,
        detector=eyes.detector,
        close_up=eyes.close_up,
        scaled=eyes.scaled,
        decide=decide,
        options=options,
        progress=progress,
    )
    return protected, results[0] if results else None


def apply_to_stream(
    source: str,
    target: Path,
    export: ExportedSets,
    eyes: FaceModels,
    options: VideoOptions,
    *,
    encoding: Encoding | None = None,
    progress: Progress[Step] = silent,
) -> StreamResult:
    """Protect a live source with an export.

    People are known by the export's ``match``, or all are its ``person``; everybody else is
    filtered, since of a stream nobody knows who will be seen longest.

    Args:
        source: A device, an address, or ``-``.
        target: File to write; ``-`` for standard output.
        export: The sets, and who gets them.
        eyes: What finds and knows faces.
        options: How.
        encoding: How the output is written.
        progress: Told of the stage ``stream``, by frames.

    Raises:
        InputError: A person that is not known was named.
    """
    export.file.require(export.person)
    sets = export.feasible()
    known: Mapping[str, Floats] = {}

    if export.match is not None:
        means = {name: rows.sum(0) for name, rows in _known(export.match, eyes).items()}
        # nobody else's name would change anything, and every known person is one to be mistaken for
        wanted = {*sets, *options.visible}
        means = {name: mean for name, mean in means.items() if name in wanted}
        known = {name: mean / np.linalg.norm(mean) for name, mean in means.items()}

    strangers = sorted(options.visible - set(known) - {export.person})
    if strangers:
        found = f"{len(known)} known by --match: {', '.join(sorted(known)[:6]) or 'nobody'}"
        hint = "give their pictures with --match"
        raise InputError(strangers[0], required="a person who can be known", found=found, hint=hint)

    namer = KnownPersonMatcher(eyes.close_up, eyes.scaled, known)
    renderer = Renderer(
        editor=export.editor,
        sets=sets,
        names=namer.names,
        visible=options.visible,
        fallback=options.fallback,
        smallest=options.smallest,
        replacement=options.replacement,
        everyone=export.person or "",
        verifier=RenderVerifier(_recogniser_of(export.file, eyes)),
    )
    return protect_stream(
        source,
        target,
        detector=eyes.detector,
        tracker=Tracker(options.memory, None, options.high_confidence, options.low_confidence),
        renderer=renderer,
        namer=None if export.person else namer,
        encoding=encoding,
        progress=progress,
    )


def set_upright(material: FrameSource, detector: Detector, options: VideoOptions) -> None:
    """Turn footage for the detector that was filmed sideways or upside down, and does not say so.

    What is written stays as it was stored.
    """
    if options.boxes is not None:
        return  # boxes are of the picture as it is

    turn = find_turn(material.sample(TURN_SAMPLES), detector)
    if turn:
        log.warning(
            f"the footage is turned by {90 * turn} degrees to find faces: they stand upright "
            "that way"
        )
        material.turned(turn)


def _known(folder: Path, eyes: FaceModels) -> Mapping[str, Floats]:
    """Embeddings of the people of a folder."""
    whole = load_detector("mtcnn", MIN_FACE)
    known = {}

    for person in find_people(folder):
        try:
            seen = detect_in_windows(load_faces(person, whole, SEARCH_LOOKS), eyes.close_up)
        except AttrsearchError as error:
            log.warning(str(error))
            continue

        if seen.kept:
            known[person.id] = seen.embed(eyes.scaled.recogniser)

    return known


def _recogniser_of(file: AttributesFile, eyes: FaceModels) -> CalibratedRecogniser:
    """The recogniser that an export was searched with; the open one where that is not here."""
    name = file.recogniser.name
    if name == eyes.scaled.name:
        return eyes.scaled

    try:
        return load_recogniser(name)
    except AttrsearchError as error:
        log.warning(
            f"edits are compared with their originals by {eyes.scaled.name}, since {name} is "
            f"not here ({error})"
        )
        return eyes.scaled
