"""Label Studio: tasks with predictions, as its import takes them.

The format is described at https://labelstud.io/guide/predictions and, for video, at
https://labelstud.io/tags/videorectangle.  ``CONFIG`` and ``VIDEO_CONFIG`` are the labelling
configurations whose names the predictions bear.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrsearch import __version__
from attrsearch.core.files import write_text
from attrsearch.core.picking import without
from attrsearch.report.annotations.model import AnnotatedPicture, Annotation, Annotations, Footage

LOCAL = "/data/local-files/?d="
"""Where Label Studio finds files below its document root."""
CONFIG = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="label" toName="image">{labels}</RectangleLabels>
  <TextArea name="person" toName="image" perRegion="true" editable="true"/>
</View>
"""
VIDEO_CONFIG = """<View>
  <Labels name="label" toName="video">{labels}</Labels>
  <Video name="video" value="$video" frameRate="{rate:g}"/>
  <VideoRectangle name="box" toName="video"/>
  <TextArea name="person" toName="video" perRegion="true" editable="true"/>
</View>
"""


def labelling_config(annotations: Annotations) -> str:
    """The labelling configuration of the project that annotations are imported into."""
    labels = "".join(f'<Label value="{label}"/>' for label in annotations.labels)
    if annotations.footage is None:
        return CONFIG.format(labels=labels)

    return VIDEO_CONFIG.format(labels=labels, rate=annotations.footage.rate)


def write_label_studio(path: Path, annotations: Annotations) -> None:
    """Write annotations as Label Studio's tasks: one a picture, or one of the whole video.

    The labelling configuration is written beside them, as XML.
    """
    if annotations.footage is None:
        tasks = [_picture_task(picture) for picture in annotations.pictures]
    else:
        tasks = [_video_task(annotations, annotations.footage)]

    write_text(path, json.dumps(tasks, ensure_ascii=False, allow_nan=False) + "\n")
    write_text(path.with_name(f"{path.stem}_config.xml"), labelling_config(annotations))


def _task(data: Mapping[str, str], result: list[dict[str, Any]], score: float) -> dict[str, Any]:
    prediction = {"model_version": f"attrsearch {__version__}", "score": score, "result": result}
    return {"data": dict(data), "predictions": [prediction]}


def _picture_task(picture: AnnotatedPicture) -> dict[str, Any]:
    result: list[dict[str, Any]] = []
    for number, item in enumerate(picture.annotations):
        head: dict[str, Any] = {
            "id": f"box{number}",
            "to_name": "image",
            "original_width": picture.size[0],
            "original_height": picture.size[1],
            "image_rotation": 0,
        }
        place = _place(item, picture.size)
        box = {"from_name": "label", "type": "rectanglelabels", "score": _score(item)}
        result.append(
            head | box | {"meta": _meta(item), "value": place | {"rectanglelabels": [item.label]}}
        )
        if item.person:
            named = {"from_name": "person", "type": "textarea"}
            result.append(head | named | {"value": place | {"text": [item.person]}})

    scores = [item.probability for item in picture.annotations]
    return _task({"image": LOCAL + quote(picture.name)}, result, round(min(scores, default=0), 4))


def _video_task(annotations: Annotations, footage: Footage) -> dict[str, Any]:
    count = len(annotations.pictures)
    seconds = round(count / footage.rate, 3)
    result: list[dict[str, Any]] = []
    scores = []

    for number, ((_, label, person), places) in enumerate(annotations.tracks.items()):
        first = places[0][1]
        sequence = _sequence(annotations, places)
        value = {"framesCount": count, "duration": seconds, "sequence": sequence}
        head: dict[str, Any] = {"id": f"track{number}", "to_name": "video"}
        score = min(item.probability for _, item in places)
        scores.append(score)
        result.append(
            head
            | {"from_name": "box", "type": "videorectangle", "score": round(score, 4)}
            | {"meta": _meta(first), "value": value | {"labels": [label]}}
        )
        if person:
            named = {"from_name": "person", "type": "textarea", "value": {"text": [person]}}
            result.append(head | named)

    video = {"video": LOCAL + quote(footage.path.name)}
    return _task(video, result, round(min(scores, default=0), 4))


def _sequence(
    annotations: Annotations, places: Sequence[tuple[int, Annotation]]
) -> list[dict[str, Any]]:
    """Key frames of a track, from 1; one that is not enabled is the last before a gap."""
    following = [frame for frame, _ in places[1:]] + [-1]
    found = []
    for (frame, item), after in zip(places, following, strict=True):
        picture = annotations.pictures[frame]
        key = {"frame": frame + 1, "time": round(picture.seconds, 4), "enabled": after == frame + 1}
        found.append(key | _place(item, picture.size))

    return found


def _place(item: Annotation, size: tuple[int, int]) -> dict[str, float]:
    """A box in hundredths of the picture's sides."""
    left, top, right, bottom = item.box
    width, height = size

    return {
        "x": round(100 * left / width, 5),
        "y": round(100 * top / height, 5),
        "width": round(100 * (right - left) / width, 5),
        "height": round(100 * (bottom - top) / height, 5),
        "rotation": 0,
    }


def _meta(item: Annotation) -> dict[str, list[str]]:
    """What is known besides, as the notes of a region."""
    known = without(item.attributes, "person")
    return {"text": [f"{name}: {value}" for name, value in known.items()]}


def _score(item: Annotation) -> float:
    return round(item.probability, 4)
