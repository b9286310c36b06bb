"""Edit many faces by many attribute sets, look for each face again and embed it.

On the product's own evaluator.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attrsearch.core.attributes import Gender
from attrsearch.core.parallel import in_parallel
from attrsearch.core.recipes.space import Space
from attrsearch.evaluation.faces import DetectedFaces, detect_again
from attrsearch.faces.dataset import AlignedFace, Picture
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.naturalness import Critic
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.recognition.calibration import distances
from attrsearch.search.evaluator import Evaluator, Request
from attrsearch.search.space import person_space

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

PART = 32
"""About how many edits are held as pictures at once, a thread."""
HIT = 0.5
"""A detection is right from this overlap on (thesis 2.1.5)."""


@dataclass(frozen=True)
class Edits:
    """What became of f faces under n attribute sets; arrays (n, f) unless said otherwise.

    Attributes:
        attributes: (n, passes, 13).
        found: Whether a face was found that overlaps the face before by half or more.
        probability: The detector's, 0 where no face is.
        overlap: IoU with the box before, 0 where no face is.
        extra: How many further faces were found in the window.
        distance: From the face before, on the FaceNet scale; where no face was found, at its place
            before.
        natural: The critic's opinion, not cut to 0 to 1; NaN where it was not asked.
        embeddings: Judge to (n, f, d).
        boxes: (n, f, 4), those before where no face is.
    """

    attributes: Floats
    found: Flags
    probability: Floats
    overlap: Floats
    extra: npt.NDArray[np.int64]
    distance: Floats
    natural: Floats
    embeddings: dict[str, Floats]
    boxes: Floats

    @property
    def recall(self) -> float:
        """Share of edited faces that are found."""
        return float(self.found.mean())

    @property
    def mean_distance(self) -> Floats:
        """Mean distance of each attribute set (n,) over its faces that are found.

        NaN where none is.
        """
        # a face that is not found has a distance, too, but of whatever stands in its place
        count = self.found.sum(1)
        total = np.where(self.found, self.distance, 0).sum(1)
        return np.asarray(
            np.divide(total, count, out=np.full(len(total), np.nan, np.float32), where=count > 0)
        )


def draw(
    space: Space, gender: Gender, count: int, limit: float, random: np.random.Generator
) -> Floats:
    """Random attribute sets as the thesis drew them (3.1.3).

    Gender-synchronised, each value uniform.

    Args:
        space: Which attributes, and their bounds.
        gender: Whose.
        count: How many sets.
        limit: Bounds are narrowed to it on both sides (4.1.1: 1; 4.2: 0.8).
        random: Draws.

    Returns:
        (count, passes, 13).
    """
    person = person_space(space, gender)
    low = np.maximum(person.low, -limit)
    high = np.minimum(person.high, limit)

    return person.attributes(random.uniform(low, high, (count, len(person.names))))


def edit_faces(
    evaluator: Evaluator,
    faces: Sequence[AlignedFace],
    before: DetectedFaces,
    attributes: Floats,
    measure: CalibratedRecogniser,
    judges: Sequence[CalibratedRecogniser] = (),
    *,
    critic: Critic | None = None,
    detector: Detector | None = None,
) -> Edits:
    """Edit every face by every attribute set.

    Args:
        evaluator: Edits and blends.
        faces: f of them.
        before: How the evaluator's detector sees them untouched.
        attributes: (n, passes, 13).
        measure: Measures the distance: the evaluator's recogniser.
        judges: Embed the edited faces, too.
        critic: Says how natural they look.
        detector: Looks for the edited faces, where it is not the evaluator's.
    """
    subject, kept = evaluator.prepare(faces)
    if subject is None or len(kept) < len(faces):
        raise ValueError(
            f"{len(faces) - len(kept)} of {len(faces)} faces are not found in their windows"
        )

    # the evaluator's recogniser may be a judge, too, and nobody is embedded twice
    detector = detector or evaluator.detector
    needed = {scaled.name: scaled for scaled in (measure, *judges)}
    start = subject.embeddings[measure.name]
    step = max(1, PART // len(faces))

    def part(first: int) -> list[npt.NDArray[np.generic]]:
        chosen = attributes[first : first + step]
        shape = (len(chosen), len(faces))
        windows = evaluator.render(Request(subject, chosen)).reshape(-1, *faces[0].window.shape)
        # the windows are ordered by set, and in a set by face
        owners = np.tile(np.arange(len(faces)), len(chosen))
        look = detect_again(windows, before.take(owners), detector)
        embedded = {name: look.embed(scaled.recogniser) for name, scaled in needed.items()}
        raw = distances(embedded[measure.name], np.tile(start, (len(chosen), 1)))
        moved = raw * measure.calibration.scale
        natural = np.full(len(look), np.nan, np.float32)
        if critic is not None:
            natural = critic.uncut(windows)

        hits = look.overlaps >= HIT
        columns: list[npt.NDArray[np.generic]] = []
        for values in (hits, look.probabilities, look.overlaps, look.extra, moved, natural):
            columns.append(values.reshape(shape))

        for rows in (look.boxes, *(embedded[judge.name] for judge in judges)):
            columns.append(rows.reshape(*shape, -1))

        return columns

    parts = in_parallel(part, range(0, len(attributes), step))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    found, probability, overlap, extra, distance, natural, boxes, *embedded = columns
    named = {judge.name: rows for judge, rows in zip(judges, embedded, strict=True)}

    return Edits(attributes, found, probability, overlap, extra, distance, natural, named, boxes)


def render(evaluator: Evaluator, faces: Sequence[AlignedFace], attributes: Floats) -> Picture:
    """The edited windows (n, f, 192, 192, 3), for sheets."""
    subject, _ = evaluator.prepare(faces)
    if subject is None:
        raise ValueError("no face is found in its window")

    return evaluator.render(Request(subject, attributes))
