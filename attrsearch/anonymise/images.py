"""Apply exported attribute sets to pictures.

No face is left as it was: what cannot be edited is covered.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from attrsearch.core.errors import AttrsearchError, InputError, OutputError, WeightsError
from attrsearch.core.files import write_bytes
from attrsearch.editing.blending import paste, uncrop
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.editing.filters import Fallback, cover
from attrsearch.faces.alignment import CROP_SIZE, CROP_TEMPLATE, compose, scale_of, similarity, warp
from attrsearch.faces.dataset import Picture, detect_reduced, prominence
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.images import SUFFIXES, list_pictures, read_picture
from attrsearch.faces.sampling import to_editor
from attrsearch.runs.attributes_file import AttributesFile, PersonRecord

MIN_FACE = 16.0
WORKING_SIDE = 1920
MIN_PROBABILITY = 0.6
"""Pictures are searched for smaller and less certain faces than a search uses, since all must be
covered.
"""


@dataclass(frozen=True)
class ImageResult:
    """What happened to one picture.

    Attributes:
        edited: The person whose set was applied, or None.
        covered: How many faces the fallback filter covered.
        problem: Why nothing was written, or empty.
    """

    source: Path
    target: Path
    edited: str | None
    covered: int
    problem: str = ""


class Applier:
    """Protects pictures with an export.

    Args:
        file: The export.
        fallback: Covers faces that have no feasible attribute set.
        editor: Editor weights by name or path, where they are not those of the export's name.

    Raises:
        WeightsError: The editor is not the one the sets were searched with.
    """

    def __init__(
        self, file: AttributesFile, fallback: Fallback = "blur", editor: str | None = None
    ) -> None:
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
            The protected picture, the name of the person who was edited, and how many faces were
            covered.

        Raises:
            InputError: No face was found, so nothing can be promised.
        """
        found = detect_reduced(picture, self._detector, MIN_PROBABILITY, WORKING_SIDE)
        if not len(found):
            hint = "nothing was written; check the picture by eye"
            raise InputError("this picture", required="a face to protect", found="none", hint=hint)
        protected = picture.copy()
        chosen = -1
        if person is not None and person.feasible:
            chosen = int(prominence(found, picture.shape[1], picture.shape[0]).argmax())
            matrix = similarity(found.landmarks[chosen : chosen + 1], CROP_TEMPLATE)[0]
            chosen = chosen if scale_of(matrix) > 1e-3 else -1
        others = [index for index in range(len(found)) if index != chosen]
        for index in others:
            cover(protected, found.boxes[index], self.fallback)
        if person is None or chosen < 0:
            return protected, None, len(others)
        zoom = self.editor.size / CROP_SIZE
        enlarge = np.array([[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2]], np.float32)
        crop = warp(picture, compose(enlarge, matrix), self.editor.size)
        edited = self.editor.edit(
            self.editor.encode(to_editor([crop])), person.attributes.passes[None]
        )
        paste(protected, uncrop(edited.numpy())[0], matrix)
        return protected, person.id, len(others)

    def apply(self, source: Path, target: Path, person: PersonRecord | None) -> ImageResult:
        """Protect a picture file; a picture that cannot be protected is not written."""
        try:
            protected, edited, covered = self.protect(read_picture(source), person)
            _write_picture(target, protected)
        except OutputError:
            raise
        except AttrsearchError as error:
            line = str(error).replace("this picture", str(source))
            return ImageResult(source, target, None, 0, line)
        return ImageResult(source, target, edited, covered)


def load_export_editor(file: AttributesFile, editor: str | None = None) -> Editor:
    """The editor an export was searched with.

    Args:
        file: The export.
        editor: Weights by name or path, where they are not those of the export's name.

    Raises:
        WeightsError: These are other weights.
    """
    loaded = load_editor(editor or file.editor.name)
    if loaded.sha256 != file.editor.sha256:
        raise WeightsError(
            editor or file.editor.name,
            required=f"the editor of this export (SHA-256 {file.editor.sha256[:16]}…)",
            found=f"{loaded.sha256[:16]}…",
            hint="give its weights with --editor PATH, or run the search again",
        )
    return loaded


def plan(
    source: Path, target: Path, file: AttributesFile, person: str | None
) -> list[tuple[Path, Path, PersonRecord | None]]:
    """Which picture becomes which file, and whose set it gets.

    A picture belongs to the person given, else to the person its folder is named after, else to the
    one its file is named after, else to the only person of the export.

    Raises:
        InputError: No pictures, or a person the export does not have.
    """
    if person is not None and file.find(person) is None:
        names = ", ".join(record.id for record in file.identities[:5])
        found = f"no {person}; it has {names or 'nobody'}{' …' if len(file.identities) > 5 else ''}"
        raise InputError(
            person, required="a person of the export", found=found, hint="check the name"
        )
    if source.is_file():
        out = target / f"{source.stem}.png" if target.is_dir() or not target.suffix else target
        return [(source, out, _whose(source, source.parent, file, person))]
    if not source.is_dir():
        hint = "give a picture or a folder of pictures"
        raise InputError(source, required="a picture or a folder", found="no such file", hint=hint)
    pictures = list(_walk(source))
    if not pictures:
        hint = "give a folder with pictures in it or in its sub-folders"
        raise InputError(source, required="pictures", found="none", hint=hint)
    return [
        (
            path,
            target / path.relative_to(source).with_suffix(".png"),
            _whose(path, source, file, person),
        )
        for path in pictures
    ]


def apply_all(
    applier: Applier,
    work: list[tuple[Path, Path, PersonRecord | None]],
    progress: Callable[[], None] = lambda: None,
) -> list[ImageResult]:
    """Protect every picture of a plan; one bad picture does not end it."""
    done = []
    for source, target, person in work:
        done.append(applier.apply(source, target, person))
        progress()
    return done


def _whose(path: Path, root: Path, file: AttributesFile, person: str | None) -> PersonRecord | None:
    if person is not None:
        return file.find(person)
    only = file.identities[0] if len(file.identities) == 1 and path.parent == root else None
    return file.find(path.parent.name) or file.find(path.stem) or only


def _walk(folder: Path) -> Iterator[Path]:
    yield from list_pictures(folder)
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.is_symlink() and not child.name.startswith("."):
            yield from _walk(child)


def _write_picture(target: Path, picture: Picture) -> None:
    """Write a picture by its suffix, without metadata: JPEG at quality 95, PNG otherwise."""
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        required = f"a picture name ({', '.join(sorted(SUFFIXES))})"
        raise OutputError(
            target, required=required, found=suffix or "no suffix", hint="name the output out.png"
        )
    kind = Image.registered_extensions()[suffix]
    buffer = io.BytesIO()
    Image.fromarray(picture).save(
        buffer, kind, **({"quality": 95} if kind in ("JPEG", "WEBP") else {})
    )
    write_bytes(target, buffer.getvalue())
