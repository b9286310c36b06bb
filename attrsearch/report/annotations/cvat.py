"""CVAT: XML 1.1, for images of pictures and for video tracks of footage.

The format is described at https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from attrsearch.core.errors import printable
from attrsearch.core.files import written
from attrsearch.report.annotations.model import Annotation, Annotations

FIXED = ("person", "verdict", "gender", "person_distance")
"""Attributes that are the same on every frame of a track."""


def write_cvat(path: Path, annotations: Annotations) -> None:
    """Write annotations as CVAT's XML 1.1."""
    root = Element("annotations")
    _text(root, "version", "1.1")
    names: set[str] = set()
    for picture in annotations.pictures:
        for item in picture.annotations:
            names.update(item.attributes)

    _add_task(root, annotations, sorted(names))

    if annotations.footage is None:
        _add_images(root, annotations)
    else:
        _add_tracks(root, annotations)

    indent(root)
    with written(path) as part:
        ElementTree(root).write(part, encoding="utf-8", xml_declaration=True)


def _add_task(root: Element, annotations: Annotations, names: Iterable[str]) -> None:
    """What CVAT has to know of labels and their attributes."""
    task = SubElement(SubElement(root, "meta"), "task")
    footage = annotations.footage
    _text(task, "name", annotations.folder.name if footage is None else footage.path.name)
    _text(task, "size", str(len(annotations.pictures)))
    _text(task, "mode", "annotation" if footage is None else "interpolation")
    _text(task, "overlap", "0")
    _text(task, "start_frame", "0")
    _text(task, "stop_frame", str(max(0, len(annotations.pictures) - 1)))
    labels = SubElement(task, "labels")

    for name in annotations.labels:
        label = SubElement(labels, "label")
        _text(label, "name", name)
        attributes = SubElement(label, "attributes")

        for attribute in names:
            described = SubElement(attributes, "attribute")
            _text(described, "name", attribute)
            _text(described, "mutable", "False" if attribute in FIXED else "True")
            _text(described, "input_type", "text")
            _text(described, "default_value", "")
            _text(described, "values", "")

    if footage is not None and annotations.pictures:
        width, height = annotations.pictures[0].size
        size = SubElement(task, "original_size")
        _text(size, "width", str(width))
        _text(size, "height", str(height))
        _text(task, "source", footage.path.name)


def _add_images(root: Element, annotations: Annotations) -> None:
    for number, picture in enumerate(annotations.pictures):
        width, height = picture.size
        image = SubElement(
            root,
            "image",
            id=str(number),
            name=printable(picture.name),
            width=str(width),
            height=str(height),
        )
        for item in picture.annotations:
            box = SubElement(image, "box", label=item.label, source="auto", occluded="0")
            _fill(box, item)
            box.set("z_order", "0")


def _add_tracks(root: Element, annotations: Annotations) -> None:
    """Every track, a box a frame; where it is not there a box says that it is outside."""
    last = len(annotations.pictures) - 1
    for number, ((_, label, _), places) in enumerate(annotations.tracks.items()):
        track = SubElement(root, "track", id=str(number), label=label, source="auto")

        # between key frames CVAT draws a box where it guesses: a gap has to be said
        for place, (frame, item) in enumerate(places):
            _add_box(track, frame, item, outside=False)
            if frame < last and _ends(places, place):
                _add_box(track, frame + 1, item, outside=True)


def _ends(places: Sequence[tuple[int, Annotation]], place: int) -> bool:
    """Whether a track is not there in the frame after one of its places."""
    return place + 1 == len(places) or places[place + 1][0] > places[place][0] + 1


def _add_box(track: Element, frame: int, item: Annotation, *, outside: bool) -> None:
    box = SubElement(track, "box", frame=str(frame), keyframe="1", outside=str(int(outside)))
    box.set("occluded", "0")
    _fill(box, item)
    box.set("z_order", "0")


def _fill(box: Element, item: Annotation) -> None:
    for name, value in zip(("xtl", "ytl", "xbr", "ybr"), item.box, strict=True):
        box.set(name, f"{value:.2f}")

    for name, fact in item.attributes.items():
        attribute = SubElement(box, "attribute", name=name)
        attribute.text = printable(str(fact))


def _text(parent: Element, name: str, text: str) -> None:
    # XML has no place for control characters: they are written out
    SubElement(parent, name).text = printable(text)
