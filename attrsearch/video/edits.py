"""Edits of faces in frames, and how far each of several sets would take a face."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import AttributeSet
from attrsearch.editing.blending import cut_crop, edit_crops, paste
from attrsearch.editing.editor import Editor
from attrsearch.faces.alignment import CROP_TEMPLATE, similarity
from attrsearch.faces.sampling import to_editor
from attrsearch.video.compositor import Edit
from attrsearch.video.trajectories import TrackedBox
from attrsearch.video.verification import FaceInFrame, RenderVerifier

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

REACH = 2.0
"""How far a recogniser's window reaches from the middle of a face, in widths of the face."""


def edit_faces(
    editor: Editor, jobs: Sequence[tuple[Picture, TrackedBox, AttributeSet]]
) -> list[Edit]:
    """Edits of faces in pictures (h, w, 3), all in one batch."""
    crops = []
    passes = []
    for picture, face, chosen in jobs:
        matrix = similarity(face.landmarks[None], CROP_TEMPLATE)[0]
        crops.append(cut_crop(picture, editor, matrix))
        passes.append(chosen.passes)

    edits: dict[int, Edit] = {}
    # an export may mix sets of one pass and of two, which are no batch together
    for count in sorted({len(item) for item in passes}):
        alike = [i for i, item in enumerate(passes) if len(item) == count]
        taken = to_editor([crops[i] for i in alike])
        layers = edit_crops(editor, taken, np.stack([passes[i] for i in alike]))
        for i, layer in zip(alike, layers, strict=True):
            edits[i] = Edit(crops[i], layer)

    return [edits[i] for i in range(len(jobs))]


def try_sets(
    editor: Editor,
    verifier: RenderVerifier,
    pictures: tuple[Picture, Picture],
    face: TrackedBox,
    sets: Mapping[int, AttributeSet],
) -> dict[int, float]:
    """Which sets would show a face of a frame far enough from its original, and at what distance.

    Much cheaper than to render all frames of a batch with one set after the other. What is shown
    in the end, after steadying and beside other faces, is compared all the same.

    Args:
        editor: Makes the edits.
        verifier: Compares them.
        pictures: The frame (h, w, 3), and the same as edits are made from: other faces are hidden.
        face: The face; its landmarks are known.
        sets: What is tried, by any numbers.

    Returns:
        Number to raw distance, of those that are far enough away.
    """
    if not sets:
        return {}

    frame, source = pictures
    edits = edit_faces(editor, [(source, face, one) for one in sets.values()])

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

    distances = zip(sets, map(float, verifier.distances(seen)), strict=True)
    return {number: distance for number, distance in distances if distance >= verifier.required}
