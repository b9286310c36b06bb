"""Attacks, on real edits of the sample's people and on made-up embeddings whose answer is known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from attrsearch.core.errors import InputError
from attrsearch.core.recipes.space import load_space
from attrsearch.editing.editor import Editor
from attrsearch.evaluation.attacks.editing import Attacker, as_faces, random_sets, with_sets
from attrsearch.evaluation.attacks.inversion import Undo, negation, train_undo, undo
from attrsearch.evaluation.attacks.parrot import classify, parrot
from attrsearch.evaluation.attacks.scene import Scene, naive, open_scene
from attrsearch.evaluation.attacks.several import averaging, linking
from attrsearch.evaluation.faces import Cohort
from attrsearch.evaluation.judges import HeldOutRecogniser
from attrsearch.evaluation.metrics.identification import Gallery
from attrsearch.evaluation.pairing import Protection, untouched
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.window_detection import WINDOW_MIN_FACE
from attrsearch.runs.attributes_file import AttributesFile
from tests.evaluation.metrics.test_verification import noisy, units


@pytest.fixture(scope="module")
def scene(cohort: Cohort, protection: Protection, judge: HeldOutRecogniser) -> Scene:
    return open_scene(cohort, protection, [judge], load_detector("mtcnn", WINDOW_MIN_FACE))


@pytest.fixture(scope="module")
def attacker(scene: Scene, editor: Editor, best_sets: AttributesFile) -> Attacker:
    return Attacker(editor, scene.detector, best_sets)


def test_who_has_no_set_is_named_and_not_measured(
    scene: Scene, editor: Editor, best_sets: AttributesFile
) -> None:
    """Whose protection the export cannot undo would count as people whom undoing does not find."""
    everybody = [scene.cohort.people[number] for number in np.unique(scene.owners)]
    first = tuple(person for person in best_sets.identities if person.id == everybody[0])
    few = Attacker(editor, scene.detector, best_sets.model_copy(update={"identities": first}))
    smaller, without = with_sets(scene, few)
    assert without == everybody[1:]
    assert {scene.cohort.people[number] for number in smaller.owners} == {everybody[0]}
    assert len(smaller.look) == len(smaller.rows) == len(smaller.protection.windows)
    probes = {row["probes"] for row in negation(smaller, few)}
    assert probes == {len(smaller.rows)}
    whole, nobody = with_sets(scene, Attacker(editor, scene.detector, best_sets))
    assert (len(whole.rows), nobody) == (len(scene.rows), [])


def by_variant(rows: list[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    return {row["variant"]: row for row in rows}


def test_naive_finds_untouched_faces(cohort: Cohort, judge: HeldOutRecogniser) -> None:
    found = naive(
        open_scene(cohort, untouched(cohort), [judge], load_detector("mtcnn", WINDOW_MIN_FACE))
    )
    assert found[0]["rank1"] == 1
    assert found[0]["attack"] == "naive"


def test_the_file_makes_the_gallery_that_apply_made(scene: Scene, attacker: Attacker) -> None:
    """Whoever owns the file gets the very faces that were protected: the worst case is real."""
    person, record = next(iter(attacker.records(scene.cohort).items()))
    rows = np.flatnonzero(scene.cohort.owners == person)
    windows, kept = attacker.edit(
        [scene.cohort.faces[i] for i in rows], record.attributes.passes[None]
    )
    made = scene.embed(windows[0], rows[kept])["sface"]
    mine = np.isin(scene.rows, rows[kept])
    same = np.linalg.norm(made - scene.embeddings["sface"][mine], axis=1)
    assert np.median(same) < 0.6  # an embedding moves with the landmarks that are found in the edit
    assert (
        same.max()
        < np.linalg.norm(made - scene.standards["sface"].embeddings[rows[kept]], axis=1).min()
    )


def test_every_parrot_is_there_and_the_file_finds_more_than_nothing_does(
    scene: Scene, attacker: Attacker
) -> None:
    rows = by_variant(parrot(scene, attacker, load_space("one-pass"), probed=1))
    assert set(rows) == {
        "unedited gallery",
        "random sets",
        "exported file",
        "classifier",
        "same set",
    }
    assert rows["exported file"]["rank1"] == 1
    assert rows["exported file"]["gallery"] == 2


def test_a_classifier_learns_people_from_other_pictures_only() -> None:
    centres, owners = units(12, size=32), np.arange(12).repeat(4)
    rows = noisy(centres, owners, 0.5)
    pictures = np.arange(len(owners))
    found = classify(rows, owners, pictures, [Gallery(rows, owners, pictures)])
    assert found.rank1.value > 0.9
    strange = classify(units(48, 99, 32), owners, pictures, [Gallery(rows, owners, pictures)])
    assert strange.rank1.value < 0.3


def test_random_sets_stay_in_the_space() -> None:
    sets = random_sets(load_space("thesis10"), "male", 5, np.random.default_rng(0))
    assert sets.shape == (5, 2, 13)
    assert np.array_equal(sets[:, 1], -sets[:, 0])
    assert (sets[:, 0, 7] <= -0.1).all()


def test_negation_is_measured_after_each_time(scene: Scene, attacker: Attacker) -> None:
    before = scene.look.windows.copy()
    rows = by_variant(negation(scene, attacker))
    assert list(rows) == [f"negated set, {times}" for times in ("once", "twice", "three times")]
    assert np.array_equal(scene.look.windows, before)
    assert all(0 <= row["rank1"] <= 1 for row in rows.values())


def test_faces_cut_from_windows_are_aligned(scene: Scene) -> None:
    faces = as_faces(scene.look.windows[:2], scene.look.landmarks[:2])
    original = scene.cohort.faces[int(scene.rows[0])]
    assert np.abs(faces[0].crop_to_window - original.crop_to_window).max() < 12
    assert faces[0].crop.shape == (128, 128, 3)


def test_a_network_learns_to_undo(editor: Editor, scene: Scene) -> None:
    """Trained on the faces themselves it must get nearer to them than the edit is.

    That is what training means.
    """
    from attrsearch.faces.sampling import to_editor

    crops = to_editor([face.crop for face in scene.cohort.faces])
    sets = random_sets(load_space("one-pass"), "female", 1, np.random.default_rng(0))
    losses = []
    for steps in (1, 10):
        model = train_undo(editor, sets, crops, steps=steps, batch=4)
        with torch.inference_mode():
            edited = editor.edit(editor.encode(crops[:4]), sets.repeat(4, 0))
            losses.append(float((model(edited) - crops[:4]).abs().mean()))
    assert losses[1] < losses[0]
    with pytest.raises(InputError, match="at least 16 pictures"):
        train_undo(editor, sets, crops[:3], steps=1)


def test_undoing_nothing_changes_little(scene: Scene) -> None:
    model = Undo()
    torch.nn.init.zeros_(model.last.weight)
    torch.nn.init.zeros_(model.last.bias)
    same = undo(model.eval(), scene.look.windows, scene.look.landmarks)
    assert np.abs(same.astype(int) - scene.look.windows).mean() < 1.5


def noisy_scene(scene: Scene, noise: float, people: int, each: int) -> Scene:
    """The same scene with made-up embeddings: protected faces are originals with much noise."""
    from dataclasses import replace

    from attrsearch.evaluation.metrics.anonymity import measure_originals

    owners = np.arange(people).repeat(each)
    originals = noisy(units(people, size=64), owners, 0.4)
    protected = noisy(units(people, size=64), owners, noise, 5)
    take = np.arange(len(owners)) % len(scene.cohort)
    cohort = replace(
        scene.cohort, people=tuple(f"p{i}" for i in range(people)), owners=owners,
        faces=tuple(scene.cohort.faces[i] for i in take), look=scene.cohort.look.take(take),
    )  # fmt: skip
    protection = Protection("noise", np.arange(len(owners)), scene.protection.windows[take], 0)
    standard = measure_originals(originals, owners, np.zeros((0, 64), np.float32), 1.0)
    return replace(
        scene, cohort=cohort, protection=protection, look=scene.look.take(take),
        standards={"sface": standard}, embeddings={"sface": protected},
    )  # fmt: skip


def test_averaging_undoes_noise(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    made = noisy_scene(scene, noise=3.0, people=12, each=8)
    monkeypatch.setattr(
        "attrsearch.evaluation.attacks.several._embed_crops",
        lambda crops, recogniser: units(len(crops), 3, 64),
    )
    rows = by_variant(averaging(made))
    assert rows["mean embedding"]["rank1"] > rows["single"]["rank1"] + 0.2
    assert rows["single"]["probes"] == 12 * 8 * 7
    assert rows["mean picture"]["rank1"] < 0.4


def test_averaging_on_real_faces_and_who_cannot_be_averaged(
    scene: Scene, cohort: Cohort, judge: HeldOutRecogniser
) -> None:
    rows = by_variant(averaging(scene))
    assert set(rows) == {"single", "mean embedding", "mean picture"}
    firsts = np.unique(cohort.owners, return_index=True)[1]
    one = Protection("one each", firsts, cohort.look.windows[firsts], 0)
    with pytest.raises(InputError, match="several protected faces"):
        averaging(open_scene(cohort, one, [judge], scene.detector))


def test_linking_halves_and_two_sets(scene: Scene) -> None:
    halves = linking(noisy_scene(scene, noise=0.5, people=10, each=4))[0]
    assert halves["rank1"] == 1
    assert halves["probes"] == 20
    assert halves["gallery"] == 10
    two = linking(noisy_scene(scene, 0.5, 10, 4), noisy_scene(scene, 0.5, 6, 4))[0]
    assert two["gallery"] == 6
    assert two["probes"] == 24
    strangers = noisy_scene(scene, 0.5, 6, 4)
    from dataclasses import replace

    unknown = replace(strangers, cohort=replace(strangers.cohort, people=tuple("abcdef")))
    with pytest.raises(InputError, match="who are in both"):
        linking(noisy_scene(scene, 0.5, 10, 4), unknown)
