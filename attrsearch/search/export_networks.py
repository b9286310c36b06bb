"""Write every network of a search as an ONNX file."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrsearch.core.compute import ONNX_FOLDER, computed_by
from attrsearch.core.errors import UnavailableError
from attrsearch.core.weights import manifest
from attrsearch.editing.editor import load_editor
from attrsearch.faces.attribute_classifier import TraitsClassifier
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.recognition.load import RECOGNISERS, load_network


def export_networks(folder: Path, editors: Sequence[str] = ()) -> list[Path]:
    """Load everything with ONNX Runtime as the engine, which writes what is not there.

    Args:
        folder: Where to.
        editors: By name or path; all bundled ones where there are none.

    Returns:
        The files that are there now.

    Raises:
        AttrsearchError: A name is unknown, weights are damaged, or the place cannot be written.
    """
    bundled = [weights.name for weights in manifest().values() if weights.kind == "editor"]

    with _kept_in(folder), computed_by("onnxruntime"):
        for name in editors or bundled:
            load_editor(name)

        for name in RECOGNISERS:
            try:
                load_network(name)
            except UnavailableError:
                continue  # weights that are not here are no one's loss

        Mtcnn()
        Critic()
        TraitsClassifier()

    return sorted(folder.glob("*.onnx"))


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    before = os.environ.get(ONNX_FOLDER)
    os.environ[ONNX_FOLDER] = str(folder)

    try:
        yield
    finally:
        if before is None:
            del os.environ[ONNX_FOLDER]
        else:
            os.environ[ONNX_FOLDER] = before
