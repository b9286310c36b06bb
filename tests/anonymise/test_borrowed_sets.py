"""Sets of other people: the most alike first, and nothing that a person's own space forbids."""

from pathlib import Path

import numpy as np
import pytest

from attrsearch.anonymise.borrowed_sets import MOST_BORROWED, Lender, Lending, unit
from attrsearch.anonymise.stand_ins import with_stand_ins
from attrsearch.core.attributes import ATTRIBUTES, MALE, AttributeSet, Gender
from attrsearch.core.recipes.space import load_space
from attrsearch.editing.editor import Editor
from attrsearch.faces.dataset import AlignedFace, Picture, find_face
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.window_detection import detect_in_windows
from attrsearch.search.config import RunConfig
from attrsearch.video.pipeline import SetAssignment
from attrsearch.video.tracking.best_shots import Sighting
from attrsearch.video.tracking.reidentify import People

NO_BEARD = ATTRIBUTES.index("No_Beard")
MUSTACHE = ATTRIBUTES.index("Mustache")
YOUNG = ATTRIBUTES.index("Young")


def bearded(young: float) -> AttributeSet:
    """The set of a man with a beard, told apart by ``young``."""
    values = np.full(len(ATTRIBUTES), 0.5, np.float32)
    values[[NO_BEARD, MUSTACHE, YOUNG]] = -1.0, 1.0, young
    return AttributeSet(values)


@pytest.fixture(scope="module")
def face(astronaut: Picture, mtcnn: Mtcnn) -> AlignedFace:
    return find_face(astronaut, mtcnn, Path("a"))


@pytest.fixture(scope="module")
def own(face: AlignedFace, mtcnn: Mtcnn, sface: CalibratedRecogniser) -> np.ndarray:
    return unit(detect_in_windows([face], mtcnn).embed(sface.recogniser)[0])


def lending(
    mtcnn: Mtcnn, sface: CalibratedRecogniser, *lenders: Lender, **genders: Gender
) -> Lending:
    return Lending(lenders, load_space("one-pass"), 1.5, mtcnn, sface, genders)


def test_the_most_alike_lend_first(
    face: AlignedFace, own: np.ndarray, mtcnn: Mtcnn, sface: CalibratedRecogniser
) -> None:
    lenders = [Lender(f"p{i}", bearded(-0.1 * i), unit(own + 0.05 * i)) for i in (6, 3, 1, 2, 5, 4)]
    sets = lending(mtcnn, sface, *lenders).to("somebody", [face])
    assert len(sets) == MOST_BORROWED
    assert [round(float(one.first[YOUNG]), 1) for one in sets] == [-0.1, -0.2, -0.3, -0.4, -0.5]

    # nobody borrows from themselves
    again = lending(mtcnn, sface, *lenders).to("p1", [face])
    assert float(again[0].first[YOUNG]) == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("gender", "male", "beard"), [("male", 0.5, True), ("female", -0.1, False), (None, 0.0, False)]
)
def test_nobody_is_given_what_their_space_forbids(
    mtcnn: Mtcnn,
    sface: CalibratedRecogniser,
    own: np.ndarray,
    gender: Gender | None,
    male: float,
    beard: bool,
) -> None:
    lends = Lender("p", bearded(0.3), own)
    genders = {} if gender is None else {"somebody": gender}
    lent, *drawn = lending(mtcnn, sface, lends, **genders).to("somebody", [])
    assert lent.first[MALE] == pytest.approx(male)
    assert (lent.first[MUSTACHE] > 0) == beard
    assert (lent.first[NO_BEARD] < 0) == beard
    assert lent.first[YOUNG] == pytest.approx(0.3)

    # the rest is drawn, in the same bounds
    assert len(drawn) == MOST_BORROWED - 1
    if gender == "male":
        assert all(one.first[MALE] > 0 for one in drawn)
    else:
        assert all(one.first[MUSTACHE] <= 0 <= one.first[NO_BEARD] for one in drawn)
        assert all(one.first[MALE] <= 0 for one in drawn)


def test_drawn_sets_follow_from_the_name(mtcnn: Mtcnn, sface: CalibratedRecogniser) -> None:
    again = [lending(mtcnn, sface).to(name, [])[0].first for name in ("a", "a", "b")]
    assert np.array_equal(again[0], again[1])
    assert not np.array_equal(again[0], again[2])


def test_sets_of_two_passes_are_not_lent_to_an_editor_of_one(
    mtcnn: Mtcnn, sface: CalibratedRecogniser, own: np.ndarray
) -> None:
    two = AttributeSet(bearded(0.3).first, bearded(0.3).first)
    sets = lending(mtcnn, sface, Lender("p", two, own)).to("somebody", [])
    assert len(sets) == MOST_BORROWED
    assert all(one.second is None for one in sets)


def test_own_sets_come_first_and_who_is_filtered_borrows_nothing(
    editor: Editor, face: AlignedFace, own: np.ndarray, mtcnn: Mtcnn, sface: CalibratedRecogniser
) -> None:
    look = Sighting(0, 1.0, face)
    people = People(
        names={0: "found", 1: "vain", 2: "unseen", 3: "left"},
        looks={"found": [look], "vain": [look]},
        embeddings={"found": own[None], "vain": own[None]},
        poor_looks={"unseen": [look], "left": [look]},
    )
    config = RunConfig(study="footage", genders=dict.fromkeys(("vain", "unseen"), "male"))
    further = {"found": [bearded(0.4)], "vain": [bearded(0.2)]}
    done = with_stand_ins(
        SetAssignment({}, {"found": bearded(0.1)}, editor, further),
        people,
        mtcnn,
        sface,
        config,
        frozenset({"left"}),
    )
    young = {
        name: [round(float(one.first[YOUNG]), 1) for one in (done.sets[name], *done.others[name])]
        for name in done.sets
    }
    assert sorted(young) == ["found", "unseen", "vain"]
    assert young["found"][:2] == [0.1, 0.4]
    assert young["vain"][:2] == [0.2, 0.1]
    assert young["unseen"][0] == 0.1
