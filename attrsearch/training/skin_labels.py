"""Where the skin of a face is, by its 68 landmarks and the picture's own colours.

Labels for face parsing.

Below the brows the jaw's outline decides. Above them nobody gives landmarks, so GrabCut divides
forehead from hair by colour, within an arc as high above the brows as a forehead can be.
"""

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

RISE = 0.8
"""How far above the brows a forehead may reach, in distances between the eyes."""
ARC = np.array([0.45, 0.75, 0.95, 1, 1, 1, 1, 0.95, 0.75, 0.45], np.float32)[:, None]
"""How much of that rise each of the ten brow landmarks has: the forehead is round."""
CORE = 0.82
"""Share of the way from the nose to the jaw within which everything is skin."""
ROUNDS = 2
"""Iterations of GrabCut."""
HOLES = 600
"""Pixels of the largest hole that is filled: eyes, mouth, a mole."""
OUTSIDE = 50
"""GrabCut needs at least so many pixels that are no face to learn the surroundings from."""


def skin_label(picture: Picture, landmarks: Floats) -> Picture:
    """The visible skin (h, w), 0 or 1, of a face.

    Args:
        picture: (h, w, 3), RGB, uint8; about 90 pixels are enough.
        landmarks: (68, 2), pixels of the picture.
    """
    whole, lower, core = _regions(picture.shape[:2], landmarks)
    ring = cv2.dilate(whole, np.ones((5, 5), np.uint8))
    guess = np.full(whole.shape, cv2.GC_BGD, np.uint8)
    guess[ring > 0] = cv2.GC_PR_BGD
    guess[whole > 0] = cv2.GC_PR_FGD
    guess[core > 0] = cv2.GC_FGD
    if int((guess == cv2.GC_BGD).sum()) < OUTSIDE:
        return np.asarray(whole | core, np.uint8)

    colours = np.zeros((1, 65)), np.zeros((1, 65))
    plain = np.ascontiguousarray(picture)
    try:
        cv2.grabCut(plain, guess, None, *colours, ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # one colour everywhere: nothing to divide by
        return whole

    found = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) | lower
    found &= cv2.dilate(whole, np.ones((3, 3), np.uint8))
    smooth = cv2.medianBlur(found * 255, 7) > 127
    return _without_holes(_piece_at(smooth.astype(np.uint8), landmarks[30]))


def _regions(shape: tuple[int, ...], landmarks: Floats) -> tuple[Picture, Picture, Picture]:
    """Masks of the face with its forehead, of the face below the brows, and of sure skin."""
    left = landmarks[36:42].mean(0)
    right = landmarks[42:48].mean(0)
    height = 0.55 * float(np.hypot(*(landmarks[8] - landmarks[27])))
    eyes = max(20.0, float(np.hypot(*(right - left))), height)
    up = landmarks[27] - landmarks[8]
    up = up / max(1e-3, float(np.hypot(*up)))

    jaw = landmarks[:17]
    brows = landmarks[17:27]
    forehead = brows + up * RISE * eyes * ARC
    temples = up * 0.35 * eyes
    outline = np.concatenate([jaw, [jaw[16] + temples], forehead[::-1], [jaw[0] + temples]])
    whole = _fill(shape, outline)
    whole = np.asarray(
        cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), np.uint8
    )
    lower = _fill(shape, np.concatenate([jaw, brows[::-1]]))
    nose = landmarks[30]
    inner = np.concatenate([nose + (jaw[2:15] - nose) * CORE, brows]).astype(np.float32)
    core = _fill(shape, np.asarray(cv2.convexHull(inner)[:, 0], np.float32))

    return whole, lower, core


def _fill(shape: tuple[int, ...], outline: Floats) -> Picture:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
    return mask


def _piece_at(mask: Picture, point: Floats) -> Picture:
    """The connected piece of a mask that holds a point; the whole mask where none does."""
    count, pieces = cv2.connectedComponents(mask)
    if count <= 2:
        return mask

    y = int(np.clip(point[1], 0, mask.shape[0] - 1))
    x = int(np.clip(point[0], 0, mask.shape[1] - 1))
    chosen = pieces[y, x]
    return (pieces == chosen).astype(np.uint8) if chosen > 0 else mask


def _without_holes(mask: Picture) -> Picture:
    """The mask with its small holes filled."""
    height, width = mask.shape
    filled = mask.copy()
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(1 - mask)

    for number in range(1, count):
        x, y, wide, high, pixels = stats[number]
        inside = x > 0 and y > 0 and x + wide < width and y + high < height
        if inside and pixels < HOLES:
            filled[pieces == number] = 1

    return filled
