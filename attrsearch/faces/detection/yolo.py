"""The thesis's own kind of detector.

A YOLOv3 face network as Darknet ``.cfg`` and ``.weights``, through OpenCV.

Source: Redmon and Farhadi, "YOLOv3: An Incremental Improvement", 2018; thesis 3.3.  It gives boxes
without landmarks: those of each box are looked for by YuNet in a cut around it, and a face in which
it finds none keeps NaN landmarks.
"""

from pathlib import Path

import cv2
import numpy as np

from attrsearch.core.boxes import iou
from attrsearch.core.errors import WeightsError
from attrsearch.core.picking import take
from attrsearch.faces.detection.base import Detections, Floats, Pictures
from attrsearch.faces.detection.yunet import YuNet

NMS = 0.45
LANDMARK_SIDE = 160


class Yolo:
    """A Darknet network with one or several classes, every class a face.

    Args:
        config: The ``.cfg`` file.
        weights: The ``.weights`` file beside it, or elsewhere.
        score: Detections below this probability are left out (the thesis used 0.24).
        min_face: Faces narrower than this many pixels are left out.
        landmarks: Whether landmarks are looked for.

    Raises:
        WeightsError: A file is missing, or they do not belong together.
    """

    name = "yolo"

    def __init__(
        self,
        config: Path,
        weights: Path,
        *,
        score: float = 0.24,
        min_face: float = 8,
        landmarks: bool = True,
    ) -> None:
        for file in (config, weights):
            if not file.is_file():
                hint = "give both files: --yolo FACE.cfg FACE.weights"
                raise WeightsError(
                    file, required="a Darknet network", found="no such file", hint=hint
                )

        self._side = read_input_size(config)
        need_weights(config, weights)

        try:
            self._net = cv2.dnn.readNetFromDarknet(str(config), str(weights))
        except cv2.error as error:
            reason = str(error).splitlines()[0].split(": ", 1)[-1][:120]
            hint = "check that .cfg and .weights belong together"
            raise WeightsError(
                config, required="a Darknet network", found=reason, hint=hint
            ) from error

        self._outputs = self._net.getUnconnectedOutLayersNames()
        self._score = score
        self._min_face = min_face
        # unsure ones, too: that there is a face has been said already
        self._landmarks = YuNet(min_face=4, score=0.3) if landmarks else None

    def detect(self, pictures: Pictures) -> list[Detections]:
        """Find faces in pictures (n, h, w, 3), RGB, uint8."""
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Pictures) -> Detections:
        width, height = self._side
        blob = cv2.dnn.blobFromImage(np.ascontiguousarray(picture), 1 / 255.0, (width, height))
        self._net.setInput(blob)
        rows = np.concatenate(
            [np.asarray(out, np.float32) for out in self._net.forward(self._outputs)]
        )
        boxes, scores = decode(rows, picture.shape[1], picture.shape[0])
        wide = (scores >= self._score) & (boxes[:, 2] - boxes[:, 0] >= self._min_face)
        boxes, scores = suppress(boxes[wide], scores[wide])
        points = np.full((len(boxes), 5, 2), np.nan, np.float32)

        if self._landmarks is not None:
            for i, box in enumerate(boxes):
                points[i] = self._look_closer(picture, box)

        return Detections(boxes, scores, points)

    def _look_closer(self, picture: Pictures, box: Floats) -> Floats:
        """Landmarks (5, 2) of the face in a box, NaN where YuNet sees none."""
        nothing = np.full((5, 2), np.nan, np.float32)
        # twice the box: YuNet was trained on faces with their surroundings
        side = float((box[2:] - box[:2]).max()) * 2
        centre = (box[:2] + box[2:]) / 2
        low = np.maximum(np.floor(centre - side / 2), 0).astype(int)
        high = np.minimum(np.ceil(centre + side / 2), picture.shape[1::-1]).astype(int)
        if (high - low).min() < 8 or self._landmarks is None:
            return nothing

        part = picture[low[1] : high[1], low[0] : high[0]]
        zoom = LANDMARK_SIDE / max(part.shape[:2])
        resized = cv2.resize(
            part,
            None,
            fx=zoom,
            fy=zoom,
            interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR,
        )
        ratio = np.array(
            [part.shape[1] / resized.shape[1], part.shape[0] / resized.shape[0]], np.float32
        )
        found = self._landmarks.detect(np.asarray(resized, np.uint8)[None])[0]
        best, overlap = found.nearest(
            ((box.reshape(2, 2) - low) / ratio).reshape(4).astype(np.float32)
        )

        return (
            np.asarray(found.landmarks[best] * ratio + low, np.float32)
            if overlap > 0.2
            else nothing
        )


def decode(rows: Floats, width: int, height: int) -> tuple[Floats, Floats]:
    """Boxes (n, 4) in pixels and probabilities (n,) of YOLO's output rows.

    Args:
        rows: (n, 5 + classes): centre, width and height as shares of the picture, objectness, class
            scores (OpenCV has multiplied them by the objectness).
        width: Of the picture, pixels.
        height: Of the picture, pixels.
    """
    scale = np.array([width, height], np.float32)
    centre = rows[:, :2] * scale
    sides = rows[:, 2:4] * scale
    boxes = np.concatenate([centre - sides / 2, centre + sides / 2], 1)

    return boxes.astype(np.float32), rows[:, 5:].max(1) if rows.shape[1] > 5 else rows[:, 4]


def suppress(boxes: Floats, scores: Floats, threshold: float = NMS) -> tuple[Floats, Floats]:
    """Greedy non-maximum suppression; the surest first."""
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if not kept or iou(boxes[kept], boxes[i]).max() <= threshold:
            kept.append(int(i))

    return boxes[kept].reshape(-1, 4), scores[kept]


def read_input_size(config: Path) -> tuple[int, int]:
    """Width and height of the network's input, from its ``[net]`` section.

    Raises:
        WeightsError: The section does not say.
    """
    values: dict[str, int] = {}

    for line in config.read_text(encoding="utf-8", errors="replace").splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("[") and text != "[net]" and values:
            break

        key, _, value = text.partition("=")
        if key.strip() in ("width", "height") and value.strip().isdigit():
            values[key.strip()] = int(value)

    if len(values) < 2:
        hint = "give the .cfg the weights were trained with"
        raise WeightsError(
            config, required="width and height in its [net] section", found=str(values), hint=hint
        )

    return values["width"], values["height"]


def need_weights(config: Path, weights: Path) -> None:
    """Check that a weights file is as long as its network needs: OpenCV reads a short one as zeros.

    Raises:
        WeightsError: It is shorter or longer.
    """
    count = count_weights(config)
    header = np.fromfile(weights, np.int32, 2)
    # since version 0.2 the header counts pictures in eight bytes instead of four
    start = 20 if len(header) == 2 and int(header[0]) * 10 + int(header[1]) >= 2 else 16
    size = weights.stat().st_size

    if count is not None and size != start + 4 * count:
        required = f"weights of {config.name} ({start + 4 * count} bytes)"
        hint = "check that .cfg and .weights belong together"
        raise WeightsError(weights, required=required, found=f"{size} bytes", hint=hint)


def count_weights(config: Path) -> int | None:
    """Numbers a Darknet network of convolutions reads.

    None where it has layers this does not know.
    """
    total = 0
    channels = list[int]()
    width = 3

    for kind, values in _sections(config):
        if kind in ("net", "network"):
            width = int(values.get("channels", 3))
            continue

        if kind == "convolutional":
            filters = int(values.get("filters", 1))
            size = int(values.get("size", 1))
            # a batch norm has a scale, a mean and a variance beside the bias
            total += filters * (4 if int(values.get("batch_normalize", 0)) else 1)
            total += filters * width * size * size // int(values.get("groups", 1))
            width = filters
        elif kind == "route":
            places = [int(item) for item in values.get("layers", "-1").split(",")]
            width = sum(take(channels, places)) // int(values.get("groups", 1))
        elif kind not in ("shortcut", "upsample", "maxpool", "yolo", "dropout"):
            return None

        channels.append(width)

    return total


def _sections(config: Path) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    for line in config.read_text(encoding="utf-8", errors="replace").splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("["):
            found.append((text.strip("[]"), {}))
        elif "=" in text and found:
            key, _, value = text.partition("=")
            found[-1][1][key.strip()] = value.strip()

    return found
