"""What a video's ledger says is on every frame, whose it is, and what was done to it."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from attrsearch.core.encryption import SUFFIX, find_private, open_private
from attrsearch.core.errors import InputError
from attrsearch.core.names import readable
from attrsearch.faces.images import list_pictures, read_picture
from attrsearch.report.annotations.model import (
    FACE,
    AnnotatedPicture,
    Annotation,
    Annotations,
    Box,
    Footage,
    inside,
)
from attrsearch.report.annotations.pictures import Facts
from attrsearch.video.io.frame_folder import RATE
from attrsearch.video.io.reader import VideoReader

LEDGER = "coverage.parquet"
NEEDED = ("frame", "track", "person", "left", "top", "right", "bottom", "found", "cover")
RUN_END = ".run"
"""Ends the name of the folder in which ``anonymise`` searched, after that of what it wrote."""


def ledger_of(source: Path) -> Path | None:
    """The ledger that a run has, or that a path is; None where there is none."""
    if source.is_dir():
        return find_private(source / LEDGER)

    name = source.name.removesuffix(SUFFIX)
    return find_private(source) if name.endswith(".parquet") else None


def footage_beside(source: Path) -> Path | None:
    """The protected video or folder of frames that a run of ``anonymise`` lies beside."""
    place = source.with_name(source.name.removesuffix(RUN_END))
    return place if source.is_dir() and place != source and place.exists() else None


def annotate_footage(
    ledger: Path, media: Path, facts: Mapping[str, Facts] | None = None
) -> Annotations:
    """The faces of a ledger, frame by frame.

    Args:
        ledger: ``coverage.parquet``, encrypted or not.
        media: The video or folder of frames that it is of; the protected one has the same frames.
        facts: What a run says of people.

    Raises:
        InputError: Not a ledger, or no such footage.
    """
    table, turn = _read(ledger)
    names, size, rate, count = _look(media)
    last = int(table["frame"].max()) if len(table) else -1
    # not every container declares how many frames it has
    frames: list[list[Annotation]] = [[] for _ in range(max(count, last + 1))]

    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    for row in rows:
        found = (row["left"], row["top"], row["right"], row["bottom"])
        box = inside(_as_stored(found, size, turn), size)
        if box is not None:
            frames[row["frame"]].append(_annotation(row, box, facts or {}))

    pictures = []
    for number, items in enumerate(frames):
        # frames of a video have no names, and tools want one for each
        name = names[number] if number < len(names) else f"frame_{number:06d}.png"
        pictures.append(AnnotatedPicture(name, size, tuple(items), number / rate))

    footage = Footage(media.resolve(), rate)
    return Annotations(media.resolve().parent, tuple(pictures), footage)


def _annotation(row: Mapping[str, Any], box: Box, facts: Mapping[str, Facts]) -> Annotation:
    person = str(row["person"] or "")
    own: dict[str, str | float] = {"cover": str(row["cover"]), "found": str(row["found"])}
    if row.get("reason"):
        own["reason"] = str(row["reason"])

    distance = row.get("distance")
    if distance is not None and math.isfinite(distance):
        own["distance"] = round(float(distance), 4)

    own |= facts.get(person, {})
    probability = float(row.get("probability", 1.0))
    label = str(row.get("class") or FACE)
    return Annotation(box, probability, label, person, int(row["track"]), own)


def _read(ledger: Path) -> tuple[pd.DataFrame, int]:
    """A ledger's rows, and by how many quarters the footage was turned for it."""
    hint = "give the ledger that apply or anonymise wrote with --ledger"
    required = "the ledger of a video (coverage.parquet)"

    try:
        read = pq.read_table(open_private(ledger))
        about = json.loads((read.schema.metadata or {}).get(b"attrsearch", b"{}"))
        table = read.to_pandas()
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise InputError(ledger, required=required, found=found, hint=hint) from error

    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        found = f"a table without {missing[0]}"
        raise InputError(ledger, required=required, found=found, hint=hint)

    return table, int(about.get("turn", 0)) % 4


def _look(media: Path) -> tuple[list[str], tuple[int, int], float, int]:
    """Names of frames (none of a video file), their size, frames a second, and how many."""
    if not media.is_dir():
        with VideoReader(media) as reader:
            size = (reader.info.width, reader.info.height)
            return [], size, float(reader.info.rate) or RATE, reader.info.frames

    files = list_pictures(media)
    if not files:
        hint = "give the video or the folder of frames that the ledger is of"
        raise InputError(media, required="frames of a video", found="no pictures", hint=hint)

    height, width = read_picture(files[0]).shape[:2]
    return [readable(path.name) for path in files], (width, height), RATE, len(files)


def _as_stored(box: Box, size: tuple[int, int], turn: int) -> Box:
    """A box of footage that was turned for the detector, on the frame as it is stored.

    Args:
        box: On the frame turned counterclockwise by ``turn`` quarters.
        size: Of the frame as it is stored.
        turn: 0 to 3.

    >>> _as_stored((1, 2, 3, 4), (10, 20), 2)
    (7, 16, 9, 18)
    """
    width, height = size
    left, top, right, bottom = box
    if turn == 1:
        return (width - bottom, left, width - top, right)
    if turn == 2:
        return (width - right, height - bottom, width - left, height - top)
    if turn == 3:
        return (top, height - right, bottom, height - left)

    return box
