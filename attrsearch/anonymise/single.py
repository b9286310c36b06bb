"""One picture in one call: edit a face, or search a set for it and protect the picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Unpack, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from attrsearch.anonymise.images import MIN_FACE, protect_picture
from attrsearch.core.attributes import ATTRIBUTES, AttributeSet, from_named
from attrsearch.core.compute import Compute, computing
from attrsearch.core.errors import InputError, did_you_mean
from attrsearch.core.weights import DEFAULT_EDITOR
from attrsearch.editing.editor import Editor, load_editor
from attrsearch.editing.filters import Fallback
from attrsearch.faces.dataset import MIN_FACE as SEARCHED_FACE
from attrsearch.faces.dataset import PersonFaces, find_face
from attrsearch.faces.detection.base import Detector
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.given import Given, picture_of
from attrsearch.runs.attributes_file import PersonRecord
from attrsearch.search.config import ConfigOptions, RunConfig, RunOptions, with_options
from attrsearch.search.lockstep import Failed, search_people
from attrsearch.search.models import load_components, settings_of

if TYPE_CHECKING:
    from attrsearch.search.models import Components, Settings

Attributes = AttributeSet | PersonRecord | Mapping[str, float] | npt.NDArray[np.float32]


@dataclass(frozen=True, repr=False)
class Anonymised:
    """A protected picture, and how it became one.

    Attributes:
        picture: The result.
        attributes: The set that was found.
        feasible: Whether the set meets every constraint; where not, the face is covered instead.
        distance: From the person, FaceNet scale.
        edited: Whether a face was edited.
        covered: How many faces the filter covered.
        evaluations: Candidates that were measured.
    """

    picture: Image.Image
    attributes: AttributeSet
    feasible: bool
    distance: float
    edited: bool
    covered: int
    evaluations: int

    def __repr__(self) -> str:
        word = "edited" if self.edited else "covered"
        return f"Anonymised({word}, distance {self.distance:.2f}, {self.covered} faces covered)"

    def _repr_png_(self) -> bytes:
        from io import BytesIO  # noqa: PLC0415 - notebooks only

        buffer = BytesIO()
        self.picture.save(buffer, "PNG")
        return buffer.getvalue()


def edit(
    picture: Given,
    attributes: Attributes,
    *,
    editor: str | Editor = DEFAULT_EDITOR,
    detector: str | Detector = "mtcnn",
    others: Fallback | None = None,
) -> Image.Image:
    """Edit the most prominent face of a picture.

    Args:
        picture: A path, an array (h, w, 3), RGB, uint8, or a Pillow image; left as it is.
        attributes: A set, a person of a run or an export, names to values in one pass (what is not
            named is 0), or an array (13,), (1, 13) or (2, 13).
        editor: By name, path, or loaded.
        detector: By name, or loaded.
        others: Covers every other face; they stay as they are where it is None.

    Returns:
        The edited picture.

    Raises:
        InputError: No face, no such attribute, or a value out of range.
        WeightsError: No such editor.
    """
    pixels = picture_of(picture)
    finder = _detector(detector, computing()) if isinstance(detector, str) else detector
    maker = _editor(editor, computing()) if isinstance(editor, str) else editor
    done = protect_picture(pixels, set_of(attributes), maker, finder, others)

    if not done.edited:
        hint = "give another picture"
        raise InputError("this picture", required="a face to edit", found="too little", hint=hint)

    return Image.fromarray(done.picture)


def anonymise(
    picture: Given,
    config: RunConfig | None = None,
    *,
    fallback: Fallback = "blur",
    **options: Unpack[ConfigOptions],
) -> Anonymised:
    """Search a set for the most prominent face of a picture, and protect the whole picture.

    Every other face is covered, and so is this one where no feasible set was found or too little of
    it can be seen.

    Args:
        picture: As :func:`edit` takes it.
        config: What decides the result, as for :func:`attrsearch.run`.
        fallback: The filter that covers.
        options: Fields of ``config`` by keyword.

    Raises:
        AttrsearchError: No face, a bad recipe, or bad weights.
    """
    pixels = picture_of(picture)
    config, _ = with_options(config, None, cast("RunOptions", options))
    settings = settings_of(config, config.load_study())
    components = _components(settings)
    evaluator = components.evaluator
    name = Path(picture).stem if isinstance(picture, str | Path) else "person"
    finder = load_detector(settings.study.detector, SEARCHED_FACE)
    person = PersonFaces(name, (find_face(pixels, finder, Path(name)),))
    found = next(
        search_people([person], settings, evaluator, components.gather, pooled=components.pooled)
    )

    if isinstance(found, Failed):
        hint = "give a larger or clearer picture"
        raise InputError(name, required="a face to search", found=found.reason, hint=hint)

    best = AttributeSet.from_passes(found.attributes[found.winner])
    chosen = best if found.feasible else None
    # smaller faces than are searched: everybody else on the picture has to be covered
    wide = load_detector(settings.study.detector, MIN_FACE)
    done = protect_picture(pixels, chosen, evaluator.editor, wide, fallback)

    return Anonymised(
        picture=Image.fromarray(done.picture),
        attributes=best,
        feasible=found.feasible,
        distance=float(found.results.distance[found.winner]),
        edited=done.edited,
        covered=done.covered,
        evaluations=len(found.attributes),
    )


def set_of(attributes: Attributes) -> AttributeSet:
    """An attribute set of whatever stands for one.

    >>> float(set_of({"Eyeglasses": 1.0}).first[6])
    1.0

    Raises:
        InputError: No such attribute, another shape, or a value out of range.
    """
    if isinstance(attributes, AttributeSet):
        return attributes
    if isinstance(attributes, PersonRecord):
        return attributes.attributes

    if isinstance(attributes, Mapping):
        for name in attributes:
            if name not in ATTRIBUTES:
                hint = did_you_mean(str(name), ATTRIBUTES)
                found = f"{name!r}"
                raise InputError("attributes", required="known names", found=found, hint=hint)

        return AttributeSet(from_named({**dict.fromkeys(ATTRIBUTES, 0.0), **attributes}))

    # one vector is one pass
    rows = np.atleast_2d(np.asarray(attributes, np.float32))
    if rows.ndim != 2 or len(rows) not in (1, 2):
        hint = "give one vector, or two for two passes"
        found = f"an array {np.shape(attributes)}"
        raise InputError("attributes", required="an array (13,) or (2, 13)", found=found, hint=hint)

    return AttributeSet.from_passes(rows)


@lru_cache(maxsize=2)
def _editor(name: str, compute: Compute) -> Editor:
    del compute  # one a device is kept
    return load_editor(name)


@lru_cache(maxsize=2)
def _detector(name: str, compute: Compute) -> Detector:
    del compute
    return load_detector(name, MIN_FACE)


_kept: dict[str, "Components"] = {}


def _components(settings: "Settings") -> "Components":
    """Models stay loaded from one picture to the next."""
    key = repr((settings, computing()))
    if key not in _kept:
        _kept.clear()
        _kept[key] = load_components(settings)

    return _kept[key]
