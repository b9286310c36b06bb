"""Things before a face, drawn so that their place is known: what a network learns to leave alone.

Every function takes a picture (h, w, 3), RGB, uint8, and the face's 68 landmarks (68, 2) in its
pixels, and gives the picture with the thing on it and its mask (h, w), 0 to 1.
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Drawn = tuple[Picture, Floats]

SUBPIXEL = 4
"""Fraction bits of the coordinates that OpenCV draws with."""


def paste_occluder(picture: Picture, landmarks: Floats, random: np.random.Generator) -> Drawn:
    """One thing before the face, of a kind that occurs.

    Hand, microphone, hair, mask, glasses, bar.
    """
    kinds = (_hand, _microphone, _strands, _mask, _glasses, _blob)
    kind: Callable[[Picture, Floats, np.random.Generator], Drawn] = kinds[
        int(random.choice(len(kinds), p=(0.24, 0.16, 0.2, 0.1, 0.2, 0.1)))
    ]
    return kind(picture, landmarks, random)


def _size(landmarks: Floats) -> float:
    """Distance between the middles of the eyes, in pixels."""
    left = landmarks[36:42].mean(0)
    right = landmarks[42:48].mean(0)
    # on a profile the eyes nearly meet, and everything would be drawn as specks
    return max(8.0, float(np.hypot(*(right - left))))


def _fixed(points: Floats) -> npt.NDArray[np.int32]:
    return np.round(points * (1 << SUBPIXEL)).astype(np.int32)


def _fill(shape: tuple[int, ...], polygons: list[Floats], blur: float) -> Floats:
    mask = np.zeros(shape[:2], np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [_fixed(polygon)], 255, cv2.LINE_AA, SUBPIXEL)

    softened = cv2.GaussianBlur(mask, (0, 0), blur) if blur > 0 else mask
    return _share(np.asarray(softened))


def _share(mask: Picture) -> Floats:
    """A mask of levels 0 to 255 as shares 0 to 1."""
    return np.asarray(mask, np.float32) * np.float32(1 / 255)


def _capsule(start: Floats, end: Floats, width: float) -> Floats:
    along = end - start
    angle = np.arctan2(along[1], along[0])
    turn = np.linspace(-np.pi / 2, np.pi / 2, 9) + angle
    cap = np.stack([np.cos(turn), np.sin(turn)], 1) * width / 2

    return np.concatenate([end + cap, start - cap]).astype(np.float32)


def _lay(picture: Picture, mask: Floats, layer: Floats) -> Drawn:
    mixed = picture + (layer - picture) * mask[..., None]
    return np.asarray(np.clip(np.round(mixed), 0, 255), np.uint8), mask


def _shaded(
    shape: tuple[int, ...], colour: Floats, random: np.random.Generator, amount: float = 25
) -> Floats:
    """A layer of one colour with soft light and grain."""
    height, width = shape[:2]
    coarse = random.normal(0, amount, (5, 5, 1)).astype(np.float32)
    light = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    grain = random.normal(0, random.uniform(1, 5), (height, width, 1))

    return np.asarray(colour + light + grain, np.float32)


def _skin_colour(picture: Picture, landmarks: Floats, random: np.random.Generator) -> Floats:
    """The colour of the face's own cheeks, a little lighter or darker."""
    middle = landmarks[[1, 15, 30]].mean(0)
    height, width = picture.shape[:2]
    x = int(np.clip(middle[0], 2, width - 3))
    y = int(np.clip(middle[1], 2, height - 3))
    colour = picture[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(0)

    return np.asarray(colour * random.uniform(0.75, 1.15) + random.normal(0, 6, 3), np.float32)


def _edge_point(landmarks: Floats, random: np.random.Generator, reach: float) -> Floats:
    centre = landmarks[30]
    angle = random.uniform(-0.3, np.pi + 0.3)
    return np.asarray(
        centre + _size(landmarks) * reach * np.array([np.cos(angle), np.sin(angle)]), np.float32
    )


def _hand(picture: Picture, landmarks: Floats, random: np.random.Generator) -> Drawn:
    """Two to five fingers from outside to somewhere on the lower face."""
    size = _size(landmarks)
    target = landmarks[random.integers(0, 68)] + random.normal(0, 0.2 * size, 2)
    root = _edge_point(landmarks, random, random.uniform(1.6, 2.4))
    across = np.array([-(target - root)[1], (target - root)[0]])
    across = across / max(1e-3, float(np.hypot(*across)))
    width = size * random.uniform(0.22, 0.36)
    fingers = []

    for number in range(int(random.integers(1, 6))):
        shift = across * width * number * random.uniform(0.9, 1.05)
        tip = target + shift + random.normal(0, 0.12 * size, 2)
        fingers.append(
            _capsule(np.asarray(root + shift * 0.7, np.float32), np.asarray(tip, np.float32), width)
        )

    mask = _fill(picture.shape, fingers, random.uniform(0.5, 1.2))
    layer = _shaded(picture.shape, _skin_colour(picture, landmarks, random), random, 18)
    # fingers are round: darker towards their borders
    edge = cv2.GaussianBlur(mask, (0, 0), 2.5)
    layer *= (0.72 + 0.28 * np.clip((edge - 0.5) * 2.5, 0, 1))[..., None]

    return _lay(picture, mask, layer)


def _microphone(picture: Picture, landmarks: Floats, random: np.random.Generator) -> Drawn:
    """A dark ball before chin or mouth, on a stick from below."""
    size = _size(landmarks)
    head = landmarks[random.choice([8, 57, 66, 6, 10, 48, 54])] + random.normal(0, 0.3 * size, 2)
    foot = head + size * np.array([random.uniform(-1.2, 1.2), random.uniform(1.2, 2.5)])
    radius = size * random.uniform(0.2, 0.45)
    stick = _capsule(
        np.asarray(head, np.float32),
        np.asarray(foot, np.float32),
        radius * random.uniform(0.8, 1.4),
    )
    ball = _capsule(np.asarray(head, np.float32), np.asarray(head + 0.1, np.float32), radius * 2)
    mask = _fill(picture.shape, [stick, ball], random.uniform(0.5, 1.2))
    shade = random.uniform(10, 90) if random.random() < 0.8 else random.uniform(90, 220)
    colour = np.asarray(shade + random.normal(0, 8, 3), np.float32)

    return _lay(picture, mask, _shaded(picture.shape, colour, random))


def _strands(picture: Picture, landmarks: Floats, random: np.random.Generator) -> Drawn:
    """Strands of hair over forehead or cheek."""
    size = _size(landmarks)
    mask = np.zeros(picture.shape[:2], np.uint8)
    middle = landmarks[[19, 24]].mean(0)
    up = middle - landmarks[33]
    up = up / max(1e-3, float(np.hypot(*up)))
    side = np.array([-up[1], up[0]])
    centre = random.uniform(-1.0, 1.0)
    spread = random.uniform(0.1, 0.9)

    for _ in range(int(random.integers(5, 40))):
        start = middle + size * (
            up * random.uniform(0.7, 1.4) + side * (centre + random.normal(0, spread))
        )
        bend = start + size * (-up * random.uniform(0.3, 0.9) + side * random.normal(0, 0.2))
        end = bend + size * (-up * random.uniform(0, 0.9) + side * random.normal(0, 0.3))
        points = []
        for t in np.linspace(0, 1, 9):
            points.append((1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t * t * end)

        curve = np.array(points)
        thickness = int(random.integers(1, 4))
        cv2.polylines(
            mask, [_fixed(curve.astype(np.float32))], False, 255, thickness, cv2.LINE_AA, SUBPIXEL
        )

    soft = _share(np.asarray(cv2.GaussianBlur(mask, (0, 0), random.uniform(0.4, 1.0))))
    palette = np.array(
        [[25, 20, 18], [60, 42, 30], [110, 80, 50], [180, 150, 100], [150, 150, 150]], np.float32
    )
    colour = palette[random.integers(len(palette))] * random.uniform(0.7, 1.2)
    return _lay(picture, soft, _shaded(picture.shape, np.asarray(colour, np.float32), random, 14))


def _mask(picture: Picture, landmarks: Floats, random: np.random.Generator) -> Drawn:
    """A cloth or surgical mask, or a scarf, from the nose down."""
    jaw = landmarks[random.integers(1, 4) : 17 - random.integers(1, 4)]
    nose = landmarks[random.choice([28, 29, 30, 33])]
    outer = jaw + (jaw - landmarks[33]) * random.uniform(0.02, 0.15)
    polygon = np.concatenate([outer, nose[None]]).astype(np.float32)
    mask = _fill(picture.shape, [polygon], random.uniform(0.5, 1.0))
    palette = np.array(
        [[150, 190, 215], [235, 235, 235], [30, 30, 34], [120, 30, 40], [60, 80, 140]], np.float32
    )
    colour = palette[random.integers(len(palette))] + random.normal(0, 12, 3)

    return _lay(picture, mask, _shaded(picture.shape, np.asarray(colour, np.float32), random, 20))


def _glasses(picture: Picture, landmarks: Floats, random: np.random.Generator) -> Drawn:
    """Frames of glasses; the lenses are clear, or dark as of sunglasses."""
    size = _size(landmarks)
    dark = random.random() < 0.25
    thickness = max(1, round(size * random.uniform(0.03, 0.1)))
    mask = np.zeros(picture.shape[:2], np.uint8)
    middles = []
    wide = size * random.uniform(0.36, 0.46)
    high = wide * random.uniform(0.6, 1.0)
    power = random.choice([2.0, 3.0, 5.0])
    turn = np.linspace(0, 2 * np.pi, 33)[:-1]
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    ring = np.sign(circle) * np.abs(circle) ** (2 / power)
    along = landmarks[42:48].mean(0) - landmarks[36:42].mean(0)
    along = along / max(1e-3, float(np.hypot(*along)))
    across = np.array([-along[1], along[0]])

    for eye in (slice(36, 42), slice(42, 48)):
        middle = landmarks[eye].mean(0) + across * high * random.uniform(0.0, 0.25)
        rim = middle + ring[:, :1] * wide * along + ring[:, 1:] * high * across
        shape = [_fixed(rim.astype(np.float32))]

        if dark:
            cv2.fillPoly(mask, shape, 255, cv2.LINE_AA, SUBPIXEL)

        cv2.polylines(mask, shape, True, 255, thickness, cv2.LINE_AA, SUBPIXEL)
        middles.append(middle)

    bridge = np.array([middles[0] + along * wide, middles[1] - along * wide]) - across * high * 0.3
    left = np.array(
        [middles[0] - along * wide - across * high * 0.3, landmarks[0] - along * 0.1 * size]
    )
    right = np.array(
        [middles[1] + along * wide - across * high * 0.3, landmarks[16] + along * 0.1 * size]
    )

    for line in (bridge, left, right):
        cv2.polylines(
            mask, [_fixed(line.astype(np.float32))], False, 255, thickness, cv2.LINE_AA, SUBPIXEL
        )

    soft = _share(np.asarray(cv2.GaussianBlur(mask, (0, 0), random.uniform(0.4, 0.8))))
    shade = random.uniform(5, 70) if random.random() < 0.75 else random.uniform(70, 200)
    colour = np.asarray(shade + random.normal(0, 15, 3), np.float32)
    return _lay(picture, soft, _shaded(picture.shape, colour, random, 15))


def _blob(picture: Picture, landmarks: Floats, random: np.random.Generator) -> Drawn:
    """A bar or a patch of any colour, or of the picture's own surroundings."""
    size = _size(landmarks)
    start = landmarks[random.integers(0, 68)] + random.normal(0, 0.3 * size, 2)
    end = _edge_point(landmarks, random, random.uniform(1.0, 2.5))
    shape = _capsule(
        np.asarray(start, np.float32), np.asarray(end, np.float32), size * random.uniform(0.15, 0.9)
    )
    mask = _fill(picture.shape, [shape], random.uniform(0.4, 1.5))

    if random.random() < 0.5:
        layer = np.asarray(np.roll(picture, picture.shape[0] // 2, 0)[:, ::-1], np.float32)
    else:
        layer = _shaded(picture.shape, np.asarray(random.uniform(10, 245, 3), np.float32), random)

    return _lay(picture, mask, layer)
