"""FiftyOne: its dataset folders for pictures (detections) and for videos (labels of frames).

The formats are ``FiftyOneImageDetectionDataset`` and ``FiftyOneVideoLabelsDataset`` of
https://docs.voxel51.com/user_guide/import_datasets.html.  Media stay where they are: the folders
name them by their absolute paths.
"""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from attrsearch.core.files import write_text
from attrsearch.report.annotations.model import Annotation, Annotations, Footage


def write_fiftyone(folder: Path, annotations: Annotations) -> None:
    """Write annotations as a folder that FiftyOne imports."""
    if annotations.footage is not None:
        _write_video(folder, annotations, annotations.footage)
        return

    places: dict[str, str] = {}
    labels: dict[str, list[dict[str, Any]]] = {}

    for picture in annotations.pictures:
        place = str(annotations.folder / picture.name)
        places[picture.name] = place

        # FiftyOne looks names up without their ends: of two that differ in nothing else, the second
        # is named by its place
        name = str(PurePosixPath(picture.name).with_suffix(""))
        name = place if name in labels else name
        labels[name] = [_detection(item, picture.size) for item in picture.annotations]

    _write(folder / "data.json", places)
    _write(folder / "labels.json", {"classes": list(annotations.labels), "labels": labels})


def _detection(item: Annotation, size: tuple[int, int]) -> dict[str, Any]:
    left, top, right, bottom = item.box
    width, height = size
    shares = (left / width, top / height, (right - left) / width, (bottom - top) / height)

    return {
        "label": item.label,
        "bounding_box": [round(share, 7) for share in shares],
        "confidence": round(item.probability, 4),
        "attributes": item.attributes,
    }


def _write_video(folder: Path, annotations: Annotations, footage: Footage) -> None:
    numbers = {track: number for number, track in enumerate(annotations.tracks, 1)}
    frames = {}

    for frame, picture in enumerate(annotations.pictures, 1):
        objects = []
        for item in picture.annotations:
            number = numbers[item.track, item.label, item.person]
            objects.append(_object(item, picture.size, number))

        if objects:
            frames[str(frame)] = {"frame_number": frame, "objects": {"objects": objects}}

    name = f"labels/{footage.path.stem}.json"
    _write(folder / name, {"frames": frames})
    index = {"data": str(footage.path), "labels": name}
    _write(
        folder / "manifest.json",
        {"type": "eta.core.datasets.LabeledVideoDataset", "description": "", "index": [index]},
    )


def _object(item: Annotation, size: tuple[int, int], number: int) -> dict[str, Any]:
    left, top, right, bottom = item.box
    width, height = size
    kinds = {str: "CategoricalAttribute", float: "NumericAttribute", int: "NumericAttribute"}
    attributes = []
    for name, value in item.attributes.items():
        kind = f"eta.core.data.{kinds[type(value)]}"
        attributes.append({"type": kind, "name": name, "value": value})

    return {
        "label": item.label,
        "index": number,
        "confidence": round(item.probability, 4),
        "bounding_box": {
            "top_left": {"x": round(left / width, 7), "y": round(top / height, 7)},
            "bottom_right": {"x": round(right / width, 7), "y": round(bottom / height, 7)},
        },
        "attrs": {"attrs": attributes},
    }


def _write(path: Path, content: object) -> None:
    write_text(path, json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")
