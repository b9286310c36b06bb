"""People: folders, bad pictures named, gender voted or given, mixed folders clustered."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attrsearch.core.attributes import ATTRIBUTES, MALE
from attrsearch.core.errors import InputError
from attrsearch.faces.alignment import CROP_TEMPLATE, transform
from attrsearch.faces.attribute_classifier import TraitsClassifier, vote
from attrsearch.faces.calibrate import calibrate
from attrsearch.faces.clustering import cluster_folder, group
from attrsearch.faces.dataset import MIN_FACE, Picture, load_face, load_faces
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.detection.mtcnn import Mtcnn
from attrsearch.faces.identities import IdentityLoader, load_people
from attrsearch.faces.people import find_people, read_genders
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.window_detection import detect_in_windows


@pytest.fixture(scope="module")
def detector() -> Mtcnn:
    return Mtcnn(MIN_FACE)


def save(path: Path, picture: Picture) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


def test_a_folder_a_person_and_single_faces(tmp_path: Path, astronaut: Picture) -> None:
    save(tmp_path / "Ann" / "1.png", astronaut)
    save(tmp_path / "Ann" / "2.png", astronaut)
    save(tmp_path / "Ben.png", astronaut)
    save(tmp_path / "Ann.jpg", astronaut)
    (tmp_path / "empty").mkdir()
    (tmp_path / ".cache").mkdir()
    found = find_people(tmp_path)
    assert [(person.id, len(person.files)) for person in found] == [
        ("Ann", 2),
        ("Ann.jpg", 1),
        ("Ben", 1),
    ]
    assert find_people(tmp_path / "Ben.png")[0].id == "Ben"


def test_folders_without_people(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a folder of people, found no such folder"):
        find_people(tmp_path / "nowhere")
    with pytest.raises(InputError, match="needs pictures of people, found none"):
        find_people(tmp_path)


def test_bad_pictures_are_named_and_left_out(
    tmp_path: Path, astronaut: Picture, detector: Mtcnn, caplog: pytest.LogCaptureFixture
) -> None:
    save(tmp_path / "Ann" / "a.png", astronaut)
    save(tmp_path / "Ann" / "b.png", np.full((100, 100, 3), 90, np.uint8))
    (tmp_path / "Ann" / "c.png").write_bytes(b"")
    faces = load_faces(find_people(tmp_path)[0], detector)
    assert [face.source.name for face in faces] == ["a.png"]
    assert "b.png: needs a picture of a face, found no face" in caplog.messages[0]
    assert "c.png: needs a readable picture, found an empty file" in caplog.messages[1]


def test_a_person_without_a_face(tmp_path: Path, detector: Mtcnn) -> None:
    save(tmp_path / "Ann" / "a.png", np.full((100, 100, 3), 90, np.uint8))
    with pytest.raises(
        InputError, match=r"Ann: needs at least one picture with a face, found none in 1 picture"
    ):
        load_faces(find_people(tmp_path)[0], detector)


def test_several_faces_where_one_was_promised(
    tmp_path: Path, astronauts: Picture, detector: Mtcnn, caplog: pytest.LogCaptureFixture
) -> None:
    both = np.concatenate([astronauts[0], astronauts[1]], 1)
    face = load_face(save(tmp_path / "two.png", both), detector)
    assert (
        "two.png: needs one person, found 2 faces; took the large one near the middle"
        in caplog.messages[0]
    )
    assert len(face.others) <= 1
    caplog.clear()
    small = np.array(Image.fromarray(astronauts[2]).resize((80, 80)))
    corner = np.array(Image.fromarray(astronauts[0]).resize((600, 600)))
    corner[:80, :80] = small
    load_face(save(tmp_path / "corner.png", corner), detector)
    assert not caplog.messages


def test_of_many_pictures_evenly_spaced_ones_are_read(
    tmp_path: Path, astronaut: Picture, detector: Mtcnn
) -> None:
    for i in range(10):
        save(tmp_path / "Ann" / f"{i}.png", astronaut)
    faces = load_faces(find_people(tmp_path)[0], detector, 3)
    assert [face.source.stem for face in faces] == ["0", "3", "6"]


@pytest.mark.parametrize("side", [120, 250, 1700])
def test_a_face_is_cut_the_same_at_every_size(
    tmp_path: Path, astronaut: Picture, detector: Mtcnn, side: int
) -> None:
    scaled = np.array(Image.fromarray(astronaut).resize((side, side), Image.Resampling.BICUBIC))
    face = load_face(save(tmp_path / "a.png", scaled), detector)
    plain = load_face(save(tmp_path / "b.png", astronaut), detector)
    assert np.abs(face.crop.astype(int) - plain.crop).mean() < 12
    assert np.abs(face.window.astype(int) - plain.window).mean() < 12
    found = detector.detect(face.window[None])[0]
    landmarks = transform(face.crop_to_window, CROP_TEMPLATE)
    assert np.abs(found.landmarks[0] - landmarks).max() < 12


def test_the_face_is_seen_again_in_its_window(people: list, detector: Mtcnn) -> None:
    seen = detect_in_windows(people[0].faces, load_detector("mtcnn", 48))
    assert seen.kept == (0, 1)
    assert (seen.probabilities > 0.95).all()


def test_traits_of_the_sample(people: list) -> None:
    by_name = {person.id: person.traits for person in people}
    assert by_name["astronaut"].gender == "female"
    assert by_name["astronaut"].certainty == 1.0  # given
    assert by_name["pilot"].gender == "male"
    assert by_name["astronaut"].probabilities.shape == (13,)
    assert by_name["astronaut"].probabilities[ATTRIBUTES.index("Eyeglasses")] < 0.5


def test_a_sure_picture_outvotes_doubtful_ones() -> None:
    table = np.full((4, 13), 0.5, np.float32)
    table[:, MALE] = 0.45, 0.45, 0.45, 0.99
    assert vote(table).gender == "male"
    assert vote(table, "female").gender == "female"
    assert 0.5 <= vote(table).certainty <= 1


def test_the_classifier_does_not_mind_mirrors(people: list) -> None:
    from attrsearch.faces.sampling import to_editor

    crops = to_editor([face.crop for face in people[0].faces])
    classifier = TraitsClassifier()
    assert np.allclose(
        classifier.probabilities(crops), classifier.probabilities(crops.flip(-1)), atol=1e-5
    )


def test_genders_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "genders.csv"
    path.write_text("identity,gender\nAnn,female\nBen, Male \n")
    assert read_genders(path) == {"Ann": "female", "Ben": "male"}
    path.write_text("identity,gender\nAnn,unknown\n")
    with pytest.raises(
        InputError,
        match=r"genders.csv, line 2: needs a CSV file with the columns identity and gender",
    ):
        read_genders(path)
    path.write_text("name,sex\nAnn,female\n")
    with pytest.raises(InputError, match="line 2"):
        read_genders(path)
    with pytest.raises(InputError, match="No such file"):
        read_genders(tmp_path / "gone.csv")


def test_a_given_gender_is_taken(sample: Path) -> None:
    person = next(person for person in find_people(sample) if person.id == "pilot")
    gather = IdentityLoader(Mtcnn(MIN_FACE), {"pilot": "female"})
    assert gather(person, 1).traits.gender == "female"


def test_people_are_read_one_by_one(
    tmp_path: Path, astronaut: Picture, caplog: pytest.LogCaptureFixture
) -> None:
    save(tmp_path / "Ann.png", astronaut)
    (tmp_path / "Ben.png").write_bytes(b"")
    assert [person.id for person in load_people(tmp_path)] == ["Ann"]
    assert any(
        line.startswith("Ben: needs at least one picture with a face") for line in caplog.messages
    )


def test_a_mixed_folder_is_sorted_into_people(
    tmp_path: Path,
    sample: Path,
    sface: CalibratedRecogniser,
    detector: Mtcnn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for path in sample.glob("[ap]*/*.jpg"):
        shutil.copy(path, tmp_path / path.name)
    (tmp_path / "broken.jpg").write_bytes(b"no")
    found = cluster_folder(tmp_path, detector, sface)
    groups = {
        frozenset(face.source.stem.split("_")[0] for face in person.faces) for person in found
    }
    assert groups == {frozenset({"astronaut"}), frozenset({"pilot"})}
    assert [person.id for person in found] == ["person_001", "person_002"]
    assert "broken.jpg" in caplog.messages[0]


def test_a_mixed_folder_without_faces(
    tmp_path: Path, sface: CalibratedRecogniser, detector: Mtcnn
) -> None:
    save(tmp_path / "a.png", np.full((90, 90, 3), 40, np.uint8))
    with pytest.raises(InputError, match="needs pictures with faces, found no face"):
        cluster_folder(tmp_path, detector, sface)


def test_one_face_is_one_group() -> None:
    assert group(np.ones((1, 4), np.float32), 1.0).tolist() == [0]


def test_calibrating_the_sample(sample: Path, sface: CalibratedRecogniser) -> None:
    steps: list[tuple[int, int]] = []
    found = calibrate(
        sample,
        sface.recogniser,
        progress=lambda step: steps.append((step.count, step.total)),
    )
    assert found.genuine.pairs == 18
    assert found.impostor.pairs == 3
    assert found.genuine.mean < found.impostor.mean
    assert found.thresholds == {}
    assert steps == [(1, 3), (2, 3), (3, 3)]
