"""The attacker owns attrsearch: edits of any faces with any attribute sets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from attrsearch.core.attributes import Gender
from attrsearch.core.device import exact_device
from attrsearch.core.errors import InputError
from attrsearch.core.logs import collected
from attrsearch.core.parallel import network
from attrsearch.core.picking import take
from attrsearch.core.recipes.space import Space
from attrsearch.editing.editor import Editor
from attrsearch.evaluation.attacks.scene import Scene
from attrsearch.evaluation.faces import Cohort, load_cohort
from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE, invert, similarity, warp
from attrsearch.faces.dataset import AlignedFace, Picture
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.people import find_people
from attrsearch.faces.sampling import sampling_grid, to_editor
from attrsearch.runs.attributes_file import AttributesFile, PersonRecord
from attrsearch.search.evaluator import Evaluator, Request
from attrsearch.search.space import person_space

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Attacker:
    """Edits faces as attrsearch does.

    Args:
        editor: The editor of the export.
        detector: Finds faces in windows.
        file: The export.
    """

    def __init__(self, editor: Editor, detector: Detector, file: AttributesFile) -> None:
        self.file = file
        self.editor = editor
        self._evaluator = Evaluator(editor, detector, [])

    def edit(self, faces: Sequence[AlignedFace], sets: Floats) -> tuple[Picture, Ints]:
        """Edit each of the faces with each of the sets (k, passes, 13).

        Returns:
            Windows (k, f, 192, 192, 3), and which of the faces they are of (f,): those found in
            their windows.
        """
        subject, kept = self._evaluator.prepare(faces)
        if subject is None:
            return np.zeros((len(sets), 0, 1, 1, 3), np.uint8), np.zeros(0, np.int64)

        return self._evaluator.render(Request(subject, sets)), np.array(kept, np.int64)

    def records(self, cohort: Cohort) -> dict[int, PersonRecord]:
        """The records of the people of a cohort who have a feasible set.

        Raises:
            InputError: Nobody has.
        """
        found = {number: self.file.find(name) for number, name in enumerate(cohort.people)}
        known = {}
        for number, record in found.items():
            if record is not None and record.feasible:
                known[number] = record

        if not known:
            hint = "give the export that the pictures were protected with"
            raise InputError(
                "attributes", required="sets of the people in the pictures", found="none", hint=hint
            )

        return known


def with_sets(scene: Scene, attacker: Attacker) -> tuple[Scene, list[str]]:
    """A scene of the people only whose sets the attacker has, and the names of the others.

    People whose protection the attacker cannot undo would count as if undoing did not work.

    Raises:
        InputError: Nobody has a set.
    """
    records = attacker.records(scene.cohort)
    without = [number for number in np.unique(scene.owners).tolist() if number not in records]
    mine = np.flatnonzero(np.isin(scene.owners, list(records)))

    if not len(mine):
        hint = "give the export that the pictures were protected with"
        required = "protected pictures of the people of the export"
        raise InputError("attributes", required=required, found="none", hint=hint)

    protection = replace(
        scene.protection, rows=scene.rows[mine], windows=scene.protection.windows[mine]
    )
    embeddings = {}
    for name, rows in scene.embeddings.items():
        embeddings[name] = rows[mine]

    smaller = replace(
        scene, protection=protection, look=scene.look.take(mine), embeddings=embeddings
    )
    return smaller, take(scene.cohort.people, without)


def random_sets(space: Space, gender: Gender, count: int, generator: np.random.Generator) -> Floats:
    """Random sets (count, passes, 13) of a person's space.

    What someone without the export can do.
    """
    room = person_space(space, gender)
    return room.attributes(generator.uniform(room.low, room.high, (count, len(room.names))))


def as_faces(windows: Picture, landmarks: Floats) -> list[AlignedFace]:
    """Faces in windows (n, 192, 192, 3) as the editor takes them.

    They are aligned by landmarks (n, 5, 2).
    """
    faces = []
    nobody = np.zeros((0, 4), np.float32)

    for window, points in zip(windows, landmarks, strict=True):
        to_crop = similarity(points[None], CROP_TEMPLATE)[0]
        faces.append(
            AlignedFace(
                Path("protected"), warp(window, to_crop, CROP_SIZE), window, invert(to_crop), nobody
            )
        )

    return faces


@network
def edit_usual_crops(editor: Editor, crops: Tensor, sets: Floats) -> Tensor:
    """Usual crops (n, 3, 128, 128), -1 to 1, with edits by sets (n, passes, 13) laid on them."""
    where = exact_device()
    crops = crops.to(where)
    to_own = torch.from_numpy(editor.from_crop).to(where)
    back = torch.from_numpy(invert(editor.from_crop)).to(where)
    count = len(crops)
    grid = sampling_grid(back.expand(count, -1, -1), editor.size, (CROP_SIZE, CROP_SIZE))
    own = grid_sample(crops, grid, padding_mode="border", align_corners=False)
    # an editor may see more or less of a face than the usual crop: there and back again
    encoded = editor.encode(own)
    edited = editor.edit(encoded, sets).to(where)
    grid = sampling_grid(to_own.expand(count, -1, -1), CROP_SIZE, (editor.size, editor.size))
    layer = grid_sample(edited, grid, padding_mode="border", align_corners=False)
    mask = grid_sample(editor.masks(encoded).to(where), grid, align_corners=False)

    return torch.lerp(crops, layer, mask)


def lessons(
    scene: Scene, attacker: Attacker, folder: Path, whole: Detector, most: int
) -> tuple[Floats, Tensor]:
    """What an attacker learns to undo edits from.

    Args:
        scene: Whose people are left out of the folder.
        attacker: Owns the export.
        folder: Pictures of other people.
        whole: Finds faces in pictures.
        most: At most this many people, one picture each.

    Returns:
        The sets of the export (k, passes, 13), and crops (n, 3, 128, 128) from -1 to 1.
    """
    people = [person.id for person in find_people(folder) if person.id not in scene.cohort.people]
    count = min(most, len(people))
    names = frozenset(people[i * len(people) // count] for i in range(count))

    # strangers whose pictures do not serve are no loss to anybody
    with collected():
        cohort = load_cohort(folder, whole, scene.detector, names=names, max_faces=1)

    sets = np.stack(
        [record.attributes.passes for record in attacker.records(scene.cohort).values()]
    )
    return sets, to_editor([face.crop for face in cohort.faces])
