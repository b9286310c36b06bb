"""COCO: the detection JSON of https://cocodataset.org/#format-data.

What COCO has no place for is in the ``attributes`` of an annotation, where CVAT and FiftyOne look
for it.  Of footage, every frame is an image with ``video_id`` and ``frame_id``.
"""

import json
from pathlib import Path
from typing import Any

from attrsearch import __version__
from attrsearch.core.files import write_text
from attrsearch.report.annotations.model import AnnotatedPicture, Annotation, Annotations


def write_coco(path: Path, annotations: Annotations) -> None:
    """Write annotations as COCO detections; ids count from 1."""
    ids = {label: number for number, label in enumerate(annotations.labels, 1)}
    categories = []
    for label, number in ids.items():
        categories.append({"id": number, "name": label, "supercategory": ""})

    images = []
    items: list[dict[str, Any]] = []

    for number, picture in enumerate(annotations.pictures, 1):
        images.append(_image(number, picture, annotations))
        for item in picture.annotations:
            items.append(_item(len(items) + 1, number, ids[item.label], item))

    content: dict[str, Any] = {
        "info": {"description": "faces found by attrsearch", "version": __version__},
        "licenses": [],
        "categories": categories,
        "images": images,
        "annotations": items,
    }
    if annotations.footage is not None:
        content["videos"] = [{"id": 1, "name": annotations.footage.path.name}]

    write_text(path, json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")


def _image(number: int, picture: AnnotatedPicture, annotations: Annotations) -> dict[str, Any]:
    width, height = picture.size
    image = {"id": number, "file_name": picture.name, "width": width, "height": height}
    if annotations.footage is not None:
        image |= {"video_id": 1, "frame_id": number - 1}

    return image


def _item(number: int, image: int, category: int, item: Annotation) -> dict[str, Any]:
    left, top, right, bottom = item.box
    width = right - left
    height = bottom - top

    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [round(value, 2) for value in (left, top, width, height)],
        "area": round(width * height, 2),
        "segmentation": [],
        "iscrowd": 0,
        "score": round(item.probability, 4),
        "attributes": item.attributes,
    }
