"""Options that ``apply`` and ``anonymise`` share for footage."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attrsearch.cli.console import say, stage_bar
from attrsearch.cli.exit_codes import exit_code
from attrsearch.cli.fields import fill
from attrsearch.cli.plugins import PlugInChoice
from attrsearch.core.errors import InputError

if TYPE_CHECKING:
    from attrsearch.anonymise.videos import FaceModels
    from attrsearch.video.audit import Audit
    from attrsearch.video.config import VideoConfig
    from attrsearch.video.io.source import FrameSource
    from attrsearch.video.pipeline import VideoOptions, VideoResult

TURN_SAMPLES = 8
"""Frames in which is looked how footage is turned."""
_PATH = click.Path(path_type=Path)
_COVERS = PlugInChoice("fallback", ("blur", "pixelate", "mask"))
OPTIONS = {
    "memory": click.option(
        "--memory",
        default=10,
        show_default=True,
        type=click.IntRange(0, 99),
        help="Frames a face is kept",
    ),
    "fallback": click.option(
        "--fallback",
        type=_COVERS,
        default="blur",
        show_default=True,
        help="Covers what cannot be edited.",
    ),
    "replace": click.option(
        "--replace", type=_PATH, help="Picture that replaces faces that cannot be edited."
    ),
    "start": click.option(
        "--start", default=0.0, type=click.FloatRange(min=0), help="Seconds to begin at."
    ),
    "end": click.option("--end", type=click.FloatRange(min=0), help="Seconds to end before."),
    "only": click.option(
        "--only", multiple=True, help="Cover only this person; may be given several times."
    ),
    "visible": click.option(
        "--except", "visible", multiple=True, help="Leave this person, who consents, as they are."
    ),
    "boxes": click.option(
        "--boxes", type=_PATH, help="Faces by frame from a file (JSON, MOT) or folder (YOLO)."
    ),
    "write_boxes": click.option(
        "--write-boxes",
        type=_PATH,
        help="Write the covered faces (.json, MOT .txt, or a YOLO folder).",
    ),
    "min_face": click.option(
        "--min-face", default=20.0, show_default=True, help="Narrower faces (pixels) are filtered."
    ),
    "detector": click.option(
        "--detector",
        type=PlugInChoice("detector", ("yunet", "mtcnn")),
        help="Detector for footage  [default: yunet]",
    ),
    "yolo": click.option(
        "--yolo", nargs=2, type=_PATH, help="Darknet .cfg and .weights of a YOLOv3 face network."
    ),
    "recogniser": click.option(
        "--recogniser", default="auto", show_default=True, help="What tells people apart."
    ),
    "codec": click.option("--codec", help="Video encoder  [default: that of the input]"),
    "quality": click.option(
        "--quality",
        default=18,
        show_default=True,
        type=click.IntRange(0, 51),
        help="CRF; small is good.",
    ),
    "keep_metadata": click.option(
        "--keep-metadata", is_flag=True, help="Keep places, dates and device names."
    ),
    "debug_video": click.option(
        "--debug-video", type=_PATH, help="A video with boxes: red restored, yellow below 0.2."
    ),
    "preview": click.option("--preview", type=_PATH, help="A PNG strip of frames."),
    "ledger": click.option(
        "--ledger", type=_PATH, help="coverage.parquet: a row for every face of every frame."
    ),
    "audit": click.option(
        "--audit", is_flag=True, help="Look for faces that still match; exit code 1 if any."
    ),
    "also": click.option(
        "--also",
        multiple=True,
        metavar="LABEL=DETECTOR",
        help="Filter these, too: plate=CASCADE.xml, or head=NAME[:MODEL] of a plug-in.",
    ),
    "frames": click.option(
        "--frames", is_flag=True, help="INPUT is a folder of frames of one video."
    ),
}
"""Options of ``VideoConfig``."""


WHO = {
    "who": click.option(
        "--who", type=_PATH, help="people.json: who is who, and what becomes of each person."
    ),
    "find_only": click.option(
        "--find-only", is_flag=True, help="Write RUN/found/people.json, and stop."
    ),
}
"""Options of ``VideoConfig`` that only ``anonymise`` has."""

footage_options = fill("video", "attrsearch.video.config:VideoConfig", OPTIONS)
"""Adds the options for footage to a command, which gets a ``VideoConfig``."""
anonymise_options = fill("video", "attrsearch.video.config:VideoConfig", {**WHO, **OPTIONS})
"""The same with the options that say who is who."""


def refuse_for_live(source: str, video: "VideoConfig") -> None:
    """Options that need to know the whole video.

    Raises:
        InputError: One of them was given for a live source.
    """
    names = (
        "start",
        "end",
        "only",
        "boxes",
        "write_boxes",
        "debug_video",
        "preview",
        "ledger",
        "audit",
        "frames",
        "also",
    )
    for name in names:
        if getattr(video, name):
            _refuse(source, name, "a file", "a live source")


def _refuse(subject: object, option: str, required: str, found: str) -> None:
    name = f"--{option.replace('_', '-')}"
    raise InputError(
        subject, required=f"{required} for {name}", found=found, hint=f"leave {name} out"
    )


def open_material(source: Path, target: Path, video: "VideoConfig") -> "FrameSource":
    """The video or the folder of frames that is protected."""
    from attrsearch.video.io.frame_folder import FrameFolder
    from attrsearch.video.io.source import VideoFile

    if video.frames:
        for name in ("start", "end", "debug_video", "audit"):
            if getattr(video, name):
                _refuse(source, name, "a video", "a folder of frames")

        return FrameFolder(source, target)

    if video.audit and str(target) == "-":
        _refuse(target, "audit", "a file to write", "a pipe")

    debug = video.debug_video
    if debug and debug.resolve() in (source.resolve(), target.resolve()):
        hint = "name another file: nothing is overwritten"
        found = "the input" if debug.resolve() == source.resolve() else "the output"
        raise InputError(debug, required="a debug video of its own", found=found, hint=hint)

    return VideoFile(source, target, video.start, video.end, video.encoding())


def add_debug(
    options: "VideoOptions", source: Path, material: "FrameSource", video: "VideoConfig"
) -> "VideoOptions":
    """The options with a debug video, where one was asked for."""
    from attrsearch.video.io.source import VideoFile, VideoSecondPass

    debug = video.debug_video
    if debug is None or not isinstance(material, VideoFile):
        return options

    span = (video.start, video.end)
    # how the footage is turned is found out later
    return replace(
        options,
        debug=lambda: VideoSecondPass(source, debug, span, None, material.turn),
    )


def open_eyes_for(
    options: "VideoOptions", video: "VideoConfig", *, nobody_known: bool = False
) -> "FaceModels":
    """Detector and recogniser of the command line.

    Args:
        options: Of the video.
        video: What was asked for.
        nobody_known: Whether people are told apart only; the recogniser that loads fastest does for
            that.
    """
    from attrsearch.anonymise.videos import load_face_models

    auto = nobody_known and video.recogniser == "auto"
    recogniser = "sface" if auto else video.recogniser
    return load_face_models(
        options, detector=video.detector or "yunet", recogniser=recogniser, yolo=video.yolo
    )


@contextmanager
def keep_looks(
    eyes: "FaceModels", run: Path, options: "VideoOptions", video: "VideoConfig"
) -> Iterator["FaceModels"]:
    """The same detector and recogniser, which remember in a run's folder what they found where.

    Detectors that others brought may find something else tomorrow under the same name, and where
    private files are encrypted, nothing is kept in the open.
    """
    from attrsearch.core.encryption import encrypting

    if encrypting() or video.yolo is not None or eyes.detector.name not in ("yunet", "mtcnn"):
        yield eyes
        return

    import attrsearch
    from attrsearch.core.compute import computing
    from attrsearch.faces.detection.kept import FILE, keep_detections
    from attrsearch.runs.people_file import FOLDER

    computed = computing()
    about: dict[str, object] = {
        "attrsearch": attrsearch.__version__,
        "low_confidence": options.low_confidence,
        "min_face": getattr(eyes.detector, "min_face", None),
        "computed": f"{computed.device} {computed.engine}",
    }
    with keep_detections(eyes.detector, run / FOLDER / FILE, about) as detector:
        yield replace(eyes, detector=detector)


def finish(
    protected: "VideoResult",
    source: Path,
    target: Path,
    eyes: "FaceModels",
    video: "VideoConfig",
    material: "FrameSource",
    *,
    quiet: bool,
    record: Path | None = None,
) -> int:
    """Say what was done, write what was asked for, audit; the exit code."""
    from attrsearch.core.files import write_text
    from attrsearch.video.audit import audit_text
    from attrsearch.video.io.boxes_file import write_boxes

    if video.write_boxes:
        write_boxes(video.write_boxes, protected.boxes, material.size)

    from attrsearch.video.summary import advise, count_things, summarise, unsearched

    say(
        f"{target}: {protected.frames} frames, {len(protected.people)} people; "
        f"{summarise(protected.counts)}{unsearched(protected.summary)}"
    )
    for line in advise(protected.reasons):
        say(line)

    if video.also:
        say(count_things(video.also, protected.things))

    if material.lost:
        say(f"{target}: not kept: {'; '.join(material.lost)}")

    if protected.problem:
        say(protected.problem)

    leaks = 0
    if video.audit:
        found, judge = _audit(source, target, eyes, video, protected, material, quiet=quiet)
        leaks = len(found.leaks)
        if record is not None:
            write_text(record, audit_text(found, judge))

    return exit_code(protected.problem, leaks)


def _audit(
    source: Path,
    target: Path,
    eyes: "FaceModels",
    video: "VideoConfig",
    protected: "VideoResult",
    material: "FrameSource",
    *,
    quiet: bool,
) -> "tuple[Audit, str]":
    """Audit a protected video and name every leak; what was found, and who judged."""
    from attrsearch.faces.detection.mtcnn import LOW_THRESHOLDS, Mtcnn
    from attrsearch.faces.detection.yunet import YuNet
    from attrsearch.faces.recognition.load import choose_judge
    from attrsearch.video.audit import AuditScope, audit_video
    from attrsearch.video.io.orientation import find_turn

    judge = choose_judge(*protected.recognisers)
    independent = YuNet(10, 0.3) if eyes.detector.name == "mtcnn" else Mtcnn(20, LOW_THRESHOLDS)
    # the audit sees for itself which way up the footage is
    turn = find_turn(material.sample(TURN_SAMPLES), independent) if video.boxes is None else 0

    if turn:
        say(
            f"audit: {independent.name} finds faces upright when the footage is turned by "
            f"{90 * turn} degrees more"
        )

    scope = AuditScope(
        start=video.start,
        end=video.end,
        # faces left on purpose are known by their boxes, which are of the other way up
        visible={} if turn else protected.visible,
        turn=(material.turn + turn) % 4,
    )

    with stage_bar(quiet) as progress:
        found = audit_video(
            source,
            target,
            independent,
            judge,
            scope,
            progress=lambda step: progress(replace(step, total=protected.frames)),
        )

    for leak in found.leaks:
        left, top, right, bottom = map(round, leak.box)
        place = f"frame {leak.frame} ({leak.seconds:.2f} s), box {left} {top} {right} {bottom}"
        what = "not covered" if leak.kind == "uncovered" else f"{judge.name} still matches"
        say(f"audit: {place}: {what} ({leak.value:.3f})")

    say(
        f"audit: {found.faces} faces found by {independent.name}, {found.judged} judged by "
        f"{judge.name} at "
        f"{found.threshold:.3f}, {len(found.leaks)} still their person"
        + f"; not searched: faces narrower than {independent.min_face:g} pixels"
        + (
            f"; {found.passing} more seen in a frame or two only, not counted"
            if found.passing
            else ""
        )
    )
    ordinary = judge.calibration.verification

    if found.threshold < ordinary:
        say(
            f"audit: at its ordinary threshold, {ordinary:.3f}, {judge.name} takes "
            f"{found.taken:.1%} of "
            f"{found.strangers} pairs of strangers in these frames for one person; "
            f"{found.doubtful} more faces match "
            "at it, no nearer than strangers do"
        )

    if found.blank:
        say(
            f"audit: {found.blank} more match {judge.name} no better than a blank in their "
            "place does: not counted"
        )

    return found, judge.name
