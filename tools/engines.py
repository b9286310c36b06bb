"""Evaluations a second of both engines, in pairs within one run, as a ratio.

python tools/engines.py [EDITOR] [RECOGNISER] [PAIRS] [PRECISION]

PRECISION is torch's: auto, fp32 or bf16; ONNX files are float32.
"""

import sys
import time
from pathlib import Path

import numpy as np

from attrsearch.core.compute import compute_with, computed_by
from attrsearch.core.device import described
from attrsearch.core.parallel import threads
from attrsearch.core.precision import Precision
from attrsearch.core.recipes.space import load_space
from attrsearch.core.sample import sample_folder
from attrsearch.editing.editor import load_editor
from attrsearch.faces.dataset import MIN_FACE, find_face
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.images import read_picture
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.calibration import load_calibration
from attrsearch.faces.recognition.facenet import FaceNet
from attrsearch.faces.recognition.sface import SFace
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.search.evaluator import Evaluator, Request
from attrsearch.search.space import person_space

CANDIDATES = 64
PARTS = ("edit", "detect", "embed")


def measured(evaluator: Evaluator, request: Request) -> tuple[float, dict[str, float]]:
    """Evaluations a second, and milliseconds of a thread for each by stage."""
    evaluator.seconds.clear()
    start = time.perf_counter()
    evaluator.evaluate([request])
    took = time.perf_counter() - start
    stages = {name: 1e3 * spent / CANDIDATES for name, spent in evaluator.seconds.items()}

    return CANDIDATES / took, stages


def main() -> None:
    """Print a Markdown table."""
    name = sys.argv[1] if len(sys.argv) > 1 else "anonymiser"
    recogniser = sys.argv[2] if len(sys.argv) > 2 else "facenet"
    pairs = int(sys.argv[3]) if len(sys.argv) > 3 else 9
    precision: Precision = sys.argv[4] if len(sys.argv) > 4 else "auto"  # type: ignore[assignment]
    path = sorted((sample_folder() / "astronaut").glob("*.jpg"))[0]
    compute_with("auto", "torch")
    face = find_face(read_picture(path), load_detector("mtcnn", MIN_FACE), Path("astronaut"))
    loaded = {}

    for engine in ("torch", "onnxruntime"):
        with computed_by(engine):
            editor = load_editor(name, precision)
            embedder = SFace(precision) if recogniser == "sface" else FaceNet(precision=precision)
            judge = CalibratedRecogniser(embedder, load_calibration(embedder.name))
            detector = load_detector("mtcnn", WINDOW_MIN_FACE)
            evaluator = Evaluator(editor, detector, [judge])
            subject, _ = evaluator.prepare([face])
            if subject is None:
                raise SystemExit("no face in the sample's window")

            room = person_space(load_space("one-pass"), "female")
            points = np.random.default_rng(0).uniform(
                room.low, room.high, (CANDIDATES, len(room.names))
            )
            request = Request(subject, room.attributes(points))
            evaluator.evaluate([request])
            loaded[engine] = (evaluator, request, str(editor.dtype), described())

    rates: dict[str, list[float]] = {engine: [] for engine in loaded}
    stages: dict[str, list[dict[str, float]]] = {engine: [] for engine in loaded}
    for _ in range(pairs):
        for engine, (evaluator, request, _, _) in loaded.items():
            rate, spent = measured(evaluator, request)
            rates[engine].append(rate)
            stages[engine].append(spent)

    print(f"editor {name}, recogniser {recogniser}, {threads()} threads, {pairs} pairs")
    print("| engine | device | editor in | evaluations/s | edit ms | detect ms | embed ms |")
    print("|---|---|---|---|---|---|---|")
    for engine, (_, _, dtype, where) in loaded.items():
        cells = [f"{np.median([row[part] for row in stages[engine]]):.2f}" for part in PARTS]
        median = np.median(rates[engine])
        print(f"| {engine} | {where} | {dtype} | {median:.1f} | " + " | ".join(cells) + " |")

    ratios = np.divide(rates["onnxruntime"], rates["torch"])
    low, middle, high = np.percentile(ratios, (25, 50, 75))
    print(f"onnxruntime over torch: {middle:.2f} (quartiles {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
