"""What is kept: nothing changes where nothing was done, and known changes are measured as such."""

import numpy as np
import pytest

from attrsearch.evaluation.evaluate import Examiner, load_evaluation_models
from attrsearch.evaluation.faces import Cohort
from attrsearch.evaluation.hifd import score_hifd, write_hifd
from attrsearch.evaluation.judges import HeldOutRecogniser
from attrsearch.evaluation.metrics.head_pose import head_pose, openness
from attrsearch.evaluation.metrics.realism import frechet_distance, kernel_distance
from attrsearch.evaluation.metrics.utility import skin_tones
from attrsearch.evaluation.pairing import Protection, untouched


@pytest.fixture(scope="module")
def examiner(cohort: Cohort, judge: HeldOutRecogniser) -> Examiner:
    eyes, _ = load_evaluation_models()
    return Examiner(cohort, [judge], eyes)


def test_untouched_faces_keep_everything(examiner: Examiner, cohort: Cohort) -> None:
    found = examiner.examine(untouched(cohort))
    for name in (
        "recall_mtcnn",
        "iou_mtcnn",
        "recall_yunet",
        "iou_yunet",
        "precision_mtcnn",
        "gender_kept",
    ):
        assert found.kept[name] == 1, name
    for name in ("landmark_error", "skin_tone_change", "attribute_drift"):
        assert found.kept[name] == 0, name


def test_an_edit_keeps_detection_and_gender_and_hides_the_face(
    examiner: Examiner, protection: Protection, judge: HeldOutRecogniser
) -> None:
    found = examiner.examine(protection)
    assert found.kept["recall_mtcnn"] == found.kept["recall_yunet"] == 1
    assert 0.6 < found.kept["iou_mtcnn"] < 1
    assert 0 < found.kept["landmark_error"] < 0.3
    assert 0 < found.kept["skin_tone_change"] < 30
    distance = found.judged[0]["distance"]
    assert isinstance(distance, float)
    assert distance > 1.2
    assert found.judged[0]["unseen"] is False


def test_grey_windows_keep_nothing(examiner: Examiner, cohort: Cohort) -> None:
    grey = np.full_like(cohort.look.windows, 128)
    found = examiner.examine(Protection("grey", np.arange(len(cohort)), grey, 0))
    assert (
        found.kept["recall_mtcnn"]
        == found.kept["iou_yunet"]
        == found.kept["probability_mtcnn"]
        == 0
    )
    assert found.kept["precision_mtcnn"] is None
    assert found.kept["landmark_error"] is None
    assert len(found.embeddings["sface"]) == len(cohort)


def test_what_hifd_scores(
    examiner: Examiner, cohort: Cohort, protection: Protection, tmp_path: object
) -> None:
    import json
    from pathlib import Path

    folder = Path(str(tmp_path))
    methods, estimators = write_hifd(examiner, [examiner.examine(protection)], folder)
    assert json.loads(methods.read_text())["methods"][0]["name"] == protection.name
    task = json.loads(estimators.read_text())["tasks"]["face_embedding"]["estimators"][0]
    content = json.loads((folder / "original" / task["orig_json"]).read_text())
    assert (content["task"], content["source"], content["schema_version"]) == (
        "face_embedding",
        "original",
        "1.0",
    )
    assert len(content["predictions"]) == len(cohort)
    pytest.importorskip("hifd")
    scores = score_hifd(folder)[protection.name]
    cosine = (
        1
        - (examiner.examine(protection).judged[0]["distance"] / examiner.standards["sface"].scale)
        ** 2
        / 2
    )
    assert scores["P"] == pytest.approx(
        (1 - cosine) / 2, abs=0.05
    )  # the mean of squares is not the square of the mean


def test_frechet_distance_of_known_gaussians() -> None:
    generator = np.random.default_rng(0)
    first = generator.normal(0, 1, (40_000, 3)).astype(np.float32)
    second = (generator.normal(0, 1, (40_000, 3)) * [2, 1, 1] + [0, 1, 0]).astype(np.float32)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(first, second) == pytest.approx(
        1 + 1, rel=0.03
    )  # shift squared, (2 - 1) squared


def test_kernel_distance_is_unbiased_and_sees_a_shift() -> None:
    generator = np.random.default_rng(1)
    rows = [generator.normal(0, 1, (400, 8)).astype(np.float32) for _ in range(2)]
    assert abs(kernel_distance(rows[0], rows[1])) < 0.05
    assert kernel_distance(rows[0], rows[1] + 1) > 0.5


def test_skin_tone_is_that_of_the_cheeks() -> None:
    crops = np.zeros((1, 128, 128, 3), np.float32)
    crops[:, 80:92] = 255
    assert skin_tones(crops)[0] == pytest.approx([100, 0, 0], abs=0.1)


def test_openness_does_not_depend_on_the_turn_of_the_head() -> None:
    ring = np.float32([[0, 0], [1, -0.3], [2, -0.3], [3, 0], [2, 0.3], [1, 0.3]])
    turn = np.float32([[0.8, -0.6], [0.6, 0.8]])
    both = openness(np.stack([ring, ring @ turn.T]))
    assert both == pytest.approx([0.2, 0.2], abs=1e-5)


@pytest.mark.parametrize("degrees", [-25.0, 0.0, 20.0])
def test_a_head_that_turns_is_seen_to_turn(degrees: float) -> None:
    """Landmarks projected from the generic head, turned about the vertical axis."""
    from attrsearch.evaluation.metrics.head_pose import SOLID, SOLID_POINTS

    side, angle = 192, np.radians(degrees)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    placed = SOLID * np.array([1, -1, -1]) @ turn.T + np.array([0, 0, 3000.0])
    points = np.zeros((68, 2), np.float32)
    points[list(SOLID_POINTS)] = placed[:, :2] / placed[:, 2:] * (side * 2) + (side - 1) / 2
    _, yaw, _ = head_pose(points, side)
    assert yaw == pytest.approx(degrees, abs=0.5)
