"""One picture in one call."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import attrsearch
from attrsearch.anonymise.single import Anonymised, anonymise, edit, set_of
from attrsearch.core.attributes import ATTRIBUTES
from attrsearch.core.errors import InputError
from attrsearch.core.recipes.study import load_study
from attrsearch.faces.dataset import Picture
from attrsearch.faces.given import picture_of
from attrsearch.faces.images import read_picture

STUDY = load_study("quick", recogniser="sface")


def test_edit_takes_paths_arrays_and_images(sample: Path) -> None:
    path = sample / "astronaut" / "astronaut_1.jpg"
    glasses = {"Eyeglasses": 1.0, "Male": 1.0}
    edited = [edit(each, glasses) for each in (path, str(path), read_picture(path))]
    edited.append(edit(Image.open(path), glasses))
    untouched = read_picture(path)
    for each in edited:
        assert np.array_equal(np.asarray(each), np.asarray(edited[0]))
    changed = (np.asarray(edited[0]) != untouched).any(2)
    assert 0.02 < changed.mean() < 0.6  # a face, not the picture


def test_a_set_and_its_names_are_the_same(astronaut: Picture) -> None:
    vector = np.zeros(13, np.float32)
    vector[ATTRIBUTES.index("Bangs")] = 1
    named = edit(astronaut, {"Bangs": 1.0})
    for attributes in (vector, vector[None], set_of(vector)):
        assert np.array_equal(np.asarray(edit(astronaut, attributes)), np.asarray(named))


def test_anonymise_is_one_call(astronaut: Picture) -> None:
    found = attrsearch.anonymise(astronaut, study=STUDY, trials=24)
    assert isinstance(found, Anonymised)
    assert found.picture.size == (250, 250)
    assert found.edited == found.feasible
    assert found.covered == (0 if found.edited else 1)
    assert found.evaluations == 24
    assert not np.array_equal(np.asarray(found.picture), astronaut)
    assert found._repr_png_().startswith(b"\x89PNG")
    assert len(repr(found)) < 100
    if found.feasible:
        assert found.distance > 1.4


def test_whom_no_set_anonymises_is_covered(astronaut: Picture, tmp_path: Path) -> None:
    from attrsearch.core.bundled import bundled

    hard = tmp_path / "hard.toml"
    text = (bundled("objectives") / "utility_product.toml").read_text()
    hard.write_text(text.replace("above = 1.4", "above = 9.0"))
    found = anonymise(astronaut, study=STUDY, trials=2, objective=str(hard), fallback="mask")
    assert (found.feasible, found.edited, found.covered) == (False, False, 1)
    assert not np.array_equal(np.asarray(found.picture), astronaut)


def test_the_room_is_still_a_room(astronaut: Picture) -> None:
    import attrsearch.anonymise.images

    assert attrsearch.anonymise.images.MIN_FACE  # type: ignore[attr-defined]
    assert callable(attrsearch.anonymise)
    assert attrsearch.edit is edit


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"Eyeglases": 1.0}, "did you mean Eyeglasses"),
        ({"Eyeglasses": 9.0}, "within -2.0 to 2.0"),
        (np.zeros((3, 13), np.float32), "found an array"),
        (np.zeros(12, np.float32), "13 finite values"),
    ],
)
def test_what_is_no_set(attributes: object, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        set_of(attributes)  # type: ignore[arg-type]


def test_what_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found an array .* of float64"):
        picture_of(np.zeros((4, 4, 3)))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="found a NoneType"):
        picture_of(None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="needs a face to protect, found none"):
        edit(np.zeros((64, 64, 3), np.uint8), {"Bangs": 1.0})
