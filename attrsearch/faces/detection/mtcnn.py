"""MTCNN: facenet-pytorch's three networks, run over a whole batch of pictures at once.

Source: Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", 2016; networks and weights of facenet-pytorch 2.5.3.  The cascade between the networks is
our own because the search lives in it: facenet-pytorch cuts its candidate boxes one at a time, here
they are averaged from an integral image all together.  Boxes, probabilities and landmarks equal
facenet-pytorch's (a test compares them), and a picture's result does not depend on which other
pictures share its batch.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from attrsearch.core.compute import computing
from attrsearch.core.device import batch_size, exact_device
from attrsearch.core.engine import Run, on_engine
from attrsearch.core.parallel import network
from attrsearch.core.weights import file_sha256
from attrsearch.faces.detection.base import Detections, Floats, Pictures
from attrsearch.faces.detection.mtcnn_networks import load_onet, load_pnet, load_rnet, stage_file
from attrsearch.faces.detection.suppression import suppress

THRESHOLDS = (0.6, 0.7, 0.7)
LOW_THRESHOLDS = (0.6, 0.6, 0.6)
"""For an audit, which would rather look at a hand than overlook a face."""
FACTOR = 0.709
CHUNK = 32
STEADY = 16
"""Batches of at least this many give the same bits whatever their size; candidate boxes go through
a network in multiples of it.
"""


class Mtcnn:
    """The detector of the thesis.

    Args:
        min_face: Smallest face searched for, in pixels.
        thresholds: Probability a candidate needs to leave each of the three networks.
    """

    name = "mtcnn"

    def __init__(
        self, min_face: float = 20, thresholds: tuple[float, float, float] = THRESHOLDS
    ) -> None:
        self.min_face = min_face
        self.thresholds = thresholds
        self._device = exact_device()
        self._pnet = stage("pnet", self._device)
        self._rnet = stage("rnet", self._device)
        self._onet = stage("onet", self._device)

    @network
    def detect(self, pictures: Pictures) -> list[Detections]:
        """Find faces in pictures (n, h, w, 3), RGB, uint8."""
        found: list[Detections] = []
        # pixels as floats, their integral image, and the widest layer of the pyramid's first level
        size = batch_size(CHUNK, 100 * int(np.prod(pictures.shape[1:3])), self._device)

        for start in range(0, len(pictures), size):
            chunk = pictures[start : start + size]
            found += self._detect_chunk(chunk)

        return found

    def _detect_chunk(self, pictures: Pictures) -> list[Detections]:
        count, height, width = pictures.shape[:3]
        if count == 1:
            # a batch of one differs in the last bits from the same picture among others
            return self._detect_chunk(np.concatenate([pictures, pictures]))[:1]

        sent = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device)
        batch = sent.permute(0, 3, 1, 2).float()
        sums = _integral(batch)
        boxes, owner = self._propose(batch)

        boxes = _square(boxes)
        corners = _integer_corners(boxes, width, height)
        regression, probability = self._classify(self._rnet, sums, corners, owner, 24)[:2]
        keep = probability > self.thresholds[1]
        boxes = boxes[keep]
        owner = owner[keep]
        regression = regression[keep]
        probability = probability[keep]
        keep = _nms(boxes, probability, owner, 0.7)
        boxes = _square(_regress(boxes[keep], regression[keep]))
        owner = owner[keep]

        corners = _integer_corners(boxes, width, height)
        regression, probability, points = self._classify(self._onet, sums, corners, owner, 48)
        keep = probability > self.thresholds[2]
        boxes = boxes[keep]
        owner = owner[keep]
        probability = probability[keep]
        regression = regression[keep]
        points = points[keep]
        sides = boxes[:, 2:] - boxes[:, :2] + 1
        landmarks = (
            sides[:, None] * points.reshape(-1, 2, 5).transpose(1, 2) + boxes[:, None, :2] - 1
        )
        boxes = _regress(boxes, regression)
        arrays = tuple(part.cpu().numpy() for part in (boxes, probability, landmarks))
        owners = owner.cpu().numpy()

        found = []
        for i in range(count):
            own = owners == i
            found.append(_without_nested(*(array[own] for array in arrays)))

        return found

    def _propose(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Candidate boxes (m, 4) of the first network over a pyramid, and their pictures (m,)."""
        height, width = batch.shape[2:]
        scale = 12.0 / self.min_face
        boxes = []
        scores = []
        owners = []

        while min(height, width) * scale >= 12:
            small = interpolate(
                batch, size=(int(height * scale + 1), int(width * scale + 1)), mode="area"
            )
            regression, probability = self._pnet(_normalise(small))
            hits = (probability[:, 1] >= self.thresholds[0]).nonzero()
            owner, row, column = hits.unbind(1)
            score = probability[owner, 1, row, column]
            cell = torch.stack([column, row], 1).float()
            grid = torch.cat(
                [((2 * cell + 1) / scale).floor(), ((2 * cell + 12) / scale).floor()], 1
            )
            shift = regression[owner, :, row, column]
            keep = _nms(grid, score, owner, 0.5)
            boxes.append(torch.cat([grid, shift], 1)[keep])
            scores.append(score[keep])
            owners.append(owner[keep])
            # half the area a level
            scale *= FACTOR

        if not boxes:
            nothing = torch.zeros(0, 4, device=self._device)
            return nothing, torch.zeros(0, dtype=torch.long, device=self._device)

        both = torch.cat(boxes)
        owner = torch.cat(owners)
        keep = _nms(both[:, :4], torch.cat(scores), owner, 0.7)
        grid = both[keep, :4]
        shift = both[keep, 4:]
        owner = owner[keep]

        return grid + shift * (grid[:, 2:] - grid[:, :2]).repeat(1, 2), owner

    def _classify(
        self, net: Run, sums: Tensor, corners: Tensor, owner: Tensor, side: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Box regression (m, 4), face probability (m,) and landmarks (m, 10) of candidate boxes."""
        count = len(corners)
        patches = _normalise(_average_patches(sums, corners, owner, side))
        # filled up with zeros to a multiple that gives steady bits
        rows = -(-count // STEADY) * STEADY
        padded = torch.zeros(rows, 3, side, side, device=self._device).to(
            memory_format=torch.channels_last
        )
        padded[:count] = patches
        outputs = [net(part) for part in torch.split(padded, 512)] if count else []
        columns: list[Tensor] = [torch.cat(column)[:count] for column in zip(*outputs, strict=True)]
        if not columns:
            empty = torch.zeros(0, 10, device=self._device)
            return empty[:, :4], empty[:, 0], empty

        points = columns[1] if len(columns) == 3 else torch.zeros(count, 10, device=self._device)
        return columns[0], columns[-1][:, 1], points


def stage(name: str, where: torch.device) -> Run:
    """One of the three networks, as the engine runs it."""
    load = {"pnet": load_pnet, "rnet": load_rnet, "onet": load_onet}[name]
    side = {"pnet": 32, "rnet": 24, "onet": 48}[name]
    moving = {0: "n", 2: "h", 3: "w"} if name == "pnet" else {0: "n"}
    sha256 = file_sha256(stage_file(name)) if computing().engine != "torch" else ""

    return on_engine(load().to(where), name, sha256, [torch.zeros(2, 3, side, side)], moving)


def _normalise(pixels: Tensor) -> Tensor:
    return ((pixels - 127.5) * 0.0078125).to(memory_format=torch.channels_last)


def _nms(boxes: Tensor, scores: Tensor, owner: Tensor, threshold: float) -> Tensor:
    """Non-maximum suppression within each picture.

    In float64, so that neighbours in the batch do not matter; on the processor: few boxes, one
    after another.
    """
    kept = suppress(boxes.cpu().double(), scores.cpu().double(), owner.cpu(), threshold)
    return kept.to(boxes.device)


def _square(boxes: Tensor) -> Tensor:
    sides = boxes[:, 2:] - boxes[:, :2]
    longest = sides.amax(1, keepdim=True) if len(boxes) else sides[:, :1]
    low = boxes[:, :2] + sides * 0.5 - longest * 0.5
    return torch.cat([low, low + longest], 1)


def _regress(boxes: Tensor, regression: Tensor) -> Tensor:
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + regression * sides.repeat(1, 2)


def _integer_corners(boxes: Tensor, width: int, height: int) -> Tensor:
    """Boxes (m, 4) as int64, right and bottom exclusive, inside the picture and not empty."""
    whole = boxes.trunc().long()
    left = whole[:, 0].clamp(1, width) - 1
    top = whole[:, 1].clamp(1, height) - 1
    right = whole[:, 2].clamp(max=width)
    bottom = whole[:, 3].clamp(max=height)

    return torch.stack(
        [left, top, torch.maximum(right, left + 1), torch.maximum(bottom, top + 1)], 1
    )


def _integral(batch: Tensor) -> Tensor:
    """Sums of all pixels above and left, (n, h + 1, w + 1, 3).

    Whole numbers in the smallest exact float type.
    """
    count, channels, height, width = batch.shape
    # float32 holds whole numbers exactly up to 2^24
    exact = torch.float32 if height * width * 255 < 2**24 else torch.float64
    sums = torch.zeros(count, height + 1, width + 1, channels, dtype=exact, device=batch.device)
    sums[:, 1:, 1:] = batch.permute(0, 2, 3, 1).to(exact).cumsum(1).cumsum(2)

    return sums


def _average_patches(sums: Tensor, corners: Tensor, owner: Tensor, side: int) -> Tensor:
    """Cut boxes and average each to (m, 3, side, side): the bins of adaptive average pooling."""
    steps = torch.arange(side, device=sums.device)
    extent = corners[:, 2:] - corners[:, :2]
    begin = corners[:, :2, None] + (steps * extent[..., None]) // side
    end = corners[:, :2, None] + -((-(steps + 1) * extent[..., None]) // side)
    stride = sums.shape[2]
    rows = owner[:, None] * (sums.shape[1] * stride)
    top = rows + begin[:, 1] * stride
    bottom = rows + end[:, 1] * stride
    left = begin[:, 0]
    right = end[:, 0]
    flat = sums.view(-1, 3)

    def at(row: Tensor, column: Tensor) -> Tensor:
        return flat.index_select(0, (row[:, :, None] + column[:, None, :]).reshape(-1))

    # a sum over a rectangle from four corners of the integral image
    total = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left)
    pixels = ((bottom - top) // stride)[:, :, None] * (right - left)[:, None, :]
    mean = total.view(-1, side, side, 3) / pixels[..., None]
    return mean.float().permute(0, 3, 1, 2)


def _without_nested(boxes: Floats, probabilities: Floats, landmarks: Floats) -> Detections:
    """Of boxes that mostly contain one another keep the surest.

    The measure is the intersection over the smaller area, 0.7.
    """
    order = np.argsort(-probabilities, kind="stable")
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    areas = sides[:, 0] * sides[:, 1]
    kept: list[int] = []

    for i in order:
        low = np.maximum(boxes[i, :2], boxes[kept, :2])
        high = np.minimum(boxes[i, 2:], boxes[kept, 2:])
        shared = np.maximum(high - low + 1, 0).prod(1)

        if not (shared / np.minimum(areas[i], areas[kept]) > 0.7).any():
            kept.append(int(i))

    return Detections(boxes[kept], probabilities[kept], landmarks[kept].astype(np.float32))
