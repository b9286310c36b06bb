"""What is asked for of footage: which faces are covered, with what, and what is written beside."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from attrsearch.core.recipes.base import DetectorName, Recipe
from attrsearch.editing.filters import Fallback
from attrsearch.faces.detection.classes import load_classes
from attrsearch.faces.images import read_picture
from attrsearch.runs.people_file import read_people
from attrsearch.video.io.boxes_file import read_boxes
from attrsearch.video.io.encoders import Encoding

if TYPE_CHECKING:
    from attrsearch.video.pipeline import VideoOptions


class VideoConfig(Recipe):
    """How footage is protected, in values that a command line or a file can hold.

    Attributes:
        memory: Frames a face that is lost is remembered in, where it should be.
        fallback: Filter for faces that cannot be edited.
        replace: Picture that replaces faces instead of the filter.
        start: Seconds to begin at.
        end: Seconds to end before; None for the end of the footage.
        only: Only these people are covered; empty for everybody.
        visible: These people, who consent, are not covered.
        boxes: File or folder of faces by frame, instead of the detector's.
        write_boxes: Where the covered faces are written.
        min_face: Width in pixels below which a face is filtered, not edited.
        detector: ``yunet`` (where it is None) or ``mtcnn``.
        yolo: Darknet ``.cfg`` and ``.weights`` instead of the detector.
        recogniser: What tells people apart: ``auto`` or a name.
        codec: Video encoder; that of the input where it is None.
        quality: Constant rate factor (CRF); small is good.
        keep_metadata: Keep places, dates and device names.
        debug_video: A second video, with boxes drawn.
        preview: A PNG strip of frames.
        ledger: ``coverage.parquet``, a row for every face of every frame.
        audit: Look for faces that still match, afterwards.
        frames: The input is a folder of frames of one video.
        who: ``people.json``: who is who, and what becomes of each.
        find_only: Write that file, and stop.
        also: Classes besides faces that are filtered, ``LABEL=DETECTOR``.
    """

    memory: Annotated[int, Field(ge=0, le=99)] = 10
    fallback: Fallback = "blur"
    replace: Path | None = None
    start: Annotated[float, Field(ge=0)] = 0.0
    end: Annotated[float, Field(ge=0)] | None = None
    only: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()
    boxes: Path | None = None
    write_boxes: Path | None = None
    min_face: float = 20.0
    detector: DetectorName | None = None
    yolo: tuple[Path, Path] | None = None
    recogniser: str = "auto"
    codec: str | None = None
    quality: Annotated[int, Field(ge=0, le=51)] = 18
    keep_metadata: bool = False
    debug_video: Path | None = None
    preview: Path | None = None
    ledger: Path | None = None
    audit: bool = False
    frames: bool = False
    who: Path | None = None
    find_only: bool = False
    also: tuple[str, ...] = ()

    def load(self, size: tuple[int, int] | None = None) -> "VideoOptions":
        """What :func:`attrsearch.video.pipeline.protect` takes: the files that are named are read.

        Args:
            size: Width and height of the footage, in which boxes are given.

        Raises:
            InputError: A file of boxes or a picture cannot be read.
        """
        from attrsearch.video.pipeline import VideoOptions  # noqa: PLC0415 - imports torch

        return VideoOptions(
            memory=self.memory,
            fallback=self.fallback,
            smallest=self.min_face,
            only=frozenset(self.only),
            visible=frozenset(self.visible),
            boxes=read_boxes(self.boxes, size) if self.boxes else None,
            replacement=read_picture(self.replace) if self.replace else None,
            preview=self.preview,
            ledger=self.ledger,
            also=load_classes(self.also),
            people=read_people(self.who) if self.who else None,
        )

    def encoding(self) -> Encoding:
        """How the output is encoded."""
        return Encoding(self.codec, self.quality, self.keep_metadata)
