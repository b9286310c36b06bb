"""Boxes of a video in files: JSON (ours), MOT text, and folders of YOLO labels."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text

MAX_BYTES = 500_000_000
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


def _with_an_inside(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    if not (box[0] < box[2] and box[1] < box[3]):
        raise ValueError("a box needs left < right and top < bottom")
    return box


Box = Annotated[
    tuple[Coordinate, Coordinate, Coordinate, Coordinate], AfterValidator(_with_an_inside)
]


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """One face of one frame.

    Attributes:
        box: Left, top, right, bottom in pixels.
        track: Which face it is from frame to frame; -1 where that is not known.
        probability: Of the detector; 1 for a box drawn by hand.
    """

    box: tuple[float, float, float, float]
    track: int = -1
    probability: float = 1.0


Labels = Mapping[int, list[LabelledBox]]
"""Frame number, from 0, to its boxes."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    frame: Annotated[int, Field(ge=0, le=10**9)]
    box: Box
    track: int = -1
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: Literal["attrsearch/boxes"] = "attrsearch/boxes"
    version: Literal[1] = 1
    boxes: list[_Row]


def read_boxes(path: Path, size: tuple[int, int] | None = None) -> dict[int, list[LabelledBox]]:
    """Read boxes: ``.json``, MOT ``.txt``/``.csv``, or a folder of YOLO label files.

    Args:
        path: File or folder.
        size: Width and height of the frames in pixels, needed for YOLO labels, which are shares of
            them.

    Raises:
        InputError: Missing, of another format, or with a value out of range.
    """
    if path.is_dir():
        return _read_yolo(path, size)

    hint = "write JSON (attrsearch/boxes), MOT rows, or a folder of YOLO labels"
    try:
        if path.stat().st_size > MAX_BYTES:
            found = f"{path.stat().st_size} bytes"
            raise InputError(
                path, required=f"at most {MAX_BYTES} bytes", found=found, hint="split the file"
            )

        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".json":
            return _group(_File.model_validate(json.loads(text)).boxes)

        return _group(_mot_row(line) for line in csv.reader(text.splitlines()) if line)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(path, required="a file of boxes", found=found, hint=hint) from error
    except ValidationError as error:
        first = error.errors()[0]
        found = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
        raise InputError(path, required="a file of boxes", found=found, hint=hint) from error
    except (ValueError, IndexError, OverflowError, RecursionError, csv.Error) as error:
        raise InputError(
            path, required="a file of boxes", found=str(error)[:100], hint=hint
        ) from error


def write_boxes(path: Path, labels: Labels, size: tuple[int, int] | None = None) -> None:
    """Write boxes: ``.json``, MOT ``.txt``, or a folder of YOLO labels (no suffix).

    Raises:
        InputError: YOLO labels without the size of the frames.
    """
    rows: list[tuple[int, LabelledBox]] = []
    for frame in sorted(labels):
        rows += [(frame, box) for box in labels[frame]]

    if path.suffix.lower() == ".json":
        items = []
        for frame, box in rows:
            probability = box.probability
            items.append(_Row(frame=frame, box=box.box, track=box.track, probability=probability))

        write_text(path, _File(boxes=items).model_dump_json() + "\n")
    elif path.suffix:
        write_text(path, "".join(_to_mot(frame, box) for frame, box in rows))
    else:
        width, height = _need_size(path, size)
        # frames without a face, too: files are counted
        for frame in range(max(labels, default=-1) + 1):
            lines = [_to_yolo(box, width, height) for box in labels.get(frame, ())]
            write_text(path / f"{frame:06d}.txt", "".join(lines))


def _group(rows: Iterable[_Row]) -> dict[int, list[LabelledBox]]:
    frames: dict[int, list[LabelledBox]] = {}
    for row in rows:
        frames.setdefault(row.frame, []).append(LabelledBox(row.box, row.track, row.probability))

    return frames


def _mot_row(values: list[str]) -> _Row:
    """A row of MOTChallenge: frame (from 1), track, left, top, width, height, confidence or -1."""
    left, top, width, height = map(float, values[2:6])
    confidence = float(values[6]) if len(values) > 6 else 1.0
    # -1 is written where nobody was asked how sure it is, as of boxes drawn by hand
    probability = min(1.0, confidence) if confidence >= 0 else 1.0

    return _Row(
        # some tools write whole numbers as 1.0
        frame=int(float(values[0])) - 1,
        track=int(float(values[1])),
        box=(left, top, left + width, top + height),
        probability=probability,
    )


def _to_mot(frame: int, item: LabelledBox) -> str:
    left, top, right, bottom = item.box
    sides = f"{left:.2f},{top:.2f},{right - left:.2f},{bottom - top:.2f}"
    return f"{frame + 1},{item.track},{sides},{item.probability:.4f},-1,-1,-1\n"


def _read_yolo(folder: Path, size: tuple[int, int] | None) -> dict[int, list[LabelledBox]]:
    """Label files in the order of their names.

    A line a box, class, centre x, centre y, width, height as shares.
    """
    width, height = _need_size(folder, size)
    scale = np.array([width, height, width, height])
    frames: dict[int, list[LabelledBox]] = {}
    # tools write the names of the classes beside the labels
    texts = [path for path in folder.glob("*.txt") if path.name != "classes.txt"]
    files = sorted(path for path in texts if path.is_file())

    if not files:
        hint = "give a folder with a label file (.txt) for every frame"
        raise InputError(folder, required="YOLO label files", found="none", hint=hint)

    for number, path in enumerate(files):
        for line, text in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), 1
        ):
            if not text.strip():
                continue

            try:
                # predictions have a sixth column, the confidence
                x, y, w, h = map(float, text.split()[1:5])
                row = _Row(
                    frame=number, box=tuple(scale * (x - w / 2, y - h / 2, x + w / 2, y + h / 2))
                )
            except (ValueError, ValidationError) as error:
                required = "class, centre x, centre y, width, height"
                hint = "mend or remove that line"
                raise InputError(
                    f"{path}, line {line}", required=required, found=text[:60], hint=hint
                ) from error

            frames.setdefault(number, []).append(LabelledBox(row.box))

    return frames


def _to_yolo(item: LabelledBox, width: int, height: int) -> str:
    left, top, right, bottom = item.box
    centre = ((left + right) / 2 / width, (top + bottom) / 2 / height)
    return (
        f"0 {centre[0]:.6f} {centre[1]:.6f} {(right - left) / width:.6f} "
        f"{(bottom - top) / height:.6f}\n"
    )


def _need_size(path: Path, size: tuple[int, int] | None) -> tuple[int, int]:
    if size is None:
        hint = "give the video with it"
        raise InputError(
            path, required="the size of the frames for YOLO labels", found="none", hint=hint
        )

    return size
