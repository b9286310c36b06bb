"""The faces of an evaluation: cut once, seen by several recognisers."""

from pathlib import Path

import numpy as np
import pytest

from attrsearch.core.errors import InputError
from attrsearch.evaluation.faces import Cohort, detect_again, load_cohort, load_embeddings
from attrsearch.faces.dataset import MIN_FACE
from attrsearch.faces.detection.load import load_detector
from attrsearch.faces.recognition.base import CalibratedRecogniser
from attrsearch.faces.window_detection import WINDOW_MIN_FACE


@pytest.fixture(scope="module")
def sampled(sample: Path) -> Cohort:
    return load_cohort(
        sample,
        load_detector("mtcnn", MIN_FACE),
        load_detector("mtcnn", WINDOW_MIN_FACE),
        max_faces=2,
    )


def test_people_and_owners_agree(sampled: Cohort) -> None:
    assert sampled.people == ("astronaut", "cadet", "pilot")
    assert sampled.owners.tolist() == [0, 0, 1, 1, 2, 2]
    assert [face.source.parent.name for face in sampled.faces[::2]] == list(sampled.people)
    assert sampled.look.found.all()


def test_the_window_is_where_its_transform_says(sampled: Cohort) -> None:
    """The matrix kept for cutting the protected picture is the one the original was cut by."""
    from attrsearch.faces.alignment import WINDOW_SIZE, warp
    from attrsearch.faces.images import read_picture

    again = warp(read_picture(sampled.faces[3].source), sampled.to_windows[3], WINDOW_SIZE)
    assert np.array_equal(again, sampled.look.windows[3])


def test_untouched_windows_are_seen_as_before_and_grey_ones_are_not(sampled: Cohort) -> None:
    detector = load_detector("mtcnn", WINDOW_MIN_FACE)
    same = detect_again(sampled.look.windows, sampled.look, detector)
    assert same.found.all()
    assert same.overlaps.min() > 0.99
    grey = detect_again(np.full_like(sampled.look.windows, 128), sampled.look, detector)
    assert not grey.found.any()
    assert np.array_equal(grey.boxes, sampled.look.boxes)
    assert not grey.overlaps.any()


def test_embeddings_do_not_depend_on_company(sampled: Cohort, sface: CalibratedRecogniser) -> None:
    whole = sampled.look.embed(sface.recogniser)
    part = sampled.look.take(np.array([4, 1])).embed(sface.recogniser)
    assert np.allclose(part, whole[[4, 1]], atol=0.02)


def test_distractors_are_one_picture_a_person(sample: Path, sface: CalibratedRecogniser) -> None:
    detectors = load_detector("mtcnn", MIN_FACE), load_detector("mtcnn", WINDOW_MIN_FACE)
    found = load_embeddings(sample, [sface.recogniser], *detectors, without=frozenset({"pilot"}))
    assert found["sface"].shape == (2, 128)


def test_a_folder_without_faces_is_named(
    tmp_path: Path, mtcnn: object, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "nobody").mkdir()
    (tmp_path / "nobody" / "a.png").write_bytes(b"")
    with pytest.raises(
        InputError, match=r"pictures that show faces.*1 pictures .*a\.png: .*an empty file"
    ):
        load_cohort(tmp_path, mtcnn, mtcnn)  # type: ignore[arg-type]
    assert "a.png" in caplog.messages[0]


def test_a_name_that_nobody_has_is_named(sample: Path, mtcnn: object) -> None:
    names = frozenset({"pilot", "plumber"})
    with pytest.raises(InputError, match="a person named plumber"):
        load_cohort(sample, mtcnn, mtcnn, names=names)  # type: ignore[arg-type]
