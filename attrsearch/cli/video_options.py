"""Options that ``apply`` and ``anonymise`` share for footage."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from attrsearch.cli.console import say, stage_bar
from attrsearch.core.errors import InputError

if TYPE_CHECKING:
    from attrsearch.anonymise.videos import FaceModels
    from attrsearch.video.io.source import FrameSource
    from attrsearch.video.pipeline import VideoOptions, VideoResult

Command = TypeVar("Command", bound=Callable[..., Any])

TURN_SAMPLES = 8
"""Frames in which is looked how footage is turned."""
_PATH = click.Path(path_type=Path)
_COVERS = click.Choice(["blur", "pixelate", "mask"])
_OPTIONS = (
    click.option("--memory", default=10, show_default=True, type=click.IntRange(0, 99), help="Frames a face is kept"),
    click.option("--fallback", type=_COVERS, default="blur", show_default=True, help="Covers what cannot be edited."),
    click.option("--replace", type=_PATH, help="Picture that replaces faces that cannot be edited."),
    click.option("--start", default=0.0, type=click.FloatRange(min=0), help="Seconds to begin at."),
    click.option("--end", type=click.FloatRange(min=0), help="Seconds to end before."),
    click.option("--only", multiple=True, help="Cover only this person; may be given several times."),
    click.option("--except", "visible", multiple=True, help="Leave this person, who consents, as they are."),
    click.option("--boxes", type=_PATH, help="Faces by frame from a file (JSON, MOT) or folder (YOLO)."),
    click.option("--write-boxes", type=_PATH, help="Write the covered faces (.json, MOT .txt, or a YOLO folder)."),
    click.option("--min-face", default=20.0, show_default=True, help="Narrower faces (pixels) are filtered."),
    click.option("--detector", type=click.Choice(["yunet", "mtcnn"]), help="Detector for footage  [default: yunet]"),
    click.option("--yolo", nargs=2, type=_PATH, help="Darknet .cfg and .weights of a YOLOv3 face network."),
    click.option("--recogniser", default="auto", show_default=True, help="What tells people apart."),
    click.option("--codec", help="Video encoder  [default: that of the input]"),
    click.option("--quality", default=18, show_default=True, type=click.IntRange(0, 51), help="CRF; small is good."),
    click.option("--keep-metadata", is_flag=True, help="Keep places, dates and device names."),
    click.option("--debug-video", type=_PATH, help="A video with boxes: red restored, yellow below 0.2."),
    click.option("--preview", type=_PATH, help="A PNG strip of frames."),
    click.option("--ledger", type=_PATH, help="coverage.parquet: a row for every face of every frame."),
    click.option("--audit", is_flag=True, help="Look for faces that still match; exit code 1 if any."),
    click.option("--frames", is_flag=True, help="INPUT is a folder of frames of one video."),
)  # fmt: skip


def footage_options(command: Command) -> Command:
    """Add the options for footage to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_options(given: dict[str, Any], size: tuple[int, int] | None = None) -> "VideoOptions":
    """Options of a video from the command line's."""
    from attrsearch.faces.images import read_picture
    from attrsearch.video.io.boxes_file import read_boxes
    from attrsearch.video.pipeline import VideoOptions

    return VideoOptions(
        memory=given["memory"],
        fallback=given["fallback"],
        smallest=given["min_face"],
        only=frozenset(given["only"]),
        visible=frozenset(given["visible"]),
        boxes=read_boxes(given["boxes"], size) if given["boxes"] else None,
        replacement=read_picture(given["replace"]) if given["replace"] else None,
        debug=None,
        preview=given["preview"],
        ledger=given["ledger"],
    )


def refuse_for_live(source: str, given: dict[str, Any]) -> None:
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
    )
    for name in names:
        if given[name]:
            _refuse(source, name, "a file", "a live source")


def _refuse(subject: object, option: str, required: str, found: str) -> None:
    name = f"--{option.replace('_', '-')}"
    raise InputError(
        subject, required=f"{required} for {name}", found=found, hint=f"leave {name} out"
    )


def open_material(
    source: Path, target: Path, given: dict[str, Any], warn: Callable[[str], None]
) -> "FrameSource":
    """The video or the folder of frames that is protected."""
    from attrsearch.video.io.encoders import Encoding
    from attrsearch.video.io.frame_folder import FrameFolder
    from attrsearch.video.io.source import VideoFile

    if given["frames"]:
        for name in ("start", "end", "debug_video", "audit"):
            if given[name]:
                _refuse(source, name, "a video", "a folder of frames")
        return FrameFolder(source, target, warn)
    if given["audit"] and str(target) == "-":
        _refuse(target, "audit", "a file to write", "a pipe")
    if given["debug_video"] and given["debug_video"].resolve() in (
        source.resolve(),
        target.resolve(),
    ):
        hint = "name another file: nothing is overwritten"
        found = "the input" if given["debug_video"].resolve() == source.resolve() else "the output"
        raise InputError(
            given["debug_video"], required="a debug video of its own", found=found, hint=hint
        )
    encoding = Encoding(given["codec"], given["quality"], given["keep_metadata"])
    return VideoFile(source, target, given["start"], given["end"], encoding)


def add_debug(
    options: "VideoOptions", source: Path, material: "FrameSource", given: dict[str, Any]
) -> "VideoOptions":
    """The options with a debug video, where one was asked for."""
    from dataclasses import replace

    from attrsearch.video.io.source import VideoFile, VideoSecondPass

    if given["debug_video"] is None or not isinstance(material, VideoFile):
        return options
    span = (given["start"], given["end"])
    # how the footage is turned is found out later
    return replace(
        options,
        debug=lambda: VideoSecondPass(source, given["debug_video"], span, None, material.turn),
    )


def open_eyes_for(
    options: "VideoOptions", given: dict[str, Any], *, nobody_known: bool = False
) -> "FaceModels":
    """Detector and recogniser of the command line.

    Args:
        options: Of the video.
        given: The command line's.
        nobody_known: Whether people are told apart only; the recogniser that loads fastest does for that.
    """
    from attrsearch.anonymise.videos import load_face_models

    auto = nobody_known and given["recogniser"] == "auto"
    recogniser = "sface" if auto else given["recogniser"]
    return load_face_models(
        options, detector=given["detector"] or "yunet", recogniser=recogniser, yolo=given["yolo"]
    )


def finish(
    protected: "VideoResult",
    source: Path,
    target: Path,
    eyes: "FaceModels",
    given: dict[str, Any],
    material: "FrameSource",
) -> int:
    """Say what was done, write what was asked for, audit; the exit code."""
    from attrsearch.video.io.boxes_file import write_boxes

    if given["write_boxes"]:
        write_boxes(given["write_boxes"], protected.boxes, material.size)
    from attrsearch.video.summary import advise, summarise

    say(
        f"{target}: {protected.frames} frames, {len(protected.people)} people; {summarise(protected.counts)}"
    )
    for line in advise(protected.reasons):
        say(line)
    if material.lost:
        say(f"{target}: not kept: {'; '.join(material.lost)}")
    if protected.problem:
        say(protected.problem)
    leaks = _audit(source, target, eyes, given, protected, material) if given["audit"] else 0
    return 1 if protected.problem or leaks else 0


def _audit(
    source: Path,
    target: Path,
    eyes: "FaceModels",
    given: dict[str, Any],
    protected: "VideoResult",
    material: "FrameSource",
) -> int:
    """Audit a protected video and name every leak; how many there are."""
    from attrsearch.anonymise.videos import choose_judge
    from attrsearch.faces.detection.mtcnn import LOW_THRESHOLDS, Mtcnn
    from attrsearch.faces.detection.yunet import YuNet
    from attrsearch.video.audit import audit_video
    from attrsearch.video.io.orientation import find_turn

    judge = choose_judge(eyes.scaled.name)
    independent = YuNet(10, 0.3) if eyes.detector.name == "mtcnn" else Mtcnn(20, LOW_THRESHOLDS)
    # the audit sees for itself which way up the footage is
    turn = find_turn(material.sample(TURN_SAMPLES), independent) if given["boxes"] is None else 0
    if turn:
        say(
            f"audit: {independent.name} finds faces upright when the footage is turned by {90 * turn} degrees more"
        )
    with stage_bar(given["quiet"]) as progress:
        found = audit_video(
            source,
            target,
            independent,
            judge,
            start=given["start"],
            end=given["end"],
            visible={} if turn else protected.visible,
            turn=(material.turn + turn) % 4,
            progress=lambda done: progress("audit", done, protected.frames),
        )
    for leak in found.leaks:
        left, top, right, bottom = (round(value) for value in leak.box)
        place = f"frame {leak.frame} ({leak.seconds:.2f} s), box {left} {top} {right} {bottom}"
        what = "not covered" if leak.kind == "uncovered" else f"{judge.name} still matches"
        say(f"audit: {place}: {what} ({leak.value:.3f})")
    say(
        f"audit: {found.faces} faces found by {independent.name}, {found.judged} judged by {judge.name} at "
        f"{found.threshold:.3f}, {len(found.leaks)} still their person"
        + (
            f"; {found.passing} more seen in a frame or two only, not counted"
            if found.passing
            else ""
        )
    )
    ordinary = judge.calibration.verification
    if found.threshold < ordinary:
        say(
            f"audit: at its ordinary threshold, {ordinary:.3f}, {judge.name} takes {found.taken:.1%} of "
            f"{found.strangers} pairs of strangers in these frames for one person; {found.doubtful} more faces match "
            "at it, no nearer than strangers do"
        )
    if found.blank:
        say(
            f"audit: {found.blank} more match {judge.name} no better than a blank in their place does: not counted"
        )
    return len(found.leaks)
