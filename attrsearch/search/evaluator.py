"""The evaluator: measure candidate edits of people's faces, in batches that several people share.

For every pair of candidate and face: edit the aligned crop, blend it into the face's window,
detect, and embed the face that was found there.  No Optuna and no files here; the result depends on
the face and the candidate only, not on what else is in the batch.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from threading import Lock
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from attrsearch.core.chunks import chunks
from attrsearch.core.device import batch_size, device, exact_device
from attrsearch.core.parallel import in_parallel, network, threads
from attrsearch.core.picking import take
from attrsearch.core.recipes.study import PreFilter
from attrsearch.editing.editor import Editor
from attrsearch.editing.encoded import Encoded
from attrsearch.editing.filters import blur, cover, pixelate, plugged_filter
from attrsearch.editing.finish import Finish, finish, measure_finish
from attrsearch.faces.alignment import CROP_SIZE, WINDOW_SIZE, compose, invert, warp, zoom
from attrsearch.faces.dataset import AlignedFace, Picture
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.mtcnn import STEADY
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.calibration import distances
from attrsearch.faces.sampling import sampling_grid, to_editor
from attrsearch.faces.window_detection import detect_in_windows
from attrsearch.search.looks import Looks
from attrsearch.search.terms import FaceScores

Floats = npt.NDArray[np.float32]
T = TypeVar("T", bound=np.generic)

Pair = tuple[int, int, int]
CHUNK = 32
"""Pairs of candidate and face in a batch on the processor, at most."""
PAIR_BYTES = 32_000_000
"""Memory that a pair takes on its way through the networks, at most.

A GPU's batches follow from it.
"""


@dataclass(frozen=True)
class Subject:
    """A person's faces as the evaluator holds them.

    Everything that is the same for every candidate.

    Attributes:
        windows: (f, 3, 192, 192), float32 from 0 to 255.
        encoded: The editor's encoding of the aligned crops.
        grids: (f, 192, 192, 2), where each window pixel is read in the crop.
        masks: (f, 1, 192, 192), the blend.
        boxes: (f, 4), the face found in the untouched window.
        landmarks: (f, 5, 2), its landmarks.
        detection: (f,), its probability.
        embeddings: Recogniser to (f, d), of the untouched window.
        finishes: What the untouched window of each asks of its edits; empty where the editor's are
            not matched.
    """

    windows: Tensor
    encoded: Encoded
    grids: Tensor
    masks: Tensor
    boxes: Floats
    landmarks: Floats
    detection: Floats
    embeddings: dict[str, Floats]
    finishes: tuple[Finish, ...] = ()

    def __len__(self) -> int:
        return len(self.boxes)

    def __repr__(self) -> str:
        return f"Subject({len(self)} faces)"

    def take(self, indices: Sequence[int]) -> "Subject":
        """The chosen faces, in that order."""
        chosen = list(indices)
        embeddings = {name: rows[chosen] for name, rows in self.embeddings.items()}
        return Subject(
            windows=self.windows[chosen],
            encoded=self.encoded.take(chosen),
            grids=self.grids[chosen],
            masks=self.masks[chosen],
            boxes=self.boxes[chosen],
            landmarks=self.landmarks[chosen],
            detection=self.detection[chosen],
            embeddings=embeddings,
            finishes=tuple(take(self.finishes, chosen)) if self.finishes else (),
        )


@dataclass(frozen=True)
class Request:
    """Candidates to measure on a person: attributes (n, passes, 13)."""

    subject: Subject
    attributes: Floats


class Evaluator:
    """Measures edits.

    Args:
        editor: Makes them.
        detector: Finds faces in windows of 192 pixels (at least ``seen.WINDOW_MIN_FACE``).
        recognisers: One, or several for the worst over all; the first gives the raw distance.
        prefilter: Applied to the crop before the edit.
        critic: Judges how natural edits look; not asked where it is None.
        looks: Chooses among candidates of about the same worth; the best wins where it is None.
    """

    def __init__(
        self,
        editor: Editor,
        detector: Detector,
        recognisers: Sequence[CalibratedRecogniser],
        prefilter: PreFilter | None = None,
        critic: Critic | None = None,
        looks: Looks | None = None,
    ) -> None:
        self.editor = editor
        self.detector = detector
        self.recognisers = tuple(recognisers)
        self.prefilter = prefilter
        self.critic = critic
        self.looks = looks
        self.seconds: Counter[str] = Counter()
        """Thread time spent so far in ``edit``, ``detect``, ``embed``, ``critic`` and ``blend``."""
        self._clock = Lock()
        self._device = exact_device()
        self._chunk = batch_size(CHUNK, PAIR_BYTES, device())

    def prepare(self, faces: Sequence[AlignedFace]) -> tuple[Subject | None, list[int]]:
        """Detect, embed and encode untouched faces.

        Returns:
            The subject, and the indices of the faces it holds: a face that the detector does not
            find in its own window cannot be measured and is left out.  None where no face is left.
        """
        seen = detect_in_windows(faces, self.detector)
        kept = list(seen.kept)
        if not kept:
            return None, []

        own = self.editor.from_crop
        side = self.editor.size
        inverse = np.stack([compose(own, invert(faces[i].crop_to_window)) for i in kept])
        grids = sampling_grid(torch.from_numpy(inverse).to(self._device), WINDOW_SIZE, (side, side))
        encoded = self.editor.encode(to_editor([self._input(faces[i]) for i in kept]))
        # outside of the crop the mask is 0, as grid_sample pads: nothing is blended there
        masks = grid_sample(self.editor.masks(encoded).to(self._device), grids, align_corners=False)
        finishes: tuple[Finish, ...] = ()

        if self.editor.matched:
            pairs = zip(seen.windows, masks[:, 0].cpu().numpy(), strict=True)
            finishes = tuple(measure_finish(window, mask) for window, mask in pairs)

        subject = Subject(
            windows=_channels_first(seen.windows).to(self._device),
            encoded=encoded,
            grids=grids,
            masks=masks,
            boxes=seen.boxes,
            landmarks=seen.landmarks,
            detection=seen.probabilities,
            embeddings={scaled.name: seen.embed(scaled.recogniser) for scaled in self.recognisers},
            finishes=finishes,
        )
        return subject, kept

    def evaluate(self, requests: Sequence[Request]) -> list[FaceScores]:
        """Measure the candidates of several people together.

        Returns:
            For each request, scores (n, f).
        """
        pairs: list[Pair] = []
        for number, request in enumerate(requests):
            every = np.ndindex(len(request.attributes), len(request.subject))
            pairs += [(number, candidate, face) for candidate, face in every]

        tables = [np.zeros((6, len(r.attributes), len(r.subject)), np.float32) for r in requests]
        chunks = _divide(pairs, self._chunk)
        rows = in_parallel(
            lambda chunk: self._measure(requests, chunk, self._render(requests, chunk)), chunks
        )

        measured = chain.from_iterable(rows)
        for (number, candidate, face), row in zip(pairs, measured, strict=True):
            tables[number][:, candidate, face] = row

        return [FaceScores(*table) for table in tables]

    def render(self, request: Request) -> Picture:
        """The edited windows themselves, (n, f, 192, 192, 3), uint8."""
        n = len(request.attributes)
        f = len(request.subject)
        pairs = [(0, candidate, face) for candidate, face in np.ndindex(n, f)]
        chunks = _divide(pairs, self._chunk)
        parts = in_parallel(lambda chunk: self._render([request], chunk), chunks)

        return np.concatenate(parts).reshape(n, f, WINDOW_SIZE, WINDOW_SIZE, 3)

    def _input(self, face: AlignedFace) -> Picture:
        """The editor's crop of a face.

        One that is cut otherwise than the usual crop is cut from the window.
        """
        side = self.editor.size
        own = self.editor.from_crop
        if not np.array_equal(own, zoom(side)):
            placed = compose(own, invert(face.crop_to_window))
            return apply_prefilter(warp(face.window, placed, side), self.prefilter)

        filtered = apply_prefilter(face.crop, self.prefilter)
        return filtered if side == CROP_SIZE else _resize(filtered, side)

    @network
    def _render(self, requests: Sequence[Request], pairs: Sequence[Pair]) -> Picture:
        with self._timed("edit"):
            encoded = Encoded.join(
                [requests[n].subject.encoded.take([face]) for n, _, face in pairs]
            )
            attributes = np.stack([requests[n].attributes[candidate] for n, candidate, _ in pairs])
            edited = self.editor.edit(encoded, attributes).to(self._device)

        with self._timed("blend"):
            grids = torch.stack([requests[n].subject.grids[face] for n, _, face in pairs])
            masks = torch.stack([requests[n].subject.masks[face] for n, _, face in pairs])
            windows = torch.stack([requests[n].subject.windows[face] for n, _, face in pairs])
            smooth = edited.contiguous(memory_format=torch.channels_last)
            sampled = grid_sample(smooth, grids, padding_mode="border", align_corners=False)
            layer = (sampled + 1) * 127.5

            for edit, (n, _, face) in zip(layer, pairs, strict=True):
                finishes = requests[n].subject.finishes
                # all faces of an editor are matched, or none
                if finishes:
                    pixels = finish(edit.permute(1, 2, 0).cpu().numpy(), finishes[face])
                    edit.copy_(torch.from_numpy(pixels).permute(2, 0, 1))

            # rounded as a picture in a file is: what is measured is what will be shown
            blended = torch.lerp(windows, layer, masks).round_().clamp_(0, 255)
            return np.ascontiguousarray(blended.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())

    def _measure(
        self, requests: Sequence[Request], pairs: Sequence[Pair], windows: Picture
    ) -> Floats:
        """Scores (n, 6) of rendered windows, in the order of the fields of :class:`FaceScores`."""
        rows = np.zeros((len(pairs), 6), np.float32)
        # a face that is not found clears nothing: the least that a margin can be
        rows[:, 4] = -2.0

        with self._timed("detect"):
            # filled up, since the last bits of small batches depend on their size
            found = self.detector.detect(_at_least(windows, STEADY))

        hits = []
        boxes = []
        landmarks = []

        for i, (number, _, face) in enumerate(pairs):
            best, overlap = found[i].nearest(requests[number].subject.boxes[face])
            if best >= 0:
                rows[i, :2] = found[i].probabilities[best], overlap
                hits.append(i)
                boxes.append(found[i].boxes[best])
                landmarks.append(found[i].landmarks[best])

        if not hits:
            return rows

        with self._timed("critic"):
            # without a critic nobody objects to how an edit looks
            rows[hits, 5] = 1
            if self.critic is not None:
                natural = self.critic.windows(_at_least(windows[hits], STEADY))
                rows[hits, 5] = natural[: len(hits)]

        with self._timed("embed"):
            scaled_distances = []
            clearances = []

            seen = (
                _at_least(windows[hits], STEADY),
                _at_least(np.asarray(boxes), STEADY),
                _at_least(np.asarray(landmarks), STEADY),
            )

            for position, scaled in enumerate(self.recognisers):
                before = []
                for i in hits:
                    number, _, face = pairs[i]
                    before.append(requests[number].subject.embeddings[scaled.name][face])

                after = scaled.recogniser.embed(*seen)[: len(hits)]
                raw = distances(np.stack(before), after)
                scale = scaled.calibration.scale

                # distances of different recognisers cannot be mixed unscaled: the first gives it
                if position == 0:
                    rows[hits, 3] = raw

                scaled_distances.append(raw * scale)
                clearances.append((raw - scaled.calibration.verification) * scale)

            # the worst over all recognisers: an attacker chooses the one that sees through
            rows[hits, 2] = np.min(scaled_distances, 0)
            rows[hits, 4] = np.min(clearances, 0)

        return rows

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        # several threads add to it
        with self._clock:
            self.seconds[stage] += time.perf_counter() - start  # type: ignore[assignment]


def _divide(pairs: Sequence[Pair], most: int) -> list[Sequence[Pair]]:
    """Batches of at most ``most``, and at least one a thread while they stay worth it."""
    # smaller than a half, a batch costs more by the pair than idle threads do
    size = min(most, max(most // 2, -(-len(pairs) // threads())))
    return chunks(pairs, size)


def apply_prefilter(crop: Picture, prefilter: PreFilter | None) -> Picture:
    """Take detail away from a crop before the edit (thesis 3.1.5)."""
    if prefilter is None:
        return crop
    if prefilter.kind == "pixelate":
        return pixelate(crop, prefilter.size)
    if prefilter.kind == "blur":
        return blur(crop, prefilter.size)

    return plugged_filter("prefilter", prefilter.kind, crop, prefilter.size)


def hide_others(window: Picture, face: AlignedFace, mask: Tensor) -> Picture:
    """A window with the faces of other people covered, for a picture that will be shown.

    Args:
        window: (192, 192, 3), uint8; left as it is.
        face: Whose window it is, and where the others are.
        mask: (1, 192, 192), the person's own face, which is not covered.
    """
    shown = window.copy()
    for box in face.others:
        cover(shown, box, "blur")

    own = mask.permute(1, 2, 0).cpu().numpy()
    return np.asarray(np.round(shown + (window.astype(np.float32) - shown) * own), np.uint8)


def _at_least(rows: npt.NDArray[T], count: int) -> npt.NDArray[T]:
    """Rows filled up with copies of the first to ``count``: small batches give other last bits."""
    missing = count - len(rows)
    return np.concatenate([rows, rows[:1].repeat(missing, 0)]) if missing > 0 else rows


def _channels_first(windows: Picture) -> Tensor:
    return torch.from_numpy(windows).permute(0, 3, 1, 2).float()


def _resize(crop: Picture, side: int) -> Picture:
    import cv2  # noqa: PLC0415 - only for editors of another size

    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
