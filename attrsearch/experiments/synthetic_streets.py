"""Streets that do not exist, with exact ground truth.

Heads on known paths, turning, growing, hidden at known frames.

The heads are the bundled sample's (public domain, or made by our editor).  Paths are ``static``
(people who stand), ``medium`` (who walk) or ``dynamic`` (who run and cycle), as in the thesis's
three videos (section 4.4).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from attrsearch.core.sample import sample_folder
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.images import read_picture
from attrsearch.video.io.boxes_file import LabelledBox

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]
Motion = Literal["static", "medium", "dynamic"]

SPEEDS: dict[Motion, float] = {"static": 0.15, "medium": 4.0, "dynamic": 14.0}
"""Typical speed, pixels a frame, of heads of about 70 pixels."""
HEAD = 150.0
VISIBLE = 0.5
"""A face of which less is visible is neither right to find nor wrong to miss."""


@dataclass(frozen=True)
class Walker:
    """One person's way through the frames; arrays over frames.

    Attributes:
        centre: (n, 2), pixels.
        width: (n,), of the face box, pixels.
        angle: (n,), degrees, how far the head leans.
        visible: (n,), share of the face box that is in the frame and not behind something.
    """

    centre: Floats
    width: Floats
    angle: Floats
    visible: Floats

    def box(self, frame: int) -> npt.NDArray[np.float32]:
        """The face box (4,) in a frame."""
        half = np.array([self.width[frame], self.width[frame] * 1.25]) / 2
        return np.concatenate([self.centre[frame] - half, self.centre[frame] + half]).astype(
            np.float32
        )


@dataclass(frozen=True)
class Street:
    """A made-up street.

    Attributes:
        size: Width and height in pixels.
        frames: How many.
        walkers: Its people.
        posts: Left and right edges (k, 2) of posts that people pass behind, pixels.
    """

    size: tuple[int, int]
    frames: int
    walkers: tuple[Walker, ...]
    posts: Floats

    def truth(self) -> dict[int, list[LabelledBox]]:
        """Visible faces of every frame; the track is the walker's number."""
        return self._boxes(lambda visible: visible >= VISIBLE)

    def ignored(self) -> dict[int, list[LabelledBox]]:
        """Faces of every frame that are in it but hidden by more than half."""
        return self._boxes(lambda visible: 0 < visible < VISIBLE)

    def _boxes(self, wanted: Callable[[float], bool]) -> dict[int, list[LabelledBox]]:
        """Faces of every frame whose visible share is wanted."""
        boxes: dict[int, list[LabelledBox]] = {}
        for frame in range(self.frames):
            boxes[frame] = []
            for number, walker in enumerate(self.walkers):
                if wanted(float(walker.visible[frame])):
                    boxes[frame].append(LabelledBox(_tuple(walker.box(frame)), number))

        return boxes

    def render(self, seed: int = 0) -> Iterator[Picture]:
        """Its frames (h, w, 3), RGB, uint8."""
        heads = load_heads()
        background = _background(self.size, seed)

        for frame in range(self.frames):
            picture = background.copy()
            # who is larger is nearer, and covers those behind
            order = sorted(range(len(self.walkers)), key=lambda i: self.walkers[i].width[frame])
            for number in order:
                _draw_head(picture, heads[number % len(heads)], self.walkers[number], frame)

            for left, right in self.posts.astype(int):
                picture[:, max(0, left) : right] = background[:, max(0, left) : right] // 2

            yield picture


def make_street(
    motion: Motion,
    *,
    people: int = 6,
    frames: int = 150,
    size: tuple[int, int] = (960, 540),
    seed: int = 0,
) -> Street:
    """Make a street up.

    Args:
        motion: How people move.
        people: How many.
        frames: How many.
        size: Width and height in pixels.
        seed: Decides everything.
    """
    random = np.random.default_rng([seed, list(SPEEDS).index(motion)])
    posts = np.sort(random.uniform(0.2, 0.8, 2)) * size[0]
    edges = np.stack([posts, posts + random.uniform(0.03, 0.05, 2) * size[0]], 1)
    walkers = []
    for _ in range(people):
        walkers.append(_walk(random, SPEEDS[motion], frames, size, edges))

    return Street(size, frames, tuple(walkers), edges)


def _walk(
    random: np.random.Generator, speed: float, frames: int, size: tuple[int, int], posts: Floats
) -> Walker:
    time = np.arange(frames)
    width = random.uniform(40, 85) * np.exp(
        random.uniform(-0.003, 0.003) * time * min(1.0, speed / 4)
    )
    # nearer people are larger and cross the picture faster
    direction = random.choice([-1.0, 1.0])
    pace = speed * random.uniform(0.7, 1.4) * (width.mean() / 62)
    # people who cross enter at their own times: someone is always coming, and someone always gone
    path = pace * frames
    start = random.uniform(0.1, 0.9) * size[0] - direction * path * random.uniform(0.2, 0.8)
    sway = random.uniform(0, 0.25, 2) * pace
    phase = random.uniform(0, 2 * np.pi, 3)
    x = start + direction * pace * time + sway[0] * np.sin(time / 9 + phase[0])
    y = random.uniform(0.3, 0.75) * size[1] + 4 * min(pace, 4) * np.sin(time / 14 + phase[1])
    angle = random.uniform(3, 12) * np.sin(time / 22 + phase[2])
    left = x - width / 2
    right = x + width / 2
    inside = np.clip(np.minimum(right, size[0]) - np.maximum(left, 0), 0, None)
    hidden = np.zeros(frames)
    for begin, end in posts:
        hidden += np.clip(np.minimum(right, end) - np.maximum(left, begin), 0, None)

    return Walker(np.stack([x, y], 1), width, angle, np.clip((inside - hidden) / width, 0, 1))


@dataclass(frozen=True)
class Head:
    """A head cut out of its picture.

    Attributes:
        picture: (h, w, 3).
        alpha: (h, w), 0 to 1.
        centre: Of the face box, pixels.
        width: Of the face box, pixels.
    """

    picture: Picture
    alpha: npt.NDArray[np.float32]
    centre: Floats
    width: float


def load_heads() -> list[Head]:
    """The heads of the bundled sample.

    The first look at each person, then the second, and so on.
    """
    heads = []
    detector = Mtcnn(40)
    people = [sorted(folder.glob("*.jpg")) for folder in sorted(sample_folder().glob("*/"))]
    # so, a street of as many people as the sample has shows each of them once
    looks = chain.from_iterable(zip_longest(*people))

    for path in looks:
        # whoever has fewer pictures than the others leaves gaps in the later rows
        if path is None:
            continue

        picture = read_picture(path)
        box = detector.detect(picture[None])[0].boxes[0].astype(np.float64)
        centre = (box[:2] + box[2:]) / 2
        width = float(box[2] - box[0])
        y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
        # an ellipse about the head, higher than wide, whose middle is above that of the face box
        radius = np.hypot(
            (x - centre[0]) / (width * 1.0), (y - centre[1] + width * 0.15) / (width * 1.25)
        )
        alpha = np.clip((1.0 - radius) / 0.12, 0, 1).astype(np.float32)
        heads.append(Head(picture, alpha, centre, width))

    return heads


def _draw_head(picture: Picture, head: Head, walker: Walker, frame: int) -> None:
    scale = float(walker.width[frame]) / head.width
    centre = walker.centre[frame]
    height, width = picture.shape[:2]
    reach = HEAD * scale
    if not (-reach < centre[0] < width + reach and -reach < centre[1] < height + reach):
        return

    matrix = cv2.getRotationMatrix2D(
        (float(head.centre[0]), float(head.centre[1])), float(walker.angle[frame]), scale
    )
    # the rotation keeps the head's centre where it was; it is to be where the walker is
    matrix[:, 2] += centre - head.centre
    layer = cv2.warpAffine(
        head.picture, matrix, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    alpha = cv2.warpAffine(head.alpha, matrix, (width, height))[..., None]
    picture[:] = np.round(picture + (layer.astype(np.float32) - picture) * alpha).astype(np.uint8)


def _background(size: tuple[int, int], seed: int) -> Picture:
    """A wall with texture, so that a detector has something to be wrong about."""
    random = np.random.default_rng(seed)
    width, height = size
    coarse = random.uniform(90, 170, (height // 60 + 2, width // 60 + 2, 3)).astype(np.float32)
    fine = random.uniform(-12, 12, (height, width, 1)).astype(np.float32)
    wall = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) + fine

    return np.asarray(np.clip(wall, 0, 255), np.uint8)


def _tuple(box: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    left, top, right, bottom = map(float, box)
    return left, top, right, bottom
