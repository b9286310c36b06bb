"""Edits of faces in frames, and how far each of several sets would take a face."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import AttributeSet
from attrsearch.core.picking import take
from attrsearch.editing.blending import cut_crop, edit_crops, paste
from attrsearch.editing.editor import Editor
from attrsearch.faces.alignment import CROP_TEMPLATE, similarity
from attrsearch.faces.sampling import to_editor
from attrsearch.video.choices import Place
from attrsearch.video.compositor import Edit
from attrsearch.video.trajectories import TrackedBox
from attrsearch.video.verification import FaceInFrame, RenderVerifier

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

REACH = 2.0
"""How far a recogniser's window reaches from the middle of a face, in widths of the face."""


def edit_faces(jobs: Sequence[tuple[Picture, TrackedBox, Editor, AttributeSet]]) -> list[Edit]:
    """Edits of faces in pictures (h, w, 3), all of an editor in one batch."""
    crops = []
    batches: dict[tuple[int, int], list[int]] = {}
    for i, (picture, face, editor, chosen) in enumerate(jobs):
        matrix = similarity(face.landmarks[None], CROP_TEMPLATE)[0]
        crops.append(cut_crop(picture, editor, matrix))
        # an export may mix sets of one pass and of two, which are no batch together
        batches.setdefault((id(editor), len(chosen.passes)), []).append(i)

    edits: dict[int, Edit] = {}
    for alike in batches.values():
        editor = jobs[alike[0]][2]
        taken = to_editor(take(crops, alike))
        layers = edit_crops(editor, taken, np.stack([jobs[i][3].passes for i in alike]))
        for i, layer in zip(alike, layers, strict=True):
            edits[i] = Edit(crops[i], layer)

    return take(edits, range(len(jobs)))


def try_sets(
    editors: Sequence[Editor],
    verifier: RenderVerifier,
    pictures: tuple[Picture, Picture],
    face: TrackedBox,
    sets: Mapping[Place, AttributeSet],
) -> dict[Place, float]:
    """Which sets would show a face of a frame far enough from its original, and at what distance.

    Much cheaper than to render all frames of a batch with one set after the other. What is shown
    in the end, after steadying and beside other faces, is compared all the same.

    Args:
        editors: Make the edits; one is asked only where no set is enough with those before it.
        verifier: Compares them.
        pictures: The frame (h, w, 3), and the same as edits are made from: other faces are hidden.
        face: The face; its landmarks are known.
        sets: What is tried, by place.

    Returns:
        Place to raw distance, of those that are far enough away.
    """
    frame, source = pictures

    for number, editor in enumerate(editors):
        own = {place: one for place, one in sets.items() if place[0] == number}
        if not own:
            continue

        edits = edit_faces([(source, face, editor, one) for one in own.values()])
        measured = zip(own, _distances(verifier, frame, face, edits), strict=True)
        enough = {place: apart for place, apart in measured if apart >= verifier.required}
        if enough:
            return enough

    return {}


def _distances(
    verifier: RenderVerifier, frame: Picture, face: TrackedBox, edits: Sequence[Edit]
) -> list[float]:
    """Raw distances of a face of a frame to each of its edits."""
    # a part of the frame is enough, and copies of it are small
    middle = (face.box[:2] + face.box[2:]) / 2
    reach = REACH * float((face.box[2:] - face.box[:2]).max())
    left, top = np.maximum(middle - reach, 0).astype(int)
    right, bottom = np.ceil(middle + reach).astype(int)
    around = np.ascontiguousarray(frame[top:bottom, left:right])

    corner = np.array([left, top], np.float32)
    landmarks = face.landmarks - corner
    box = face.box - np.tile(corner, 2)
    matrix = similarity(landmarks[None], CROP_TEMPLATE)[0]
    seen = []

    for edit in edits:
        shown = around.copy()
        paste(shown, edit.layer, matrix, 1.0, untouched=around)
        seen.append(FaceInFrame(around, shown, box, landmarks))

    return [float(distance) for distance in verifier.distances(seen)]
