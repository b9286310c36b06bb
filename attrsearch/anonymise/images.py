"""Apply exported attribute sets to pictures.

No face is left as it was: what cannot be edited is covered.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attrsearch.anonymise.picture_files import write_picture
from attrsearch.core.attributes import AttributeSet
from attrsearch.core.errors import AttrsearchError, InputError, OutputError, WeightsError
from attrsearch.core.progress import Progress, Step, silent
from attrsearch.editing.blending import LEAST_SHARE, cut_crop, edit_crops, paste
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.editing.filters import Fallback, cover
from attrsearch.faces.alignment import CROP_TEMPLATE, scale_of, similarity
from attrsearch.faces.dataset import Picture, detect_reduced, prominence
from attrsearch.faces.detection.base import Detections, Detector
from attrsearch.faces.detection.classes import FilteredClass, is_head_of
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.detection.tiles import detect_in_tiles, join_detections
from attrsearch.faces.detection.yunet import YuNet
from attrsearch.faces.images import read_layers
from attrsearch.faces.sampling import to_editor
from attrsearch.runs.attributes_file import AttributesFile, PersonRecord

Floats = npt.NDArray[np.float32]

MIN_FACE = 16.0
WORKING_SIDE = 1920
MIN_PROBABILITY = 0.6
"""Pictures are searched for smaller and less certain faces than a search uses, since all must be
covered. In pictures with a longer side than this, small faces are looked for in tiles."""


class NoFaceError(InputError):
    """A picture on which no face was found."""


@dataclass(frozen=True)
class ImageResult:
    """What happened to one picture.

    Attributes:
        edited: The person whose set was applied, or None.
        covered: How many faces the fallback filter covered.
        problem: Why nothing was written, or empty.
        things: How many of each further class were filtered.
    """

    source: Path
    target: Path
    edited: str | None
    covered: int
    problem: str = ""
    things: Mapping[str, int] = field(default_factory=dict)


class Applier:
    """Protects pictures with an export.

    Args:
        file: The export.
        fallback: Covers faces that have no feasible attribute set.
        editor: Editor weights by name or path, where they are not those of the export's name.
        left: Pictures whose most prominent face is of somebody who consents: it is left as it is.
        also: Classes besides faces that are filtered.

    Raises:
        WeightsError: The editor is not the one the sets were searched with.
    """

    def __init__(
        self,
        file: AttributesFile,
        fallback: Fallback = "blur",
        editor: str | None = None,
        left: frozenset[Path] = frozenset(),
        also: Sequence[FilteredClass] = (),
    ) -> None:
        self._also = also
        self._left = left
        self.file = file
        self.fallback: Fallback = fallback
        self.editor: Editor = load_export_editor(file, editor)
        self._detector: Detector = load_detector(file.detector.name, MIN_FACE)

    def protect(
        self, picture: Picture, person: PersonRecord | None
    ) -> tuple[Picture, str | None, int]:
        """Protect one picture (h, w, 3), RGB, uint8.

        Args:
            picture: Left as it is.
            person: Whose picture it is: the most prominent face gets their set, every other face is
                covered. None, or someone without a feasible set: every face is covered.

        Returns:
            The protected picture, the name of the person who was edited (None where too little of
            the face could be seen to be edited), and how many faces were covered.

        Raises:
            InputError: No face was found, so nothing can be promised.
        """
        done, name = self._protect(picture, person)
        return done.picture, name, done.covered

    def _protect(
        self, picture: Picture, person: PersonRecord | None, *, needed: bool = True
    ) -> tuple["ProtectedPicture", str | None]:
        """The same; a picture without a face is left as it is where none is ``needed``."""
        chosen = person.attributes if person is not None and person.feasible else None
        try:
            done = protect_picture(picture, chosen, self.editor, self._detector, self.fallback)
        except NoFaceError:
            if needed:
                raise

            return ProtectedPicture(picture.copy(), False, 0), None

        return done, person.id if person is not None and done.edited else None

    def apply(self, source: Path, target: Path, person: PersonRecord | None) -> ImageResult:
        """Protect a picture file; a picture that cannot be protected is not written."""
        try:
            layers = read_layers(source)
            if layers.frames > 1:
                found = f"{layers.frames} frames or pages"
                hint = "save each as a picture, or give it as a video"
                raise InputError("this picture", required="one picture", found=found, hint=hint)

            things = find_things(layers.pixels, self._also)
            if source in self._left:
                done = leave_prominent(layers.pixels, self._detector, self.fallback)
                edited = None
            else:
                done, edited = self._protect(layers.pixels, person, needed=not any(things.values()))

            counts = cover_things(done, things, self.fallback)
            write_picture(target, done.picture, layers)
        except OutputError:
            raise
        except AttrsearchError as error:
            # errors about pixels do not know the file's name
            line = str(error).replace("this picture", str(source))
            return ImageResult(source, target, None, 0, line)

        return ImageResult(source, target, edited, done.covered, things=counts)


@dataclass(frozen=True)
class ProtectedPicture:
    """A protected picture.

    Attributes:
        picture: (h, w, 3).
        edited: Whether a face was edited.
        covered: How many faces were covered.
        kept: Boxes (k, 4) of faces that are edited, or left as they are.
    """

    picture: Picture
    edited: bool
    covered: int
    kept: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))


def protect_picture(
    picture: Picture,
    attributes: AttributeSet | None,
    editor: Editor,
    detector: Detector,
    fallback: Fallback | None,
) -> ProtectedPicture:
    """Edit the most prominent face of a picture, and cover every other.

    Args:
        picture: (h, w, 3), RGB, uint8; left as it is.
        attributes: The set; every face is covered where it is None.
        editor: Edits.
        detector: Finds the faces.
        fallback: Covers; other faces stay as they are where it is None, and the face itself is
            edited however little of it can be seen.

    Raises:
        InputError: No face was found, so nothing can be promised.
    """
    found = find_faces(picture, detector)
    if not len(found):
        hint = "nothing was written; check the picture by eye"
        raise NoFaceError("this picture", required="a face to protect", found="none", hint=hint)

    protected = picture.copy()
    chosen = -1
    if attributes is not None:
        chosen = int(prominence(found, picture.shape[1], picture.shape[0]).argmax())
        matrix = similarity(found.landmarks[chosen : chosen + 1], CROP_TEMPLATE)[0]
        # landmarks that all lie on one point align nothing: the face is covered
        chosen = chosen if scale_of(matrix) > 1e-3 else -1

    covered = 0
    for index in range(len(found)):
        # before the edit is laid on, which is made from the untouched picture and may overlap
        if index != chosen and fallback is not None:
            cover(protected, found.boxes[index], fallback)
            covered += 1

    if attributes is None or chosen < 0:
        return ProtectedPicture(protected, False, covered)

    crop = to_editor([cut_crop(picture, editor, matrix)])
    layer = edit_crops(editor, crop, attributes.passes[None])[0]
    if layer.share < LEAST_SHARE and fallback is not None:
        cover(protected, found.boxes[chosen], fallback)
        return ProtectedPicture(protected, False, covered + 1)

    # last, over the filters of neighbours
    paste(protected, layer, matrix, untouched=picture)
    return ProtectedPicture(protected, True, covered, found.boxes[chosen : chosen + 1])


def find_faces(picture: Picture, detector: Detector) -> Detections:
    """Every face of a picture (h, w, 3), in its own pixels.

    What the detector finds in a large picture is what is left of faces when it is reduced; those
    that are small in it are found by YuNet, in tiles at full resolution.
    """
    found = detect_reduced(picture, detector, MIN_PROBABILITY, WORKING_SIDE)
    if max(picture.shape[:2]) <= WORKING_SIDE:
        return found

    return join_detections(found, detect_in_tiles(picture, YuNet(MIN_FACE, MIN_PROBABILITY)))


def leave_prominent(picture: Picture, detector: Detector, fallback: Fallback) -> ProtectedPicture:
    """Cover every face of a picture (h, w, 3) but the most prominent one."""
    found = find_faces(picture, detector)
    protected = picture.copy()
    if not len(found):
        return ProtectedPicture(protected, False, 0)

    chosen = int(prominence(found, picture.shape[1], picture.shape[0]).argmax())
    for index in range(len(found)):
        if index != chosen:
            cover(protected, found.boxes[index], fallback)

    kept = found.boxes[chosen : chosen + 1]
    return ProtectedPicture(protected, False, len(found) - 1, kept)


def find_things(picture: Picture, also: Sequence[FilteredClass]) -> dict[str, list[Floats]]:
    """Label to boxes (4,) of what further classes have on a picture (h, w, 3), of any size."""
    found: dict[str, list[Floats]] = {}
    for kind in also:
        detections = detect_in_tiles(picture, kind.detector)
        sure = detections.probabilities >= MIN_PROBABILITY
        found.setdefault(kind.label, []).extend(detections.boxes[sure])

    return found


def cover_things(
    done: ProtectedPicture, things: Mapping[str, Sequence[Floats]], fallback: Fallback
) -> dict[str, int]:
    """Filter things on a protected picture, in place; how many of each class.

    What is the head of a face that is edited, or left as it is, is left to that.
    """
    counts: dict[str, int] = {}
    for label, boxes in things.items():
        for box in boxes:
            if not is_head_of(box, done.kept):
                cover(done.picture, box, fallback)
                counts[label] = counts.get(label, 0) + 1

    return counts


def count_edited(done: Iterable[ImageResult]) -> int:
    """How many pictures show an edited face."""
    return sum(item.edited is not None for item in done)


def count_all(done: Iterable[ImageResult]) -> dict[str, int]:
    """How many things of each further class were filtered on pictures together."""
    counts: Counter[str] = Counter()
    for item in done:
        counts.update(item.things)

    return dict(counts)


def load_export_editor(file: AttributesFile, editor: str | None = None) -> Editor:
    """The editor an export was searched with.

    Args:
        file: The export.
        editor: Weights by name or path, where they are not those of the export's name.

    Raises:
        WeightsError: These are other weights.
    """
    loaded = load_editor(editor or file.editor.name)

    # sets are directions in the space of one editor: to another they mean something else
    if loaded.sha256 != file.editor.sha256:
        raise WeightsError(
            editor or file.editor.name,
            required=f"the editor of this export (SHA-256 {file.editor.sha256[:16]}…)",
            found=f"{loaded.sha256[:16]}…",
            hint="give its weights with --editor PATH, or run the search again",
        )

    return loaded


def apply_all(
    applier: Applier,
    work: list[tuple[Path, Path, PersonRecord | None]],
    progress: Progress[Step] = silent,
) -> list[ImageResult]:
    """Protect every picture of a plan; one bad picture does not end it.

    Args:
        applier: Protects one.
        work: The plan.
        progress: Told of the stage ``apply``, by pictures.
    """
    done = []
    for source, target, person in work:
        done.append(applier.apply(source, target, person))
        progress(Step(stage="apply", count=len(done), total=len(work)))

    return done
