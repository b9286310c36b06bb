"""MOT: the text of MOTChallenge (https://arxiv.org/abs/1603.00831), a person a number.

Names have no place in it; a CSV file beside it says who a number is.
"""

import csv
import io
from pathlib import Path

from attrsearch.core.errors import InputError
from attrsearch.core.files import write_text
from attrsearch.core.names import csv_cell
from attrsearch.report.annotations.model import FACE, Annotation, Annotations
from attrsearch.video.io.boxes_file import LabelledBox, write_boxes

Key = tuple[str, str, int]
"""Label, person and, where that is not enough, track."""


def write_mot(path: Path, annotations: Annotations) -> None:
    """Write the tracks of footage as MOTChallenge text.

    A number stands at most once in a frame: where a person is in a frame twice, the less sure box
    gets a number of its own.

    Raises:
        InputError: These are pictures, which have no tracks.
    """
    if annotations.footage is None:
        found = "pictures"
        hint = "choose another format: coco, cvat, fiftyone or label-studio"
        raise InputError(annotations.folder, required="a video for MOT", found=found, hint=hint)

    people: set[str] = set()
    for _, label, person in annotations.tracks:
        if label == FACE and person:
            people.add(person)

    # people first, in the order of their names: their numbers do not depend on who comes first
    numbers: dict[Key, int] = {(FACE, name, -1): n for n, name in enumerate(sorted(people), 1)}
    frames: dict[int, list[LabelledBox]] = {}

    for frame, picture in enumerate(annotations.pictures):
        taken: set[Key] = set()
        for item in sorted(picture.annotations, key=lambda item: -item.probability):
            key = _key(item, taken)
            taken.add(key)
            number = numbers.setdefault(key, len(numbers) + 1)
            frames.setdefault(frame, []).append(LabelledBox(item.box, number, item.probability))

    write_boxes(path, frames)
    _write_names(path.with_name(f"{path.stem}_people.csv"), numbers)


def _key(item: Annotation, taken: set[Key]) -> Key:
    if item.label == FACE and item.person and (item.label, item.person, -1) not in taken:
        return (item.label, item.person, -1)

    return (item.label, item.person, item.track)


def _write_names(path: Path, numbers: dict[Key, int]) -> None:
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(("id", "class", "person"))
    for (label, person, _), number in numbers.items():
        rows.writerow((number, label, csv_cell(person)))

    write_text(path, buffer.getvalue())
