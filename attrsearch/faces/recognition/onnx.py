"""Any face embedder in an ONNX file, as a judge the search never saw.

What such files have in common is assumed, and read from the file where it can be: a square input
aligned to the usual five-point template of ArcFace, RGB, ``(pixel - 127.5) / 127.5``.  A file that
wants something else says so in a JSON file of the same name beside it: ``{"mean": 0, "scale": 255,
"channels": "bgr"}``.
"""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import onnx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from attrsearch.core.errors import InputError, WeightsError
from attrsearch.core.weights import file_sha256
from attrsearch.faces.alignment import SFACE_SIZE, SFACE_TEMPLATE
from attrsearch.faces.sampling import align_batch

Floats = npt.NDArray[np.float32]
Run = Callable[[Floats], Floats]


class Pixels(BaseModel):
    """How a network wants its pixels: ``(pixel - mean) / scale``, in that order of channels."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mean: Annotated[float, Field(ge=0, le=255)] = 127.5
    scale: Annotated[float, Field(gt=0, le=255)] = 127.5
    channels: Literal["rgb", "bgr"] = "rgb"


class OnnxEmbedder:
    """A recogniser from an ONNX file, run by onnxruntime where installed, otherwise by OpenCV.

    Args:
        path: The file.  Its first input takes (n, 3, s, s) or (n, s, s, 3); its first output gives
            (n, d).

    Raises:
        InputError: No such file, or the JSON file beside it is not valid.
        WeightsError: Not such a network, or one that neither onnxruntime nor OpenCV can run.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            hint = "give the path of an ONNX file"
            raise InputError(
                path, required="a face embedder in an ONNX file", found="no such file", hint=hint
            )

        self.name = path.stem
        self.sha256 = file_sha256(path)
        self._path = path
        self._pixels = _read_pixels(path.with_suffix(".json"))
        self._size, self._first, self._fixed = _read_shape(path)
        self._run, self.runtime = _open(path)
        self._turn = Lock()

    def embed(self, pictures: npt.NDArray[np.uint8], boxes: Floats, landmarks: Floats) -> Floats:
        """Embed one face of each picture (n, h, w, 3); only the landmarks are used.

        Returns (n, d).
        """
        del boxes
        if not len(pictures):
            return np.zeros((0, 1), np.float32)

        template = SFACE_TEMPLATE * (self._size / SFACE_SIZE)
        faces = align_batch(pictures, landmarks, template, self._size).numpy()
        faces = (faces - self._pixels.mean) / self._pixels.scale
        faces = faces[:, ::-1] if self._pixels.channels == "bgr" else faces
        faces = np.ascontiguousarray(
            faces if self._first else faces.transpose(0, 2, 3, 1), np.float32
        )
        parts = [faces[i : i + 1] for i in range(len(faces))] if self._fixed else [faces]

        with self._turn:  # OpenCV's networks keep their activations
            rows = np.concatenate([self._call(part) for part in parts])

        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        # more than half: a single face may well give zeros
        silent = not np.isfinite(lengths).all() or np.mean(lengths < 1e-9) > 0.5

        if silent:  # every face would be everybody's nearest
            raise WeightsError(
                self._path,
                required="a network that gives a vector a face",
                found="vectors of zeros, or values that are not finite",
                hint=(
                    f"say which pixels it wants in {self._path.with_suffix('.json').name} beside "
                    'it, as {"mean": 0, "scale": 255, "channels": "rgb"}'
                ),
            )

        return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)

    def _call(self, faces: Floats) -> Floats:
        required = "a network that gives one vector a face"
        hint = "give another file, or pip install onnxruntime"

        try:
            rows = np.asarray(self._run(faces), np.float32)
        except (cv2.error, RuntimeError, ValueError) as error:
            found = f"{self.runtime} failed: {str(error).splitlines()[0][:120]}"
            raise WeightsError(self._path, required=required, found=found, hint=hint) from error

        rows = rows.reshape(len(rows), -1)
        if len(rows) != len(faces):
            raise WeightsError(
                self._path, required=required, found=f"output {rows.shape}", hint=hint
            )

        return rows


def _read_pixels(path: Path) -> Pixels:
    if not path.is_file():
        return Pixels()

    try:
        return Pixels.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        required = "mean, scale and channels of an embedder's pixels"
        hint = "mend or remove the file"
        found = str(error).splitlines()[-1][:120]
        raise InputError(path, required=required, found=found, hint=hint) from error


def _read_shape(path: Path) -> tuple[int, bool, bool]:
    """Side of the input, whether channels come first, and whether it takes single faces only."""
    required = "an ONNX network with an input of (n, 3, s, s) or (n, s, s, 3)"
    hint = "give a face embedder"

    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf's own errors have no common base
        raise WeightsError(path, required=required, found="no ONNX file", hint=hint) from error

    # older files list their weights among the inputs
    given = {tensor.name for tensor in graph.initializer}
    inputs = [item for item in graph.input if item.name not in given]
    shape = [d.dim_value for d in inputs[0].type.tensor_type.shape.dim] if inputs else []

    if len(shape) == 4 and 3 in (shape[1], shape[3]):
        first = shape[1] == 3
        side = shape[2]
        if side > 1 and shape[3 if first else 1] == side:
            return side, first, shape[0] == 1

    raise WeightsError(path, required=required, found=f"an input of {shape}", hint=hint)


def _open(path: Path) -> tuple[Run, str]:
    try:
        import onnxruntime  # noqa: PLC0415 - optional
    except ImportError:
        return _open_in_opencv(path), "OpenCV"

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1

    try:
        session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own errors have no public base
        required = "an ONNX network that onnxruntime can run"
        hint = "give another file"
        found = str(error).splitlines()[0][:120]
        raise WeightsError(path, required=required, found=found, hint=hint) from error

    name = session.get_inputs()[0].name
    return (lambda faces: session.run(None, {name: faces})[0]), "onnxruntime"


def _open_in_opencv(path: Path) -> Run:
    try:
        net = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        required = "an ONNX network that OpenCV can run"
        hint = "pip install onnxruntime, which runs more networks"
        found = str(error).splitlines()[0][:120]
        raise WeightsError(path, required=required, found=found, hint=hint) from error

    def run(faces: Floats) -> Floats:
        net.setInput(faces)
        return np.asarray(net.forward(), np.float32)

    return run
