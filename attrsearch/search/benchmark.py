"""How fast the batched evaluator is, as a ratio to the same work done the thesis's way, in one run.

The thesis's program edits one candidate at a time in fp32: detect, crop, edit, paste, detect, crop,
edit, paste, detect, embed (its algorithm 2 and section 4.2), every step on the whole picture.  Both
ways use the same two-pass edit, detector and recogniser on one face of one picture of 250 pixels.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from attrsearch.core.allocation import keep_freed_memory
from attrsearch.core.compute import computed_by
from attrsearch.core.errors import InputError
from attrsearch.core.parallel import set_threads, threads
from attrsearch.core.recipes.objective import load_objective
from attrsearch.core.recipes.space import load_space
from attrsearch.core.recipes.study import Sampler
from attrsearch.core.sample import sample_folder
from attrsearch.editing.blending import paste, plain_layer, uncrop
from attrsearch.editing.checkpoints import load_checkpoint
from attrsearch.editing.editor import load_editor
from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE, similarity, warp
from attrsearch.faces.dataset import (
    MIN_FACE,
    AlignedFace,
    Floats,
    Picture,
    cut_face,
    detect_reduced,
    prominence,
)
from attrsearch.faces.detection.base import Detections
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.images import read_picture
from attrsearch.faces.recognition.base import Recogniser
from attrsearch.faces.recognition.facenet import FaceNet
from attrsearch.faces.recognition.load import load_recogniser
from attrsearch.faces.recognition.sface import SFace
from attrsearch.faces.sampling import to_editor
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.search.evaluator import CHUNK, Evaluator, Request, Subject
from attrsearch.search.objective import aggregate
from attrsearch.search.space import person_space
from attrsearch.search.study import PersonStudy

STUDIES = 8
TRIALS = 32
SINGLES = 12
STAGES = ("edit", "detect", "embed", "optimiser", "other")
COMPARED = ("facenet", "sface")
"""Recognisers whose cost is shown."""


@dataclass(frozen=True)
class Benchmark:
    """Medians over the repeats.

    Attributes:
        evaluations_per_second: Of the batched evaluator with its optimiser.
        one_at_a_time_per_second: Of the thesis's way.
        ratio: The first over the second, the median of the pairs.
        shares: Share of the batched time by stage; they sum to 1.
        gflop: Arithmetic of one candidate, in thousand million operations.
        peak: The machine's measured bf16 (or fp32) matrix speed, GFLOP/s.
        cores: Threads used.
        dtype: What the editor runs in.
        recogniser: What both ways embed with.
        embedding_ms: Milliseconds a face takes in a batch of 32 on one thread, for each recogniser
            beside the other.
    """

    evaluations_per_second: float
    one_at_a_time_per_second: float
    ratio: float
    shares: dict[str, float]
    gflop: float
    peak: float
    cores: int
    dtype: str
    recogniser: str
    embedding_ms: dict[str, float]

    @property
    def limit_per_second(self) -> float:
        """Evaluations a second if arithmetic at the measured peak were all there is."""
        return self.peak / self.gflop

    def record(self) -> dict[str, Any]:
        """What ``attrsearch bench --json`` prints."""
        fields = dict(vars(self))
        for name, value in fields.items():
            if isinstance(value, float):
                fields[name] = round(value, 4)

        for table in ("shares", "embedding_ms"):
            fields[table] = {name: round(value, 4) for name, value in getattr(self, table).items()}

        return {**fields, "limit_per_second": round(self.limit_per_second, 2)}


def bench(picture: Path | None = None, repeats: int = 5, recogniser: str = "facenet") -> Benchmark:
    """Measure both ways in turn on one face.

    Args:
        picture: A picture of one person; the bundled sample's where it is not given.
        repeats: How many times each way is timed, alternating.
        recogniser: ``facenet`` or ``sface``.

    Raises:
        InputError: No face in the picture.
    """
    keep_freed_memory()
    source = picture or sorted((sample_folder() / "astronaut").glob("*.jpg"))[0]
    image = read_picture(source)
    found = detect_reduced(image, load_detector("mtcnn", MIN_FACE))
    if not len(found):
        raise InputError(
            source, required="a picture of a face", found="no face", hint="give another picture"
        )

    chosen = int(prominence(found, image.shape[1], image.shape[0]).argmax())
    face = cut_face(image, found, chosen, source)
    evaluator, subject = _prepared(face, recogniser)

    # the thesis's way is torch's, and arithmetic is counted in torch
    with computed_by("torch"):
        single = OneAtATime(image, found.boxes[chosen], recogniser)
        gflop = _gflop(*_prepared(face, recogniser))

    batched: list[tuple[float, dict[str, float]]] = []
    alone: list[float] = []
    # once before the clock runs: what is loaded or compiled at first use is not measured
    _batched(evaluator, subject, trials=4)
    single.time(1)

    for _ in range(repeats):
        batched.append(_batched(evaluator, subject, TRIALS))
        # in turn: whatever slows the machine down slows both
        alone.append(single.time(SINGLES))

    rates = [rate for rate, _ in batched]
    shares = {}
    for name in STAGES:
        shares[name] = float(np.median([share[name] for _, share in batched]))

    embedding_ms = {}
    for name in COMPARED:
        embedding_ms[name] = _embedding_ms(load_recogniser(name).recogniser, image, found)

    total = sum(shares.values())
    return Benchmark(
        evaluations_per_second=float(np.median(rates)),
        one_at_a_time_per_second=float(np.median(alone)),
        # of each pair by itself, which ran in the same minute
        ratio=float(np.median([a / b for a, b in zip(rates, alone, strict=True)])),
        shares={name: value / total for name, value in shares.items()},
        gflop=gflop,
        peak=_peak(evaluator.editor.dtype),
        cores=threads(),
        dtype=str(evaluator.editor.dtype).removeprefix("torch."),
        recogniser=recogniser,
        embedding_ms=embedding_ms,
    )


def _prepared(face: AlignedFace, recogniser: str) -> tuple[Evaluator, Subject]:
    """The batched evaluator, and a face as it holds it.

    Raises:
        InputError: The face is not found in its window.
    """
    detector = load_detector("mtcnn", WINDOW_MIN_FACE)
    evaluator = Evaluator(load_editor("base"), detector, [load_recogniser(recogniser)])
    subject, _ = evaluator.prepare([face])

    if subject is None:
        raise InputError(
            face.source,
            required="a clear face",
            found="none in its window",
            hint="give another picture",
        )

    return evaluator, subject


def _batched(evaluator: Evaluator, subject: Subject, trials: int) -> tuple[float, dict[str, float]]:
    """Evaluations a second of several studies in lock-step, and the share of each stage."""
    space = person_space(load_space("thesis10"), "female")
    objective = load_objective("utility_product")
    studies = [PersonStudy(space, Sampler(), 1, trials, seed) for seed in range(STUDIES)]
    evaluator.seconds.clear()
    start = time.perf_counter()
    optimiser = 0.0

    while studies[0].remaining:
        begin = time.perf_counter()
        requests = [Request(subject, study.ask()) for study in studies]
        optimiser += time.perf_counter() - begin
        scores = evaluator.evaluate(requests)
        begin = time.perf_counter()

        for study, score in zip(studies, scores, strict=True):
            study.tell(aggregate(objective, score))

        optimiser += time.perf_counter() - begin

    took = time.perf_counter() - start
    seconds = {}
    # of all threads together: shared out, so that it can be taken off the wall clock
    for name in ("edit", "detect", "embed"):
        seconds[name] = float(evaluator.seconds[name]) / threads()

    seconds["optimiser"] = optimiser
    seconds["other"] = max(0.0, took - sum(seconds.values()))

    return STUDIES * trials / took, {name: value / took for name, value in seconds.items()}


class OneAtATime:
    """The thesis's way: facenet-pytorch's MTCNN on the whole picture, fp32, one by one."""

    def __init__(self, picture: Picture, box: Floats, recogniser: str) -> None:
        from facenet_pytorch import MTCNN  # noqa: PLC0415 - only here is it wanted whole

        self._picture = picture
        self._box = box
        self._mtcnn = MTCNN(keep_all=True, device="cpu")
        self._generator = load_checkpoint("base").generator
        self._recogniser: Recogniser = (
            SFace("fp32") if recogniser == "sface" else FaceNet(recogniser, None, "fp32")
        )
        self._space = person_space(load_space("thesis10"), "female")
        self._random = np.random.default_rng(0)

    def time(self, candidates: int) -> float:
        """Evaluations a second over some random candidates."""
        start = time.perf_counter()
        for _ in range(candidates):
            point = self._random.uniform(self._space.low, self._space.high)
            self.evaluate(self._space.attributes(point)[0])

        return candidates / (time.perf_counter() - start)

    @torch.inference_mode()
    def evaluate(self, passes: Floats) -> tuple[float, float, float]:
        """Detection probability, IoU and raw distance of one candidate (passes, 13)."""
        picture = self._picture.copy()
        _, box, landmarks = self._detect(picture)
        before = self._embed(picture, box, landmarks)

        for values in passes:
            matrix = similarity(landmarks[None], CROP_TEMPLATE)[0]
            crop = to_editor([warp(picture, matrix, CROP_SIZE)]).contiguous()
            edited = self._generator(crop, torch.from_numpy(values[None]))
            paste(picture, plain_layer(uncrop(edited.numpy())[0]), matrix)
            probability, after, landmarks = self._detect(picture)

        overlap = Detections(after[None], np.ones(1, np.float32), landmarks[None]).nearest(box)[1]
        return (
            probability,
            overlap,
            float(np.linalg.norm(before - self._embed(picture, after, landmarks))),
        )

    def _detect(self, picture: Picture) -> tuple[float, Floats, Floats]:
        boxes, probabilities, points = self._mtcnn.detect(picture, landmarks=True)
        if boxes is None:
            return 0.0, self._box, np.array(CROP_TEMPLATE)

        found = Detections(
            np.asarray(boxes, np.float32),
            np.asarray(probabilities, np.float32),
            np.asarray(points, np.float32),
        )
        best = max(0, found.nearest(self._box)[0])
        return float(found.probabilities[best]), found.boxes[best], found.landmarks[best]

    def _embed(self, picture: Picture, box: Floats, landmarks: Floats) -> Floats:
        rows = self._recogniser.embed(picture[None], box[None], landmarks[None])
        return np.asarray(rows[0], np.float32)


def _embedding_ms(recogniser: Recogniser, picture: Picture, found: Detections) -> float:
    """Milliseconds of processor time a face, at the best of several batches."""
    pictures = np.repeat(picture[None], CHUNK, 0)
    boxes = found.boxes[:1].repeat(CHUNK, 0)
    landmarks = found.landmarks[:1].repeat(CHUNK, 0)
    best = float("inf")

    for _ in range(4):
        # of this thread alone: other processes of the machine do not count
        start = time.thread_time()
        recogniser.embed(pictures, boxes, landmarks)
        best = min(best, time.thread_time() - start)

    return 1e3 * best / CHUNK


def _gflop(evaluator: Evaluator, subject: Subject) -> float:
    """Arithmetic of one candidate: edit, detection and embedding, counted over a full batch."""
    space = person_space(load_space("thesis10"), "female")
    points = np.random.default_rng(0).uniform(space.low, space.high, (CHUNK, len(space.names)))
    before = threads()
    set_threads(1)  # the counter sees its own thread only

    with FlopCounterMode(display=False) as counter:
        evaluator.evaluate([Request(subject, space.attributes(points))])

    set_threads(before)
    return float(counter.get_total_flops()) / CHUNK / 1e9


def _peak(dtype: torch.dtype) -> float:
    """Measured speed of a large matrix product, GFLOP/s, the best of several."""
    size = 2048
    first = torch.ones(size, size, dtype=dtype)
    second = torch.ones(size, size, dtype=dtype)
    best = float("inf")

    for _ in range(6):
        start = time.perf_counter()
        _ = first @ second
        best = min(best, time.perf_counter() - start)

    return 2 * size**3 / best / 1e9
